//! A graph on the test double, whose own allocations are not counted.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use streamlib_core::color::{ColorSpace, YuvMatrix, YuvRange};
use streamlib_core::engine::{Engine, OutletSpec, Shelf};
use streamlib_core::format::{Size, TextureFormat};
use streamlib_core::frame::Timestamp;
use streamlib_core::gpu::{
    Calibration, Command, DeviceInfo, Dispatch, Gpu, HostBufferUse, KernelDesc, Sharing, TextureDesc,
};
use streamlib_core::graph::Graph;
use streamlib_core::interface::{
    EffectForm, Interface, Parameter, ParameterType, Scalar, TextureSlot, UniformBlock,
};
use streamlib_core::picture::{Picture, PictureFormat, PictureLayout};
use streamlib_core::plan::{Code, Drain, Feed, Layout, Parts, Plan, PlanKernel};
use streamlib_core::testing::{
    CpuBuffer, CpuGpu, CpuGpuError, CpuKernel, CpuRecording, CpuTexture, KernelFn,
};

/// The double; what it allocates inside its calls is not counted, as a device's would not be there.
#[derive(Debug)]
pub(crate) struct QuietGpu(CpuGpu);

fn quiet<T>(call: impl FnOnce() -> T) -> T {
    let mut answer = None;
    allocation_counter::opt_out(|| answer = Some(call()));
    answer.expect("the call was made")
}

impl QuietGpu {
    pub(crate) fn new() -> Self {
        let pass: KernelFn = Arc::new(|inputs, _, at| inputs[0].texel(at));
        Self(CpuGpu::deferred(["mix", "tint", "trail", "copy"].map(|name| (name, pass.clone()))))
    }
}

impl Gpu for QuietGpu {
    type Texture = CpuTexture;
    type HostBuffer = CpuBuffer;
    type Kernel = CpuKernel;
    type Recording = CpuRecording;
    type Error = CpuGpuError;

    fn info(&self) -> &DeviceInfo {
        self.0.info()
    }

    fn create_texture(&self, desc: &TextureDesc<'_>) -> Result<CpuTexture, CpuGpuError> {
        self.0.create_texture(desc)
    }

    fn create_shared_texture(
        &self,
        desc: &TextureDesc<'_>,
        sharing: Sharing,
    ) -> Result<CpuTexture, CpuGpuError> {
        self.0.create_shared_texture(desc, sharing)
    }

    fn create_scanout_texture(
        &self,
        desc: &TextureDesc<'_>,
        layouts: &[u64],
    ) -> Result<CpuTexture, CpuGpuError> {
        self.0.create_scanout_texture(desc, layouts)
    }

    fn create_host_buffer(
        &self,
        label: &str,
        bytes: usize,
        usage: HostBufferUse,
    ) -> Result<CpuBuffer, CpuGpuError> {
        self.0.create_host_buffer(label, bytes, usage)
    }

    fn create_kernel(&self, desc: &KernelDesc<'_>) -> Result<CpuKernel, CpuGpuError> {
        self.0.create_kernel(desc)
    }

    fn record(&self, label: &str, commands: &[Command<'_, Self>]) -> Result<CpuRecording, CpuGpuError> {
        self.0.record(label, &commands.iter().map(inner).collect::<Vec<_>>())
    }

    fn set_uniforms(
        &self,
        recording: &mut CpuRecording,
        pass: usize,
        block: &[u8],
    ) -> Result<(), CpuGpuError> {
        quiet(|| self.0.set_uniforms(recording, pass, block))
    }

    fn rebind(
        &self,
        recording: &mut CpuRecording,
        recorded: &CpuTexture,
        texture: &CpuTexture,
    ) -> Result<(), CpuGpuError> {
        quiet(|| self.0.rebind(recording, recorded, texture))
    }

    fn submit(&self, batches: &mut [&mut [CpuRecording]]) -> Result<u64, CpuGpuError> {
        quiet(|| self.0.submit(batches))
    }

    fn wait(&self, value: u64, timeout: Duration) -> Result<(), CpuGpuError> {
        quiet(|| self.0.wait(value, timeout))
    }

    fn reached(&self, value: u64) -> Result<bool, CpuGpuError> {
        self.0.reached(value)
    }

    fn timestamps(&self, recording: &CpuRecording, into: &mut Vec<u64>) -> Result<(), CpuGpuError> {
        self.0.timestamps(recording, into)?;
        // As a device that tells times would answer.
        into.extend([0; 5]);
        Ok(())
    }

    fn calibrate(&self) -> Result<Option<Calibration>, CpuGpuError> {
        Ok(Some(Calibration::default()))
    }
}

/// The same command for the double itself.
fn inner<'a>(command: &Command<'a, QuietGpu>) -> Command<'a, CpuGpu> {
    match *command {
        Command::Upload { from, offset, to } => Command::Upload { from, offset, to },
        Command::Download { from, to, offset } => Command::Download { from, to, offset },
        Command::Clear { texture, color } => Command::Clear { texture, color },
        Command::Dispatch(Dispatch { label, kernel, inputs, outputs, buffers, threads }) => {
            Command::Dispatch(Dispatch { label, kernel, inputs, outputs, buffers, threads })
        }
    }
}

