//! Parameter values as people write them, before they meet a parameter's type.

use std::collections::BTreeMap;

use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::expression::{Expression, ExpressionError, MAX_DEPTH};

/// A parameter value as it stands in a graph file, on a command line or in a message.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Value {
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Any other number.
    Float(f64),
    /// A number that is computed for every frame; a text in files and messages.
    Expression(Expression),
    /// A vector, a matrix (row by row, nested or flat), an array or the contents of a buffer.
    List(Vec<Value>),
}

impl Value {
    /// Reads `0.3`, `true`, `7`, `1,0,0`, `[1, [2, 3]]`, `sin(time)` or `1,fract(time),0`.
    ///
    /// # Errors
    /// When the text is none of these; the message says what was expected.
    pub fn parse(text: &str) -> Result<Self, ParseValueError> {
        let text = text.trim();
        let read = if items(text).len() > 1 { Self::parse_list(text, 1) } else { Self::parse_item(text, 0) };
        read.map_err(|error| ParseValueError { text: shortened(text), error })
    }

    fn parse_list(text: &str, depth: usize) -> Result<Self, ExpressionError> {
        let mut items = items(text);
        // As in TOML, the last item may have a comma behind it, and there may be none.
        if items.last().is_some_and(|last| last.trim().is_empty()) {
            items.pop();
        }
        let items = items.iter().map(|item| Self::parse_item(item.trim(), depth));
        Ok(Self::List(items.collect::<Result<_, _>>()?))
    }

    fn parse_item(text: &str, depth: usize) -> Result<Self, ExpressionError> {
        let list = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
        if let Some(list) = list.filter(|_| depth < MAX_DEPTH) {
            return Self::parse_list(list, depth + 1);
        }
        match toml_value(text) {
            Some(toml::Value::Boolean(b)) => Ok(Self::Bool(b)),
            Some(toml::Value::Integer(i)) => Ok(Self::Int(i)),
            Some(toml::Value::Float(f)) => Ok(Self::Float(f)),
            Some(toml::Value::String(text)) => Expression::parse(text).map(Self::Expression),
            _ => Expression::parse(text).map(Self::Expression),
        }
    }

    /// Every part that is no list, in reading order.
    pub(crate) fn parts(&self) -> Vec<&Self> {
        fn walk<'a>(value: &'a Value, out: &mut Vec<&'a Value>) {
            match value {
                Value::List(items) => items.iter().for_each(|item| walk(item, out)),
                part => out.push(part),
            }
        }
        let mut out = Vec::new();
        walk(self, &mut out);
        out
    }

    /// Every number in reading order; booleans count as 0 and 1, and an expression, which is a number only in a frame, as NaN.
    #[must_use]
    pub fn flatten(&self) -> Vec<f64> {
        let number = |part: &Self| match part {
            Self::Bool(b) => f64::from(u8::from(*b)),
            Self::Int(i) => *i as f64,
            Self::Float(f) => *f,
            Self::Expression(_) | Self::List(_) => f64::NAN,
        };
        self.parts().into_iter().map(number).collect()
    }
}

/// What a text on one line, without lists and comments, is in TOML.
fn toml_value(text: &str) -> Option<toml::Value> {
    #[derive(Deserialize)]
    struct Line {
        v: toml::Value,
    }
    let may_be = !text.starts_with(['[', '{']) && !text.contains(['\n', '#']);
    may_be.then(|| toml::from_str::<Line>(&format!("v = {text}")).ok())?.map(|line| line.v)
}

/// Splits a text at the commas that stand in no parentheses and no brackets.
fn items(text: &str) -> Vec<&str> {
    let (mut items, mut start, mut depth) = (Vec::new(), 0, 0_usize);
    for (at, c) in text.char_indices() {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                items.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    items.push(&text[start..]);
    items
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Reader { parameter: None }.deserialize(deserializer)
    }
}

/// Tells values apart by what they are in the file or message.
#[derive(Clone, Copy)]
struct Reader<'a> {
    /// Whose value it is, where that is known.
    parameter: Option<&'a str>,
}

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(
            "a number, true, false, a list of them, or a text with an expression such as \"sin(time)\"",
        )
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Int(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(i64::try_from(value).map_or(Value::Float(value as f64), Value::Int))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Float(value))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        Expression::parse(text).map(Value::Expression).map_err(|error| {
            let whose = self.parameter.map(|name| format!("parameter `{name}`: ")).unwrap_or_default();
            E::custom(format!("{whose}`{}` is not an expression: {error}", shortened(text)))
        })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = items.next_element_seed(self)? {
            values.push(value);
        }
        Ok(Value::List(values))
    }
}

