//! Expressions: values of parameters that are computed anew for every frame, from its time and number.
//!
//! The text is compiled once, where bad text is refused with its position. What comes of it is a flat list of operations;
//! evaluating it allocates nothing, and gives a number (or NaN, see
//! [`Parameter::nearest`](crate::interface::Parameter::nearest)) whatever the frame brings.

mod error;
mod parse;
mod program;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use error::ExpressionError;
use program::{FUNCTIONS, Op, VARIABLES};

/// Bytes that the text of an expression may have.
pub const MAX_LENGTH: usize = 4096;
/// Parentheses, calls and signs that may stand in each other.
pub const MAX_DEPTH: usize = 64;

/// What an expression may refer to, as the frame uniforms of HLSL do.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct FrameVariables {
    /// `time`: seconds since the first frame.
    pub time: f64,
    /// `delta`: seconds since the frame before; 0 for the first.
    pub delta: f64,
    /// `frame`, also called `frame_number`: the frame's sequence number.
    pub frame: f64,
}

/// A formula such as `0.5 * sin(time * 2)`.
///
/// It has numbers, `+ - * / %` and parentheses with HLSL's precedence, the variables of [`FrameVariables`] and `pi`, and the
/// functions `sin cos tan asin acos atan atan2 abs sign min max floor ceil round fract sqrt exp log pow mod clamp lerp step
/// smoothstep saturate`. It is computed with 64-bit numbers.
///
/// ```
/// use streamlib_core::expression::{Expression, FrameVariables};
///
/// let angle = Expression::parse("90 * sin(time * pi)")?;
/// assert_eq!(angle.evaluate(&FrameVariables { time: 0.5, ..FrameVariables::default() }), 90.0);
/// # Ok::<(), streamlib_core::expression::ExpressionError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Expression(Arc<Compiled>);

#[derive(Debug)]
struct Compiled {
    text: String,
    ops: Vec<Op>,
}

impl Expression {
    /// Compiles a text, which is kept as it is.
    ///
    /// # Errors
    /// When the text is no expression, or too long or too deep a one; the error says where.
    pub fn parse(text: impl Into<String>) -> Result<Self, ExpressionError> {
        let text = text.into();
        let ops = parse::parse(&text)?;
        Ok(Self(Arc::new(Compiled { text, ops })))
    }

    /// The text that it was made from.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// What it is in a frame. Where arithmetic has no answer (`log(-1)`, `0 / 0`), that is NaN.
    #[must_use]
    pub fn evaluate(&self, at: &FrameVariables) -> f64 {
        program::run(&self.0.ops, at)
    }
}

/// Two are equal when their texts are.
impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.text() == other.text()
    }
}

impl Eq for Expression {}

impl std::fmt::Display for Expression {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.text())
    }
}

impl std::str::FromStr for Expression {
    type Err = ExpressionError;

    fn from_str(text: &str) -> Result<Self, ExpressionError> {
        Self::parse(text)
    }
}

impl Serialize for Expression {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.text())
    }
}

impl<'de> Deserialize<'de> for Expression {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}
