// Coloured fringes toward the corners, as from a cheap lens: red is larger than green, blue is smaller.

float strength <min = -64; max = 64; description = "Shift of red and blue at the left and right edge, in pixels"> = 5;

float4 main(float2 uv : TEXCOORD) : SV_Target {
    float2 shift = (uv - 0.5) * 2 * strength / resolution.x;
    float4 color = tex2D(input, uv);
    return float4(tex2D(input, uv - shift).r, color.g, tex2D(input, uv + shift).b, color.a);
}
