//! Random and mutilated text never makes the front end panic, and what it changes keeps its place.

use proptest::prelude::*;

use super::edit::{Edits, Origin};
use super::lexer::lex;
use super::lower::lower;
use crate::source::EffectSource;

const SAMPLES: &[&str] = &[
    include_str!("../../tests/in/parameters.hlsl"),
    include_str!("../../tests/in/threshold.hlsl"),
    include_str!("../../tests/in/tint.hlsl"),
];

/// Words of which the grammar is made, so that random sequences get deep into it.
const WORDS: &[&str] = &[
    "float",
    "float4",
    "main",
    "(",
    ")",
    "{",
    "}",
    "[",
    "]",
    "<",
    ">",
    "=",
    ";",
    ",",
    ":",
    ".",
    "-",
    "+",
    "/",
    "*",
    "#",
    "\n",
    "\\\n",
    "//",
    "/*",
    "*/",
    "///",
    "\"",
    "1.5",
    "0x",
    "1e+",
    "cbuffer",
    "struct",
    "Texture2D",
    "sampler2D",
    "tex2D",
    "Sample",
    "input",
    "time",
    "SV_Target",
    "TEXCOORD",
    "numthreads",
    "static",
    "const",
    "namespace",
    "typedef",
    "using",
    "template",
    "sampler_state",
    "#define A",
    "#include \"a\"",
    "return",
    "enum",
    "é",
    "\r\n",
    "register(t0)",
];

proptest! {
    #[test]
    fn random_text_is_lowered_or_refused(text in "\\PC*") {
        let _ = lower(&EffectSource::from_text("random", text));
    }

    #[test]
    fn random_words_are_lowered_or_refused(picks in prop::collection::vec(0..WORDS.len(), 0..80)) {
        let text: Vec<&str> = picks.into_iter().map(|i| WORDS[i]).collect();
        let _ = lower(&EffectSource::from_text("random", text.join(" ")));
        let _ = lower(&EffectSource::from_text("random", text.concat()));
    }

    #[test]
    fn mutilated_effects_are_lowered_or_refused(
        sample in 0..SAMPLES.len(),
        cuts in prop::collection::vec((0.0..1.0, 0..WORDS.len(), 0_usize..20), 1..6),
    ) {
        let mut text: Vec<char> = SAMPLES[sample].chars().collect();
        for (place, word, length) in cuts {
            let at = (place * text.len() as f64) as usize;
            let end = (at + length).min(text.len());
            text.splice(at..end, WORDS[word].chars());
        }
        let _ = lower(&EffectSource::from_text("mutilated", text.into_iter().collect::<String>()));
    }

    #[test]
    fn tokens_are_in_order_and_on_character_boundaries(text in "\\PC*") {
        let mut end = 0;
        for token in lex(&text).tokens {
            prop_assert!(token.start >= end && token.end > token.start);
            prop_assert!(text.get(token.start..token.end).is_some());
            end = token.end;
        }
    }

    #[test]
    fn every_kept_byte_knows_where_it_came_from(
        text in "[a-z\\n]{0,60}",
        inserts in prop::collection::vec((0_usize..60, "[A-Z]{1,5}"), 0..5),
    ) {
        let mut edits = Edits::default();
        for (at, word) in &inserts {
            edits.insert((*at).min(text.len()), word.as_str());
        }
        let lowered = edits.apply(&text, "BEFORE\n", "\nAFTER");
        let mut kept = 0;
        for (number, line) in (1..).zip(lowered.text.lines()) {
            for (column, character) in (1..).zip(line.chars()) {
                if character.is_ascii_lowercase() {
                    let Origin::Original(at) = lowered.origin(number, column) else {
                        return Err(TestCaseError::fail("it was taken for an addition"));
                    };
                    prop_assert_eq!(text[at..].chars().next(), Some(character));
                    kept += 1;
                }
            }
        }
        prop_assert_eq!(kept, text.chars().filter(char::is_ascii_lowercase).count());
    }
}