/// Reads values by parameter; what is wrong with one names it.
pub(crate) fn named_values<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, Value>, D::Error> {
    struct Named;

    impl<'de> Visitor<'de> for Named {
        type Value = BTreeMap<String, Value>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("values by the name of their parameter, such as { angle = 0.5 }")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
            let mut values = BTreeMap::new();
            while let Some(name) = entries.next_key::<String>()? {
                let value = entries.next_value_seed(Reader { parameter: Some(&name) })?;
                values.insert(name, value);
            }
            Ok(values)
        }
    }

    deserializer.deserialize_map(Named)
}

impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Bool(b) => write!(f, "{b}"),
            Self::Int(i) => write!(f, "{i}"),
            Self::Float(x) => write!(f, "{x}"),
            Self::Expression(expression) => write!(f, "{expression}"),
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
#[error(
    "`{text}` is not a value: write a number, true, false, a list such as 1,0,0.5, or an expression such as sin(time); \
     as an expression: {error}"
)]
pub struct ParseValueError {
    text: String,
    /// What is wrong with it, or with an item of the list that it is.
    error: ExpressionError,
}

/// A text as a message quotes it.
fn shortened(text: &str) -> String {
    const MOST: usize = 60;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expression::FrameVariables;

    fn expression(text: &str) -> Value {
        Value::Expression(Expression::parse(text).expect("an expression"))
    }

    #[test]
    fn values_are_read_as_people_write_them() {
        assert_eq!(Value::parse("0.3"), Ok(Value::Float(0.3)));
        assert_eq!(Value::parse(" 7 "), Ok(Value::Int(7)));
        assert_eq!(Value::parse("true"), Ok(Value::Bool(true)));
        assert_eq!(Value::parse("1,0,0.5").map(|v| v.flatten()), Ok(vec![1.0, 0.0, 0.5]));
        assert_eq!(Value::parse("[[1,2],[3,4]]").map(|v| v.flatten()), Ok(vec![1.0, 2.0, 3.0, 4.0]));
        assert_eq!(Value::parse("[]"), Ok(Value::List(vec![])));
        for bad in ["", "abc", "]", "1\nw = 2", "[1", "1,,2", "'sin('", "[[1, 2], [3, (]"] {
            assert!(Value::parse(bad).is_err(), "{bad:?} was read as a value");
        }
    }

    #[test]
    fn a_text_that_is_no_constant_is_an_expression() {
        assert_eq!(Value::parse(" sin(time) "), Ok(expression("sin(time)")));
        assert_eq!(Value::parse("'sin(time)'"), Ok(expression("sin(time)")));
        assert_eq!(Value::parse("clamp(time, 0, 1)"), Ok(expression("clamp(time, 0, 1)")));
        let list = Value::List(vec![Value::Int(1), expression("max(time, 0)"), Value::Bool(false)]);
        assert_eq!(Value::parse("1, max(time, 0), false,").as_ref(), Ok(&list));
        assert_eq!(Value::parse(&list.to_string()), Ok(list));
        let Ok(Value::Expression(sum)) = Value::parse("-2 + 1") else { panic!("no constant") };
        assert_eq!(sum.evaluate(&FrameVariables::default()), -1.0);
    }

    #[test]
    fn what_is_no_value_is_told_with_its_position() {
        let error = Value::parse("1, sin(tme), 0").expect_err("no value").to_string();
        assert!(error.contains("`1, sin(tme), 0` is not a value"), "{error}");
        assert!(
            error.contains("at character 5: there is no variable `tme`; there are time, delta"),
            "{error}"
        );
        let error = Value::parse(&"[".repeat(1_000_000)).expect_err("no value").to_string();
        assert!(error.contains("1000000 bytes") && error.len() < 500, "{error}");
        let lists = "[".repeat(200) + &"]".repeat(200);
        assert!(Value::parse(&lists).is_err());
    }

    #[test]
    fn an_expression_is_text_in_messages() {
        let list =
            Value::List(vec![expression(" time*2 "), Value::Int(-3), Value::Float(0.5), Value::Bool(true)]);
        let json = serde_json::to_string(&list).expect("it is JSON");
        assert_eq!(json, "[\" time*2 \",-3,0.5,true]");
        assert_eq!(serde_json::from_str::<Value>(&json).expect("and back"), list);
        let error = serde_json::from_str::<Value>("[1, \"2 +\"]").expect_err("no expression").to_string();
        assert!(error.contains("`2 +` is not an expression: at character 4: a number"), "{error}");
        let error = serde_json::from_str::<Value>("null").expect_err("no value").to_string();
        assert!(error.contains("expected a number, true, false, a list"), "{error}");
    }
}
