// A Bayer mosaic to RGBA, by the linear filters of Malvar, He and Cutler (ICASSP 2004). The border is mirrored about the outermost
// samples, so that colours stay where they are. No black level, no white balance, no curve: see the module's documentation.

Texture2D<float4> raw;
RWTexture2D<float4> output;

float2 red_at; // column and row of the red sample in each block
float2 bytes;  // what the bytes of a sample add to it, the low one first
int packing;   // 0, or the logarithm of how many samples share a byte for their lower bits, which follows their upper bytes

float sample_at(int2 at, int2 last) {
    at = abs(at);
    at = clamp(min(at, 2 * last - at), 0, last);
    if (packing == 0) {
        return dot(raw.Load(int3(at, 0)).rg, bytes);
    }
    // Shifts, since some devices divide whole numbers slowly.
    uint bits = 8u >> packing;
    int count = 1 << packing;
    int first = (at.x >> packing) * (count + 1);
    int place = at.x & (count - 1);
    uint lows = uint(raw.Load(int3(first + count, at.y, 0)).r * 255 + 0.5);
    uint low = (lows >> (uint(place) * bits)) & ((1u << bits) - 1);
    float high = raw.Load(int3(first + place, at.y, 0)).r * 255;
    return (high * float(1u << bits) + float(low)) / float((256u << bits) - 1);
}

// The sum of the two samples that lie one way and the other.
float pair_at(int2 at, int2 way, int2 last) {
    return sample_at(at - way, last) + sample_at(at + way, last);
}

[numthreads(16, 16, 1)]
void main(uint3 id : SV_DispatchThreadID) {
    uint2 size;
    output.GetDimensions(size.x, size.y);
    if (any(id.xy >= size)) {
        return;
    }
    int2 at = int2(id.xy);
    int2 last = int2(size) - 1;
    float here = sample_at(at, last);
    float beside = pair_at(at, int2(1, 0), last);
    float above = pair_at(at, int2(0, 1), last);
    float corners = pair_at(at, int2(1, 1), last) + pair_at(at, int2(1, -1), last);
    float far_beside = pair_at(at, int2(2, 0), last);
    float far_above = pair_at(at, int2(0, 2), last);
    float green = (4 * here + 2 * (beside + above) - far_beside - far_above) / 8;
    float opposite = (6 * here + 2 * corners - 1.5 * (far_beside + far_above)) / 8;
    float row_colour = (5 * here + 4 * beside - corners - far_beside + 0.5 * far_above) / 8;
    float column_colour = (5 * here + 4 * above - corners - far_above + 0.5 * far_beside) / 8;
    bool is_red_column = (at.x & 1) == int(red_at.x);
    bool is_red_row = (at.y & 1) == int(red_at.y);
    float3 rgb;
    if (is_red_column && is_red_row) {
        rgb = float3(here, green, opposite);
    } else if (is_red_row) {
        rgb = float3(row_colour, here, column_colour);
    } else if (is_red_column) {
        rgb = float3(column_colour, here, row_colour);
    } else {
        rgb = float3(opposite, green, here);
    }
    output[id.xy] = float4(saturate(rgb), 1);
}
