// The mean of a square around each pixel, in one pass.
//
// Works on encoded values. Costs (2 × radius + 1)² reads: for large radii take graphs/separable_blur.toml.

uint radius <min = 0; max = 16; description = "Half the side of the square in pixels, without the middle"> = 3;

float4 main(float2 uv : TEXCOORD) : SV_Target {
    float2 size;
    input.GetDimensions(size.x, size.y);
    int reach = min(radius, 16u);
    float4 sum = 0;
    for (int y = -reach; y <= reach; ++y) {
        for (int x = -reach; x <= reach; ++x) {
            sum += tex2D(input, uv + float2(x, y) / size);
        }
    }
    float side = 2 * reach + 1;
    return sum / (side * side);
}
