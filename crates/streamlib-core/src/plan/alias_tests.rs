//! Results that share a texture: never two that are needed at once.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;

use super::alias::{epochs, share_textures};
use super::{
    Drain, Feed, Layout, Parts, Plan, PlanOutlet, PlanPass, PlanPictures, PlanTexture, SLOTS, TextureUse,
};
use crate::color::{ColorSpace, YuvMatrix, YuvRange};
use crate::format::{Size, TextureFormat};
use crate::gpu::{Command, Dispatch, Gpu, HostBuffer, HostBufferUse, KernelDesc, Sharing, TextureDesc};
use crate::graph::{Effect, EffectText, Graph, Link, Source};
use crate::interface::{EffectForm, Interface, TextureSlot};
use crate::picture::{PictureFormat, PictureLayout};
use crate::testing::{CpuGpu, CpuTexture, KernelFn};

fn interface(form: EffectForm, inputs: &[&str]) -> Arc<Interface> {
    let slot = |name: &str| TextureSlot { name: name.into(), binding: 0, is_local: false };
    Arc::new(Interface {
        form,
        description: String::new(),
        group_size: [1; 3],
        group_size_is_free: true,
        pixels_per_thread: [1, 1],
        rows_constant: None,
        loads_constant: None,
        encode_srgb_constant: None,
        inputs: inputs.iter().map(|name| slot(name)).collect(),
        outputs: vec![slot("output")],
        samplers: vec![],
        buffers: vec![],
        uniforms: None,
        parameters: vec![],
        frame_uniforms: vec![],
    })
}

const SIZE: Size = Size::new(4, 2);
const RGBA: PictureFormat = PictureFormat {
    size: SIZE,
    layout: PictureLayout::Rgba8,
    color: ColorSpace { matrix: YuvMatrix::Bt709, range: YuvRange::Full },
};

/// One pass of a random plan: how many results it writes, which earlier ones it reads, and whether it is a compute kernel.
#[derive(Clone, Debug)]
struct Step {
    writes: usize,
    reads: Vec<prop::sample::Index>,
    is_compute: bool,
    is_small: bool,
    keeps_history: bool,
}

fn step() -> impl Strategy<Value = Step> {
    let reads = prop::collection::vec(any::<prop::sample::Index>(), 0..4);
    let rare = || prop::bool::weighted(0.1);
    (1..3_usize, reads, rare(), rare(), rare()).prop_map(
        |(writes, reads, is_compute, is_small, keeps_history)| Step {
            writes,
            reads,
            is_compute,
            is_small,
            keeps_history,
        },
    )
}

fn plan(steps: &[Step], sink: prop::sample::Index) -> Plan {
    let mut plan = Plan {
        slots: SLOTS,
        textures: vec![],
        kernels: vec![],
        sources: vec![],
        passes: vec![],
        outlets: vec![],
    };
    for (number, step) in steps.iter().enumerate() {
        let known = plan.textures.len();
        let reads: Vec<_> = step.reads.iter().filter(|_| known > 0).map(|index| index.index(known)).collect();
        let inputs = reads.iter().map(|&texture| {
            let delay = u32::from(plan.textures[texture].keeps_history);
            ("input".to_owned(), TextureUse { texture, delay })
        });
        let inputs = inputs.collect();
        let outputs = (0..step.writes).map(|port| {
            let label = format!("{number}.{port}");
            plan.textures.push(PlanTexture {
                holds: vec![label.clone()],
                label,
                size: if step.is_small { Size::new(1, 1) } else { SIZE },
                format: TextureFormat::Rgba8,
                keeps_history: step.keeps_history,
                is_leased: false,
                sharing: None,
                layouts: vec![],
            });
            ("output".to_owned(), plan.textures.len() - 1)
        });
        let outputs = outputs.collect();
        let form = if step.is_compute { EffectForm::Compute } else { EffectForm::Pixel };
        plan.passes.push(PlanPass {
            label: number.to_string(),
            nodes: vec![number.to_string()],
            kernel: 0,
            interface: interface(form, &[]),
            inputs,
            outputs,
            buffers: vec![],
            threads: SIZE,
            size: SIZE,
            animated: vec![],
            block: vec![],
        });
    }
    let taken = TextureUse { texture: sink.index(plan.textures.len()), delay: 0 };
    plan.outlets.push(outlet(taken, Some(PlanPictures { format: RGBA, planes: vec![taken], convert: None })));
    plan
}

fn outlet(from: TextureUse, pictures: Option<PlanPictures>) -> PlanOutlet {
    PlanOutlet { node: "out".into(), port: "input".into(), from, pictures }
}

