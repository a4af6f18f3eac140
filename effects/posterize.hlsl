// Leaves only a few evenly spaced values per channel; black and white stay what they are.

uint levels <min = 2; max = 256; description = "Values that remain per channel"> = 5;

float4 main(float2 uv : TEXCOORD) : SV_Target {
    float4 color = tex2D(input, uv);
    float steps = max(levels, 2u) - 1;
    return float4(round(saturate(color.rgb) * steps) / steps, color.a);
}
