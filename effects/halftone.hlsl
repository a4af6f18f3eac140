// Prints the picture as dots of cyan, magenta and yellow ink, each on a grid of its own angle.

float spacing <min = 3; max = 64; description = "From dot to dot in pixels"> = 5;

// How much of the pixel is covered by ink of one colour; `channel` picks the light that this ink takes away.
float ink(float2 pixel, float angle, float3 channel) {
    float c = cos(angle);
    float s = sin(angle);
    float step = max(spacing, 3);
    float2 turned = float2(c * pixel.x + s * pixel.y, c * pixel.y - s * pixel.x) / step;
    float2 cell = floor(turned) + 0.5;
    float2 middle = float2(c * cell.x - s * cell.y, s * cell.x + c * cell.y) * step;
    float darkness = 1 - dot(tex2D(input, middle / resolution).rgb, channel);
    // A disc with the area of the darkness, whose edge is one pixel soft.
    float radius = sqrt(saturate(darkness) / 3.14159265) * 1.15;
    float outside = (distance(turned, cell) - radius) * step;
    return saturate(0.5 - outside) * saturate(darkness * 8);
}

float4 main(float2 uv : TEXCOORD) : SV_Target {
    float2 pixel = uv * resolution;
    float cyan = ink(pixel, 0.2617994, float3(1, 0, 0));
    float magenta = ink(pixel, 1.3089969, float3(0, 1, 0));
    float yellow = ink(pixel, 0.0, float3(0, 0, 1));
    return float4(1 - cyan, 1 - magenta, 1 - yellow, tex2D(input, uv).a);
}
