//! Our shader texts of the comparison.

use crate::peers::protocol::Request;

/// The blur and tint as an effect in pixel form: what a user would write.
pub(crate) fn blur_pixel(request: &Request, tint: [f64; 3]) -> String {
    let taps: String = (-4..)
        .zip(&request.weights)
        .map(|(offset, weight)| {
            format!("    sum += {weight:.9} * tex2D(input, uv + float2({offset}, 0) / size).rgb;\n")
        })
        .collect();
    let [r, g, b] = tint;
    format!(
        "float4 main(float2 uv : TEXCOORD) : SV_Target {{
    float2 size;
    input.GetDimensions(size.x, size.y);
    float3 sum = 0;
{taps}    return float4(sum * float3({r:.9}, {g:.9}, {b:.9}), tex2D(input, uv).a);
}}
"
    )
}

/// The same in compute form, with loads in the place of lookups.
pub(crate) fn blur_compute(request: &Request, tint: [f64; 3]) -> String {
    let taps: String = (-4..)
        .zip(&request.weights)
        .map(|(offset, weight)| {
            format!("    sum += {weight:.9} * input.Load(int3(clamp(x + {offset}, 0, last), id.y, 0)).rgb;\n")
        })
        .collect();
    let [r, g, b] = tint;
    format!(
        "Texture2D<float4> input;
RWTexture2D<float4> output;

[numthreads(16, 16, 1)]
void main(uint3 id : SV_DispatchThreadID) {{
    uint2 size;
    output.GetDimensions(size.x, size.y);
    if (any(id.xy >= size)) {{
        return;
    }}
    int x = int(id.x);
    int last = int(size.x) - 1;
    float3 sum = 0;
{taps}    output[id.xy] = float4(sum * float3({r:.9}, {g:.9}, {b:.9}), 1);
}}
"
    )
}
