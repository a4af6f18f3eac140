// Sharpens by unsharp masking: adds what a small blur takes away.
//
// The blur is the 3 × 3 binomial kernel, on encoded values.

float strength <min = 0; max = 4; description = "How much of the detail is added; 0 leaves the picture"> = 1;

float4 main(float2 uv : TEXCOORD) : SV_Target {
    float2 size;
    input.GetDimensions(size.x, size.y);
    float4 color = tex2D(input, uv);
    float3 blurred = 0;
    for (int y = -1; y <= 1; ++y) {
        for (int x = -1; x <= 1; ++x) {
            float weight = (2 - abs(x)) * (2 - abs(y)) / 16.0;
            blurred += weight * tex2D(input, uv + float2(x, y) / size).rgb;
        }
    }
    return float4(saturate(color.rgb + strength * (color.rgb - blurred)), color.a);
}
