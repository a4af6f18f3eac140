// A gradient from blue to green that moves with time.

float4 main(float2 uv : TEXCOORD) : SV_Target {
    float wave = 0.5 + 0.5 * sin(6.2832 * (uv.x + uv.y + 0.25 * time));
    return float4(0.1, lerp(0.2, 0.9, wave), lerp(0.9, 0.3, wave), 1);
}
