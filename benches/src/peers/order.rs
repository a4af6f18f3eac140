//! Who runs when.

/// The contenders of a round: A B C, then C B A, and so on, so that what drifts while a machine warms up or cools down
/// falls on everybody alike.
pub(crate) fn of_round(contenders: usize, round: usize) -> Vec<usize> {
    let forward = 0..contenders;
    if round.is_multiple_of(2) { forward.collect() } else { forward.rev().collect() }
}
