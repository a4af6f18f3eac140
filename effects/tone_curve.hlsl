// Maps every channel through a curve of 16 points, joined by straight lines.
//
// Shows an array as a parameter: a host that draws the curve sets it at any moment.

float curve[16] <min = 0; max = 1; description = "Outputs for the inputs 0, 1/15 ... 1; at start an S"> =
    { 0.00, 0.03, 0.07, 0.12, 0.19, 0.27, 0.36, 0.46, 0.56, 0.66, 0.75, 0.83, 0.89, 0.94, 0.97, 1.00 };

float on_curve(float value) {
    float position = saturate(value) * 15;
    int below = min(int(position), 14);
    return lerp(curve[below], curve[below + 1], position - below);
}

float4 main(float2 uv : TEXCOORD) : SV_Target {
    float4 color = tex2D(input, uv);
    return float4(on_curve(color.r), on_curve(color.g), on_curve(color.b), color.a);
}
