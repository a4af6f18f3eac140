Texture2D<float4> input; Texture2D<float4> mask; RWTexture2D<float4> output; float strength;
[numthreads(8, 8, 1)] void main(uint3 id : SV_DispatchThreadID) {
    uint2 size;
    output.GetDimensions(size.x, size.y);
    if (any(id.xy >= size)) return;
    float4 colour = input[id.xy];
    output[id.xy] = lerp(colour, float4(1 - colour.rgb, colour.a), strength * mask[id.xy].r);
}
