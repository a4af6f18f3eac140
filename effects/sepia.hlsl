// The warm brown of old photographs.
//
// Source: the matrix of the W3C's Filter Effects Module, `sepia()`.

float strength <min = 0; max = 1; description = "0 leaves the picture, 1 is full sepia"> = 1;

static const float3x3 SEPIA = { 0.393, 0.769, 0.189, 0.349, 0.686, 0.168, 0.272, 0.534, 0.131 };

float4 main(float2 uv : TEXCOORD) : SV_Target {
    float4 color = tex2D(input, uv);
    return float4(lerp(color.rgb, saturate(mul(SEPIA, color.rgb)), strength), color.a);
}
