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

/// The same, where four neighbours in a row share twelve loads. The group suits both kinds of device: software Vulkan runs
/// eight threads of a row at once.
pub(crate) fn blur_shared(request: &Request, tint: [f64; 3]) -> String {
    let taps: String = (0..)
        .zip(&request.weights)
        .map(|(offset, weight)| format!("        sum += {weight:.9} * row[p + {offset}];\n"))
        .collect();
    let [r, g, b] = tint;
    format!(
        "Texture2D<float4> input;
RWTexture2D<float4> output;
static const uint2 pixels_per_thread = {{ 4, 1 }};

[numthreads(16, 8, 1)]
void main(uint3 id : SV_DispatchThreadID) {{
    int2 size;
    output.GetDimensions(size.x, size.y);
    int2 first = int2(id.xy) * int2(pixels_per_thread);
    float3 row[12];
    [unroll] for (int i = 0; i < 12; ++i) {{
        row[i] = input.Load(int3(clamp(int2(first.x + i - 4, first.y), 0, size - 1), 0)).rgb;
    }}
    [unroll] for (int p = 0; p < 4; ++p) {{
        float3 sum = 0;
{taps}        output[first + int2(p, 0)] = float4(sum * float3({r:.9}, {g:.9}, {b:.9}), 1);
    }}
}}
"
    )
}
