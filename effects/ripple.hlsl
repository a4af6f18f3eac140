// Rings of waves that run outward over the picture, as on water.

float amplitude <min = 0; max = 0.1; description = "Greatest shift, in heights of the picture"> = 0.012;
float wavelength <min = 0.01; max = 1; description = "From crest to crest, in heights of the picture"> = 0.15;
float speed <min = -10; max = 10; description = "Crests per second"> = 1;

float4 main(float2 uv : TEXCOORD) : SV_Target {
    float2 from_center = (uv - 0.5) * resolution / resolution.y;
    float distance = length(from_center);
    // The fraction of a turn is taken first, so that precision does not fade as time goes on.
    float phase = frac(distance / max(wavelength, 0.01) - frac(time * speed));
    float shift = amplitude * sin(6.2831853 * phase);
    float2 outward = from_center / max(distance, 0.0001);
    return tex2D(input, uv + outward * shift * resolution.y / resolution);
}
