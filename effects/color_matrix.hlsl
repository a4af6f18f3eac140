// Mixes the channels by a matrix: any linear change of colour in one effect.
//
// result = color_matrix × (red, green, blue, alpha) + offset; each row makes one channel of the result.

float4x4 color_matrix <description = "Rows: what makes red, green, blue and alpha; at start, cross-processed film"> =
    { 1.15, 0.10, -0.10, 0.0,
      -0.05, 1.05, 0.05, 0.0,
      0.05, 0.25, 0.60, 0.0,
      0.0, 0.0, 0.0, 1.0 };
float4 offset <min = -1; max = 1; description = "Added to red, green, blue and alpha"> = { -0.02, 0.0, 0.06, 0.0 };

float4 main(float2 uv : TEXCOORD) : SV_Target {
    return saturate(mul(color_matrix, tex2D(input, uv)) + offset);
}
