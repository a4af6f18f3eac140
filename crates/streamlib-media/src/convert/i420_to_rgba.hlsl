// 4:2:0 in three planes (Y, Cb, Cr) to RGBA.
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

[numthreads(16, 16, 1)]
void main(uint3 id : SV_DispatchThreadID) {
    uint2 size;
    output.GetDimensions(size.x, size.y);
    if (any(id.xy >= size)) {
        return;
    }
    uint2 u_size;
    u.GetDimensions(u_size.x, u_size.y);
    int2 chroma_size = int2(u_size);
    float2 at = float2(id.xy) * 0.5 - float2(chroma_shift, 0.25);
    float2 part = frac(at);
    int2 first = clamp(int2(floor(at)), 0, chroma_size - 1);
    int2 second = clamp(int2(floor(at)) + 1, 0, chroma_size - 1);
    float4 weights = float4(1 - part.x, part.x, 1 - part.x, part.x) * float4((1 - part.yy), part.yy);
    int3 a = int3(first, 0);
    int3 b = int3(second.x, first.y, 0);
    int3 c = int3(first.x, second.y, 0);
    int3 d = int3(second, 0);
    float cb = dot(weights, float4(u.Load(a).r, u.Load(b).r, u.Load(c).r, u.Load(d).r));
    float cr = dot(weights, float4(v.Load(a).r, v.Load(b).r, v.Load(c).r, v.Load(d).r));
    float4 yuv = float4(y.Load(int3(id.xy, 0)).r, cb, cr, 1);
    output[id.xy] = float4(saturate(float3(dot(row0, yuv), dot(row1, yuv), dot(row2, yuv))), 1);
}
