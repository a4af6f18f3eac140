// Gaussian blur in one pass.
//
// Works on encoded values, as most video tools do. Costs (2 × radius + 1)² reads: for large radii take
// graphs/separable_blur.toml, which gives the same picture.

uint radius <min = 0; max = 16; description = "Reach of the kernel in pixels"> = 5;
float sigma <min = 0.1; max = 16; description = "Standard deviation in pixels"> = 2;

float4 main(float2 uv : TEXCOORD) : SV_Target {
    float2 size;
    input.GetDimensions(size.x, size.y);
    int reach = min(radius, 16u);
    float falloff = -0.5 / max(sigma * sigma, 0.01);
    float4 sum = 0;
    float total = 0;
    for (int y = -reach; y <= reach; ++y) {
        for (int x = -reach; x <= reach; ++x) {
            float weight = exp(falloff * (x * x + y * y));
            sum += weight * tex2D(input, uv + float2(x, y) / size);
            total += weight;
        }
    }
    return sum / total;
}
