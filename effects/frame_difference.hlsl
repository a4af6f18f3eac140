// Shows what has changed: the distance of each channel from the picture before.
//
// Inputs: `input` and `previous`, the same source one frame earlier (see graphs/frame_difference.toml).

Texture2D previous;

float gain <min = 0; max = 32; description = "Factor on the difference"> = 4;

float4 main(float2 uv : TEXCOORD) : SV_Target {
    float4 color = tex2D(input, uv);
    return float4(saturate(abs(color.rgb - tex2D(previous, uv).rgb) * gain), color.a);
}
