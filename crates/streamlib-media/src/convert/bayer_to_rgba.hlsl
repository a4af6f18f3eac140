// A Bayer mosaic to RGBA, by the linear filters of Malvar, He and Cutler (ICASSP 2004). A thread makes four pixels: a block that
// has two samples of green, one of red and one of blue. The border is mirrored about the outermost samples, so that colours stay
// where they are. No black level, no white balance, no curve: see the module's documentation.

Texture2D<float4> raw;
RWTexture2D<float4> output;

float2 red_at; // column and row of the red sample in each block
float2 bytes;  // what the bytes of a sample add to it, the low one first
int group;     // samples that share a byte for their lower bits, which follows their upper bytes; 0 where none do

static const uint2 pixels_per_thread = { 2, 2 };

float sample_at(int2 at, int2 last) {
    at = abs(at);
    at = clamp(min(at, 2 * last - at), 0, last);
    if (group == 0) {
        return dot(raw.Load(int3(at, 0)).rg, bytes);
    }
    int first = at.x / group * (group + 1);
    int place = at.x % group;
    uint bits = 8u / uint(group);
    uint lows = uint(raw.Load(int3(first + group, at.y, 0)).r * 255 + 0.5);
    uint low = (lows >> (uint(place) * bits)) & ((1u << bits) - 1);
    float high = raw.Load(int3(first + place, at.y, 0)).r * 255;
    return (high * float(1u << bits) + float(low)) / float((256u << bits) - 1);
}

[numthreads(16, 16, 1)]
void main(uint3 id : SV_DispatchThreadID) {
    uint2 size;
    output.GetDimensions(size.x, size.y);
    int2 last = int2(size) - 1;
    int2 block = int2(id.xy) * 2;
    if (any(block > last)) {
        return;
    }
    // The block with two samples on each side.
    float s[6][6];
    [unroll] for (int row = 0; row < 6; ++row) {
        [unroll] for (int column = 0; column < 6; ++column) {
            s[row][column] = sample_at(block + int2(column, row) - 2, last);
        }
    }
    [unroll] for (int y = 2; y < 4; ++y) {
        [unroll] for (int x = 2; x < 4; ++x) {
            float here = s[y][x];
            float beside = s[y][x - 1] + s[y][x + 1];
            float above = s[y - 1][x] + s[y + 1][x];
            float corners = s[y - 1][x - 1] + s[y - 1][x + 1] + s[y + 1][x - 1] + s[y + 1][x + 1];
            float far_beside = s[y][x - 2] + s[y][x + 2];
            float far_above = s[y - 2][x] + s[y + 2][x];
            float green = (4 * here + 2 * (beside + above) - far_beside - far_above) / 8;
            float opposite = (6 * here + 2 * corners - 1.5 * (far_beside + far_above)) / 8;
            float row_colour = (5 * here + 4 * beside - corners - far_beside + 0.5 * far_above) / 8;
            float column_colour = (5 * here + 4 * above - corners - far_above + 0.5 * far_beside) / 8;
            bool red_column = x - 2 == int(red_at.x);
            bool red_row = y - 2 == int(red_at.y);
            float3 rgb;
            if (red_column && red_row) {
                rgb = float3(here, green, opposite);
            } else if (red_row) {
                rgb = float3(row_colour, here, column_colour);
            } else if (red_column) {
                rgb = float3(column_colour, here, row_colour);
            } else {
                rgb = float3(opposite, green, here);
            }
            // A store outside the picture has no effect.
            output[block + int2(x, y) - 2] = float4(saturate(rgb), 1);
        }
    }
}
