// 4:4:4 in three planes (Y, Cb, Cr) to RGBA. Each row gives one channel: weights of Y, Cb, Cr, and an offset.

Texture2D<float4> y;
Texture2D<float4> u;
Texture2D<float4> v;
RWTexture2D<float4> output;

float4 row0;
float4 row1;
float4 row2;

[numthreads(16, 16, 1)]
void main(uint3 id : SV_DispatchThreadID) {
    uint2 size;
    output.GetDimensions(size.x, size.y);
    if (any(id.xy >= size)) {
        return;
    }
    int3 at = int3(id.xy, 0);
    float4 yuv = float4(y.Load(at).r, u.Load(at).r, v.Load(at).r, 1);
    output[id.xy] = float4(saturate(float3(dot(row0, yuv), dot(row1, yuv), dot(row2, yuv))), 1);
}
