//! Finds out between which steps a barrier is needed.

use std::collections::HashSet;

/// What the steps since the last barrier have read and written. Resources are told apart by their handles.
#[derive(Default)]
pub(crate) struct Hazards {
    read: HashSet<u64>,
    written: HashSet<u64>,
}

impl Hazards {
    /// Notes the next step; true when it must wait for an earlier one, so that a barrier goes before it.
    pub(crate) fn step(&mut self, reads: &[u64], writes: &[u64]) -> bool {
        let conflict = reads.iter().any(|id| self.written.contains(id))
            || writes.iter().any(|id| self.written.contains(id) || self.read.contains(id));
        if conflict {
            self.read.clear();
            self.written.clear();
        }
        self.read.extend(reads);
        self.written.extend(writes);
        conflict
    }
}

#[cfg(test)]
mod tests {
    use super::Hazards;

    #[test]
    fn only_steps_that_share_what_one_of_them_writes_are_kept_apart() {
        let mut hazards = Hazards::default();
        assert!(!hazards.step(&[], &[1]), "nothing came before");
        assert!(!hazards.step(&[], &[2]), "another resource");
        assert!(hazards.step(&[1, 2], &[3]), "read after write");
        assert!(!hazards.step(&[1], &[4]), "read after read");
        assert!(hazards.step(&[], &[1]), "write after read");
        assert!(hazards.step(&[], &[1]), "write after write");
        assert!(!hazards.step(&[4], &[]), "a barrier was put since");
    }
}
