//! Graphs that are changed while frames run: each frame is of one version, and none is lost or comes twice.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use streamlib::RunError;
use streamlib::format::Size;
use streamlib::graph::{Delivery, Edit, Graph, Link, Node, Sink};
use streamlib::value::Value;
use streamlib::vulkan::Validation;

use crate::rig::{
    CAM, LIMIT, Rig, app_source, connect, disconnect, effect, insert, number, pixel, pixels, push, remove,
    replace,
};

const LOSSLESS: Delivery = Delivery::Lossless { bound: 4 };

fn lossless(node: &str) -> Link {
    Link::from_node(node).with_delivery(LOSSLESS)
}

/// The number stays, and blue is `version`.
fn versioned(version: usize) -> Node {
    let hlsl = format!(
        "float4 main(float2 uv : TEXCOORD) : SV_Target {{
            return float4(tex2D(input, uv).rg, {version}.0 / 255, 1); }}"
    );
    effect(&hlsl, &[("input", lossless("cam"))])
}

fn chain_text() -> String {
    format!(
        "{CAM}
        [nodes.work]
        hlsl = 'float4 main(float2 uv : TEXCOORD) : SV_Target {{ return tex2D(input, uv); }}'
        inputs = {{ input = {{ from = 'cam', delivery = 'lossless' }} }}
        [nodes.out]
        sink = 'app:'
        inputs = {{ input = {{ from = 'work', delivery = 'lossless' }} }}"
    )
}

fn chain() -> Option<Rig> {
    Rig::start(&chain_text())
}

#[test]
fn a_live_graph_through_some_edits_makes_no_validation_message() {
    let _turn = crate::rig::turn();
    let Some(runtime) = crate::rig::start_runtime(Validation::On) else { return };
    let graph = chain_text();
    let live =
        runtime.start(&Graph::from_toml(&graph).expect("a graph"), crate::rig::patient()).expect("it runs");
    let (mut cam, mut out) = (live.inlet("cam").expect("an inlet"), live.outlet("out").expect("an outlet"));
    for version in 0..6 {
        assert!(push(&mut cam, version));
        assert!(out.wait(LIMIT).is_some());
        live.apply(&[replace("work", versioned(usize::from(version)))]).expect("a new plan");
    }
    live.stop().expect("a report");
    assert_eq!(runtime.gpu().validation_messages(), 0);
}

#[test]
fn a_file_straight_from_a_pushed_source_holds_what_was_pushed() {
    let _turn = crate::rig::turn();
    let folder = tempfile::tempdir().expect("a folder");
    let text = format!(
        "{CAM}[nodes.out]\nsink = 'pushed-%d.png'\ninputs = {{ input = {{ from = 'cam', delivery = 'lossless' }} }}"
    );
    let Some(rig) = Rig::at(&text, folder.path()) else { return };
    let mut cam = rig.inlet("cam");
    for number in 1..4 {
        while !push(&mut cam, number) {
            rig.live.wait(Duration::from_millis(1));
        }
        // Each is written before the next replaces it.
        while rig.live.frames() < u64::from(number) {
            rig.live.wait(Duration::from_millis(1));
        }
    }
    rig.live.stop().expect("a report");
    for number in 1..4_u16 {
        let file = folder.path().join(format!("pushed-{}.png", number - 1));
        let picture = image::open(&file).expect("a picture").to_rgba8();
        assert_eq!(picture.get_pixel(3, 3).0[..2], number.to_le_bytes());
    }
}

