// Multiplies the picture by a colour, as a coloured glass before the lens would.

float3 color <min = 0; max = 2; description = "Red, green and blue factors"> = { 1.0, 0.72, 0.45 };
float strength <min = 0; max = 1; description = "0 leaves the picture, 1 is the full tint"> = 1;

float4 main(float2 uv : TEXCOORD) : SV_Target {
    float4 source = tex2D(input, uv);
    return float4(saturate(source.rgb * lerp(float3(1, 1, 1), color, strength)), source.a);
}