proptest! {
    #[test]
    fn no_pass_reads_a_texture_that_another_result_was_written_to_in_between(
        steps in prop::collection::vec(step(), 1..24),
        sink in any::<prop::sample::Index>(),
        lent in any::<prop::sample::Index>(),
    ) {
        let mut before = plan(&steps, sink);
        let lent = lent.index(before.textures.len());
        before.outlets.push(outlet(TextureUse::now(lent), None));
        let mut after = before.clone();
        share_textures(&mut after);
        // What each shared texture holds, as the passes go by.
        let mut content = vec![usize::MAX; after.textures.len()];
        for (own, shared) in before.passes.iter().zip(&after.passes) {
            for ((_, wanted), (_, place)) in own.inputs.iter().zip(&shared.inputs) {
                prop_assert_eq!(wanted.delay, place.delay);
                prop_assert_eq!(content[place.texture], wanted.texture);
                let written = shared.outputs.iter().any(|(_, output)| *output == place.texture);
                prop_assert!(!written || wanted.delay > 0, "a pass writes what it reads");
            }
            for ((_, result), (_, place)) in own.outputs.iter().zip(&shared.outputs) {
                content[*place] = *result;
                let (own, shared) = (&before.textures[*result], &after.textures[*place]);
                prop_assert_eq!((own.size, own.format), (shared.size, shared.format));
                prop_assert!(shared.holds.contains(&own.label));
                let pinned = own.keeps_history || *result == lent;
                prop_assert!(!pinned || shared.holds.len() == 1, "{:?} is shared", own);
            }
        }
        let (wanted, place) = (before.outlets[0].from, after.outlets[0].from);
        prop_assert_eq!(content[place.texture], wanted.texture);
        prop_assert_eq!(after.textures[place.texture].holds.len(), 1);
        prop_assert_eq!(epochs(&after), epochs(&before), "no barrier more");
        let held: usize = after.textures.iter().map(|texture| texture.holds.len()).sum();
        prop_assert_eq!(held, before.textures.len(), "every result lies somewhere, once");
    }
}

/// Runs the passes of a plan once, and reads its first sink back.
fn picture(plan: &Plan) -> Vec<u8> {
    let mix: KernelFn = Arc::new(|inputs, _, (x, y)| {
        let at =
            |index: usize| inputs.get(index).map_or([0.1, 0.2, 0.3, 1.0], |texture| texture.texel((x, y)));
        let (a, b) = (at(0), at(inputs.len().saturating_sub(1)));
        std::array::from_fn(|c| (0.6 * a[c] + 0.3 * b[(c + 1) % 4] + 0.05 * x as f32).min(1.0))
    });
    let gpu = CpuGpu::new([("mix", mix)]);
    let textures = plan.textures.iter().map(|texture| {
        let desc = TextureDesc { label: &texture.label, size: texture.size, format: texture.format };
        gpu.create_texture(&desc).expect("a texture")
    });
    let textures: Vec<CpuTexture> = textures.collect();
    let code = interface(EffectForm::Pixel, &[]);
    let desc = KernelDesc { label: "mix", spirv: &[], interface: &code, outputs: &[] };
    let kernel = gpu.create_kernel(&desc).expect("a kernel");
    for pass in &plan.passes {
        let input = |(port, used): &'_ (String, TextureUse)| (port.clone(), textures[used.texture].clone());
        let inputs: Vec<_> = pass.inputs.iter().map(input).collect();
        let inputs: Vec<_> = inputs.iter().map(|(port, texture)| (port.as_str(), texture)).collect();
        let outputs: Vec<_> = pass.outputs.iter().map(|(port, t)| (port.as_str(), &textures[*t])).collect();
        let dispatch = Dispatch {
            label: &pass.label,
            kernel: &kernel,
            inputs: &inputs,
            outputs: &outputs,
            buffers: &[],
            threads: pass.threads,
        };
        let mut recording = gpu.record("pass", &[Command::Dispatch(dispatch)]).expect("recorded");
        gpu.set_uniforms(&mut recording, 0, &[]).expect("no uniforms");
        gpu.submit_one(&mut recording).expect("submitted");
    }
    let out = gpu.create_host_buffer("out", RGBA.bytes(), HostBufferUse::Readback).expect("memory");
    let from = &textures[plan.outlets[0].from.texture];
    let download = Command::Download { from, to: &out, offset: 0 };
    gpu.submit_one(&mut gpu.record("out", &[download]).expect("recorded")).expect("submitted");
    let mut bytes = vec![];
    out.read(&mut |memory| bytes = memory.to_vec()).expect("read");
    bytes
}