#[test]
fn an_effect_is_replaced_200_times_and_each_frame_is_of_exactly_one_version() {
    let _turn = crate::rig::turn();
    let Some(rig) = chain() else { return };
    let (mut cam, mut out) = (rig.inlet("cam"), rig.outlet("out"));
    let is_over = AtomicBool::new(false);
    let mut changes = vec![(0, 0)];
    let mut seen = Vec::new();
    let (live, gpu) = (&rig.live, rig.gpu());
    std::thread::scope(|scope| {
        let pusher = scope.spawn(|| {
            let mut number = 0;
            while !is_over.load(Ordering::Relaxed) {
                match push(&mut cam, number) {
                    true => number += 1,
                    false => drop(live.wait(Duration::from_millis(1))),
                }
            }
            number
        });
        let taker = scope.spawn(|| {
            let mut seen = Vec::new();
            while let Some(frame) = out.wait(Duration::from_millis(500)).or_else(|| {
                // Pushing has ended, and what was under way has had its time.
                (!is_over.load(Ordering::Relaxed)).then(|| out.wait(LIMIT)).flatten()
            }) {
                let [low, high, version, _] = pixel(gpu, &frame);
                seen.push((frame.meta.sequence, u16::from_le_bytes([low, high]), version));
            }
            seen
        });
        for version in 1..=200 {
            let applied = live.apply(&[replace("work", versioned(version))]);
            let applied = applied.unwrap_or_else(|error| panic!("{version}: {error}"));
            assert_eq!(applied.generation, version as u64 + 1);
            changes.push((applied.first_frame.expect("a new plan"), version as u8));
        }
        is_over.store(true, Ordering::Relaxed);
        let pushed = pusher.join().expect("pushed");
        seen = taker.join().expect("taken");
        assert_eq!(seen.len(), usize::from(pushed), "none lost, none twice");
    });
    // A software device compiles each version in its first frame, so that there may be fewer frames than versions.
    assert!(seen.len() > 20, "{} frames ran", seen.len());
    for (place, &(sequence, number, version)) in seen.iter().enumerate() {
        assert_eq!((sequence, usize::from(number)), (place as u64, place));
        let wanted = changes.iter().rev().find(|(first, _)| *first <= sequence).expect("the first plan");
        assert_eq!(version, wanted.1, "frame {sequence}");
    }
    let report = rig.stop();
    // What the full inlet gave back was pushed again.
    let drops = report.stats.drops();
    assert_eq!(drops.total(), drops.of(streamlib::account::DropReason::InletFull), "{drops:?}");
}

#[test]
fn a_file_that_is_added_and_removed_in_mid_stream_is_whole() {
    let _turn = crate::rig::turn();
    let folder = tempfile::tempdir().expect("a folder");
    let text = format!(
        "{CAM}
        [nodes.work]
        hlsl = 'float4 main(float2 uv : TEXCOORD) : SV_Target {{ return tex2D(input, uv); }}'
        inputs = {{ input = {{ from = 'cam', delivery = 'lossless' }} }}
        [nodes.out]
        sink = 'app:'
        inputs = {{ input = {{ from = 'work', delivery = 'lossless' }} }}"
    );
    let Some(mut rig) = Rig::at(&text, folder.path()) else { return };
    let (mut cam, mut out) = (rig.inlet("cam"), rig.outlet("out"));
    let mut number = 0;
    let mut run = |rig: &mut Rig, frames: u16| {
        for _ in 0..frames {
            rig.push(&mut cam, number);
            assert_eq!(rig.next(&mut out), number);
            number += 1;
        }
    };
    let names = ["part-%d.png", "part.y4m", "part.mp4"];
    run(&mut rig, 5);
    let edits: Vec<_> = names
        .iter()
        .map(|uri| {
            let sink = Sink { uri: (*uri).to_owned(), input: Some(lossless("work")) };
            insert(&uri.replace('.', " "), Node::Sink(sink))
        })
        .collect();
    assert_eq!(rig.apply(&edits).first_frame, Some(5));
    run(&mut rig, 20);
    // Another edit in between does not concern the files.
    rig.apply(&[replace("work", versioned(0))]);
    run(&mut rig, 10);
    let edits: Vec<_> = names.iter().map(|uri| remove(&uri.replace('.', " "))).collect();
    assert_eq!(rig.apply(&edits).first_frame, Some(35));
    // They are whole when the edit is made.
    for (place, number) in (5..35_u8).enumerate() {
        let picture = image::open(folder.path().join(format!("part-{place}.png"))).expect("a picture");
        assert_eq!(picture.to_rgba8().get_pixel(1, 1).0[0], number);
    }
    assert!(!folder.path().join("part-30.png").exists());
    for name in ["part.y4m", "part.mp4"] {
        let mut reader = streamlib::media::open(&folder.path().join(name)).expect("playable");
        let format = reader.info().format;
        let mut picture =
            streamlib::picture::Picture { format, timestamp: streamlib::frame::Timestamp(0), data: vec![] };
        let mut frames = 0;
        while reader.read(&mut picture).expect("whole") {
            frames += 1;
        }
        assert_eq!(frames, 30, "{name}");
    }
    run(&mut rig, 5);
    let report = rig.stop();
    assert_eq!(report.sinks.iter().map(|sink| sink.frames).collect::<Vec<_>>(), [30; 3]);
    assert_eq!(report.stats.drops().total(), 0, "{:?}", report.stats.drops());
}

