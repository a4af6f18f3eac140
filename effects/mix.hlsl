// Crossfades from `input` to `overlay`, alpha included.
//
// Inputs: `input` and `overlay`. Encoded values.

Texture2D overlay;

float amount <min = 0; max = 1; description = "0 is the input, 1 the overlay"> = 0.5;

float4 main(float2 uv : TEXCOORD) : SV_Target {
    return lerp(tex2D(input, uv), tex2D(overlay, uv), amount);
}
