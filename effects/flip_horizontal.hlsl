// Mirrors left and right.

float4 main(float2 uv : TEXCOORD) : SV_Target {
    return tex2D(input, float2(1 - uv.x, uv.y));
}