#[test]
fn nodes_sources_and_sizes_come_and_go_and_the_outlet_goes_on() {
    let _turn = crate::rig::turn();
    let Some(mut rig) = chain() else { return };
    let (mut cam, mut out) = (rig.inlet("cam"), rig.outlet("out"));
    for n in 0..5 {
        rig.push(&mut cam, n);
        assert_eq!(rig.next(&mut out), n);
    }
    // A node in between, which sees its neighbour.
    let plus = effect(
        "float4 main(float2 uv : TEXCOORD) : SV_Target { return tex2D(input, 1 - uv) + float4(0, 0, 9.0 / 255, 0); }",
        &[("input", Link::from_node("work"))],
    );
    rig.apply(&[insert("plus", plus), disconnect("out"), connect("out", lossless("plus"))]);
    rig.push(&mut cam, 5);
    let frame = out.wait(LIMIT).expect("a frame");
    assert_eq!(pixel(rig.gpu(), &frame), [5, 0, 9, 255]);
    // A second source, mixed in: black until it gives a frame.
    let mix = effect(
        "Texture2D side; float4 main(float2 uv : TEXCOORD) : SV_Target {
            return float4(tex2D(input, uv).rg, tex2D(side, uv).r, 1); }",
        &[("input", Link::from_node("work")), ("side", Link::from_node("side"))],
    );
    rig.apply(&[insert("side", app_source(Size::new(4, 4))), replace("plus", mix)]);
    let mut side = rig.inlet("side");
    rig.push(&mut cam, 6);
    let frame = out.wait(LIMIT).expect("a frame");
    assert_eq!(pixel(rig.gpu(), &frame), [6, 0, 0, 255]);
    rig.push(&mut side, 77);
    rig.push(&mut cam, 7);
    let frame = out.wait(LIMIT).expect("a frame");
    assert_eq!(pixel(rig.gpu(), &frame), [7, 0, 77, 255]);
    // Both go; the second source's inlet is closed.
    rig.apply(&[remove("side"), remove("plus"), connect("out", lossless("work"))]);
    rig.until_closed(&mut side);
    rig.push(&mut cam, 8);
    let frame = out.wait(LIMIT).expect("a frame");
    assert_eq!(pixel(rig.gpu(), &frame), [8, 0, 0, 255]);
    // Frames of another size: the source has a new inlet, and the outlet goes on.
    rig.apply(&[replace("cam", app_source(Size::new(32, 20)))]);
    let mut larger = rig.inlet("cam");
    rig.until_closed(&mut cam);
    rig.push(&mut larger, 10);
    let frame = out.wait(LIMIT).expect("a frame");
    assert_eq!((number(rig.gpu(), &frame), pixels(rig.gpu(), &frame).len()), (10, 32 * 20 * 4));
    assert_eq!(frame.meta.sequence, 9);
    rig.stop();
}

