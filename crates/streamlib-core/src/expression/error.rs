//! What can be wrong with the text of an expression.

use super::{FUNCTIONS, MAX_DEPTH, MAX_LENGTH, VARIABLES};

/// Text that is no expression. Positions count characters from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExpressionError {
    /// Nothing to evaluate.
    #[error("an expression is not empty: write one such as `0.5 * sin(time)`")]
    Empty,
    /// More text than any expression needs.
    #[error("the expression is {length} bytes long; the most is {MAX_LENGTH}: let the effect compute it")]
    TooLong {
        /// Bytes of the text.
        length: usize,
    },
    /// Parentheses, calls and signs in each other.
    #[error(
        "at character {at}: the expression is nested too deeply; the most is {MAX_DEPTH} levels, and as many values that \
         wait for an operation: let the effect compute it"
    )]
    TooDeep {
        /// Where it becomes too much.
        at: usize,
    },
    /// A character that no expression has.
    #[error(
        "at character {at}: `{}` is no part of an expression, which has numbers, names, + - * / %, commas and parentheses",
        found.escape_debug()
    )]
    Character {
        /// Its position.
        at: usize,
        /// The character.
        found: char,
    },
    /// Something that begins as a number and is none, or none that fits.
    #[error(
        "at character {at}: `{found}` is not a number that can be held; numbers are such as 2, 0.5 and 1e-3"
    )]
    Number {
        /// Its position.
        at: usize,
        /// The text of it.
        found: String,
    },
    /// Something in a place where something else has to be.
    #[error("at character {at}: {expected} is expected here, not {found}")]
    Unexpected {
        /// Its position.
        at: usize,
        /// What stands there, in words.
        found: String,
        /// What may stand there, in words.
        expected: &'static str,
    },
    /// A name of nothing.
    #[error("at character {at}: there is no variable `{found}`; there are {}", names(&VARIABLES))]
    UnknownVariable {
        /// Its position.
        at: usize,
        /// The name.
        found: String,
    },
    /// A call of nothing.
    #[error("at character {at}: there is no function `{found}`; there are {}", names(&FUNCTIONS))]
    UnknownFunction {
        /// Its position.
        at: usize,
        /// The name.
        found: String,
    },
    /// A call with too many or too few arguments.
    #[error("at character {at}: `{function}` takes {expected} argument(s), not {found}")]
    Arguments {
        /// Position of the name.
        at: usize,
        /// The function.
        function: &'static str,
        /// How many it takes.
        expected: usize,
        /// How many there are.
        found: usize,
    },
}

fn names<T>(table: &[(&str, T)]) -> String {
    let names: Vec<_> = table.iter().map(|(name, _)| *name).collect();
    names.join(", ")
}
