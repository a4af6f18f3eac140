// RGB with a fourth byte of no meaning, in any order, to opaque RGBA. Each row picks the byte of one channel.

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
    float4 texel = rgb.Load(int3(id.xy, 0));
    output[id.xy] = float4(dot(row0, texel), dot(row1, texel), dot(row2, texel), 1);
}
