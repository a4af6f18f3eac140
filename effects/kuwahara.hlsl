// Paints: flattens texture and keeps edges.
//
// Each pixel takes the mean of that one of the four squares that touch it whose luma varies least.
// Source: M. Kuwahara et al., "Processing of RI-angiocardiographic images", 1976.

uint radius <min = 1; max = 8; description = "Side of the squares in pixels, without the pixel itself"> = 3;

float4 main(float2 uv : TEXCOORD) : SV_Target {
    float2 size;
    input.GetDimensions(size.x, size.y);
    int reach = clamp(radius, 1u, 8u);
    float count = (reach + 1) * (reach + 1);
    float4 here = tex2D(input, uv);
    float3 best = 0;
    float least = 1e9;
    for (int quadrant = 0; quadrant < 4; ++quadrant) {
        int2 direction = int2(quadrant % 2, quadrant / 2) * 2 - 1;
        float3 sum = 0;
        float luma_sum = 0;
        float square_sum = 0;
        for (int y = 0; y <= reach; ++y) {
            for (int x = 0; x <= reach; ++x) {
                float3 color = tex2D(input, uv + float2(int2(x, y) * direction) / size).rgb;
                // Counted from the middle pixel: squares of large, nearly equal numbers would hide small variances.
                float luma = dot(color - here.rgb, float3(0.2126, 0.7152, 0.0722));
                sum += color;
                luma_sum += luma;
                square_sum += luma * luma;
            }
        }
        float mean = luma_sum / count;
        float variance = square_sum / count - mean * mean;
        if (variance < least) {
            least = variance;
            best = sum / count;
        }
    }
    return float4(best, here.a);
}
