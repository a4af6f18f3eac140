//! Which textures count as read at the pixel's own position only.

mod common;

use common::{compile, compiler};
use streamlib_shader::EffectSource;

/// The ports of the repository's effects that another effect's value can take the place of.
const LOCAL: &[&str] = &[
    "blend_additive.input",
    "blend_additive.overlay",
    "blend_alpha.input",
    "blend_alpha.overlay",
    "blend_multiply.input",
    "blend_multiply.overlay",
    "blend_screen.input",
    "blend_screen.overlay",
    "bloom_combine.bloom",
    "bloom_combine.input",
    "bright_pass.input",
    "brightness.input",
    "chroma_key.input",
    "color_matrix.input",
    "contrast.input",
    "exposure.input",
    "film_grain.input",
    "frame_difference.input",
    "frame_difference.previous",
    "frame_stats.input",
    "gamma.input",
    "grayscale.input",
    "hue_shift.input",
    "invert.input",
    "levels.input",
    "mix.input",
    "mix.overlay",
    "palette.input",
    "posterize.input",
    "saturation.input",
    "sepia.input",
    "split_screen.before",
    "split_screen.input",
    "threshold.input",
    "tint.input",
    "tone_curve.input",
    "trails.input",
    "trails.previous",
    "vignette.input",
];

/// Those that read neighbours, bend the picture, or are in compute form.
const NOT_LOCAL: &[&str] = &[
    "blur_horizontal.input",
    "blur_vertical.input",
    "box_blur.input",
    "chromatic_aberration.input",
    "downsample.input",
    "edge_detect.input",
    "emboss.input",
    "flip_horizontal.input",
    "flip_vertical.input",
    "gaussian_blur.input",
    "halftone.input",
    "kuwahara.input",
    "lens_distortion.input",
    "median.input",
    "pixelate.input",
    "ripple.input",
    "rotate.input",
    "scale.input",
    "sharpen.input",
    "swirl.input",
];

#[test]
fn every_effect_in_the_repository_is_judged_rightly() {
    let Some(compiler) = compiler() else { return };
    let (mut local, mut not_local) = (Vec::new(), Vec::new());
    for entry in std::fs::read_dir(common::effects()).expect("the effects") {
        let path = entry.expect("an entry").path();
        if path.extension().is_none_or(|e| e != "hlsl") {
            continue;
        }
        let source = EffectSource::from_file(&path).expect("readable");
        let effect = compiler.compile(&source).unwrap_or_else(|e| panic!("{e}"));
        for slot in &effect.interface.inputs {
            let list = if slot.is_local { &mut local } else { &mut not_local };
            list.push(format!("{}.{}", effect.name, slot.name));
        }
    }
    local.sort();
    not_local.sort();
    assert_eq!(local, LOCAL);
    assert_eq!(not_local, NOT_LOCAL);
}

/// Whether the first input of each text is local, for texts that all compile.
#[track_caller]
fn assert_first_inputs(texts: &[&str], is_local: bool) {
    let Some(compiler) = compiler() else { return };
    for text in texts {
        let effect = compile(&compiler, text);
        let slot = effect.interface.inputs.first().expect("an input");
        assert_eq!(slot.is_local, is_local, "{}:\n{text}", slot.name);
    }
}

#[test]
fn lookups_at_the_own_position_are_local() {
    assert_first_inputs(
        &[
            "float4 main(float2 uv : TEXCOORD) : SV_Target { return tex2D(input, uv); }",
            "float4 main(in const float2 at : TEXCOORD0) : SV_Target { return tex2D(input, at).bgra; }",
            "float4 main(float4 p : SV_Position, float2 uv : TEXCOORD) : SV_Target { return tex2D(input, uv) * p; }",
            "void main(float2 uv : TEXCOORD, out float4 c : SV_Target) { c = tex2D(input, uv); }",
            "float4 main(float2 uv : TEXCOORD) : SV_Target { return tex2D(input_texture, uv); }",
            "float4 main(float2 uv : TEXCOORD) : SV_Target { return tex2D(input_texture, uv) + tex2D(input, uv); }",
            "Texture2D < float4 > t : register(t3); SamplerState s;\n\
             float4 main(float2 uv : TEXCOORD) : SV_Target { return t.Sample(s, uv); }",
            "sampler2D t; float4 main(float2 uv : TEXCOORD) : SV_Target { return tex2D(t, uv); }",
            "float4 main(float2 uv : TEXCOORD) : SV_Target { return input.SampleLevel(s, uv, 0.0); }",
            // Declared and never read.
            "Texture2D t; float4 main() : SV_Target { return 1; }",
            // The position is read, compared, and handed to functions that leave it as it is.
            "float2 turned(float2 p) { return p.yx; }\n\
             float4 main(float2 uv : TEXCOORD) : SV_Target {\n\
             bool b = uv.x == 0.5 || uv.y <= 0.5 || uv.x >= 0.5 || uv.x != 1; float2 c = turned(uv) - -uv.x;\n\
             for (int i = 0; uv.x < i; i += 2) c += uv[0]; if (uv.x < 0.5) return tex2D(input, uv);\n\
             return b ? tex2D(input, uv) : length(uv) + c.x; }",
            // Macros that stand for numbers and expressions.
            "#define HALF 0.5\n#define LUMA(c) dot(c, float3(0.2, 0.7, HALF))\n\
             #ifdef GUARD\n#endif\n\
             float4 main(float2 uv : TEXCOORD) : SV_Target { return LUMA(tex2D(input, uv).rgb) * HALF; }",
            // A member called like the position is not the position.
            "struct V { float2 uv; };\n\
             float4 main(float2 uv : TEXCOORD) : SV_Target { V v; v.uv = 2; return tex2D(input, uv) * v.uv.x; }",
        ],
        true,
    );
}