/// A graph in which everything but the source is an effect of two inputs, `n`-th of earlier ones.
fn ladder(reads: &[(usize, usize)]) -> (Graph, BTreeMap<String, Arc<Interface>>) {
    let mut graph = Graph::new();
    graph.add_source("n0", Source::default()).expect("added");
    for (number, (a, b)) in reads.iter().enumerate() {
        let mut effect = Effect::new(EffectText::Inline(String::new()));
        for (port, from) in [("input", a), ("other", b)] {
            effect.inputs.insert(port.into(), Link::from_node(format!("n{}", from % (number + 1))));
        }
        graph.add_effect(&format!("n{}", number + 1), effect).expect("added");
    }
    graph
        .add_sink("out", "x")
        .and_then(|g| g.connect(Link::from_node(format!("n{}", reads.len())), "out"))
        .expect("linked");
    let effects =
        graph.effects().map(|(name, _)| (name.to_owned(), interface(EffectForm::Pixel, &["input", "other"])));
    let effects = effects.collect();
    (graph, effects)
}

fn plans(reads: &[(usize, usize)]) -> (Plan, Plan) {
    let (graph, effects) = ladder(reads);
    let layout = Layout::new(&graph, &BTreeMap::from([("n0".to_owned(), SIZE)]), 4096).expect("sizes");
    let generated = Feed::Generated(SIZE, interface(EffectForm::Pixel, &[]));
    let feeds = BTreeMap::from([("n0".to_owned(), generated)]);
    let drains = BTreeMap::from([(("out".to_owned(), "input".to_owned()), Drain::Pictures(RGBA, None))]);
    let parts =
        Parts { effects: &effects, processors: &BTreeMap::new(), fused: &[], feeds: &feeds, drains: &drains };
    let own = Plan::with_own_textures(&graph, &layout, &parts).expect("a plan");
    (own, Plan::new(&graph, &layout, &parts).expect("a plan"))
}

#[test]
fn a_chain_of_any_length_takes_turns_in_two_textures() {
    let chain: Vec<_> = (0..10).map(|number| (number, number)).collect();
    let (own, shared) = plans(&chain);
    assert_eq!(own.textures.len(), 11);
    let held: Vec<_> = shared.textures.iter().map(|texture| texture.holds.join(" ")).collect();
    let odd = "n1.output n3.output n5.output n7.output n9.output";
    let even = "n0.output n2.output n4.output n6.output n8.output";
    assert_eq!(held, [even, odd, "n10.output"], "what leaves has its own");
    assert_eq!(picture(&own), picture(&shared));
}

#[test]
fn a_texture_of_several_surfaces_lies_so_that_all_their_readers_can_open_it() {
    let (mut graph, effects) = ladder(&[(0, 0)]);
    graph.add_sink("more", "x").and_then(|g| g.connect(Link::from_node("n1"), "more")).expect("linked");
    let layout = Layout::new(&graph, &BTreeMap::from([("n0".to_owned(), SIZE)]), 4096).expect("sizes");
    let feeds = BTreeMap::from([("n0".to_owned(), Feed::Textures(SIZE, TextureFormat::Rgba8))]);
    let key = |node: &str| (node.to_owned(), "input".to_owned());
    let sharing_of = |out: Drain, more: Drain| {
        let drains = BTreeMap::from([(key("out"), out), (key("more"), more)]);
        let none = BTreeMap::new();
        let parts =
            Parts { effects: &effects, processors: &none, fused: &[], feeds: &feeds, drains: &drains };
        let plan = Plan::new(&graph, &layout, &parts).expect("a plan");
        let leaves = |texture: &&PlanTexture| texture.holds.iter().any(|output| output == "n1.output");
        plan.textures.iter().find(leaves).expect("it is stored").sharing
    };
    let shared = Drain::Shared;
    assert_eq!(sharing_of(Drain::Textures, Drain::Textures), None);
    assert_eq!(sharing_of(Drain::Textures, shared(Sharing::Device)), Some(Sharing::Device));
    let all = Some(Sharing::Programs);
    assert_eq!(sharing_of(shared(Sharing::Device), shared(Sharing::Programs)), all);
    assert_eq!(sharing_of(shared(Sharing::Programs), shared(Sharing::Devices)), all);
}

proptest! {
    #[test]
    fn pixels_do_not_change(reads in prop::collection::vec((0..20_usize, 0..20_usize), 1..12)) {
        let (own, shared) = plans(&reads);
        prop_assert!(shared.textures.len() <= own.textures.len());
        prop_assert_eq!(picture(&own), picture(&shared));
    }
}
