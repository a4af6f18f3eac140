// Draws with the colours of a palette only, mixed by ordered dithering.
//
// The palette is a buffer: any number of colours. Nearest by distance in encoded RGB. Set the buffer before use.
// Source: B. E. Bayer, "An optimum method for two-level rendition of continuous-tone pictures", 1973 (4 × 4 matrix).

StructuredBuffer<float4> colors <description = "The palette: red, green, blue and one unused number per colour">;
float dither <min = 0; max = 1; description = "Amplitude of the dither pattern"> = 0.25;

static const float BAYER[16] = { 0, 8, 2, 10, 12, 4, 14, 6, 3, 11, 1, 9, 15, 7, 13, 5 };

float4 main(float2 uv : TEXCOORD) : SV_Target {
    float4 color = tex2D(input, uv);
    uint2 pixel = uint2(uv * resolution);
    float pattern = (BAYER[(pixel.y & 3) * 4 + (pixel.x & 3)] + 0.5) / 16 - 0.5;
    float3 wanted = color.rgb + pattern * dither;

    uint count, stride;
    colors.GetDimensions(count, stride);
    float3 best = float3(0, 0, 0);
    float best_distance = 1e9;
    for (uint i = 0; i < min(count, 256u); ++i) {
        float3 difference = colors[i].rgb - wanted;
        float distance = dot(difference, difference);
        if (distance < best_distance) {
            best_distance = distance;
            best = colors[i].rgb;
        }
    }
    return float4(best, color.a);
}