#[test]
fn a_texture_that_is_read_elsewhere_or_otherwise_is_not_local() {
    assert_first_inputs(
        &[
            "float4 main(float2 uv : TEXCOORD) : SV_Target { return tex2D(input, uv + 0.1); }",
            "float4 main(float2 uv : TEXCOORD) : SV_Target { return tex2D(input, uv.yx); }",
            "float4 main(float2 uv : TEXCOORD) : SV_Target { return tex2D(input, uv) + tex2D(input, 0.5); }",
            "float4 main(float2 uv : TEXCOORD) : SV_Target { return input.SampleLevel(s, uv, 1); }",
            "float4 main(float2 uv : TEXCOORD) : SV_Target { return input.Sample(s, uv, int2(1, 0)); }",
            "float4 main(float2 uv : TEXCOORD) : SV_Target { return input.Load(int3(0, 0, 0)); }",
            "float4 main(float2 uv : TEXCOORD) : SV_Target { float2 s; input.GetDimensions(s.x, s.y); return s.x; }",
            "float4 at(Texture2D t, float2 p) { return tex2D(t, p * 2); }\n\
             float4 main(float2 uv : TEXCOORD) : SV_Target { return at(input, uv); }",
            "float4 f(float2 uv) { return tex2D(input, uv); }\n\
             float4 main(float2 uv : TEXCOORD) : SV_Target { return f(uv * 2); }",
            // What it gives is not a float4.
            "Texture2D<float> t; float4 main(float2 uv : TEXCOORD) : SV_Target { return t.Sample(s, uv); }",
            "float4 main(float4 p : SV_Position) : SV_Target { return tex2D(input, p.xy / resolution); }",
            // The author's own idea of a lookup.
            "Texture2D t; SamplerState s; float4 tex2D(Texture2D a, float2 p) { return a.SampleLevel(s, p * 2, 0); }\n\
             float4 main(float2 uv : TEXCOORD) : SV_Target { return tex2D(t, uv); }",
            "Texture2D t; [numthreads(8, 8, 1)] void main(uint3 id : SV_DispatchThreadID) { output[id.xy] = t[id.xy]; }",
        ],
        false,
    );
}

#[test]
fn a_position_that_may_change_is_not_the_pixels_own() {
    const CHANGES: &[&str] = &[
        "uv = 0.1;",
        "uv.x = 0.1;",
        "uv[1] = 0.1;",
        "uv += 0.1;",
        "uv.y *= 2;",
        "uv++;",
        "--uv;",
        "--uv.x;",
        "move(uv);",
        "move((uv));",
        "ns::move(uv);",
        "m.move(uv);",
        "m.Sample(uv);",
        "ns::Load(uv);",
        "float a; sincos(1, uv, uv);",
        "float a = modf(1.5, uv.x);",
        "{ float2 uv = 0.1; c += tex2D(input, uv); }",
        "{ vector<float, 2> uv = 0.1; c += tex2D(input, uv); }",
        "for (float2 uv = 0; uv.x < 1; uv.x += 0.1) c += tex2D(input, uv);",
    ];
    let texts: Vec<String> = CHANGES
        .iter()
        .map(|change| {
            format!(
                "void move(inout float2 p) {{ p += 0.1; }}\n\
                 namespace ns {{ void move(inout float2 p) {{ p += 0.1; }} void Load(inout float2 p) {{ p += 0.1; }} }}\n\
                 struct M {{ float a; void move(inout float2 p) {{ p += a; }}\n\
                 void Sample(inout float2 p) {{ p += a; }} }};\n\
                 float4 main(float2 uv : TEXCOORD) : SV_Target {{\n\
                 M m; m.a = 1; float4 c = 0; {change} return c + tex2D(input, uv); }}"
            )
        })
        .collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    assert_first_inputs(&texts, false);
}

#[test]
fn where_a_macro_could_play_a_part_nothing_is_local() {
    const BODY: &str = "float4 main(float2 uv : TEXCOORD) : SV_Target { return tex2D(input, uv); }";
    let texts: Vec<String> = [
        ("#define input other\nTexture2D other;", BODY),
        ("#define uv position.yx", "float4 main(float2 position : TEXCOORD) : SV_Target { return tex2D(input, uv); }"),
        ("SamplerState s;\nTexture2D input;\n#define tex2D(t, p) t.SampleLevel(s, p * 2, 0)", BODY),
        ("#define SET =", "float4 main(float2 uv : TEXCOORD) : SV_Target { uv SET 0.1; return tex2D(input, uv); }"),
        ("#define INC ++", "float4 main(float2 uv : TEXCOORD) : SV_Target { uv INC; return tex2D(input, uv); }"),
        ("#define SET(v, x) v = x", "float4 main(float2 uv : TEXCOORD) : SV_Target { SET(uv, 0.1); return tex2D(input, uv); }"),
        (
            "void move(inout float2 p) { p += 0.1; }\n#define F move",
            "float4 main(float2 uv : TEXCOORD) : SV_Target { F(uv); return tex2D(input, uv); }",
        ),
        ("#define JOIN(a, b) a##b", "float4 main(float2 uv : TEXCOORD) : SV_Target { return tex2D(JOIN(in, put), 0.5) + tex2D(input, uv); }"),
        ("", "float4 main(float2 uv : TEXCOORD) : SV_Target {\n#if 1\nreturn tex2D(input, uv);\n#endif\n}"),
    ]
    .map(|(before, body)| format!("{before}\n{body}"))
    .into();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    assert_first_inputs(&texts, false);
}
