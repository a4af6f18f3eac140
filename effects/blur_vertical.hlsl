// Gaussian blur along columns: one half of a separable blur (see graphs/separable_blur.toml).
//
// Works on encoded values.

uint radius <min = 0; max = 64; description = "Reach of the kernel in pixels of the input"> = 12;
float sigma <min = 0.1; max = 64; description = "Standard deviation in pixels of the input"> = 5;

float4 main(float2 uv : TEXCOORD) : SV_Target {
    float2 size;
    input.GetDimensions(size.x, size.y);
    int reach = min(radius, 64u);
    float falloff = -0.5 / max(sigma * sigma, 0.01);
    float4 sum = 0;
    float total = 0;
    for (int i = -reach; i <= reach; ++i) {
        float weight = exp(falloff * (i * i));
        sum += weight * tex2D(input, uv + float2(0, i) / size);
        total += weight;
    }
    return sum / total;
}
