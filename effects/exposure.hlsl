// Brightens or darkens as a camera's aperture would: by factors of two, in linear light.
//
// Values are taken for sRGB-encoded (IEC 61966-2-1), decoded, scaled, and encoded again.

float stops <min = -8; max = 8; description = "Each stop doubles the light"> = 1;

float3 to_linear(float3 encoded) {
    return select(encoded <= 0.04045, encoded / 12.92, pow((encoded + 0.055) / 1.055, 2.4));
}

float3 to_encoded(float3 light) {
    return select(light <= 0.0031308, light * 12.92, 1.055 * pow(light, 1 / 2.4) - 0.055);
}

float4 main(float2 uv : TEXCOORD) : SV_Target {
    float4 color = tex2D(input, uv);
    return float4(to_encoded(saturate(to_linear(saturate(color.rgb)) * exp2(stops))), color.a);
}
