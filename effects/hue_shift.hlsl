// Turns every hue by an angle and keeps luma.
//
// Source: the matrix of the W3C's Filter Effects Module, `hue-rotate()`, which works on encoded values.

float degrees_turned <min = -360; max = 360; description = "Angle in degrees: 120 takes red to green"> = 120;

float4 main(float2 uv : TEXCOORD) : SV_Target {
    float4 color = tex2D(input, uv);
    float c = cos(radians(degrees_turned));
    float s = sin(radians(degrees_turned));
    float3 luma = float3(0.213, 0.715, 0.072);
    float3 red = luma + c * float3(0.787, -0.715, -0.072) + s * float3(-0.213, -0.715, 0.928);
    float3 green = luma + c * float3(-0.213, 0.285, -0.072) + s * float3(0.143, 0.140, -0.283);
    float3 blue = luma + c * float3(-0.213, -0.715, 0.928) + s * float3(-0.787, 0.715, 0.072);
    float3 turned = float3(dot(red, color.rgb), dot(green, color.rgb), dot(blue, color.rgb));
    return float4(saturate(turned), color.a);
}
