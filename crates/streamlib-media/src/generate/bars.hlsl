// Colour bars with a moving marker, and the frame number as 24 blocks along the lower edge.
//
// The bars are the 75 % bars of SMPTE ECR 1-1978 with its reversed strip and grey ramp in the place of the PLUGE. In
// the lowest twelfth, block 0 (left) is the highest bit of the frame number: white is 1, black is 0.

static const float3 BARS[7] = {
    float3(0.75, 0.75, 0.75), float3(0.75, 0.75, 0), float3(0, 0.75, 0.75), float3(0, 0.75, 0),
    float3(0.75, 0, 0.75), float3(0.75, 0, 0), float3(0, 0, 0.75)
};

float4 main(float2 uv : TEXCOORD) : SV_Target {
    uint bar = min(uint(uv.x * 7), 6u);
    float3 color = BARS[bar];
    if (uv.y >= 11.0 / 12.0) {
        uint block = min(uint(uv.x * 24), 23u);
        color = ((frame_number >> (23 - block)) & 1) == 1 ? 1.0 : 0.0;
    } else if (uv.y >= 0.75) {
        color = uv.x;
    } else if (uv.y >= 0.67) {
        color = (bar & 1) == 0 ? BARS[6 - bar] : 0.0;
    } else {
        // The marker crosses the picture in 120 frames, whatever the rate.
        float distance = abs(uv.x - frac(frame_number / 120.0)) * resolution.x;
        color = lerp(color, 1.0, saturate(resolution.x / 160.0 + 1 - distance));
    }
    return float4(color, 1);
}
