// Turns the picture around a point; pixels stay square whatever the shape of the picture.

float degrees_turned <min = -360; max = 360; description = "Angle in degrees, counter-clockwise"> = 20;
float2 center <description = "The point that stays where it is; 0..1 across and down"> = { 0.5, 0.5 };
float4 background <min = 0; max = 1; description = "Colour where there is no picture"> = { 0.0, 0.0, 0.0, 1.0 };

float4 main(float2 uv : TEXCOORD) : SV_Target {
    float angle = radians(degrees_turned);
    float c = cos(angle);
    float s = sin(angle);
    float2 from_center = (uv - center) * resolution;
    float2 source = float2(c * from_center.x - s * from_center.y, s * from_center.x + c * from_center.y);
    float2 at = source / resolution + center;
    bool inside = all(at >= 0) && all(at <= 1);
    return inside ? tex2D(input, at) : background;
}
