// Removes specks: the median of each 3 × 3 square, per channel.
//
// The compute form: a group loads its pixels and one more on each side into shared memory once, then sorts from there.
// Source of the network: J. L. Smith, "Implementing median filters in XC4000E FPGAs", 1996.

Texture2D<float4> input;
RWTexture2D<float4> output;

static const int SIDE = 16;
static const int TILE = SIDE + 2;
groupshared float4 tile[TILE * TILE];

void order(inout float3 a, inout float3 b) {
    float3 low = min(a, b);
    b = max(a, b);
    a = low;
}

[numthreads(16, 16, 1)]
void main(uint3 id : SV_DispatchThreadID, uint3 group : SV_GroupID, uint3 local : SV_GroupThreadID,
          uint index : SV_GroupIndex) {
    int2 size;
    input.GetDimensions(size.x, size.y);
    int2 corner = int2(group.xy) * SIDE - 1;
    for (int i = index; i < TILE * TILE; i += SIDE * SIDE) {
        int2 at = clamp(corner + int2(i % TILE, i / TILE), int2(0, 0), size - 1);
        tile[i] = input.Load(int3(at, 0));
    }
    GroupMemoryBarrierWithGroupSync();
    if (any(int2(id.xy) >= size)) {
        return;
    }

    float3 v[9];
    for (int k = 0; k < 9; ++k) {
        v[k] = tile[(local.y + k / 3) * TILE + local.x + k % 3].rgb;
    }
    // Each column in order; then the median of all is the median of: the greatest of the lows, the middle of the
    // middles, the least of the highs.
    for (int c = 0; c < 3; ++c) {
        order(v[c], v[c + 3]);
        order(v[c + 3], v[c + 6]);
        order(v[c], v[c + 3]);
    }
    float3 low = max(max(v[0], v[1]), v[2]);
    float3 high = min(min(v[6], v[7]), v[8]);
    order(v[3], v[4]);
    float3 middle = max(v[3], min(v[4], v[5]));
    order(low, middle);
    order(middle, high);
    order(low, middle);
    output[id.xy] = float4(middle, tile[(local.y + 1) * TILE + local.x + 1].a);
}
