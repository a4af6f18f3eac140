//! Sources and sinks that fail: each is named, and the others go on.

use std::time::Duration;

use streamlib::account::DropReason;
use streamlib::{LiveEvent, LiveOptions};

use crate::rig::{CAM, LIMIT, Rig, patient, pixel, unaccounted, y4m};

/// `cam` sets the pace; red of it, green of `side`.
fn two(side: &str, options: LiveOptions) -> Option<Rig> {
    let text = format!(
        "clock = 'cam'
        {CAM}
        fps = 100
        [nodes.side]
        {side}
        [nodes.mix]
        hlsl = '''Texture2D side; float4 main(float2 uv : TEXCOORD) : SV_Target {{
            return float4(tex2D(input, uv).r, tex2D(side, uv).r, 0, 1); }}'''
        inputs = {{ input = {{ from = 'cam', delivery = 'lossless' }}, side = 'side' }}
        [nodes.out]
        sink = 'app:'
        inputs = {{ input = {{ from = 'mix', delivery = 'lossless' }} }}"
    );
    Rig::with(&text, options)
}

#[test]
fn a_source_that_stalls_is_named_the_others_go_on_and_it_comes_back() {
    let _turn = crate::rig::turn();
    let options = LiveOptions { patience: Duration::from_millis(300), ..LiveOptions::default() };
    let Some(mut rig) = two("source = 'app:'\nsize = [16, 16]", options) else { return };
    let [mut cam, mut side] = ["cam", "side"].map(|node| rig.inlet(node));
    let mut out = rig.outlet("out");
    rig.push(&mut side, 7);
    let mut number = 0;
    let stalled = |node: &'static str| move |event: &LiveEvent| matches!(event, LiveEvent::SourceStalled { node: name } if name == node);
    let back = |node: &'static str| move |event: &LiveEvent| matches!(event, LiveEvent::SourceIsBack { node: name } if name == node);
    let mut frame = |rig: &mut Rig, cam: &mut streamlib::VideoInlet| {
        number = (number + 1) % 200;
        rig.push(cam, number);
        // Frames that time made, while the pacemaker was late, show what it gave last.
        loop {
            let frame = out.wait(LIMIT).expect("a frame");
            let [red, green, ..] = pixel(rig.gpu(), &frame);
            if u16::from(red) == number {
                break green;
            }
        }
    };
    while !rig.events.iter().any(stalled("side")) {
        assert_eq!(frame(&mut rig, &mut cam), 7, "what it gave last is shown");
        rig.hear();
    }
    assert!(!rig.events.iter().any(back("side")));
    rig.push(&mut side, 9);
    while !rig.events.iter().any(back("side")) {
        assert_eq!(frame(&mut rig, &mut cam), 9);
        rig.hear();
    }
    // Now the one that sets the pace is silent: time does, so that the other one is seen.
    rig.until_event("the pacemaker's stall", stalled("cam"));
    rig.push(&mut side, 11);
    let mut out = out;
    let mut greens = Vec::new();
    while greens.last() != Some(&11) {
        let frame = out.wait(LIMIT).expect("frames go on");
        greens.push(pixel(rig.gpu(), &frame)[1]);
    }
    rig.push(&mut cam, 250);
    let mut reds = Vec::new();
    while reds.last() != Some(&250) {
        let frame = out.wait(LIMIT).expect("frames go on");
        reds.push(pixel(rig.gpu(), &frame)[0]);
    }
    rig.until_event("the pacemaker's return", back("cam"));
    drop(out);
    rig.stop();
}

