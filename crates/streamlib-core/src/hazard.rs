//! Finds out between which steps a barrier is needed, and why.

use std::collections::HashSet;
use std::hash::Hash;

/// What the steps since the last barrier have read and written, by whatever tells resources apart.
#[derive(Debug)]
pub struct Hazards<R> {
    read: HashSet<R>,
    written: HashSet<R>,
}

/// Why a step has to wait for an earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hazard<R> {
    /// It reads what an earlier step writes.
    ReadAfterWrite(R),
    /// It writes what an earlier step reads.
    WriteAfterRead(R),
    /// It writes what an earlier step writes.
    WriteAfterWrite(R),
}

impl<R> Default for Hazards<R> {
    fn default() -> Self {
        Self { read: HashSet::new(), written: HashSet::new() }
    }
}

impl<R: Copy + Eq + Hash> Hazards<R> {
    /// Notes the next step. Where it must wait for an earlier one, so that a barrier goes before it, it says for which
    /// resource, the first of several.
    pub fn step(&mut self, reads: &[R], writes: &[R]) -> Option<Hazard<R>> {
        let read = reads.iter().find(|id| self.written.contains(id)).map(|&id| Hazard::ReadAfterWrite(id));
        let written = || {
            writes.iter().find_map(|&id| {
                let after_read = self.read.contains(&id).then_some(Hazard::WriteAfterRead(id));
                after_read.or_else(|| self.written.contains(&id).then_some(Hazard::WriteAfterWrite(id)))
            })
        };
        let hazard = read.or_else(written);
        if hazard.is_some() {
            self.read.clear();
            self.written.clear();
        }
        self.read.extend(reads);
        self.written.extend(writes);
        hazard
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_steps_that_share_what_one_of_them_writes_are_kept_apart() {
        let mut hazards = Hazards::default();
        assert_eq!(hazards.step(&[], &[1]), None, "nothing came before");
        assert_eq!(hazards.step(&[], &[2]), None, "another resource");
        assert_eq!(hazards.step(&[1, 2], &[3]), Some(Hazard::ReadAfterWrite(1)));
        assert_eq!(hazards.step(&[1], &[4]), None, "read after read");
        assert_eq!(hazards.step(&[], &[1]), Some(Hazard::WriteAfterRead(1)));
        assert_eq!(hazards.step(&[], &[1]), Some(Hazard::WriteAfterWrite(1)));
        assert_eq!(hazards.step(&[4], &[]), None, "a barrier was put since");
    }
}
