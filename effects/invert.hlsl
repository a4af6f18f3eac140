// The photographic negative.

float strength <min = 0; max = 1; description = "0 leaves the picture, 0.5 is grey, 1 is the negative"> = 1;

float4 main(float2 uv : TEXCOORD) : SV_Target {
    float4 color = tex2D(input, uv);
    return float4(lerp(color.rgb, 1 - color.rgb, strength), color.a);
}