#[test]
fn a_broken_effect_or_graph_changes_nothing_and_says_where_it_is_wrong() {
    let _turn = crate::rig::turn();
    let folder = tempfile::tempdir().expect("a folder");
    let text = format!(
        "{CAM}
        [nodes.work]
        hlsl = 'float k = 1; float4 main(float2 uv : TEXCOORD) : SV_Target {{ return tex2D(input, uv) * k; }}'
        inputs = {{ input = {{ from = 'cam', delivery = 'lossless' }} }}
        [nodes.film]
        sink = 'film.y4m'
        inputs = {{ input = {{ from = 'work', delivery = 'lossless' }} }}
        [nodes.out]
        sink = 'app:'
        inputs = {{ input = {{ from = 'work', delivery = 'lossless' }} }}"
    );
    let Some(mut rig) = Rig::at(&text, folder.path()) else { return };
    let (mut cam, mut out) = (rig.inlet("cam"), rig.outlet("out"));
    let before = rig.live.graph();
    let cam_link = || [("input", lossless("cam"))];
    let broken =
        "float4 main(float2 uv : TEXCOORD) : SV_Target {\n    return tex2D(input, uv) + nonsense;\n}";
    let refused = rig.live.apply(&[replace("work", effect(broken, &cam_link()))]).expect_err("it is broken");
    let RunError::Compile { node, error } = &refused else { panic!("{refused}") };
    let diagnostic = &error.diagnostics()[0];
    assert_eq!((node.as_str(), diagnostic.line), ("work", 2));
    assert!(diagnostic.message.contains("nonsense"), "{}", diagnostic.message);
    let new_file = |uri: &str| Node::Sink(Sink { uri: uri.to_owned(), input: Some(lossless("work")) });
    let same = "float4 main(float2 uv : TEXCOORD) : SV_Target { return tex2D(input, uv); }";
    let wrong: Vec<Vec<Edit>> = vec![
        vec![replace("work", effect(same, &[("input", Link::from_node("work"))]))],
        vec![replace("work", effect(same, &[("input", Link::from_node("nobody"))]))],
        vec![replace("work", effect(same, &[]))],
        vec![replace("work", effect(same, &[("inptu", lossless("cam"))]))],
        vec![remove("nobody")],
        vec![insert("work", effect(same, &cam_link()))],
        vec![insert("new", new_file("new.nonsense"))],
        // The first of two is good, and leaves no file.
        vec![insert("good", new_file("good.y4m")), insert("new", new_file("nowhere/new.y4m"))],
        vec![insert("good", new_file("good.y4m")), replace("work", effect(broken, &cam_link()))],
        // The file that is being written has another size.
        vec![replace("cam", app_source(Size::new(20, 20)))],
        vec![
            insert(
                "missing",
                Node::Source(streamlib::graph::Source {
                    uri: "missing.mp4".into(),
                    ..streamlib::graph::Source::default()
                }),
            ),
            replace("work", effect(same, &[("input", Link::from_node("missing"))])),
        ],
        vec![
            Edit::Set { node: "work".into(), parameter: "k".into(), value: Some(Value::Float(0.5)) },
            Edit::Set { node: "work".into(), parameter: "kk".into(), value: Some(Value::Float(0.5)) },
        ],
    ];
    for (n, edits) in wrong.iter().enumerate() {
        let refused = rig.live.apply(edits).expect_err("it is wrong");
        assert!(!matches!(refused, RunError::Ended | RunError::Stuck(_)), "{refused}");
        assert!(!refused.to_string().is_empty());
        assert_eq!(rig.live.graph(), before, "{refused}");
        rig.push(&mut cam, n as u16);
        let frame = out.wait(LIMIT).expect("frames go on");
        assert_eq!((frame.meta.sequence, number(rig.gpu(), &frame)), (n as u64, n as u16));
    }
    let mut left: Vec<_> = std::fs::read_dir(folder.path())
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("text"))
        .filter(|name| !name.contains("film"))
        .collect();
    left.sort();
    assert!(left.is_empty(), "files of edits that were not made: {left:?}");
    let generation = rig.apply(&[replace("work", effect(same, &cam_link()))]).generation;
    assert_eq!(generation, 2, "the first plan ran until now");
    let report = rig.stop();
    assert_eq!(report.sinks[0].frames, wrong.len() as u64);
}

