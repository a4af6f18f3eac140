//! A consumer that takes its frames on the deliverer's own thread.

use std::sync::Arc;

use crate::account::{DropReason, FrameTimes, NodeCounters};
use crate::engine::{Content, Leased};
use crate::format::{Size, TextureFormat};
use crate::frame::FrameMeta;
use crate::gpu::{Gpu, TextureDesc};
use crate::live::consumer::Consumers;
use crate::live::{AtOnce, Consumer, Destination, Frame};
use crate::sync::Mutex;
use crate::testing::CpuGpu;

const TAG: u64 = 7;

/// Keeps frames until it is told to let go; has no place for those with an odd number.
#[derive(Clone, Debug, Default)]
struct Keeper(Arc<Mutex<Vec<Frame<CpuGpu>>>>);

impl AtOnce<CpuGpu> for Keeper {
    fn take(&mut self, frame: Frame<CpuGpu>) -> Result<(), DropReason> {
        if frame.meta.sequence % 2 == 1 {
            return Err(DropReason::NoFreeTexture);
        }
        self.0.lock().expect("nobody panics").push(frame);
        Ok(())
    }

    fn let_go(&mut self) {
        self.0.lock().expect("nobody panics").clear();
    }
}

fn frame(sequence: u64) -> Frame<CpuGpu> {
    let gpu = CpuGpu::new([]);
    let desc = TextureDesc { label: "frame", size: Size::new(1, 1), format: TextureFormat::Rgba8 };
    let content = Content::Texture(Leased::new(gpu.create_texture(&desc).expect("a texture")));
    let meta = FrameMeta { sequence, ..FrameMeta::default() };
    Frame { meta, times: FrameTimes::default(), content, given: None }
}

#[test]
fn it_has_a_frame_at_once_and_lets_go_when_it_holds_too_many_or_there_is_none_left() {
    let (keeper, counters) = (Keeper::default(), Arc::new(NodeCounters::default()));
    let held = || {
        keeper.0.lock().expect("nobody panics").iter().map(|frame| frame.meta.sequence).collect::<Vec<_>>()
    };
    let mut consumers = Consumers::new();
    let frames = Destination::AtOnce(Box::new(keeper.clone()));
    consumers.add(TAG, Consumer { frames, counters: counters.clone(), in_hand: Some(1) });
    consumers.give(TAG, frame(0));
    assert_eq!(held(), [0]);
    consumers.give(TAG, frame(1));
    assert_eq!(held(), [0], "there was no place for that one");
    consumers.give(TAG, frame(2));
    assert_eq!(held(), [0, 2]);
    consumers.give(TAG, frame(4));
    assert_eq!(held(), [4], "it held more than its share");
    consumers.miss(TAG);
    assert!(held().is_empty(), "others need the texture");
    let counts = counters.counts();
    assert_eq!((counts.frames_in, counts.frames_out), (5, 3));
    assert_eq!((consumers.waiting(TAG), consumers.are_behind()), (Some(0), false));
}

/// Takes frames before they are done.
#[derive(Clone, Debug, Default)]
struct Early {
    known: Arc<Mutex<Vec<(u64, u64)>>>,
    keeper: Keeper,
}

impl AtOnce<CpuGpu> for Early {
    fn take(&mut self, frame: Frame<CpuGpu>) -> Result<(), DropReason> {
        self.keeper.take(frame)
    }

    fn wants_early(&self) -> bool {
        true
    }

    fn announce(&mut self, frame: Frame<CpuGpu>, value: u64) -> bool {
        self.known.lock().expect("nobody panics").push((frame.meta.sequence, value));
        self.keeper.take(frame).is_ok()
    }

    fn finish(&mut self) -> Result<(), DropReason> {
        self.known.lock().expect("nobody panics").push((u64::MAX, 0));
        Ok(())
    }

    fn let_go(&mut self) {
        self.keeper.let_go();
    }
}

#[test]
fn who_wants_a_frame_before_it_is_done_has_it_once() {
    let (early, counters) = (Early::default(), Arc::new(NodeCounters::default()));
    let known = || std::mem::take(&mut *early.known.lock().expect("nobody panics"));
    let held = || {
        let held = early.keeper.0.lock().expect("nobody panics");
        held.iter().map(|frame| frame.meta.sequence).collect::<Vec<_>>()
    };
    let mut consumers = Consumers::new();
    let frames = Destination::AtOnce(Box::new(early.clone()));
    consumers.add(TAG, Consumer { frames, counters: counters.clone(), in_hand: Some(1) });
    consumers.announce(TAG, || frame(0), 40);
    consumers.finish();
    assert_eq!((known(), held()), (vec![(0, 40), (u64::MAX, 0)], vec![0]), "before anything is given");
    consumers.give(TAG, frame(0));
    assert_eq!((known(), held()), (vec![], vec![0]), "it has had it");
    consumers.announce(TAG, || frame(1), 41);
    consumers.finish();
    consumers.give(TAG, frame(1));
    assert_eq!(
        (known(), held()),
        (vec![(1, 41)], vec![0]),
        "it had no place for it, and had neither when it was done"
    );
    consumers.announce(TAG, || frame(2), 42);
    consumers.finish();
    consumers.give(TAG, frame(2));
    consumers.announce(TAG, || frame(4), 43);
    assert_eq!(held(), [4], "it held more than its share");
    consumers.finish();
    consumers.give(TAG, frame(4));
    consumers.announce(TAG + 1, || frame(6), 44);
    let counts = counters.counts();
    assert_eq!((counts.frames_in, counts.frames_out), (4, 3));
    consumers.add(
        TAG + 1,
        Consumer { frames: Destination::AtOnce(Box::new(Keeper::default())), counters, in_hand: None },
    );
    consumers.announce(TAG + 1, || panic!("it does not want to know"), 45);
}
