//! Parameter values as people write them, before they meet a parameter's type.

use serde::{Deserialize, Serialize};

/// A parameter value as it stands in a graph file, on a command line or in a message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Any other number.
    Float(f64),
    /// A vector, a matrix (row by row, nested or flat), an array or the contents of a buffer.
    List(Vec<Value>),
}

impl Value {
    /// Reads `0.3`, `true`, `7`, `1,0,0` or `[1, [2, 3]]`.
    ///
    /// # Errors
    /// When the text is none of these; the message says what was expected.
    pub fn parse(text: &str) -> Result<Self, ParseValueError> {
        let text = text.trim();
        let bracketed = if text.contains(',') && !text.starts_with('[') {
            format!("v = [{text}]")
        } else {
            format!("v = {text}")
        };
        #[derive(Deserialize)]
        struct Line {
            v: Value,
        }
        let parsed = if text.contains('\n') { None } else { toml::from_str::<Line>(&bracketed).ok() };
        parsed.map(|line| line.v).ok_or_else(|| ParseValueError { text: text.to_owned() })
    }

    /// Every number in reading order; booleans count as 0 and 1.
    #[must_use]
    pub fn flatten(&self) -> Vec<f64> {
        fn walk(value: &Value, out: &mut Vec<f64>) {
            match value {
                Value::Bool(b) => out.push(f64::from(u8::from(*b))),
                Value::Int(i) => out.push(*i as f64),
                Value::Float(f) => out.push(*f),
                Value::List(items) => items.iter().for_each(|item| walk(item, out)),
            }
        }
        let mut out = Vec::new();
        walk(self, &mut out);
        out
    }
}

impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Bool(b) => write!(f, "{b}"),
            Self::Int(i) => write!(f, "{i}"),
            Self::Float(x) => write!(f, "{x}"),
            Self::List(items) => {
                f.write_str("[")?;
                for (i, item) in items.iter().enumerate() {
                    write!(f, "{}{item}", if i == 0 { "" } else { ", " })?;
                }
                f.write_str("]")
            }
        }
    }
}

/// Text that is no parameter value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a value: write a number, true, false, or a list such as 1,0,0.5")]
pub struct ParseValueError {
    text: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_people_write_them() {
        assert_eq!(Value::parse("0.3"), Ok(Value::Float(0.3)));
        assert_eq!(Value::parse(" 7 "), Ok(Value::Int(7)));
        assert_eq!(Value::parse("true"), Ok(Value::Bool(true)));
        assert_eq!(Value::parse("1,0,0.5").map(|v| v.flatten()), Ok(vec![1.0, 0.0, 0.5]));
        assert_eq!(Value::parse("[[1,2],[3,4]]").map(|v| v.flatten()), Ok(vec![1.0, 2.0, 3.0, 4.0]));
        for bad in ["", "abc", "]", "1\nw = 2"] {
            assert!(Value::parse(bad).is_err(), "{bad:?} was read as a value");
        }
    }
}
