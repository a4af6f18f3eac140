// Stretches or squeezes values around a pivot.

float amount <min = 0; max = 4; description = "Factor: 1 leaves the picture, 0 makes it flat"> = 1.5;
float pivot <min = 0; max = 1; description = "The value that stays as it is"> = 0.5;

float4 main(float2 uv : TEXCOORD) : SV_Target {
    float4 color = tex2D(input, uv);
    return float4(saturate((color.rgb - pivot) * amount + pivot), color.a);
}
