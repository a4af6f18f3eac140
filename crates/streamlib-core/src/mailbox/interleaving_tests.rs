//! Every interleaving of a sender's and a receiver's script, run on the real mailbox beside a plain model of it.

use std::collections::VecDeque;
use std::num::NonZeroU16;
use std::rc::Rc;

use super::{Policy, Receiver, SendError, Sender, new};

/// What one side does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Send,
    CloseSender,
    Take,
    CloseReceiver,
}

fn policies() -> Vec<Policy> {
    let bounds = (1..=3).map(|bound| NonZeroU16::new(bound).unwrap());
    let bounded = bounds.flat_map(|bound| [Policy::Every { bound }, Policy::Lossless { bound }]);
    std::iter::once(Policy::Latest).chain(bounded).collect()
}

/// Up to five steps of one kind, with and without a close at the end.
fn scripts(step: Step, close: Step) -> Vec<Vec<Step>> {
    let plain = (0..=5).map(|count| vec![step; count]);
    plain.flat_map(|script| [script.clone(), [script, vec![close]].concat()]).collect()
}

/// Calls `run` with every order in which the steps of `a` and `b` can mix.
fn interleave(a: &[Step], b: &[Step], so_far: &mut Vec<Step>, run: &mut impl FnMut(&[Step])) {
    if a.is_empty() && b.is_empty() {
        return run(so_far);
    }
    for (head, rest_a, rest_b) in [(a.first(), a.get(1..), Some(b)), (b.first(), Some(a), b.get(1..))] {
        if let (Some(&step), Some(rest_a), Some(rest_b)) = (head, rest_a, rest_b) {
            so_far.push(step);
            interleave(rest_a, rest_b, so_far, run);
            so_far.pop();
        }
    }
}

fn every_run(mut run: impl FnMut(Policy, &[Step])) {
    for policy in policies() {
        for sender in scripts(Step::Send, Step::CloseSender) {
            for receiver in scripts(Step::Take, Step::CloseReceiver) {
                interleave(&sender, &receiver, &mut Vec::new(), &mut |steps| run(policy, steps));
            }
        }
    }
}

/// The mailbox under test, the model, and where each value went.
struct Run {
    policy: Policy,
    sender: Option<Sender<Rc<u32>>>,
    receiver: Option<Receiver<Rc<u32>>>,
    waiting: VecDeque<u32>,
    /// The values alive, as the test keeps a second reference to each.
    values: Vec<Rc<u32>>,
    delivered: Vec<u32>,
    displaced: Vec<u32>,
    refused: Vec<u32>,
    discarded: Vec<u32>,
}

impl Run {
    fn new(policy: Policy) -> Self {
        let (sender, receiver) = new(policy);
        Self {
            policy,
            sender: Some(sender),
            receiver: Some(receiver),
            waiting: VecDeque::new(),
            values: Vec::new(),
            delivered: Vec::new(),
            displaced: Vec::new(),
            refused: Vec::new(),
            discarded: Vec::new(),
        }
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Send => self.send(),
            Step::Take => self.take(),
            Step::CloseSender => self.sender = None,
            Step::CloseReceiver => {
                self.receiver = None;
                self.discarded.extend(self.waiting.drain(..));
            }
        }
        if let Some(receiver) = &self.receiver {
            assert_eq!(receiver.len(), self.waiting.len());
            assert_eq!(receiver.is_closed(), self.sender.is_none() && self.waiting.is_empty());
        }
        if let Some(sender) = &self.sender {
            assert_eq!(sender.is_closed(), self.receiver.is_none());
        }
    }

    fn send(&mut self) {
        let value = self.values.len() as u32;
        self.values.push(Rc::new(value));
        let sent =
            self.sender.as_mut().expect("a script closes last").send(self.values[value as usize].clone());
        let full = self.waiting.len() == self.policy.bound();
        if self.receiver.is_none() {
            assert!(matches!(&sent, Err(SendError::Closed(back)) if **back == value));
            self.refused.push(value);
        } else if full && matches!(self.policy, Policy::Lossless { .. }) {
            assert!(matches!(&sent, Err(SendError::Full(back)) if **back == value));
            self.refused.push(value);
        } else {
            let oldest = if full { self.waiting.pop_front() } else { None };
            assert_eq!(sent.expect("there is space").as_deref(), oldest.as_ref());
            self.displaced.extend(oldest);
            self.waiting.push_back(value);
        }
    }

    fn take(&mut self) {
        let taken = self.receiver.as_mut().expect("a script closes last").take();
        assert_eq!(taken.as_deref(), self.waiting.pop_front().as_ref());
        if self.policy == Policy::Latest && taken.is_some() {
            assert_eq!(taken.as_deref(), self.values.last().map(|value| &**value), "not the newest value");
        }
        self.delivered.extend(taken.as_deref());
    }

    /// Takes what is left, and checks what became of each value.
    fn finish(mut self) {
        while self.receiver.is_some() && !self.waiting.is_empty() {
            self.take();
        }
        assert!(self.delivered.is_sorted_by(|a, b| a < b), "twice or out of order: {:?}", self.delivered);
        let fates = [&self.delivered, &self.displaced, &self.refused, &self.discarded];
        let mut fates: Vec<u32> = fates.into_iter().flatten().copied().collect();
        fates.sort_unstable();
        assert_eq!(fates, (0..self.values.len() as u32).collect::<Vec<_>>(), "each value has one fate");
        if matches!(self.policy, Policy::Lossless { .. }) {
            assert_eq!(self.displaced, [0; 0]);
        }
        for value in &self.values {
            assert_eq!(Rc::strong_count(value), 1, "value {value} is kept although nobody will take it");
        }
    }
}

#[test]
fn every_value_is_delivered_in_order_or_accounted_for_however_two_sides_interleave() {
    let mut runs = 0;
    every_run(|policy, steps| {
        let mut run = Run::new(policy);
        for &step in steps {
            run.step(step);
        }
        run.finish();
        runs += 1;
    });
    // Seven policies, and C(a + b, a) orders for scripts of a and b steps; lengths 1 to 5 occur with and without a close.
    assert_eq!(runs, 7 * 7_759);
}
