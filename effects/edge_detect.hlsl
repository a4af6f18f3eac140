// Draws outlines: the length of the Sobel gradient of luma.
//
// Luma is that of ITU-R BT.709, of the encoded values.
// Source: I. Sobel and G. Feldman, "A 3 × 3 isotropic gradient operator for image processing", 1968.

float strength <min = 0; max = 8; description = "Factor on the gradient; a full step has 4, white is 1"> = 1;
float background <min = 0; max = 1; description = "How much of the picture remains behind the lines"> = 0;
float3 color <min = 0; max = 1; description = "Colour of the lines"> = { 1.0, 1.0, 1.0 };

float luma_at(float2 uv) {
    return dot(tex2D(input, uv).rgb, float3(0.2126, 0.7152, 0.0722));
}

float4 main(float2 uv : TEXCOORD) : SV_Target {
    float2 size;
    input.GetDimensions(size.x, size.y);
    float2 gradient = 0;
    for (int i = -1; i <= 1; ++i) {
        float weight = 2 - abs(i);
        gradient.x += weight * (luma_at(uv + float2(1, i) / size) - luma_at(uv + float2(-1, i) / size));
        gradient.y += weight * (luma_at(uv + float2(i, 1) / size) - luma_at(uv + float2(i, -1) / size));
    }
    float4 source = tex2D(input, uv);
    return float4(lerp(source.rgb * background, color, saturate(strength * length(gradient))), source.a);
}
