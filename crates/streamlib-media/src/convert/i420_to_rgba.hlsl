// 4:2:0 in three planes (Y, Cb, Cr) to RGBA. A thread makes the four pixels of one chroma sample.
//
// Chroma is interpolated bilinearly. Each row gives one channel: weights of Y, Cb, Cr, and an offset.

Texture2D<float4> y;
Texture2D<float4> u;
Texture2D<float4> v;
RWTexture2D<float4> output;

float4 row0;
float4 row1;
float4 row2;
float chroma_shift; // of chroma samples, in their own widths: 0 is on the left luma sample, 0.25 between the two

static const uint2 pixels_per_thread = { 2, 2 };

float2 chroma_at(int column, int row) {
    int3 at = int3(column, row, 0);
    return float2(u.Load(at).r, v.Load(at).r);
}

float4 rgba(float luma, float2 chroma) {
    float4 yuv = float4(luma, chroma, 1);
    return float4(saturate(float3(dot(row0, yuv), dot(row1, yuv), dot(row2, yuv))), 1);
}

[numthreads(16, 16, 1)]
void main(uint3 id : SV_DispatchThreadID) {
    uint2 luma_size;
    y.GetDimensions(luma_size.x, luma_size.y);
    int2 last_luma = int2(luma_size) - 1;
    uint2 chroma_size;
    u.GetDimensions(chroma_size.x, chroma_size.y);
    int2 last = int2(chroma_size) - 1;
    int2 at = min(int2(id.xy), last);
    int2 before = max(at - 1, 0);
    int2 after = min(at + 1, last);
    // Chroma at the left and the right pixel, in three rows of samples.
    int rows[3] = { before.y, at.y, after.y };
    float2 left[3];
    float2 right[3];
    [unroll] for (int r = 0; r < 3; ++r) {
        float2 middle = chroma_at(at.x, rows[r]);
        left[r] = lerp(middle, chroma_at(before.x, rows[r]), chroma_shift);
        right[r] = lerp(middle, chroma_at(after.x, rows[r]), 0.5 - chroma_shift);
    }
    // A store outside the picture has no effect.
    [unroll] for (int i = 0; i < 2; ++i) {
        int2 to = int2(id.xy) * 2 + int2(0, i);
        int2 next = int2(to.x + 1, to.y);
        output[to] = rgba(y.Load(int3(min(to, last_luma), 0)).r, lerp(left[1], left[2 * i], 0.25));
        output[next] = rgba(y.Load(int3(min(next, last_luma), 0)).r, lerp(right[1], right[2 * i], 0.25));
    }
}
