// Shows `before` on the left and `input` on the right of a thin line.
//
// Inputs: `input` (after) and `before`.

Texture2D before;

float position <min = 0; max = 1; description = "Where the line stands; 0 is the left edge"> = 0.5;
float line_width <min = 0; max = 64; description = "Width of the line in pixels"> = 2;
float3 line_color <min = 0; max = 1; description = "Colour of the line"> = { 1.0, 1.0, 1.0 };

float4 main(float2 uv : TEXCOORD) : SV_Target {
    float right_of_line = (uv.x - position) * resolution.x;
    // Half a pixel soft on both sides, so that a moving line does not jump from pixel to pixel.
    float after = saturate(right_of_line + 0.5);
    float on_line = saturate(0.5 * line_width + 0.5 - abs(right_of_line)) * saturate(line_width);
    float4 picture = lerp(tex2D(before, uv), tex2D(input, uv), after);
    return float4(lerp(picture.rgb, line_color, on_line), picture.a);
}
