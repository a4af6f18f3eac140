// Black below a level of luma (ITU-R BT.709, of the encoded values), white above, with a ramp between.

float level <min = 0; max = 1; description = "Luma in the middle of the ramp"> = 0.5;
float softness <min = 0; max = 1; description = "Width of the ramp; 0 is a hard step"> = 0.05;

float4 main(float2 uv : TEXCOORD) : SV_Target {
    float4 color = tex2D(input, uv);
    float luma = dot(color.rgb, float3(0.2126, 0.7152, 0.0722));
    float white = saturate((luma - level) / max(softness, 0.0001) + 0.5);
    return float4(white.xxx, color.a);
}
