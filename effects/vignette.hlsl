// Darkens the corners.

float strength <min = 0; max = 1; description = "0 leaves the picture, 1 makes the corners black"> = 0.85;
float radius <min = 0; max = 1; description = "Where darkening starts: 0 is the middle, 1 the corner"> = 0.35;
float softness <min = 0.01; max = 1; description = "How far the darkening takes, in the same unit"> = 0.65;

float4 main(float2 uv : TEXCOORD) : SV_Target {
    float4 color = tex2D(input, uv);
    float from_center = length((uv - 0.5) * resolution) / length(0.5 * resolution);
    float shade = smoothstep(radius, radius + max(softness, 0.01), from_center);
    return float4(color.rgb * (1 - strength * shade), color.a);
}
