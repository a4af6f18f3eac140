//! Texts of effects: some that come again and again, and some that nobody has seen.

use super::dice::Dice;

/// Variants of each kind that come again.
const KNOWN: usize = 16;

/// What an effect reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// `input`.
    One,
    /// `input` and `side`.
    Side,
    /// `input` and its own last frame, `past`.
    Past,
}

const KINDS: [Kind; 3] = [Kind::One, Kind::Side, Kind::Past];

/// What becomes of `c`, with three constants.
const BODIES: [&str; 12] = [
    "c = c * gain * A + shift.x * B;",
    "c = lerp(c, 1 - c, A * gain) + shift.y * B * C;",
    "c = pow(abs(c), 0.5 + A) * gain + shift.xyxy * B;",
    "c = (c + tex2D(input, uv + float2(0.01 * A, 0) + shift) + tex2D(input, uv - float2(0.01 * B, 0.01 * C))) / 3 * gain;",
    "c = c.bgra * gain + shift.xyyx * A;",
    "c = smoothstep(A * 0.5, 0.5 + B * 0.5, c) * gain + shift.x;",
    "float2 d = uv - 0.5 + shift; c.rgb *= saturate(1 - dot(d, d) * A) * gain;",
    "for (int i = 0; i < 4; i++) { c = frac(c * (1 + A * 0.1) + B * 0.1); } c = c * gain + shift.y;",
    "c.rgb = lerp(c.rgb, dot(c.rgb, float3(A, B, C)).xxx, 0.5 * gain) + shift.x;",
    "c += 0.1 * gain * sin(uv.y * 40 * A + uv.x * 30 * B) + shift.y * C;",
    "c = tex2D(input, uv * (0.9 + 0.1 * A) + shift) * gain;",
    "c.a = 1; c.rgb = c.r > A ? c.rgb * gain : c.gbr + shift.x;",
];

#[derive(Debug)]
pub(super) struct Texts {
    known: Vec<(Kind, String)>,
}

impl Texts {
    pub(super) fn new(dice: &mut Dice) -> Self {
        let mut known = Vec::new();
        for kind in KINDS {
            known.extend((0..KNOWN).map(|_| (kind, fresh(dice, kind))));
        }
        Self { known }
    }

    /// A text of that kind; every other one was never there before.
    pub(super) fn get(&self, dice: &mut Dice, kind: Kind) -> String {
        let of_kind: Vec<_> = self.known.iter().filter(|(known, _)| *known == kind).collect();
        match dice.pick(&of_kind).filter(|_| dice.percent(50)) {
            Some((_, text)) => text.clone(),
            None => fresh(dice, kind),
        }
    }
}

fn fresh(dice: &mut Dice, kind: Kind) -> String {
    let body = dice.pick(&BODIES).copied().unwrap_or_default();
    let constants = ["A", "B", "C"].map(|name| format!("static const float {name} = {:.7};\n", dice.real()));
    let (declared, mixed) = match kind {
        Kind::One => ("", ""),
        Kind::Side => ("Texture2D side;\n", "c = lerp(c, tex2D(side, uv), 0.25 + 0.5 * B);\n"),
        Kind::Past => ("Texture2D past;\n", "c = lerp(c, tex2D(past, uv * 0.99), 0.25 + 0.5 * B);\n"),
    };
    format!(
        "{}{declared}float gain = 1;\nfloat2 shift = float2(0, 0);\nfloat4 main(float2 uv : TEXCOORD) : SV_Target {{\n\
         float4 c = tex2D(input, uv);\n{mixed}{body}\nreturn c;\n}}\n",
        constants.concat()
    )
}

/// A text that does not compile.
pub(super) fn broken(dice: &mut Dice) -> String {
    let texts = [
        "float4 main(float2 uv : TEXCOORD) : SV_Target { return tex2D(input, uv) + nonsense; }",
        "float4 main(float2 uv : TEXCOORD) : SV_Target { return tex2D(input, uv) ",
        "float gain = 1; float4 other(float2 uv : TEXCOORD) : SV_Target { return tex2D(input, uv) * gain; }",
        "",
        "float4 main(float2 uv : TEXCOORD) : SV_Target { return tex2D(input, uv, 1, 2, 3); }",
        "}}}} \u{e9} float4 main(",
    ];
    let text = dice.pick(&texts).copied().unwrap_or_default();
    // A refusal may be remembered; most of these are new.
    format!("// {}\n{text}", dice.below(1 << 30))
}
