//! What sources of different rates and consumers of different speeds get.

use std::sync::mpsc;

use streamlib::account::DropReason;
use streamlib::graph::{Port, Ports};
use streamlib::{LiveOptions, ProcessorKind, Processors, PushError, View};

use crate::rig::{CAM, LIMIT, Rig, displaced, number, patient, pixel, png, push, unaccounted, y4m};

/// Red of each of four sources.
const MIX: &str = "Texture2D slow; Texture2D still; Texture2D film;
    float4 main(float2 uv : TEXCOORD) : SV_Target {
        return float4(tex2D(input, uv).r, tex2D(slow, uv).r, tex2D(still, uv).r, tex2D(film, uv).r);
    }";

#[test]
fn sources_of_different_rates_meet_and_each_policy_keeps_its_promise() {
    let _turn = crate::rig::turn();
    let folder = tempfile::tempdir().expect("a folder");
    png(&folder.path().join("still.png"), [77, 0, 0, 255]);
    // Black is 16 and white is 235, so these are levels of 60, 120, 180 and 240.
    let levels = [67, 119, 171, 222];
    y4m(&folder.path().join("film.y4m"), levels);
    let text = format!(
        "clock = 'cam'
        {CAM}
        [nodes.slow]
        source = 'app:'
        size = [16, 16]
        [nodes.still]
        source = 'still.png'
        [nodes.film]
        source = 'film.y4m'
        [nodes.mix]
        hlsl = '''{MIX}'''
        inputs = {{ input = {{ from = 'cam', delivery = 'lossless' }}, slow = 'slow', still = 'still', film = 'film' }}
        [nodes.all]
        sink = 'app:'
        inputs = {{ input = {{ from = 'mix', delivery = 'lossless' }} }}
        [nodes.every]
        sink = 'app:'
        inputs = {{ input = {{ from = 'mix', delivery = 'every', bound = 3 }} }}
        [nodes.latest]
        sink = 'app:'
        inputs = {{ input = {{ from = 'mix', delivery = 'latest' }} }}"
    );
    let Some(mut rig) = Rig::at(&text, folder.path()) else { return };
    let [mut cam, mut slow] = ["cam", "slow"].map(|node| rig.inlet(node));
    let [mut all, mut every, mut latest] = ["all", "every", "latest"].map(|node| rig.outlet(node));
    let (mut stills, mut films) = (Vec::new(), Vec::new());
    let mut pushed = 0_u16;
    // Until the last picture of the film was seen, and at least 30 frames.
    while pushed < 30 || films.last() != Some(&240) {
        assert!(pushed < 250, "the film never ends: {films:?}");
        if pushed.is_multiple_of(5) {
            rig.push(&mut slow, 100 + pushed / 5);
        }
        rig.push(&mut cam, pushed);
        let frame = all.wait(LIMIT).expect("a frame");
        let [red, green, blue, alpha] = pixel(rig.gpu(), &frame);
        assert_eq!((frame.meta.sequence, u16::from(red)), (u64::from(pushed), pushed));
        assert_eq!(u16::from(green), 100 + pushed / 5, "what was pushed before is seen");
        stills.push(blue);
        films.push(alpha);
        pushed += 1;
        // The film plays in real time; nobody can push 250 frames before it has ended, except on purpose.
        rig.live.wait(std::time::Duration::from_millis(2));
    }
    stills.dedup();
    assert!(stills == [77] || stills == [0, 77], "black, then the picture for ever: {stills:?}");
    films.dedup();
    assert!(films.is_sorted(), "a film goes forward: {films:?}");
    assert!(
        films.iter().all(|level| *level == 0 || [59, 60, 120, 180, 181, 240].contains(level)),
        "{films:?}"
    );
    rig.until("the others' account", |rig| {
        ["every", "latest"].iter().all(|node| rig.counts(node).frames_in == u64::from(pushed))
    });
    let rest = |outlet: &mut streamlib::VideoOutlet| {
        let frames = std::iter::from_fn(|| outlet.take());
        frames.map(|frame| u16::from(pixel(rig.gpu(), &frame)[0])).collect::<Vec<_>>()
    };
    assert_eq!(rest(&mut every), [pushed - 3, pushed - 2, pushed - 1]);
    assert_eq!(rest(&mut latest), [pushed - 1]);
    let counts = ["all", "every", "latest"].map(|node| rig.counts(node));
    let pushed = u64::from(pushed);
    assert_eq!(counts.each_ref().map(|counts| counts.frames_in), [pushed; 3]);
    assert_eq!(counts.each_ref().map(displaced), [0, pushed - 3, pushed - 1]);
    assert_eq!(counts.each_ref().map(unaccounted), [0; 3]);
    rig.stop();
}

