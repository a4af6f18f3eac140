// Screens a blurred glow onto the picture: the last step of a bloom (see graphs/bloom.toml).
//
// Inputs: `input`, the picture, and `bloom`, the glow, of any size. Encoded values.

Texture2D bloom;

float strength <min = 0; max = 8; description = "Factor on the glow"> = 2;

float4 main(float2 uv : TEXCOORD) : SV_Target {
    float4 color = tex2D(input, uv);
    float3 glow = saturate(tex2D(bloom, uv).rgb * strength);
    return float4(1 - (1 - color.rgb) * (1 - glow), color.a);
}
