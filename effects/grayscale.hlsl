// Mixes each pixel with its own luma.
//
// Luma is that of ITU-R BT.709, of the encoded values, as video means it.

float strength <min = 0; max = 1; description = "0 leaves the picture, 1 removes all colour"> = 1;

float4 main(float2 uv : TEXCOORD) : SV_Target {
    float4 color = tex2D(input, uv);
    float luma = dot(color.rgb, float3(0.2126, 0.7152, 0.0722));
    return float4(lerp(color.rgb, luma.xxx, strength), color.a);
}
