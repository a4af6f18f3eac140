// A power curve per channel.

float exponent <min = 0.1; max = 10; description = "1 leaves the picture, above 1 lifts the shadows"> = 1.8;

float4 main(float2 uv : TEXCOORD) : SV_Target {
    float4 color = tex2D(input, uv);
    return float4(pow(saturate(color.rgb), 1 / max(exponent, 0.1)), color.a);
}
