// Keeps what is bright and drops the rest: the first step of a bloom (see graphs/bloom.toml).
//
// Brightness is the greatest channel; around the threshold a parabola makes a soft knee. Encoded values.

float threshold <min = 0; max = 1; description = "Brightness from which pixels pass"> = 0.7;
float knee <min = 0; max = 1; description = "Half the width of the soft transition"> = 0.1;

float4 main(float2 uv : TEXCOORD) : SV_Target {
    float4 color = tex2D(input, uv);
    float brightness = max(color.r, max(color.g, color.b));
    float into_knee = clamp(brightness - threshold + knee, 0, 2 * knee);
    float soft = into_knee * into_knee / max(4 * knee, 0.0001);
    float passed = max(soft, brightness - threshold) / max(brightness, 0.0001);
    return float4(color.rgb * passed, color.a);
}
