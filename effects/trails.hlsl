// Bright things leave trails that fade.
//
// Inputs: `input` and `previous`, this effect's own result one frame earlier (see graphs/trails.toml).

Texture2D previous;

float persistence <min = 0; max = 1; description = "What remains of a trail after one frame"> = 0.9;

float4 main(float2 uv : TEXCOORD) : SV_Target {
    float4 color = tex2D(input, uv);
    return float4(max(color.rgb, tex2D(previous, uv).rgb * persistence), color.a);
}
