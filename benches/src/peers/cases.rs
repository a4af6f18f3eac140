//! What is compared.

use streamlib::format::Size;

use super::protocol::Work;

const HD: (&str, Size) = ("1080p", Size::new(1920, 1080));
const UHD: (&str, Size) = ("4K", Size::new(3840, 2160));

/// What is still there from earlier when a new shader text comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Memory {
    /// Nothing to do with texts.
    None,
    /// A new process, and nothing on disk.
    Cold,
    /// A process that has compiled another text before.
    Warm,
    /// A new process; the same text was compiled by an earlier one.
    Cached,
}

/// One comparison.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) work: Work,
    pub(crate) size: Size,
    pub(crate) memory: Memory,
    /// Time between frames, and time that it goes on.
    pub(crate) pace: Option<Pace>,
}

/// Frames at a steady rate.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    pub(crate) frames_per_second: u32,
    pub(crate) seconds: u32,
}

impl Pace {
    pub(crate) const fn period_ns(self) -> u64 {
        1_000_000_000 / self.frames_per_second as u64
    }
}

/// Every case, for a GPU or for a CPU that stands in for one.
pub(crate) fn all(is_cpu: bool, is_quick: bool) -> Vec<Case> {
    let mut cases = Vec::new();
    let plain = [
        ("blur", "9-tap blur and tint", Work::Blur),
        ("chain-fused", "chain of 8, fused", Work::ChainFused),
        ("chain-passes", "chain of 8, as passes", Work::ChainPasses),
        ("yuyv", "YUYV to RGBA", Work::Yuyv),
        ("nv12", "NV12 to RGBA", Work::Nv12),
    ];
    for (name, title, work) in plain {
        for (label, size) in [HD, UHD] {
            cases.push(case(
                &format!("{name}-{}", label.to_lowercase()),
                &format!("{title}, {label}"),
                work,
                size,
            ));
        }
    }
    cases.push(case("graph-10", "10-node graph, each node", Work::Graph, Size::new(1, 1)));
    for (name, title, memory) in [
        ("shader-cold", "new shader, cold", Memory::Cold),
        ("shader-warm", "new shader, warm", Memory::Warm),
        ("shader-cached", "known shader, new process", Memory::Cached),
    ] {
        cases.push(Case { memory, ..case(name, &format!("{title}, 1080p"), Work::Shader, HD.1) });
    }
    // What a CPU cannot keep up with would compare nothing but lateness.
    let (name, title, size, frames_per_second) = if is_cpu {
        ("paced-720p30", "chain of 8 at 720p30", Size::new(1280, 720), 30)
    } else {
        ("paced-4k60", "chain of 8 at 4K60", UHD.1, 60)
    };
    let pace = Some(Pace { frames_per_second, seconds: if is_quick { 3 } else { 300 } });
    cases.push(Case { pace, ..case(name, title, Work::ChainFused, size) });
    cases
}

fn case(name: &str, title: &str, work: Work, size: Size) -> Case {
    Case { name: name.to_owned(), title: title.to_owned(), work, size, memory: Memory::None, pace: None }
}
