//! Mutilated effects are fused or refused, and never make the writer panic.

use proptest::prelude::*;

use super::StageInput::{Stage as Result, Texture};
use super::{Stage, text};
use crate::source::EffectSource;

const SAMPLES: &[&str] = &[
    include_str!("../../tests/in/parameters.hlsl"),
    include_str!("../../tests/in/tint.hlsl"),
    "Texture2D a, b <x = 1;>; sampler2D c; float strength = 1, x;\n#define F(y) y * strength\nstruct S { float x; };\n\
     float4 main(float2 uv : TEXCOORD) : SV_Target {\n\
     S s; s.x = uv.x; float2 p = frac(uv); return F(a.Sample(s0, uv)) * s.x + tex2D(input, uv) + b.Load(int3(p, 0)); }",
];

const WORDS: &[&str] = &[
    "uv",
    "input",
    "tex2D(",
    "(",
    ")",
    "{",
    "}",
    "[",
    "]",
    ".",
    ",",
    ";",
    "=",
    "++",
    ":",
    "::",
    "<",
    ">",
    "#define uv",
    "\n#if 1\n",
    "\n",
    "main",
    "Texture2D",
    "Sample",
    "float2",
    "inout",
    "",
    "\\",
    "/*",
    "\"",
];

proptest! {
    #[test]
    fn mutilated_effects_are_fused_or_refused(
        sample in 0..SAMPLES.len(),
        cuts in prop::collection::vec((0.0..1.0, 0..WORDS.len(), 0_usize..8), 1..6),
    ) {
        let mut words: Vec<char> = SAMPLES[sample].chars().collect();
        for (place, word, length) in cuts {
            let at = (place * words.len() as f64) as usize;
            let end = (at + length).min(words.len());
            words.splice(at..end, WORDS[word].chars());
        }
        let source = EffectSource::from_text("mutilated", words.into_iter().collect::<String>());
        let first = [("input", Texture("camera")), ("a", Texture("camera"))];
        let second = [("input", Result(0)), ("c", Texture("camera"))];
        for (name, inputs) in [("a", first), ("b", second)] {
            let _ = text::fuse(&[Stage { name, source: &source, inputs: &inputs, is_clamped: true }]);
        }
    }
}
