// Large square pixels.
//
// Each block shows the mean of 4 × 4 places in it.

uint block <min = 1; max = 256; description = "Side of a block in pixels"> = 8;

float4 main(float2 uv : TEXCOORD) : SV_Target {
    float side = max(block, 1u);
    float2 corner = floor(floor(uv * resolution) / side) * side;
    float4 sum = 0;
    for (int y = 0; y < 4; ++y) {
        for (int x = 0; x < 4; ++x) {
            sum += tex2D(input, (corner + (float2(x, y) + 0.5) * side / 4) / resolution);
        }
    }
    return sum / 16;
}
