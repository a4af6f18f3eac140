//! Code of the program beside the plan.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use streamlib::graph::{Edit, Port, Ports};
use streamlib::value::Value;
use streamlib::{
    LiveEvent, LiveFrame, LiveOptions, Outputs, ProcessorError, ProcessorInput, ProcessorKind, Processors,
    RunError, View,
};
use streamlib_core::engine::Content;

use crate::rig::{CAM, LIMIT, Rig, patient, pixel, remove, runtime, unaccounted};

pub(crate) fn ports(inputs: &[Port], outputs: &[&str]) -> Ports {
    Ports { inputs: inputs.to_vec(), outputs: outputs.iter().copied().map(Port::data).collect() }
}

/// A processor of a closure; it is made once.
pub(crate) fn kind<F>(ports: Ports, view: View, code: F) -> ProcessorKind
where
    F: FnMut(ProcessorInput<'_>, &mut Outputs<'_>) -> Result<(), ProcessorError> + Send + 'static,
{
    let code = Mutex::new(Some(code));
    ProcessorKind::new(ports, view, move |_| {
        code.lock().expect("no panic").take().ok_or_else(|| "it was made before".into())
    })
}

pub(crate) fn with<const N: usize>(kinds: [(&str, ProcessorKind); N]) -> LiveOptions {
    let processors: Processors = kinds.into_iter().map(|(name, kind)| (name.to_owned(), kind)).collect();
    LiveOptions { processors, ..patient() }
}

/// The value and position of the brightest pixel, by red.
fn brightest(frame: &LiveFrame) -> (u8, [usize; 2]) {
    let Content::Picture(picture) = &frame.content else { panic!("a picture was asked for") };
    let size = picture.format().size;
    let find = |bytes: &[u8]| {
        let reds = bytes.chunks(4).map(|pixel| pixel[0]).enumerate();
        reds.max_by_key(|(place, red)| (*red, usize::MAX - place)).expect("pixels")
    };
    let (place, red) = picture.plane(0, find).expect("it is finished");
    (red, [place % size.width as usize, place / size.width as usize])
}

/// `cam` carries numbers in red; `dot` draws one bright pixel in column red, row 3; `show` shows what the detector found.
const DETECTED: &str = "[nodes.dot]
    hlsl = '''float4 main(float2 uv : TEXCOORD) : SV_Target {
        float2 at = floor(uv * 16);
        float n = round(tex2D(input, uv).r * 255);
        return at.x == n % 16 && at.y == 3 ? float4(1, 0, 0, 1) : float4(0.1, 0, 0, 1); }'''
    inputs = { input = { from = 'cam', delivery = 'lossless' } }
    [nodes.find]
    processor = 'find'
    inputs = { input = 'dot' }
    [nodes.show]
    hlsl = '''float2 position = float2(100, 100); float4 main(float2 uv : TEXCOORD) : SV_Target {
        return float4(position / 255, tex2D(input, 1 - uv).g, 1); }'''
    inputs = { input = 'dot', position = 'find.position' }
    [nodes.out]
    sink = 'app:'
    inputs = { input = { from = 'show', delivery = 'lossless' } }";

#[test]
fn a_slow_detector_sends_what_it_found_to_a_later_frame_and_frames_never_wait_for_it() {
    let _turn = crate::rig::turn();
    let (go, gone): (Sender<()>, Receiver<()>) = channel();
    let (found, finds) = channel();
    let detector = kind(
        ports(&[Port::video("input")], &["position"]),
        View::Picture,
        move |input: ProcessorInput<'_>, out: &mut Outputs<'_>| {
            let ProcessorInput::Frame("input", frame) = input else { panic!("it has one input") };
            // As slow as the test wants it.
            gone.recv()?;
            let (red, [x, y]) = brightest(frame);
            assert_eq!(red, 255);
            out.send("position", Value::List(vec![Value::Int(x as i64), Value::Int(y as i64)]))?;
            found.send((frame.meta.sequence, x))?;
            Ok(())
        },
    );
    let Some(mut rig) = Rig::with(&format!("{CAM}{DETECTED}"), with([("find", detector)])) else { return };
    let go = go;
    let (mut cam, mut out) = (rig.inlet("cam"), rig.outlet("out"));
    let mut shown = 100;
    for round in 0..5_u16 {
        for step in 0..8 {
            rig.push(&mut cam, round * 8 + step);
            let frame = out.wait(LIMIT).expect("frames do not wait for the detector");
            assert_eq!(u16::from(pixel(rig.gpu(), &frame)[0]), shown, "nothing was found since");
        }
        // It has taken a frame by now or takes the newest one.
        go.send(()).expect("it waits");
        let (sequence, x) = finds.recv_timeout(LIMIT).expect("it finds");
        assert_eq!(x as u64, sequence % 16);
        shown = x as u16;
    }
    drop(go);
    rig.until_event(
        "its end",
        |event| matches!(event, LiveEvent::ProcessorFailed { node, .. } if node == "find"),
    );
    rig.until("its account", |rig| unaccounted(&rig.counts("find")) == 0);
    rig.stop();
}

