//! What authors say about a global in `<...>`, in a `///` comment, or in the file's first comment.

use std::ops::Range;

use streamlib_core::interface::{AddressMode, Filter};

use super::constant::{Environment, evaluate};
use super::declarations::Global;
use super::lexer::{Comment, Kind, Lexed, Token};

/// One `type key = value;` of an annotation, the key in lower case.
#[derive(Debug)]
pub(crate) struct Property<'a> {
    pub(crate) key: String,
    pub(crate) value: &'a [Token],
}

/// The properties of a global.
pub(crate) fn properties<'a>(source: &str, lexed: &'a Lexed, global: &Global) -> Vec<Property<'a>> {
    let split = |range: &Range<usize>| lexed.slice(range).split(|t| t.is(b';'));
    global
        .annotations
        .iter()
        .flat_map(split)
        .filter_map(|part| {
            let equals = part.iter().position(|t| t.is(b'='))?;
            let key = part[..equals].last().filter(|t| t.is_ident())?;
            Some(Property { key: key.text(source).to_ascii_lowercase(), value: &part[equals + 1..] })
        })
        .collect()
}

impl Property<'_> {
    /// The contents of a string value.
    pub(crate) fn text(&self, source: &str) -> Option<String> {
        let [token] = self.value else { return None };
        let quoted = (token.kind == Kind::Text).then(|| token.text(source))?;
        let inner = quoted.strip_prefix('"')?;
        Some(inner.strip_suffix('"').unwrap_or(inner).replace("\\\"", "\""))
    }

    /// The value of a numeric property.
    pub(crate) fn number(&self, source: &str, environment: &Environment<'_>) -> Option<f64> {
        evaluate(source, self.value, environment)?.first().copied()
    }

    /// The value as one lower-case word, from a string or a bare name.
    pub(crate) fn word(&self, source: &str) -> String {
        self.text(source)
            .unwrap_or_else(|| self.value.first().map_or("", |t| t.text(source)).to_owned())
            .to_ascii_lowercase()
    }
}

/// The filter called `word`: `nearest`, `linear`, or the older `MIN_MAG_MIP_POINT` and its kin.
pub(crate) fn filter(word: &str) -> Option<Filter> {
    if word.contains("nearest") || word.contains("point") {
        Some(Filter::Nearest)
    } else {
        word.contains("linear").then_some(Filter::Linear)
    }
}

/// The address mode called `word`.
pub(crate) fn address(word: &str) -> Option<AddressMode> {
    match word {
        "clamp" => Some(AddressMode::Clamp),
        "repeat" | "wrap" => Some(AddressMode::Repeat),
        "mirror" => Some(AddressMode::Mirror),
        "border" => Some(AddressMode::Border),
        _ => None,
    }
}

/// The `///` comments directly above `declaration` (a byte), joined.
pub(crate) fn doc_comment(source: &str, comments: &[Comment], declaration: usize) -> Option<String> {
    let mut below = declaration;
    let mut lines = Vec::new();
    let above = comments.partition_point(|c| c.end <= declaration);
    for comment in comments[..above].iter().rev() {
        let between = &source[comment.end..below];
        let adjacent = between.trim().is_empty() && between.matches('\n').count() <= 1;
        let Some(text) = source[comment.start..comment.end].strip_prefix("///").filter(|_| adjacent) else {
            break;
        };
        lines.push(text.trim());
        below = comment.start;
    }
    lines.reverse();
    (!lines.is_empty()).then(|| lines.join(" "))
}

/// The comment that a file starts with, without markers.
pub(crate) fn header(source: &str) -> String {
    let lexed = super::lexer::lex(source);
    let code = lexed
        .tokens
        .first()
        .map(|t| t.start)
        .into_iter()
        .chain(lexed.directives.first().map(|d| d.start))
        .min();
    let mut lines: Vec<String> = Vec::new();
    let mut last_end = 0;
    for comment in &lexed.comments {
        let gap = source[last_end..comment.start].matches('\n').count();
        let touches_code = code.is_some_and(|c| comment.end > c);
        if touches_code || (last_end > 0 && gap > 1) {
            break;
        }
        let raw = &source[comment.start..comment.end];
        // A `///` block that touches the code below documents that declaration, not the file.
        if raw.starts_with("///") && code.is_some_and(|c| doc_comment(source, &lexed.comments, c).is_some()) {
            break;
        }
        let body = raw.strip_prefix("/*").map_or(raw, |b| b.strip_suffix("*/").unwrap_or(b));
        lines.extend(body.lines().map(|l| l.trim().trim_start_matches(['/', '*', '!']).trim().to_owned()));
        last_end = comment.end;
    }
    lines.join("\n").trim().to_owned()
}