#[test]
fn history_goes_on_through_edits_elsewhere() {
    let _turn = crate::rig::turn();
    let text = format!(
        "{CAM}
        [nodes.count]
        hlsl = '''Texture2D past; Texture2D older; float4 main(float2 uv : TEXCOORD) : SV_Target {{
            return float4(tex2D(past, uv).r + 1.0 / 255, tex2D(older, uv).r, tex2D(input, uv).r, 1); }}'''
        inputs = {{ input = {{ from = 'cam', delivery = 'lossless' }},
                    past = {{ from = 'count', delay = 1 }}, older = {{ from = 'cam', delay = 3 }} }}
        [nodes.work]
        hlsl = 'float4 main(float2 uv : TEXCOORD) : SV_Target {{ return tex2D(input, 1 - uv); }}'
        inputs = {{ input = 'count' }}
        [nodes.out]
        sink = 'app:'
        inputs = {{ input = {{ from = 'work', delivery = 'lossless' }} }}"
    );
    let Some(mut rig) = Rig::start(&text) else { return };
    let (mut cam, mut out) = (rig.inlet("cam"), rig.outlet("out"));
    for n in 0..60_u8 {
        if n % 7 == 6 {
            let hlsl = format!(
                "float4 main(float2 uv : TEXCOORD) : SV_Target {{ return tex2D(input, 1 - uv) + 0.0 * {n}; }}"
            );
            let applied =
                rig.apply(&[replace("work", effect(&hlsl, &[("input", Link::from_node("count"))]))]);
            assert_eq!(applied.first_frame, Some(u64::from(n)));
        }
        if n % 10 == 5 {
            let sink = Sink { uri: "null:".to_owned(), input: Some(Link::from_node("count")) };
            rig.apply(&[insert("seen", Node::Sink(sink))]);
            rig.apply(&[remove("seen")]);
        }
        rig.push(&mut cam, u16::from(n));
        let frame = out.wait(LIMIT).expect("a frame");
        assert_eq!(pixel(rig.gpu(), &frame)[..3], [n + 1, n.saturating_sub(3), n], "frame {n}");
    }

    rig.stop();
}

#[test]
fn a_sink_may_go_and_leave_effects_and_sources_that_nobody_needs() {
    let _turn = crate::rig::turn();
    let folder = tempfile::tempdir().expect("a folder");
    crate::rig::y4m(&folder.path().join("film.y4m"), [0; 5]);
    let text = format!(
        "clock = 'other'
        {CAM}
        [nodes.other]
        source = 'app:'
        size = [16, 16]
        [nodes.film]
        source = 'film.y4m'
        [nodes.side]
        hlsl = 'Texture2D film; float4 main(float2 uv : TEXCOORD) : SV_Target {{ return tex2D(input, uv) + tex2D(film, uv); }}'
        inputs = {{ input = 'other', film = 'film' }}
        [nodes.seen]
        sink = 'null:'
        inputs = {{ input = 'side' }}
        [nodes.out]
        sink = 'app:'
        inputs = {{ input = {{ from = 'cam', delivery = 'lossless' }} }}"
    );
    let Some(mut rig) = Rig::at(&text, folder.path()) else { return };
    rig.apply(&[remove("seen")]);
    let (mut cam, mut out) = (rig.inlet("cam"), rig.outlet("out"));
    rig.push(&mut cam, 7);
    // The clock is among what nobody needs, so frames come when time says so.
    rig.until("the frame that was pushed", |rig| {
        out.take().is_some_and(|frame| number(rig.gpu(), &frame) == 7)
    });
    // What nobody needed is needed again.
    rig.apply(&[insert(
        "seen",
        Node::Sink(Sink { uri: "null:".to_owned(), input: Some(Link::from_node("side")) }),
    )]);
    let mut other = rig.inlet("other");
    rig.push(&mut other, 9);
    rig.until("frames of the clock", |rig| {
        while out.take().is_some() {}
        rig.counts("seen").frames_out > 0
    });
    rig.stop();
}
