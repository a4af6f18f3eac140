// Makes colours stronger or weaker and keeps luma (ITU-R BT.709, of the encoded values).

float amount <min = 0; max = 4; description = "Factor: 0 is grey, 1 leaves the picture"> = 1.6;

float4 main(float2 uv : TEXCOORD) : SV_Target {
    float4 color = tex2D(input, uv);
    float luma = dot(color.rgb, float3(0.2126, 0.7152, 0.0722));
    return float4(saturate(lerp(luma.xxx, color.rgb, amount)), color.a);
}
