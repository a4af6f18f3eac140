//! What can be wrong with a parameter value.

/// A value that does not fit the effect it was meant for.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ParameterError {
    /// No such parameter.
    #[error("there is no parameter `{name}`; {}", known_names(known))]
    Unknown {
        /// What was asked for.
        name: String,
        /// What exists.
        known: Vec<String>,
    },
    /// Too many or too few numbers.
    #[error("parameter `{name}` is a {ty}: it takes {expected} number(s), {found} given")]
    Count {
        /// Parameter.
        name: String,
        /// Its type.
        ty: String,
        /// Numbers of a value of that type.
        expected: usize,
        /// Numbers given.
        found: usize,
    },
    /// A buffer without contents, or with a part of an element missing.
    #[error(
        "buffer `{name}` takes any number of elements of {columns} number(s) each, {found} number(s) given"
    )]
    BufferCount {
        /// Buffer.
        name: String,
        /// Numbers in one element.
        columns: usize,
        /// Numbers given.
        found: usize,
    },
    /// A buffer with something that differs from frame to frame.
    #[error(
        "buffer `{name}` takes numbers, and cannot get the expression `{found}`: write its numbers, and let a parameter follow \
         the time"
    )]
    BufferExpression {
        /// Buffer.
        name: String,
        /// The expression.
        found: String,
    },
    /// A number that the type cannot hold.
    #[error("parameter `{name}` is a {ty}: it cannot be {found}")]
    Kind {
        /// Parameter.
        name: String,
        /// Its type.
        ty: String,
        /// The number.
        found: f64,
    },
    /// A buffer that would change its length, which a running plan cannot.
    #[error(
        "buffer `{name}` has {expected} elements while the graph runs, and cannot get {found}: replace the effect to change that"
    )]
    BufferLength {
        /// Buffer.
        name: String,
        /// Elements now.
        expected: usize,
        /// Elements of the value.
        found: usize,
    },
    /// A number outside the range that the effect's author stated.
    #[error("parameter `{name}` = {found} is outside {min}..={max}")]
    Range {
        /// Parameter.
        name: String,
        /// The number.
        found: f64,
        /// Least allowed.
        min: f64,
        /// Greatest allowed.
        max: f64,
    },
}

fn known_names(known: &[String]) -> String {
    if known.is_empty() {
        "the effect has none".to_owned()
    } else {
        format!("the effect has: {}", known.join(", "))
    }
}
