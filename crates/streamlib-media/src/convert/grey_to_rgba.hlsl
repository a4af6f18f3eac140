// Luma alone to RGBA: chroma is neutral. Each row gives one channel: weights of Y, Cb, Cr, and an offset.

Texture2D<float4> y;
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
    float neutral = 128.0 / 255.0;
    float4 yuv = float4(y.Load(int3(id.xy, 0)).r, neutral, neutral, 1);
    output[id.xy] = float4(saturate(float3(dot(row0, yuv), dot(row1, yuv), dot(row2, yuv))), 1);
}