#[test]
fn a_source_that_dies_is_named_its_last_picture_stays_and_the_others_go_on() {
    let _turn = crate::rig::turn();
    let folder = tempfile::tempdir().expect("a folder");
    let whole = folder.path().join("whole.y4m");
    y4m(&whole, [67, 119, 222]);
    let bytes = std::fs::read(&whole).expect("readable");
    std::fs::write(folder.path().join("cut.y4m"), &bytes[..bytes.len() - 50]).expect("written");
    let frame = (bytes.len() - 38) / 3;
    let noise = [&bytes[..bytes.len() - frame], b"NOISE and no frame"].concat();
    std::fs::write(folder.path().join("noise.y4m"), noise).expect("written");
    for name in ["cut.y4m", "noise.y4m"] {
        let options = LiveOptions { base: folder.path().to_owned(), ..patient() };
        let Some(mut rig) = two(&format!("source = '{name}'"), options) else { return };
        let (mut cam, mut out) = (rig.inlet("cam"), rig.outlet("out"));
        let mut number = 0;
        let mut greens = Vec::new();
        let failed =
            |event: &LiveEvent| matches!(event, LiveEvent::SourceFailed { node, .. } if node == "side");
        // Ten more after its end.
        let mut more = 10;
        while more > 0 {
            number = (number + 1) % 250;
            rig.push(&mut cam, number);
            let frame = out.wait(LIMIT).expect("a frame");
            let [red, green, ..] = pixel(rig.gpu(), &frame);
            assert_eq!(u16::from(red), number);
            greens.push(green);
            rig.hear();
            more -= i32::from(rig.events.iter().any(failed));
        }
        assert_eq!(greens.last(), Some(&120), "the second picture is the last whole one");
        let why = rig.events.iter().find(|event| failed(event)).expect("it was named").to_string();
        assert!(why.contains("`side`") && why.contains("frame"), "{why}");
        assert!(!rig.events.iter().any(|event| matches!(event, LiveEvent::SourceStalled { .. })));
        assert_eq!(unaccounted(&rig.counts("side")), 0);
        rig.stop();
    }
}

#[test]
fn a_graph_ends_with_the_file_that_sets_its_pace_and_every_frame_was_written() {
    let _turn = crate::rig::turn();
    let folder = tempfile::tempdir().expect("a folder");
    y4m(&folder.path().join("film.y4m"), (16..46).map(|level| level * 4));
    let text = "[nodes.film]
        source = 'film.y4m'
        [nodes.same]
        hlsl = 'float4 main(float2 uv : TEXCOORD) : SV_Target { return tex2D(input, uv); }'
        inputs = { input = { from = 'film', delivery = 'lossless' } }
        [nodes.out]
        sink = 'out-%d.png'
        inputs = { input = { from = 'same', delivery = 'lossless' } }";
    let Some(mut rig) = Rig::at(text, folder.path()) else { return };
    rig.until("the end of the film", |rig| rig.live.wait(Duration::ZERO));
    assert!(rig.live.apply(&[crate::rig::remove("out")]).is_err(), "it has ended");
    rig.until_event(
        "the name of it",
        |event| matches!(event, LiveEvent::SourceEnded { node } if node == "film"),
    );
    let report = rig.stop();
    assert_eq!(report.sinks[0].frames, 30, "{report:?}");
    assert_eq!(report.stats.drops().total(), 0, "{:?}", report.stats);
    assert!(folder.path().join("out-29.png").exists());
}

#[test]
fn a_sink_that_fails_is_named_and_the_others_go_on() {
    let _turn = crate::rig::turn();
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("gone")).expect("a folder");
    let text = format!(
        "{CAM}
        [nodes.same]
        hlsl = 'float4 main(float2 uv : TEXCOORD) : SV_Target {{ return tex2D(input, uv); }}'
        inputs = {{ input = {{ from = 'cam', delivery = 'lossless' }} }}
        [nodes.doomed]
        sink = 'gone/%d.png'
        inputs = {{ input = {{ from = 'same', delivery = 'lossless' }} }}
        [nodes.kept]
        sink = 'kept-%d.png'
        inputs = {{ input = {{ from = 'same', delivery = 'lossless' }} }}
        [nodes.out]
        sink = 'app:'
        inputs = {{ input = {{ from = 'same', delivery = 'lossless' }} }}"
    );
    let Some(mut rig) = Rig::at(&text, folder.path()) else { return };
    let (mut cam, mut out) = (rig.inlet("cam"), rig.outlet("out"));
    for number in 0..40 {
        rig.push(&mut cam, number);
        assert_eq!(rig.next(&mut out), number);
        if number == 10 {
            // The writer may put a picture in while the folder is emptied.
            let gone = folder.path().join("gone");
            while std::fs::remove_dir_all(&gone).is_err() && gone.exists() {}
        }
    }
    rig.until_event(
        "the name of the sink",
        |event| matches!(event, LiveEvent::SinkFailed { node, .. } if node == "doomed"),
    );
    rig.until("everybody's account", |rig| {
        ["doomed", "kept"].iter().all(|node| rig.counts(node).frames_in == 40)
    });
    let report = rig.stop();
    let counts =
        |node: &str| &report.stats.nodes.iter().find(|known| known.name == node).expect("a node").counts;
    assert_eq!(unaccounted(counts("doomed")), 0, "{:?}", counts("doomed"));
    assert!(counts("doomed").dropped.of(DropReason::ConsumerFailed) >= 29);
    assert_eq!((counts("kept").frames_out, counts("kept").dropped.total()), (40, 0));
    let sinks: Vec<_> = report.sinks.iter().map(|sink| (sink.node.as_str(), sink.frames)).collect();
    assert_eq!(sinks, [("kept", 40)]);
    for number in 0..40_u8 {
        let picture = image::open(folder.path().join(format!("kept-{number}.png"))).expect("a picture");
        assert_eq!(picture.to_rgba8().get_pixel(3, 3).0[0], number);
    }
}