/// A graph whose lossless consumer is not read: frames of the source wait, and what becomes of them is the policy's.
fn held_up(policy: &str) -> Option<Rig> {
    Rig::start(&format!(
        "{CAM}
        [nodes.same]
        hlsl = 'float4 main(float2 uv : TEXCOORD) : SV_Target {{ return tex2D(input, uv); }}'
        inputs = {{ input = {{ from = 'cam', {policy} }} }}
        [nodes.out]
        sink = 'app:'
        inputs = {{ input = {{ from = 'same', delivery = 'lossless', bound = 2 }} }}"
    ))
}

#[test]
fn a_source_under_every_keeps_the_newest_frames_of_its_bound_and_latest_the_newest_one() {
    let _turn = crate::rig::turn();
    for (policy, kept) in [("delivery = 'every', bound = 3", 3), ("delivery = 'latest'", 1)] {
        let Some(mut rig) = held_up(policy) else { return };
        let (mut cam, mut out) = (rig.inlet("cam"), rig.outlet("out"));
        for number in 0..40 {
            rig.push(&mut cam, number);
        }
        let mut seen = Vec::new();
        while seen.last() != Some(&39) {
            seen.push(rig.next(&mut out));
        }
        assert!(seen.is_sorted_by(|a, b| a < b), "{seen:?}");
        assert!(seen.ends_with(&(40 - kept..40).collect::<Vec<_>>()), "{policy}: {seen:?}");
        assert!(seen.len() < 40, "something was in the way: {seen:?}");
        let counts = rig.counts("cam");
        assert_eq!((counts.frames_in, counts.frames_out), (40, seen.len() as u64));
        assert_eq!(displaced(&counts), 40 - seen.len() as u64);
        rig.stop();
    }
}

#[test]
fn a_lossless_source_is_refused_while_the_engine_is_behind_and_loses_nothing() {
    let _turn = crate::rig::turn();
    let Some(mut rig) = held_up("delivery = 'lossless', bound = 2") else { return };
    let (mut cam, mut out) = (rig.inlet("cam"), rig.outlet("out"));
    let mut number = 0;
    // Everything fills: the outlet, what is under way, the inlet.
    let mut refused = None;
    rig.until("a full inlet", |_| {
        let Some(loan) = cam.loan() else { return false };
        let pixels = [number, 0, 0, 255].repeat(cam.size().pixels());
        cam.write(&loan, &pixels).expect("written");
        match cam.push(loan) {
            Ok(()) => number += 1,
            Err(PushError::Full(loan)) => refused = Some(loan),
            Err(error) => panic!("{error}"),
        }
        refused.is_some()
    });
    assert!(number >= 2, "two may wait");
    let mut seen = Vec::new();
    // The refused frame is the program's still, and goes in later.
    while let Some(loan) = refused.take() {
        seen.push(rig.next(&mut out));
        match cam.push(loan) {
            Ok(()) => number += 1,
            Err(PushError::Full(back)) => refused = Some(back),
            Err(error) => panic!("{error}"),
        }
    }
    while seen.len() < usize::from(number) {
        seen.push(rig.next(&mut out));
    }
    assert_eq!(seen, (0..u16::from(number)).collect::<Vec<_>>());
    let counts = rig.counts("cam");
    assert_eq!(unaccounted(&counts), 0, "{counts:?}");
    assert_eq!(counts.dropped.total(), counts.dropped.of(DropReason::InletFull));
    rig.stop();
}