#[test]
fn processors_take_textures_and_send_data_to_each_other_and_into_buffers() {
    let _turn = crate::rig::turn();
    let (told, tells) = channel();
    let gpu = runtime().map(|runtime| runtime.gpu().clone());
    let Some(gpu) = gpu else { return };
    let reader = kind(
        ports(&[Port::video("input")], &["red"]),
        View::Texture,
        move |input: ProcessorInput<'_>, out: &mut Outputs<'_>| {
            let ProcessorInput::Frame(_, frame) = input else { panic!("it has one input") };
            assert!(matches!(frame.content, Content::Texture(_)));
            out.send("red", Value::Int(i64::from(pixel(&gpu, frame)[0])))?;
            assert!(out.send("blue", Value::Int(1)).is_err(), "it has no such output");
            Ok(())
        },
    );
    // No video at all: it lives on messages.
    let doubler = kind(
        ports(&[Port::data("value")], &["table"]),
        View::Texture,
        move |input: ProcessorInput<'_>, out: &mut Outputs<'_>| {
            let ProcessorInput::Data("value", message) = input else { panic!("it has one input") };
            let Value::Int(value) = message.value else { panic!("{message:?}") };
            out.send("table", Value::List(vec![Value::Int(value), Value::Int(value * 2)]))?;
            told.send(value)?;
            Ok(())
        },
    );
    let text = format!(
        "{CAM}
        [nodes.same]
        hlsl = 'float4 main(float2 uv : TEXCOORD) : SV_Target {{ return tex2D(input, uv); }}'
        inputs = {{ input = {{ from = 'cam', delivery = 'lossless' }} }}
        [nodes.read]
        processor = 'read'
        inputs = {{ input = {{ from = 'same', delivery = 'lossless' }} }}
        [nodes.double]
        processor = 'double'
        inputs = {{ value = {{ from = 'read.red', delivery = 'lossless' }} }}
        [nodes.show]
        hlsl = '''StructuredBuffer<float> table; float4 main(float2 uv : TEXCOORD) : SV_Target {{
            return float4(tex2D(input, 1 - uv).r, table[0] / 255, table[1] / 255, 1); }}'''
        inputs = {{ input = 'same', table = 'double.table' }}
        set = {{ table = [0, 0] }}
        [nodes.out]
        sink = 'app:'
        inputs = {{ input = {{ from = 'show', delivery = 'lossless' }} }}"
    );
    let Some(mut rig) = Rig::with(&text, with([("read", reader), ("double", doubler)])) else { return };
    let (mut cam, mut out) = (rig.inlet("cam"), rig.outlet("out"));
    let mut before = 0;
    for number in 1..60_u8 {
        rig.push(&mut cam, u16::from(number));
        let frame = out.wait(LIMIT).expect("a frame");
        assert_eq!(pixel(rig.gpu(), &frame), [number, before, before * 2, 255]);
        assert_eq!(tells.recv_timeout(LIMIT).expect("it lives"), i64::from(number));
        before = number;
        if number == 30 {
            // An edit elsewhere concerns neither: a second sink comes and goes.
            let sink = streamlib::graph::Sink { uri: "null:".into(), input: Some("show".into()) };
            rig.apply(&[crate::rig::insert("seen", streamlib::graph::Node::Sink(sink))]);
            rig.apply(&[remove("seen")]);
        }
    }
    // The one that lives on messages ends with its node.
    rig.apply(&[remove("double")]);
    assert!(tells.try_recv().is_err());
    rig.stop();
    assert!(matches!(tells.try_recv(), Err(std::sync::mpsc::TryRecvError::Disconnected)), "it is gone");
}

#[test]
fn a_processor_that_panics_or_errs_is_named_and_the_graph_goes_on() {
    let _turn = crate::rig::turn();
    let input = || [Port::video("input")];
    let panics = kind(ports(&input(), &[]), View::Picture, |_: ProcessorInput<'_>, _: &mut Outputs<'_>| {
        std::panic::resume_unwind(Box::new("on purpose"))
    });
    let errs = kind(ports(&input(), &[]), View::Texture, |_: ProcessorInput<'_>, _: &mut Outputs<'_>| {
        Err("no ball to be seen".into())
    });
    let text = format!(
        "{CAM}
        [nodes.same]
        hlsl = 'float4 main(float2 uv : TEXCOORD) : SV_Target {{ return tex2D(input, uv); }}'
        inputs = {{ input = {{ from = 'cam', delivery = 'lossless' }} }}
        [nodes.panics]
        processor = 'panics'
        inputs = {{ input = 'same' }}
        [nodes.errs]
        processor = 'errs'
        inputs = {{ input = {{ from = 'same', delivery = 'lossless' }} }}
        [nodes.out]
        sink = 'app:'
        inputs = {{ input = {{ from = 'same', delivery = 'lossless' }} }}"
    );
    let Some(mut rig) = Rig::with(&text, with([("panics", panics), ("errs", errs)])) else { return };
    let (mut cam, mut out) = (rig.inlet("cam"), rig.outlet("out"));
    for number in 0..20 {
        rig.push(&mut cam, number);
        assert_eq!(rig.next(&mut out), number);
    }
    for (name, what) in [("panics", "panicked"), ("errs", "no ball to be seen")] {
        rig.until_event(name, |event| {
            matches!(event, LiveEvent::ProcessorFailed { node, why } if node == name && why.contains(what))
        });
        rig.until("its account", |rig| {
            let counts = rig.counts(name);
            counts.frames_in == 20 && unaccounted(&counts) == 0
        });
    }
    rig.stop();
}