const FORMAT: PictureFormat = PictureFormat {
    size: Size::new(2, 1),
    layout: PictureLayout::Rgba8,
    color: ColorSpace { matrix: YuvMatrix::Bt709, range: YuvRange::Full },
};

pub(crate) fn picture(value: u8) -> Picture {
    Picture { format: FORMAT, timestamp: Timestamp(0), data: vec![value; 8] }
}

const GRAPH: &str = "
    [nodes.camera]
    source = 'x'
    [nodes.other]
    source = 'x'
    [nodes.mix]
    effect = 'mix'
    inputs = { input = 'camera', other = 'other' }
    [nodes.tint]
    effect = 'tint'
    inputs = { input = 'mix' }
    [nodes.trail]
    effect = 'trail'
    inputs = { input = 'tint', other = { from = 'trail', delay = 1 } }
    set = { amount = 'smoothstep(0, 1, fract(time)) * (frame % 7) - delta' }
    [nodes.copy]
    effect = 'copy'
    inputs = { input = 'trail' }
    [nodes.pictures]
    sink = 'x'
    inputs = { input = 'trail' }
    [nodes.textures]
    sink = 'x'
    inputs = { input = 'copy' }";

fn interface(kernel: &str) -> Interface {
    let slot = |binding: usize, name: &str| TextureSlot {
        name: name.into(),
        binding: binding as u32,
        is_local: false,
    };
    let inputs: &[&str] = if matches!(kernel, "mix" | "trail") { &["input", "other"] } else { &["input"] };
    let ty = ParameterType {
        scalar: Scalar::Float,
        rows: 1,
        columns: 1,
        matrix_stride: 0,
        rows_are_contiguous: false,
        array: None,
        array_stride: 0,
    };
    let (name, default) = ("amount".into(), vec![0.0]);
    let amount = Parameter { name, ty, offset: 0, default, min: None, max: None, description: None };
    Interface {
        form: EffectForm::Pixel,
        description: String::new(),
        group_size: [1; 3],
        group_size_is_free: true,
        pixels_per_thread: [1, 1],
        rows_constant: None,
        loads_constant: None,
        encode_srgb_constant: None,
        inputs: inputs.iter().enumerate().map(|(binding, name)| slot(binding, name)).collect(),
        outputs: vec![slot(9, "output")],
        samplers: vec![],
        buffers: vec![],
        uniforms: Some(UniformBlock { binding: 10, size: 4 }),
        parameters: vec![amount],
        frame_uniforms: vec![],
    }
}

/// An engine for a graph with a source of pictures, one of textures, an effect that reads its own last output, and outlets for
/// pictures (tag 2) and textures (tag 3). A parameter follows an expression.
pub(crate) fn engine(gpu: &Arc<QuietGpu>, shelf: Option<&Shelf<QuietGpu>>) -> Box<Engine<QuietGpu>> {
    let graph = Graph::from_toml(GRAPH).expect("a graph");
    let sizes = graph.sources().map(|(name, _)| (name.to_owned(), FORMAT.size)).collect();
    let layout = Layout::new(&graph, &sizes, 4096).expect("sizes");
    let effects: BTreeMap<_, _> =
        graph.effects().map(|(node, _)| (node.to_owned(), Arc::new(interface(node)))).collect();
    let feeds = [
        ("camera", Feed::Pictures(FORMAT, None)),
        ("other", Feed::Textures(FORMAT.size, TextureFormat::Rgba8)),
    ];
    let drains = [("pictures", Drain::Pictures(FORMAT, None)), ("textures", Drain::Textures)];
    let parts = Parts {
        effects: &effects,
        processors: &BTreeMap::new(),
        fused: &[],
        feeds: &feeds.map(|(node, feed)| (node.to_owned(), feed)).into(),
        drains: &drains.map(|(node, drain)| ((node.to_owned(), "input".to_owned()), drain)).into(),
    };
    let plan = Plan::new(&graph, &layout, &parts).expect("a plan");
    assert!(plan.outlets.iter().map(|outlet| outlet.node.as_str()).eq(["pictures", "textures"]));
    let outlets = [2, 3].map(|tag| OutletSpec { tag, depth: 4 });
    let build = |kernel: &PlanKernel| {
        let Code::Node(node) = &kernel.code else { unreachable!("no conversions here") };
        gpu.create_kernel(&KernelDesc { label: node, spirv: &[], interface: &effects[node], outputs: &[] })
    };
    Box::new(Engine::new::<CpuGpuError>(gpu.clone(), plan.into(), &outlets, shelf, build).expect("an engine"))
}
