// Lays `overlay` over `input` by its alpha ("over", straight alpha).
//
// Inputs: `input` below, `overlay` above. Encoded values.
// Source: T. Porter and T. Duff, "Compositing digital images", 1984.

Texture2D overlay;

float opacity <min = 0; max = 1; description = "Factor on the overlay's alpha"> = 1;

float4 main(float2 uv : TEXCOORD) : SV_Target {
    float4 below = tex2D(input, uv);
    float4 above = tex2D(overlay, uv);
    float alpha = saturate(above.a * opacity);
    float result_alpha = alpha + below.a * (1 - alpha);
    float3 result = above.rgb * alpha + below.rgb * below.a * (1 - alpha);
    return float4(result / max(result_alpha, 0.0001), result_alpha);
}