#[test]
fn frames_of_a_source_that_an_effect_names_and_does_not_use_are_pushed_and_do_no_harm() {
    let _turn = crate::rig::turn();
    // Alone, and with an effect that it runs as one kernel with; now, and as it was.
    for (side, then) in [
        ("'side'", ""),
        ("'side'", "+ 0.5"),
        ("{ from = 'side', delay = 2 }", ""),
        ("{ from = 'side', delay = 2 }", "+ 0.5"),
    ] {
        let text = format!(
            "{CAM}
            [nodes.side]
            source = 'app:'
            size = [16, 16]
            [nodes.work]
            hlsl = '''Texture2D side; float4 main(float2 uv : TEXCOORD) : SV_Target {{
                float4 unused = tex2D(side, uv); return tex2D(input, uv); }}'''
            inputs = {{ input = {{ from = 'cam', delivery = 'lossless' }}, side = {side} }}
            [nodes.then]
            hlsl = 'float4 main(float2 uv : TEXCOORD) : SV_Target {{ return tex2D(input, uv) {then}; }}'
            inputs = {{ input = 'work' }}
            [nodes.out]
            sink = 'app:'
            inputs = {{ input = {{ from = '{last}', delivery = 'lossless' }} }}",
            last = if then.is_empty() { "work" } else { "then" }
        );
        let Some(mut rig) = Rig::start(&text) else { return };
        let (mut cam, mut out) = (rig.inlet("cam"), rig.outlet("out"));
        let mut side = rig.live.inlet("side");
        for n in 0..8 {
            if let Some(side) = &mut side {
                rig.push(side, n);
            }
            rig.push(&mut cam, n);
            assert_eq!(out.wait(LIMIT).expect("frames go on").meta.sequence, u64::from(n));
        }
        rig.stop();
    }
}

#[test]
fn what_reads_pictures_gets_those_that_the_program_pushes_whether_or_not_an_effect_reads_them_too() {
    let _turn = crate::rig::turn();
    for reader in [
        "",
        "[nodes.seen]\nhlsl = 'float4 main(float2 uv : TEXCOORD) : SV_Target { return tex2D(input, uv); }'\ninputs = { input = 'cam' }\n[nodes.counted]\nsink = 'null:'\ninputs = { input = 'seen' }",
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let text = format!(
            "{CAM}
            {reader}
            [nodes.film]
            sink = 'frame-%d.png'
            inputs = {{ input = {{ from = 'cam', delivery = 'lossless' }} }}"
        );
        let Some(mut rig) = Rig::at(&text, folder.path()) else { return };
        let mut cam = rig.inlet("cam");
        for n in 0..8 {
            rig.push(&mut cam, n);
            rig.until("a picture", |rig| rig.counts("film").frames_out > u64::from(n));
        }
        rig.stop();
        for n in 0..8_u8 {
            let picture = image::open(folder.path().join(format!("frame-{n}.png"))).expect("a picture");
            assert_eq!(picture.to_rgba8().get_pixel(1, 1).0, [n, 0, 0, 255]);
        }
    }
}

#[test]
fn a_graph_that_is_stopped_before_its_first_frame_leaves_no_file_and_no_failure() {
    let _turn = crate::rig::turn();
    let folder = tempfile::tempdir().expect("a folder");
    let text = format!("{}[nodes.out]\nsink = 'none.y4m'\ninputs = {{ input = 'cam' }}\n", crate::rig::CAM);
    let Some(rig) = Rig::at(&text, folder.path()) else { return };
    let report = rig.stop();
    assert_eq!(report.failures, Vec::<String>::new());
    assert!(
        report.notices.iter().any(|notice| notice.contains("`out` got no frame")),
        "{:?}",
        report.notices
    );
    assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 0);
}
