// RGB of three bytes a pixel, in any order, to opaque RGBA; the plane has a texel for each byte. Each row picks the byte of one
// channel.

Texture2D<float4> rgb;
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
    int3 at = int3(id.x * 3, id.y, 0);
    float4 texel = float4(rgb.Load(at).r, rgb.Load(at + int3(1, 0, 0)).r, rgb.Load(at + int3(2, 0, 0)).r, 0);
    output[id.xy] = float4(dot(row0, texel), dot(row1, texel), dot(row2, texel), 1);
}