#[test]
fn a_consumer_that_never_takes_slows_nobody_and_its_drops_are_counted() {
    let _turn = crate::rig::turn();
    let ports = Ports { inputs: vec![Port::video("input")], outputs: vec![] };
    let (release, blocked) = mpsc::channel::<()>();
    let blocked = std::sync::Arc::new(std::sync::Mutex::new(blocked));
    let kind = ProcessorKind::new(ports, View::Picture, move |_| {
        let blocked = blocked.clone();
        Ok(move |_: streamlib::ProcessorInput<'_>, _: &mut streamlib::Outputs<'_>| {
            // Until the test lets go.
            let _gone = blocked.lock().expect("one processor").recv();
            Ok(())
        })
    });
    let text = format!(
        "{CAM}
        [nodes.same]
        hlsl = 'float4 main(float2 uv : TEXCOORD) : SV_Target {{ return tex2D(input, uv); }}'
        inputs = {{ input = {{ from = 'cam', delivery = 'lossless' }} }}
        [nodes.fast]
        sink = 'app:'
        inputs = {{ input = {{ from = 'same', delivery = 'lossless' }} }}
        [nodes.never]
        sink = 'app:'
        inputs = {{ input = {{ from = 'same', delivery = 'latest' }} }}
        [nodes.neither]
        sink = 'app:'
        inputs = {{ input = {{ from = 'same', delivery = 'every', bound = 4 }} }}
        [nodes.hoarder]
        sink = 'app:'
        inputs = {{ input = {{ from = 'same', delivery = 'every', bound = 4 }} }}
        [nodes.counted]
        sink = 'null:'
        inputs = {{ input = 'same' }}
        [nodes.stuck]
        processor = 'stuck'
        inputs = {{ input = 'same' }}"
    );
    let options = LiveOptions { processors: Processors::from([("stuck".into(), kind)]), ..patient() };
    let Some(mut rig) = Rig::with(&text, options) else { return };
    // Dropped before the graph, also where an assertion fails.
    let release = release;
    let mut cam = rig.inlet("cam");
    let [mut fast, mut hoarder] = ["fast", "hoarder"].map(|node| rig.outlet(node));
    let mut hoard = Vec::new();
    for n in 0..40 {
        rig.push(&mut cam, n);
        assert_eq!(rig.next(&mut fast), n);
        // A consumer that keeps all it can get has only its own share to keep.
        hoard.extend(hoarder.take());
    }
    let slow = ["never", "neither", "hoarder", "counted", "stuck"];
    rig.until("everybody's account", |rig| slow.iter().all(|node| rig.counts(node).frames_in == 40));
    assert_eq!(displaced(&rig.counts("never")), 39);
    assert_eq!(displaced(&rig.counts("neither")), 36);
    assert_eq!(rig.counts("counted").frames_out, 40);
    assert_eq!(rig.counts("fast").dropped.total(), 0);
    let hoarded = rig.counts("hoarder");
    let missed = hoarded.dropped.of(DropReason::NoFreeTexture);
    assert!(missed > 0, "{hoarded:?}");
    assert_eq!(unaccounted(&hoarded) as u64 + hoard.len() as u64 + hoarded.dropped.total(), 40);
    let numbers: Vec<_> = hoard.iter().map(|frame| number(rig.gpu(), frame)).collect();
    assert!(numbers.is_sorted_by(|a, b| a < b), "what is held is not written again: {numbers:?}");
    drop(release);
    rig.until("the processor's account", |rig| unaccounted(&rig.counts("stuck")) == 0);
    assert_eq!(displaced(&rig.counts("stuck")), 40 - rig.counts("stuck").frames_out);
    let gpu = rig.runtime.gpu().clone();
    assert!(push(&mut cam, 99), "the inlet is open");
    assert_eq!(rig.next(&mut fast), 99);
    rig.stop();
    assert_eq!(numbers, hoard.iter().map(|frame| number(&gpu, frame)).collect::<Vec<_>>());
}
