// 4:2:2 packed as Y0 Cb Y1 Cr to RGBA; a texel of the plane is that pair of pixels.
//
// Chroma is interpolated along the row. Each row gives one channel: weights of Y, Cb, Cr, and an offset.

Texture2D<float4> yuyv;
RWTexture2D<float4> output;

float4 row0;
float4 row1;
float4 row2;
float chroma_shift; // of chroma samples, in their own widths: 0 is on the left luma sample, 0.25 between the two

[numthreads(16, 16, 1)]
void main(uint3 id : SV_DispatchThreadID) {
    uint2 size;
    output.GetDimensions(size.x, size.y);
    if (any(id.xy >= size)) {
        return;
    }
    uint2 yuyv_size;
    yuyv.GetDimensions(yuyv_size.x, yuyv_size.y);
    int2 pairs = int2(yuyv_size);
    float at = float(id.x) * 0.5 - chroma_shift;
    int first = clamp(int(floor(at)), 0, pairs.x - 1);
    int second = clamp(int(floor(at)) + 1, 0, pairs.x - 1);
    float2 chroma = lerp(yuyv.Load(int3(first, id.y, 0)).ga, yuyv.Load(int3(second, id.y, 0)).ga, frac(at));
    float4 pair = yuyv.Load(int3(id.x / 2, id.y, 0));
    float4 yuv = float4((id.x & 1) == 0 ? pair.r : pair.b, chroma, 1);
    output[id.xy] = float4(saturate(float3(dot(row0, yuv), dot(row1, yuv), dot(row2, yuv))), 1);
}
