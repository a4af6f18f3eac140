//! Surfaces of programs whose own GPU still works on what they publish: fences of the kernel's, which the driver vgem lets a test
//! end. `./x devices` has it.
#![cfg(target_os = "linux")]
#![allow(clippy::print_stdout, reason = "a test that is skipped says why")]

#[path = "live/rig.rs"]
mod rig;
#[path = "../../streamlib-vulkan/tests/support/vgem.rs"]
mod vgem;

use std::time::Duration;

use rig::{CAM, LIMIT, Rig, number, unaccounted};
use streamlib::VideoOutlet;
use streamlib::account::DropReason;
use streamlib::format::{Size, TextureFormat};
use streamlib::frame::FrameMeta;
use streamlib::share::{
    BufferDescription, BufferId, BufferKind, FormatCode, Publisher, PublisherOptions, Reader, ReaderOptions,
    SharedBuffer,
};
use vgem::{VgemBuf, read_until};

/// Rows of pages.
const SIZE: Size = Size::new(1024, 4);
const BYTES: usize = 1024 * 4 * 4;
/// Long enough for a frame that nothing holds up to come.
const SHORT: Duration = Duration::from_millis(300);
/// How often to look whether something else has happened, which is work that an emulated machine takes its time for.
const OFTEN: Duration = Duration::from_millis(50);

/// A program that publishes memory whose writing the test begins and ends.
struct Theirs {
    memory: VgemBuf,
    publisher: Publisher<()>,
    buffer: SharedBuffer,
    published: u64,
}

impl Theirs {
    /// `None` where there are no such things.
    fn new(name: &str) -> Option<Self> {
        let sharing = rig::runtime()?.gpu().report().sharing;
        let memory = match VgemBuf::new(BYTES) {
            Ok(memory) if sharing.dma_buf_import => memory,
            Ok(_) => {
                println!("SKIPPED: the device takes no DMA-BUFs");
                return None;
            }
            Err(why) => {
                println!("SKIPPED: there is no driver vgem: {why}");
                return None;
            }
        };
        let publisher = Publisher::create(name, &PublisherOptions::default()).expect("a surface");
        let description = BufferDescription {
            kind: BufferKind::DmaBuf,
            size: SIZE,
            format: FormatCode::from(TextureFormat::Rgba8),
            allocation: BYTES as u64,
            tiling: 0,
            offset: 0,
            pitch: 4096,
            device: [0; 16],
            driver: [0; 16],
        };
        let descriptor = memory.descriptor();
        let buffer = publisher.add_buffer(description, move || descriptor.try_clone());
        Some(Self { memory, publisher, buffer, published: 0 })
    }

    fn write(&mut self, number: u16) {
        let [low, high] = number.to_le_bytes();
        let pixels = [low, high, 0, 255].repeat(SIZE.pixels());
        self.memory.bytes_mut().copy_from_slice(&pixels);
    }

    fn publish(&mut self) {
        let meta = FrameMeta { captured: streamlib::now(), sequence: self.published, camera: None };
        self.publisher.publish(&self.buffer, &meta, ()).expect("there is a place");
        self.published += 1;
    }
}

fn graph(name: &str) -> String {
    format!(
        "[nodes.theirs]\nsource = 'surface:{name}'\n[nodes.out]\nsink = 'app:'\ninputs = {{ input = 'theirs' }}"
    )
}

fn nothing_comes(out: &mut VideoOutlet) {
    assert!(out.wait(SHORT).is_none(), "it is not finished");
}

