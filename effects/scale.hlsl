// Makes the picture larger or smaller around a point.

float2 factor <min = 0.01; max = 100; description = "Factors across and down: above 1 is larger"> = { 1.6, 1.6 };
float2 center <description = "The point that stays where it is; 0..1 across and down"> = { 0.5, 0.5 };
float4 background <min = 0; max = 1; description = "Colour where there is no picture"> = { 0.0, 0.0, 0.0, 1.0 };

float4 main(float2 uv : TEXCOORD) : SV_Target {
    float2 at = (uv - center) / max(factor, 0.01) + center;
    bool inside = all(at >= 0) && all(at <= 1);
    return inside ? tex2D(input, at) : background;
}
