// Adds the same amount to red, green and blue.
//
// Works on encoded values; `exposure.hlsl` is the same idea in linear light.

float amount <min = -1; max = 1; description = "Added to every channel; negative darkens"> = 0.15;

float4 main(float2 uv : TEXCOORD) : SV_Target {
    float4 color = tex2D(input, uv);
    return float4(saturate(color.rgb + amount), color.a);
}
