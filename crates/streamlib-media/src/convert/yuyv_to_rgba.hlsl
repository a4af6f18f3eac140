// 4:2:2 packed as Y0 Cb Y1 Cr, or with chroma first, to RGBA; a texel of the plane is that pair of pixels. A thread makes two pairs.
//
// Chroma is interpolated along the row. Each row gives one channel: weights of Y, Cb, Cr, and an offset.

Texture2D<float4> yuyv;
RWTexture2D<float4> output;

float4 row0;
float4 row1;
float4 row2;
float chroma_shift; // of chroma samples, in their own widths: 0 is on the left luma sample, 0.25 between the two
int chroma_first;   // 1 where a pair is packed as Cb Y0 Cr Y1

static const uint2 pixels_per_thread = { 4, 1 };

float4 rgba(float luma, float2 chroma) {
    float4 yuv = float4(luma, chroma, 1);
    return float4(saturate(float3(dot(row0, yuv), dot(row1, yuv), dot(row2, yuv))), 1);
}

[numthreads(16, 8, 1)]
void main(uint3 id : SV_DispatchThreadID) {
    uint2 size;
    yuyv.GetDimensions(size.x, size.y);
    int2 last = int2(size) - 1;
    int first = int(id.x) * 2;
    // The two pairs with a neighbour on each side.
    float4 pairs[4];
    [unroll] for (int i = 0; i < 4; ++i) {
        float4 pair = yuyv.Load(int3(clamp(int2(first + i - 1, id.y), 0, last), 0));
        pairs[i] = chroma_first != 0 ? pair.grab : pair;
    }
    // A store outside the picture has no effect.
    uint2 to = id.xy * pixels_per_thread;
    [unroll] for (int p = 1; p < 3; ++p) {
        float2 left = lerp(pairs[p].ga, pairs[p - 1].ga, chroma_shift);
        float2 right = lerp(pairs[p].ga, pairs[p + 1].ga, 0.5 - chroma_shift);
        output[to] = rgba(pairs[p].r, left);
        output[uint2(to.x + 1, to.y)] = rgba(pairs[p].b, right);
        to.x += 2;
    }
}
