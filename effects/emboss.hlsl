// Lights the picture from one side, as if its luma were a relief.
//
// The slope of luma (ITU-R BT.709, of the encoded values) toward the light, around mid grey or on the picture.

float strength <min = 0; max = 8; description = "Height of the relief"> = 4;
float light_degrees <min = -360; max = 360; description = "Direction of the light, counter-clockwise from right"> = 135;
float colored <min = 0; max = 1; description = "0 is a grey relief, 1 puts it on the picture"> = 0;

float luma_at(float2 uv) {
    return dot(tex2D(input, uv).rgb, float3(0.2126, 0.7152, 0.0722));
}

float4 main(float2 uv : TEXCOORD) : SV_Target {
    float2 size;
    input.GetDimensions(size.x, size.y);
    float angle = radians(light_degrees);
    float2 toward_light = float2(cos(angle), -sin(angle)) / size;
    float slope = luma_at(uv - toward_light) - luma_at(uv + toward_light);
    float4 color = tex2D(input, uv);
    return float4(saturate(lerp(float3(0.5, 0.5, 0.5), color.rgb, colored) + strength * 0.5 * slope), color.a);
}
