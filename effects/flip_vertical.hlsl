// Turns the picture upside down, as a mirror on the floor would.

float4 main(float2 uv : TEXCOORD) : SV_Target {
    return tex2D(input, float2(uv.x, 1 - uv.y));
}