#[test]
fn data_that_does_not_fit_is_refused_and_told_once_and_unknown_processors_are_an_error() {
    let _turn = crate::rig::turn();
    let (told, tells) = channel();
    let wrong = kind(
        ports(&[Port::video("input")], &["value"]),
        View::Texture,
        move |_: ProcessorInput<'_>, out: &mut Outputs<'_>| {
            out.send("value", Value::List(vec![Value::Int(1); 3]))?;
            told.send(())?;
            Ok(())
        },
    );
    let text = format!(
        "{CAM}
        [nodes.same]
        hlsl = 'float k = 1; float4 main(float2 uv : TEXCOORD) : SV_Target {{ return tex2D(input, uv) * k; }}'
        inputs = {{ input = {{ from = 'cam', delivery = 'lossless' }}, k = 'wrong.value' }}
        [nodes.wrong]
        processor = 'wrong'
        inputs = {{ input = {{ from = 'same', delivery = 'lossless' }} }}
        [nodes.out]
        sink = 'app:'
        inputs = {{ input = {{ from = 'same', delivery = 'lossless' }} }}"
    );
    let Some(runtime) = runtime() else { return };
    let graph = streamlib::graph::Graph::from_toml(&text).expect("a graph");
    let refused = runtime.start(&graph, LiveOptions::default()).expect_err("nobody registered it");
    assert!(matches!(&refused, RunError::UnknownProcessor { node, .. } if node == "wrong"), "{refused}");
    let Some(mut rig) = Rig::with(&text, with([("wrong", wrong)])) else { return };
    let (mut cam, mut out) = (rig.inlet("cam"), rig.outlet("out"));
    for number in 0..10 {
        rig.push(&mut cam, number);
        assert_eq!(rig.next(&mut out), number);
        tells.recv_timeout(LIMIT).expect("it sends");
    }
    rig.hear();
    let refusals = rig.events.iter().filter(|event| matches!(event, LiveEvent::DataRefused { .. }));
    assert_eq!(refusals.count(), 1, "{:?}", rig.events);
    rig.stop();
}

#[test]
fn a_processor_is_made_anew_by_an_edit_and_one_that_cannot_be_made_changes_nothing() {
    let _turn = crate::rig::turn();
    let made = Arc::new(Mutex::new(0));
    let counted = made.clone();
    let ports = ports(&[Port::video("input"), Port::data("never")], &[]);
    let kind = ProcessorKind::new(ports, View::Texture, move |node: &streamlib::graph::Processor| {
        if node.set.contains_key("broken") {
            return Err("no such model".into());
        }
        *counted.lock().expect("no panic") += 1;
        Ok(|_: ProcessorInput<'_>, _: &mut Outputs<'_>| Ok(()))
    });
    let text = format!(
        "{CAM}
        [nodes.watch]
        processor = 'watch'
        inputs = {{ input = {{ from = 'cam', delivery = 'lossless' }} }}
        [nodes.out]
        sink = 'app:'
        inputs = {{ input = {{ from = 'cam', delivery = 'lossless' }} }}"
    );
    let folder = tempfile::tempdir().expect("a folder");
    let options = LiveOptions { base: folder.path().to_owned(), ..with([("watch", kind)]) };
    let Some(mut rig) = Rig::with(&text, options) else { return };
    let (mut cam, mut out) = (rig.inlet("cam"), rig.outlet("out"));
    let set = |parameter: &str| Edit::Set {
        node: "watch".into(),
        parameter: parameter.into(),
        value: Some(Value::Int(1)),
    };
    let file = streamlib::graph::Sink { uri: "new.png".into(), input: Some("cam".into()) };
    let with_file = [crate::rig::insert("file", streamlib::graph::Node::Sink(file)), set("broken")];
    let refused = rig.live.apply(&with_file).expect_err("it cannot be made");
    assert!(matches!(&refused, RunError::MakeProcessor { node, .. } if node == "watch"), "{refused}");
    assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 0, "the file was not wanted");
    rig.push(&mut cam, 1);
    assert_eq!(rig.next(&mut out), 1);
    assert_eq!(*made.lock().expect("no panic"), 1);
    rig.apply(&[set("threshold")]);
    rig.push(&mut cam, 2);
    assert_eq!(rig.next(&mut out), 2);
    assert_eq!(*made.lock().expect("no panic"), 2);
    rig.until("the second one's frame", |rig| rig.counts("watch").frames_out == 2);
    rig.stop();
}
