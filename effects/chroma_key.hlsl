// Makes a colour transparent, for pictures taken before a green or blue screen.
//
// The alpha of the result says what remains: lay it over another picture with blend_alpha.hlsl. Distance is measured in
// the plane of Cb and Cr (ITU-R BT.709, of the encoded values), so that a bright and a dim part of the screen differ
// little; the screen's light on the subject is taken back by removing the chroma that points toward the key.

float3 key_color <min = 0; max = 1; description = "Colour of the screen"> = { 0.10, 0.70, 0.25 };
float tolerance <min = 0; max = 1; description = "Chroma distance up to which pixels vanish"> = 0.18;
float softness <min = 0.001; max = 1; description = "Further distance over which they come back"> = 0.10;
float spill <min = 0; max = 1; description = "How much of the screen's colour is taken off what remains"> = 1;

float luma_of(float3 color) {
    return dot(color, float3(0.2126, 0.7152, 0.0722));
}

float2 chroma_of(float3 color) {
    float luma = luma_of(color);
    return float2((color.b - luma) / 1.8556, (color.r - luma) / 1.5748);
}

float4 main(float2 uv : TEXCOORD) : SV_Target {
    float4 color = tex2D(input, uv);
    float2 chroma = chroma_of(color.rgb);
    float2 key = chroma_of(key_color);
    float kept = smoothstep(tolerance, tolerance + max(softness, 0.001), distance(chroma, key));

    float2 toward_key = key / max(length(key), 0.0001);
    chroma -= toward_key * max(dot(chroma, toward_key), 0) * spill;
    float luma = luma_of(color.rgb);
    float red = luma + 1.5748 * chroma.y;
    float blue = luma + 1.8556 * chroma.x;
    float green = (luma - 0.2126 * red - 0.0722 * blue) / 0.7152;
    return float4(saturate(float3(red, green, blue)), color.a * kept);
}
