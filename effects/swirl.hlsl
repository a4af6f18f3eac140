// Twists the picture around its middle.

float degrees_turned <min = -720; max = 720; description = "Angle in degrees at the middle, counter-clockwise"> = 150;
float radius <min = 0.01; max = 2; description = "Where the twist ends, in heights of the picture"> = 0.5;

float4 main(float2 uv : TEXCOORD) : SV_Target {
    float2 from_center = (uv - 0.5) * resolution / resolution.y;
    float inside = saturate(1 - length(from_center) / max(radius, 0.01));
    float angle = radians(degrees_turned) * inside * inside;
    float c = cos(angle);
    float s = sin(angle);
    float2 source = float2(c * from_center.x - s * from_center.y, s * from_center.x + c * from_center.y);
    return tex2D(input, source * resolution.y / resolution + 0.5);
}
