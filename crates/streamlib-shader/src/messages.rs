//! Reads DXC's messages and puts them at the author's lines.

use crate::diagnostic::{Diagnostic, Severity};
use crate::dxc::FILE;
use crate::front::edit::{Lowered, Origin};
use crate::source::EffectSource;

/// A message, and the byte of the flat source that it is about.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) diagnostic: Diagnostic,
    pub(crate) at: Option<usize>,
}

/// Every message about the author's text, and every error.
pub(crate) fn parse(text: &str, lowered: &Lowered, source: &EffectSource) -> Vec<Message> {
    let mut out: Vec<Message> = Vec::new();
    let mut previous_was_kept = false;
    let mut runs_on = None;
    for line in text.lines() {
        let Some((place, severity, words)) = split(line) else { continue };
        let at = match place.map(|(line, column)| lowered.origin(line, column)) {
            Some(Origin::Original(at)) => Some(at),
            // What is open at the end of the author's text makes an error in the wrapper below it.
            Some(Origin::After) if severity == Severity::Error => {
                runs_on.get_or_insert_with(|| words.to_owned());
                previous_was_kept = false;
                continue;
            }
            _ => None,
        };
        // Remarks about the prelude are ours, not the author's; a note belongs to what it follows.
        let is_kept = match severity {
            Severity::Error => true,
            Severity::Warning => at.is_some(),
            Severity::Note => at.is_some() && previous_was_kept,
        };
        if severity != Severity::Note {
            previous_was_kept = is_kept;
        }
        if is_kept {
            out.push(message(source, severity, at, words));
        }
    }
    // DXC says some things twice, once without a place.
    if out.iter().any(|m| m.at.is_some() && m.diagnostic.severity == Severity::Error) {
        out.retain(|m| m.at.is_some());
    }
    if let Some(words) = runs_on
        && out.iter().all(|m| m.diagnostic.severity != Severity::Error)
    {
        let end = source.text().trim_end().len();
        out.push(message(source, Severity::Error, Some(end), &words));
    }
    out
}

fn message(source: &EffectSource, severity: Severity, at: Option<usize>, words: &str) -> Message {
    let (words, suggestion) = suggest(words);
    let diagnostic = match at {
        Some(at) => source.diagnostic_at(severity, at, words),
        None => source.diagnostic_whole(severity, words),
    };
    Message { diagnostic: Diagnostic { suggestion, ..diagnostic }, at }
}

type Place = (u32, u32);

/// `effect.hlsl:3:5: error: words`, or `error: words`.
fn split(line: &str) -> Option<(Option<Place>, Severity, &str)> {
    let (place, rest) = match line.strip_prefix(FILE).and_then(|l| l.strip_prefix(':')) {
        Some(located) => {
            let mut parts = located.splitn(3, ':');
            let place = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
            (Some(place), parts.next()?.trim_start())
        }
        None => (None, line),
    };
    const SEVERITIES: &[(&str, Severity)] = &[
        ("error: ", Severity::Error),
        ("fatal error: ", Severity::Error),
        ("warning: ", Severity::Warning),
        ("note: ", Severity::Note),
    ];
    SEVERITIES.iter().find_map(|(prefix, severity)| Some((place, *severity, rest.strip_prefix(prefix)?)))
}

/// The message without compiler flags, and what to do about it where that is known.
fn suggest(words: &str) -> (String, Option<String>) {
    // Flags such as [-Wconversion] are of no use to an author.
    let words = words.rfind(" [-W").map_or(words, |i| &words[..i]);
    if let Some((what, meant)) = words.split_once("; did you mean ") {
        let meant = meant.trim_end_matches('?').replace('\'', "`");
        return (what.to_owned(), Some(format!("did you mean {meant}?")));
    }
    let quoted = words.split('\'').nth(1).unwrap_or_default();
    let suggestion = if words.starts_with("use of undeclared identifier") {
        Some(format!("declare it: `float {quoted};` at the top makes it a parameter"))
    } else if words.starts_with("recursive functions are not allowed") {
        Some("HLSL has no recursion: write a loop".to_owned())
    } else if words.contains("file not found") {
        Some("paths are relative to the file that has the #include".to_owned())
    } else {
        None
    };
    (words.to_owned(), suggestion)
}
