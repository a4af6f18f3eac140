// The grain of film: noise that is new in every frame and strongest in the midtones.
//
// Source of the hash: M. Jarzynski and M. Olano, "Hash functions for GPU rendering", 2020 (pcg3d).

float strength <min = 0; max = 1; description = "Amplitude of the grain"> = 0.12;

uint3 pcg3d(uint3 v) {
    v = v * 1664525u + 1013904223u;
    v.x += v.y * v.z;
    v.y += v.z * v.x;
    v.z += v.x * v.y;
    v ^= v >> 16u;
    v.x += v.y * v.z;
    v.y += v.z * v.x;
    v.z += v.x * v.y;
    return v;
}

float4 main(float2 uv : TEXCOORD) : SV_Target {
    float4 color = tex2D(input, uv);
    uint3 random = pcg3d(uint3(uint2(uv * resolution), frame_number));
    // Two even variables make a triangle: -1..1, most often near 0.
    float grain = ((random.x >> 8) + (random.y >> 8)) / 16777216.0 - 1;
    float luma = dot(color.rgb, float3(0.2126, 0.7152, 0.0722));
    float midtone = 4 * luma * (1 - luma);
    return float4(saturate(color.rgb + strength * grain * (0.3 + 0.7 * midtone)), color.a);
}
