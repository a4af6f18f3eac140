// Makes a picture of half the size without flicker; meant for a node with `scale = 0.5`.
//
// Four bilinear reads average the 4 × 4 pixels of the input around each pixel of the output. Works on encoded values.

float4 main(float2 uv : TEXCOORD) : SV_Target {
    float2 size;
    input.GetDimensions(size.x, size.y);
    float4 sum = tex2D(input, uv + float2(-1, -1) / size);
    sum += tex2D(input, uv + float2(1, -1) / size);
    sum += tex2D(input, uv + float2(-1, 1) / size);
    sum += tex2D(input, uv + float2(1, 1) / size);
    return sum / 4;
}