#[test]
fn a_frame_comes_when_its_writer_has_finished_it() {
    let _turn = rig::turn();
    let name = format!("late-{}", std::process::id());
    let Some(mut theirs) = Theirs::new(&name) else { return };
    theirs.write(1);
    theirs.publish();
    let Some(mut rig) = Rig::start(&graph(&name)) else { return };
    let mut out = rig.outlet("out");
    assert_eq!(rig.next(&mut out), 1);
    let mut came = 0;
    // A machine that is busy elsewhere may look so late that the frame is given up.
    for number in 2..12 {
        let writing = theirs.memory.begin_writing();
        theirs.publish();
        nothing_comes(&mut out);
        theirs.write(number);
        assert!(writing.finish(), "the kernel has ended it before");
        let mut frame = None;
        rig.until("the frame, or that it was dropped", |rig| {
            frame = out.wait(OFTEN);
            frame.is_some() || rig.counts("theirs").dropped.total() > u64::from(number) - 2 - came
        });
        if let Some(frame) = frame {
            assert_eq!(rig::number(rig.gpu(), &frame), number);
            came += 1;
        }
    }
    assert!(came > 0, "{:?}", rig.counts("theirs"));
    let counts = rig.counts("theirs");
    assert_eq!(counts.dropped.total(), counts.dropped.of(DropReason::Unfinished));
    rig.stop();
}

#[test]
fn a_frame_that_is_never_finished_is_dropped_by_that_reason_and_others_go_on() {
    let _turn = rig::turn();
    let name = format!("never-{}", std::process::id());
    let Some(mut theirs) = Theirs::new(&name) else { return };
    theirs.write(1);
    theirs.publish();
    let Some(mut rig) = Rig::start(&graph(&name)) else { return };
    let neighbour = format!("{CAM}[nodes.out]\nsink = 'app:'\ninputs = {{ input = 'cam' }}");
    let Some(mut neighbour) = Rig::start(&neighbour) else { return };
    let (mut out, mut cam) = (rig.outlet("out"), neighbour.inlet("cam"));
    let mut other = neighbour.outlet("out");
    assert_eq!(rig.next(&mut out), 1);
    let writing = theirs.memory.begin_writing();
    theirs.publish();
    let mut frames = 0;
    rig.until("a frame that is dropped", |rig| {
        frames += 1;
        neighbour.push(&mut cam, frames);
        assert_eq!(neighbour.next(&mut other), frames);
        rig.counts("theirs").dropped.of(DropReason::Unfinished) == 1
    });
    assert!(out.wait(Duration::ZERO).is_none());
    writing.finish();
    theirs.write(2);
    theirs.publish();
    let frame = out.wait(LIMIT).expect("a frame");
    assert_eq!(number(rig.gpu(), &frame), 2);
    drop(frame);
    let counts = rig.counts("theirs");
    assert_eq!((counts.dropped.total(), unaccounted(&counts)), (1, 0), "{counts:?}");
    neighbour.stop();
    rig.stop();
}

#[test]
fn a_texture_that_a_readers_device_still_reads_is_not_written() {
    let _turn = rig::turn();
    let name = format!("read-{}", std::process::id());
    let Some(theirs) = Theirs::new(&format!("{name}/fences")) else { return };
    if !rig::runtime().is_some_and(|runtime| runtime.gpu().report().sharing.dma_buf_export) {
        println!("SKIPPED: the device hands out no DMA-BUFs");
        return;
    }
    let sink = format!("{CAM}[nodes.out]\nsink = 'surface:{name}?memory=dma-buf&buffers=2'\n");
    let Some(mut rig) = Rig::start(&format!("{sink}inputs = {{ input = 'cam' }}")) else { return };
    let mut cam = rig.inlet("cam");
    let options = ReaderOptions { patience: LIMIT, ..ReaderOptions::default() };
    let mut reader = Reader::open(&name, &options).expect("a surface");
    // The buffer of the next frame, after which it is let go of.
    let mut next = |rig: &mut Rig, look: &mut dyn FnMut(&mut Reader, BufferId)| {
        rig.push(&mut cam, 7);
        let frame = reader.acquire(LIMIT).expect("it is published").expect("a frame");
        look(&mut reader, frame.buffer());
        frame.buffer()
    };
    let reading = theirs.memory.begin_writing();
    let fence = theirs.memory.sync_file();
    let read = next(&mut rig, &mut |reader, id| {
        let (_, descriptor) = reader.buffer(id).expect("it is there");
        read_until(&descriptor, &fence);
    });
    for _ in 0..12 {
        assert_ne!(next(&mut rig, &mut |_, _| ()), read, "somebody reads it");
    }
    reading.finish();
    rig.until("a frame in the texture that is free again", |rig| next(rig, &mut |_, _| ()) == read);
    rig.stop();
}
