//! What differs from frame to frame in uniform blocks: frame uniforms, which the runtime tells every effect, and expressions.

use super::parameters::Block;
use crate::expression::FrameVariables;
use crate::format::Size;
use crate::frame::FrameMeta;
use crate::interface::{FrameUniform, FrameUniformSlot};
use crate::plan::PlanPass;

/// What is the same for every pass of one frame.
pub(super) struct Moment<'a> {
    /// Seconds since the first frame.
    pub(super) time: f64,
    /// Seconds since the frame before.
    pub(super) delta: f64,
    pub(super) meta: &'a FrameMeta,
}

impl Moment<'_> {
    /// Writes the frame uniforms that `pass` uses, and the parameters that follow an expression, into its block.
    pub(super) fn write(&self, pass: &PlanPass, Block { bytes, animated }: &mut Block) {
        for slot in &pass.interface.frame_uniforms {
            let (numbers, count) = self.numbers(slot, pass.size);
            slot.parameter.write(&numbers[..count], bytes);
        }
        let frame = FrameVariables { time: self.time, delta: self.delta, frame: self.meta.sequence as f64 };
        animated.iter().for_each(|component| component.write(&pass.interface, &frame, bytes));
    }

    fn numbers(&self, slot: &FrameUniformSlot, size: Size) -> ([f64; 16], usize) {
        let mut numbers = [0.0; 16];
        let mut put = |values: &[f64]| {
            numbers[..values.len()].copy_from_slice(values);
            values.len()
        };
        let camera = self.meta.camera.as_ref();
        let count = match slot.uniform {
            FrameUniform::Time => put(&[self.time]),
            FrameUniform::Delta => put(&[self.delta]),
            FrameUniform::FrameNumber => put(&[self.meta.sequence as f64]),
            FrameUniform::Resolution => put(&[f64::from(size.width), f64::from(size.height)]),
            FrameUniform::CameraIntrinsics => put(&camera.map_or([0.0; 4], |c| c.intrinsics.map(f64::from))),
            FrameUniform::CameraPose => {
                let pose = camera.map(|c| c.world_from_camera);
                put(&std::array::from_fn::<f64, 16, _>(|i| match &pose {
                    Some(rows) => f64::from(rows[i / 4][i % 4]),
                    None => f64::from(u8::from(i % 5 == 0)),
                }))
            }
        };
        (numbers, count)
    }
}
