//! The unit of all pass times: the fastest of several ways to copy a texture by compute.

use streamlib::format::Size;
use streamlib::shader::{Compiler, EffectSource};

use crate::Fallible;
use crate::rig::{Rig, percentile};

/// Group shape and pixels per thread, side by side in x.
const SHAPES: [(u32, u32, u32); 6] =
    [(8, 8, 1), (16, 16, 1), (32, 8, 1), (16, 16, 4), (32, 4, 4), (64, 1, 4)];

/// The fastest copy.
pub(crate) struct Copy {
    pub(crate) shape: String,
    pub(crate) p50_ns: u64,
}

pub(crate) fn fastest(rig: &Rig<'_>, compiler: &Compiler, size: Size, repeats: usize) -> Fallible<Copy> {
    let mut best: Option<Copy> = None;
    for (x, y, pixels) in SHAPES {
        let shape = format!("{x} x {y}, {pixels} px");
        let source = format!(
            "Texture2D<float4> input; RWTexture2D<float4> output;
             [numthreads({x}, {y}, 1)] void main(uint3 id : SV_DispatchThreadID, uint3 g : SV_GroupID,
                                                 uint3 t : SV_GroupThreadID) {{
                 uint2 size;
                 output.GetDimensions(size.x, size.y);
                 [unroll] for (uint i = 0; i < {pixels}; ++i) {{
                     // A store outside has no effect; a branch would cost 2 of 30 µs on an H100.
                     uint2 at = uint2(g.x * {x} * {pixels} + i * {x} + t.x, id.y);
                     output[at] = input.Load(int3(min(at, size - 1), 0));
                 }}
             }}"
        );
        let effect = compiler.compile(&EffectSource::from_text(format!("copy {shape}"), &source))?;
        let threads = Size::new(size.width.div_ceil(pixels), size.height);
        let times = rig.time("copy", &effect.interface, &effect.spirv, threads, repeats)?;
        let p50_ns = percentile(&times, 0.5);
        if best.as_ref().is_none_or(|best| p50_ns < best.p50_ns) {
            best = Some(Copy { shape, p50_ns });
        }
    }
    best.ok_or_else(|| "no copy was timed".into())
}
