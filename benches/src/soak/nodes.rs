//! The graph that everything begins with, and comes back to when it is measured.

use std::path::Path;

use streamlib::format::Size;
use streamlib::graph::{Graph, Port, Ports};
use streamlib::value::Value;
use streamlib::{Outputs, ProcessorInput, ProcessorKind, Processors, View};
use streamlib_core::engine::Content;

use crate::Fallible;

/// Frames of a film that plays beside the graph's clock.
const FILM_FRAMES: usize = 20;
/// Frames after which a processor that is to fail does.
const BRITTLE: u32 = 40;
/// What it says then.
pub(super) const ENOUGH: &str = "it has seen enough";

pub(super) fn graph(size: Size) -> Fallible<Graph> {
    let Size { width, height, .. } = size;
    let plain = "float gain = 1; float2 shift = float2(0, 0);";
    Ok(Graph::from_toml(&format!(
        "clock = 'cam'
        [nodes.cam]
        source = 'app:'
        size = [{width}, {height}]
        [nodes.bars]
        source = 'generate:bars'
        size = [{width}, {height}]
        [nodes.count]
        hlsl = '''Texture2D past; {plain} float4 main(float2 uv : TEXCOORD) : SV_Target {{
            return lerp(tex2D(input, uv), tex2D(past, uv), 0.5) * gain + shift.x; }}'''
        inputs = {{ input = {{ from = 'cam', delivery = 'lossless', bound = 4 }}, past = {{ from = 'count', delay = 1 }} }}
        [nodes.tint]
        hlsl = '''{plain} float4 main(float2 uv : TEXCOORD) : SV_Target {{
            return tex2D(input, uv) * gain + shift.y; }}'''
        inputs = {{ input = 'count' }}
        [nodes.mix]
        hlsl = '''Texture2D side; {plain} float4 main(float2 uv : TEXCOORD) : SV_Target {{
            return lerp(tex2D(input, uv), tex2D(side, uv), 0.25 * gain) + shift.x; }}'''
        inputs = {{ input = 'tint', side = 'bars' }}
        [nodes.main]
        sink = 'app:'
        inputs = {{ input = {{ from = 'mix', delivery = 'lossless', bound = 8 }} }}
        [nodes.probe]
        sink = 'null:'
        inputs = {{ input = 'tint' }}"
    ))?)
}

/// Processors: one that says something of each frame, one that reads its pixels, and one that fails.
pub(super) fn processors() -> Processors {
    let ports = || Ports { inputs: vec![Port::video("input")], outputs: vec![Port::data("level")] };
    let level = ProcessorKind::new(ports(), View::Texture, |_| {
        Ok(|input: ProcessorInput<'_>, out: &mut Outputs<'_>| {
            if let ProcessorInput::Frame(_, frame) = input {
                out.send("level", Value::Float((frame.meta.sequence % 100) as f64 / 100.0))?;
            }
            Ok(())
        })
    });
    let mean = ProcessorKind::new(ports(), View::Picture, |_| {
        Ok(|input: ProcessorInput<'_>, out: &mut Outputs<'_>| {
            if let ProcessorInput::Frame(_, frame) = input
                && let Content::Picture(picture) = &frame.content
            {
                let sum = |bytes: &[u8]| {
                    bytes.iter().map(|byte| f64::from(*byte)).sum::<f64>() / bytes.len() as f64
                };
                out.send("level", Value::Float(picture.plane(0, sum)? / 255.0))?;
            }
            Ok(())
        })
    });
    let brittle = ProcessorKind::new(ports(), View::Texture, |_| {
        let mut frames = 0;
        Ok(move |_: ProcessorInput<'_>, _: &mut Outputs<'_>| {
            frames += 1;
            if frames >= BRITTLE { Err(ENOUGH.into()) } else { Ok(()) }
        })
    });
    [("level", level), ("mean", mean), ("brittle", brittle)]
        .map(|(name, kind)| (name.to_owned(), kind))
        .into()
}

/// A film of grey pictures.
pub(super) fn film(path: &Path) -> Fallible<()> {
    let (width, height) = (64, 36);
    let mut film = format!("YUV4MPEG2 W{width} H{height} F50:1 C420jpeg\n").into_bytes();
    for number in 0..FILM_FRAMES {
        film.extend_from_slice(b"FRAME\n");
        film.extend(std::iter::repeat_n((10 * number) as u8, width * height));
        film.extend(std::iter::repeat_n(128, width * height / 2));
    }
    Ok(std::fs::write(path, film)?)
}
