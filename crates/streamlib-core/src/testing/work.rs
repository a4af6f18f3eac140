//! What the double runs, and when.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use super::{CpuBuffer, CpuGpu, CpuGpuError, CpuRecording, CpuTexture, KernelFn, locked};
use crate::format::Size;
use crate::gpu::{Command, Dispatch};
use crate::sync::{Condvar, Mutex};

/// A recorded command. Textures of dispatches are places in the recording's list, because they can be bound anew.
pub(super) enum Step {
    Upload(CpuBuffer, usize, CpuTexture),
    Download(CpuTexture, CpuBuffer, usize),
    Clear(CpuTexture, [f32; 4]),
    Dispatch { inputs: Vec<usize>, output: usize, block: usize, run: KernelFn },
}

impl std::fmt::Debug for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Step")
    }
}

/// One submission of a recording, with what it is to see.
#[derive(Debug)]
pub(super) struct Job {
    steps: Arc<[Step]>,
    blocks: Vec<Vec<u8>>,
    textures: Vec<CpuTexture>,
}

impl Job {
    pub(super) fn of(recording: &CpuRecording) -> Self {
        let textures = recording.textures.iter().map(|(_, now)| now.clone()).collect();
        Self { steps: recording.steps.clone(), blocks: recording.blocks.clone(), textures }
    }

    fn run(&self) {
        for step in &*self.steps {
            match step {
                Step::Upload(from, offset, to) => to.upload(&locked(&from.bytes)[*offset..]),
                Step::Download(from, to, offset) => from.download(&mut locked(&to.bytes)[*offset..]),
                Step::Clear(texture, color) => texture.fill(*color),
                Step::Dispatch { inputs, output, block, run } => {
                    let inputs: Vec<&CpuTexture> =
                        inputs.iter().map(|&place| &self.textures[place]).collect();
                    let output = &self.textures[*output];
                    let Size { width, height } = output.size;
                    let places = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
                    let texels: Vec<_> =
                        places.map(|place| run(&inputs, &self.blocks[*block], place)).collect();
                    *locked(&output.texels) = texels;
                }
            }
        }
    }
}

/// The timeline and what has not run yet.
#[derive(Debug)]
pub(super) struct Queue {
    is_deferred: bool,
    state: Mutex<State>,
    grew: Condvar,
    finished: Arc<AtomicU64>,
}

#[derive(Debug, Default)]
struct State {
    submitted: u64,
    waiting: VecDeque<(u64, Vec<Job>)>,
}

impl Queue {
    pub(super) fn new(is_deferred: bool) -> Self {
        Self { is_deferred, state: Mutex::default(), grew: Condvar::new(), finished: Arc::default() }
    }

    pub(super) fn finished(&self) -> Arc<AtomicU64> {
        self.finished.clone()
    }

    pub(super) fn has_finished(&self, value: u64) -> bool {
        self.finished.load(Ordering::Acquire) >= value
    }

    /// Queues jobs; `note` is told their value before they can run.
    pub(super) fn submit(&self, jobs: Vec<Job>, note: impl FnOnce(u64)) -> u64 {
        let mut state = locked(&self.state);
        state.submitted += 1;
        let value = state.submitted;
        note(value);
        state.waiting.push_back((value, jobs));
        if !self.is_deferred {
            self.run(&mut state, value);
        }
        self.grew.notify_all();
        value
    }

    fn run(&self, state: &mut State, until: u64) {
        while let Some((value, jobs)) = state.waiting.pop_front() {
            if value > until {
                state.waiting.push_front((value, jobs));
                break;
            }
            jobs.iter().for_each(Job::run);
            self.finished.store(value, Ordering::Release);
        }
    }

    /// Whether `value` was reached in time.
    pub(super) fn wait(&self, value: u64, timeout: Duration) -> bool {
        let deadline = Instant::now() + timeout;
        let mut state = locked(&self.state);
        loop {
            if state.submitted >= value {
                self.run(&mut state, value);
                return true;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            state = self.grew.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// Turns commands into steps.
pub(super) fn record(label: &str, commands: &[Command<'_, CpuGpu>]) -> Result<CpuRecording, CpuGpuError> {
    let (mut steps, mut blocks) = (Vec::new(), Vec::new());
    let (mut textures, mut buffers) = (Vec::new(), Vec::new());
    for command in commands {
        steps.push(match command {
            Command::Upload { from, offset, to } => {
                buffers.push((*from).clone());
                Step::Upload((*from).clone(), *offset, (*to).clone())
            }
            Command::Download { from, to, offset } => {
                buffers.push((*to).clone());
                Step::Download((*from).clone(), (*to).clone(), *offset)
            }
            Command::Clear { texture, color } => Step::Clear((*texture).clone(), *color),
            Command::Dispatch(dispatch) => {
                blocks.push(vec![]);
                buffers.extend(dispatch.buffers.iter().map(|(_, buffer)| (*buffer).clone()));
                dispatch_step(dispatch, blocks.len() - 1, &mut textures)?
            }
        });
    }
    let textures = textures.into_iter().map(|texture: CpuTexture| (texture.clone(), texture)).collect();
    Ok(CpuRecording { label: label.to_owned(), steps: steps.into(), blocks, textures, buffers, pending: 0 })
}

fn dispatch_step(
    dispatch: &Dispatch<'_, CpuGpu>,
    block: usize,
    textures: &mut Vec<CpuTexture>,
) -> Result<Step, CpuGpuError> {
    let mut place = |texture: &CpuTexture| {
        textures.iter().position(|known| known.is(texture)).unwrap_or_else(|| {
            textures.push(texture.clone());
            textures.len() - 1
        })
    };
    let inputs = dispatch.inputs.iter().map(|(_, texture)| place(texture)).collect();
    let [(_, output)] = dispatch.outputs else {
        return Err(CpuGpuError::Binding(dispatch.label.to_owned()));
    };
    Ok(Step::Dispatch { inputs, output: place(output), block, run: dispatch.kernel.0.clone() })
}
