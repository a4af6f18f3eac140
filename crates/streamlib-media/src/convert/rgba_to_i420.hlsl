// RGBA to 4:2:0 in three planes (Y, Cb, Cr); alpha is ignored. A thread makes one chroma sample and its four luma samples.
//
// Chroma is the mean of two rows, and of three columns weighted so that their centre is where the sample is; the
// picture's edge continues outward. Each row gives one plane: weights of R, G, B, and an offset.

Texture2D<float4> input;
RWTexture2D<float4> y;
RWTexture2D<float4> u;
RWTexture2D<float4> v;

float4 row0;
float4 row1;
float4 row2;
float chroma_shift; // of chroma samples, in their own widths: 0 is on the left luma sample, 0.25 between the two

static const uint2 pixels_per_thread = { 2, 2 };

[numthreads(16, 16, 1)]
void main(uint3 id : SV_DispatchThreadID) {
    uint2 blocks;
    u.GetDimensions(blocks.x, blocks.y);
    if (any(id.xy >= blocks)) {
        return;
    }
    uint2 input_size;
    input.GetDimensions(input_size.x, input_size.y);
    int2 size = int2(input_size);
    int2 last = size - 1;
    int2 corner = int2(id.xy) * 2;
    float3 weights = float3(0.25 - chroma_shift, 0.5, 0.25 + chroma_shift) * 0.5;
    float3 sum = 0;
    for (int row = 0; row < 2; row++) {
        int at = min(corner.y + row, last.y);
        float3 before = input.Load(int3(max(corner.x - 1, 0), at, 0)).rgb;
        float3 left = input.Load(int3(corner.x, at, 0)).rgb;
        float3 right = input.Load(int3(min(corner.x + 1, last.x), at, 0)).rgb;
        sum += before * weights.x + left * weights.y + right * weights.z;
        if (corner.y + row <= last.y) {
            y[uint2(corner.x, corner.y + row)] = dot(row0, float4(left, 1)).xxxx;
            if (corner.x < last.x) {
                y[uint2(corner.x + 1, corner.y + row)] = dot(row0, float4(right, 1)).xxxx;
            }
        }
    }
    float4 color = float4(sum, 1);
    u[id.xy] = dot(row1, color).xxxx;
    v[id.xy] = dot(row2, color).xxxx;
}
