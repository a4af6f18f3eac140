// Black point, white point and midtones, in and out, as the levels dialog of a photo editor.

float in_black <min = 0; max = 1; description = "Input value that becomes out_black"> = 0.08;
float in_white <min = 0; max = 1; description = "Input value that becomes out_white"> = 0.85;
float midtones <min = 0.1; max = 10; description = "Exponent between them; above 1 is brighter"> = 1.25;
float out_black <min = 0; max = 1; description = "Darkest output value"> = 0;
float out_white <min = 0; max = 1; description = "Brightest output value"> = 1;

float4 main(float2 uv : TEXCOORD) : SV_Target {
    float4 color = tex2D(input, uv);
    float3 position = saturate((color.rgb - in_black) / max(in_white - in_black, 0.0001));
    float3 shaped = pow(position, 1 / max(midtones, 0.1));
    return float4(lerp(out_black.xxx, out_white.xxx, shaped), color.a);
}
