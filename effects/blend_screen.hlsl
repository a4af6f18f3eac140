// Screens `overlay` onto `input`: like adding, but it never clips.
//
// Inputs: `input` and `overlay`, whose alpha (straight) says where it counts. Encoded values.

Texture2D overlay;

float opacity <min = 0; max = 1; description = "Factor on the overlay's alpha"> = 1;

float4 main(float2 uv : TEXCOORD) : SV_Target {
    float4 below = tex2D(input, uv);
    float4 above = tex2D(overlay, uv);
    float3 blended = 1 - (1 - below.rgb) * (1 - above.rgb);
    return float4(lerp(below.rgb, blended, saturate(above.a * opacity)), below.a);
}
