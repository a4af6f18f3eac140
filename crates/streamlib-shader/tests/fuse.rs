//! Effects fused into one kernel: SPIR-V that the validator accepts, and everything that their authors let be set.

mod common;

use std::sync::Arc;

use common::{compiler, compiler_with, validate};
use proptest::prelude::*;
use streamlib_core::interface::{EffectForm, Filter, FrameUniform, Interface, Scalar};
use streamlib_shader::StageInput::{Stage as Result, Texture};
use streamlib_shader::{
    CacheOptions, Compiler, Effect, EffectSource, FuseError, MslTarget, Severity, Stage, StageInput,
};

fn effect(name: &str) -> EffectSource {
    EffectSource::from_file(common::effects().join(name).with_extension("hlsl")).expect(name)
}

fn text(text: &str) -> EffectSource {
    EffectSource::from_text("test", text)
}

fn stage<'a>(name: &'a str, source: &'a EffectSource, inputs: &'a [(&'a str, StageInput<'a>)]) -> Stage<'a> {
    Stage { name, source, inputs, is_clamped: true }
}

/// Fuses stages, and has the result judged by the validator and the Metal translator.
fn fuse(compiler: &Compiler, stages: &[Stage<'_>]) -> Arc<Effect> {
    let effect = compiler.compile_fused(stages).unwrap_or_else(|e| panic!("{e}"));
    validate(&effect);
    let msl = effect.to_msl(MslTarget::MacOs).unwrap_or_else(|e| panic!("{e}"));
    assert!(msl.text.contains(&format!("kernel void {}(", msl.entry_point)), "{}", msl.text);
    effect
}

/// Fuses effects of the repository that have one input each, one after the other.
fn chain(compiler: &Compiler, names: &[&str]) -> Arc<Effect> {
    let sources: Vec<EffectSource> = names.iter().map(|name| effect(name)).collect();
    let titles: Vec<String> = names.iter().enumerate().map(|(i, name)| format!("{name} {i}")).collect();
    let inputs: Vec<[(&str, StageInput<'_>); 1]> =
        (0..names.len()).map(|i| [("input", i.checked_sub(1).map_or(Texture("camera"), Result))]).collect();
    let stages: Vec<Stage<'_>> =
        (0..names.len()).map(|i| stage(&titles[i], &sources[i], &inputs[i])).collect();
    fuse(compiler, &stages)
}

fn inputs(interface: &Interface) -> Vec<(&str, bool)> {
    interface.inputs.iter().map(|slot| (slot.name.as_str(), slot.is_local)).collect()
}

/// Names and offsets of the parameters.
fn parameters(interface: &Interface) -> Vec<(&str, u32)> {
    interface.parameters.iter().map(|p| (p.name.as_str(), p.offset)).collect()
}

#[test]
fn a_chain_of_two_has_the_parameters_of_both() {
    let Some(compiler) = compiler() else { return };
    let fused = chain(&compiler, &["sepia", "vignette"]);
    let interface = &fused.interface;
    assert_eq!(interface.form, EffectForm::Pixel);
    assert!(interface.group_size_is_free && interface.encode_srgb_constant.is_some());
    assert_eq!(inputs(interface), [("camera", true)]);
    assert_eq!(interface.outputs[0].name, "output");
    let names: Vec<&str> = interface.parameters.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(
        names,
        ["sepia 0.strength", "vignette 1.strength", "vignette 1.radius", "vignette 1.softness"]
    );
    assert_eq!(interface.frame_uniforms.len(), 1);
    assert_eq!(interface.frame_uniforms[0].uniform, FrameUniform::Resolution);
    // What the authors said of them is what it was.
    let own = compiler.compile(&effect("vignette")).expect("it compiles");
    for (fused, own) in interface.parameters[1..].iter().zip(&own.interface.parameters) {
        assert_eq!((&fused.default, fused.min, fused.max), (&own.default, own.min, own.max));
        assert_eq!((fused.ty, &fused.description), (own.ty, &own.description));
        assert!(fused.description.is_some());
    }
}

#[test]
fn chains_of_three_and_of_eight_are_one_kernel_with_one_lookup() {
    let Some(compiler) = compiler() else { return };
    let eight =
        ["exposure", "color_matrix", "tone_curve", "film_grain", "sepia", "sepia", "palette", "vignette"];
    for names in [&eight[..3], &eight] {
        let fused = chain(&compiler, names);
        let msl = fused.to_msl(MslTarget::MacOs).expect("it translates");
        assert_eq!(msl.text.matches(".sample(").count(), 1, "{}", msl.text);
        assert_eq!(inputs(&fused.interface), [("camera", true)]);
    }
    let fused = chain(&compiler, &eight);
    let buffers: Vec<&str> = fused.interface.buffers.iter().map(|b| b.name.as_str()).collect();
    assert_eq!(buffers, ["palette 6.colors"]);
    assert!(fused.interface.parameter_names().contains(&"sepia 5.strength".to_owned()));
}

#[test]
fn offsets_are_those_of_the_block_and_do_not_overlap() {
    let Some(compiler) = compiler() else { return };
    let fused = chain(&compiler, &["color_matrix", "tone_curve", "tint", "hue_shift"]);
    let mut taken: Vec<(u32, u32)> = fused
        .interface
        .parameters
        .iter()
        .map(|p| {
            let vectors =
                p.ty.matrix_stride * if p.ty.rows_are_contiguous { p.ty.rows } else { p.ty.columns };
            let size = p.ty.array.map_or(vectors.max(4 * p.ty.columns), |n| n * p.ty.array_stride);
            (p.offset, p.offset + size)
        })
        .collect();
    taken.sort_unstable();
    assert_eq!(taken.len(), 2 + 1 + 2 + 1);
    assert!(taken.windows(2).all(|w| w[0].1 <= w[1].0), "{taken:?}");
    let block = fused.interface.uniforms.expect("a block");
    assert!(taken.iter().all(|(_, end)| *end <= block.size), "{taken:?} {block:?}");
}

#[test]
fn a_diamond_reads_its_source_once() {
    let Some(compiler) = compiler() else { return };
    let (gamma, invert, sepia, blend) =
        (effect("gamma"), effect("invert"), effect("sepia"), effect("blend_alpha"));
    let fused = fuse(
        &compiler,
        &[
            stage("a", &gamma, &[("input", Texture("camera"))]),
            stage("b", &invert, &[("input", Result(0))]),
            stage("c", &sepia, &[("input", Result(0))]),
            stage("d", &blend, &[("overlay", Result(2)), ("input", Result(1))]),
        ],
    );
    assert_eq!(inputs(&fused.interface), [("camera", true)]);
    let names: Vec<&str> = fused.interface.parameters.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(names, ["a.exponent", "b.strength", "c.strength", "d.opacity"]);
}

#[test]
fn textures_are_shared_by_name_and_read_anywhere() {
    let Some(compiler) = compiler() else { return };
    let (blur, blend) = (effect("gaussian_blur"), effect("blend_screen"));
    let fused = fuse(
        &compiler,
        &[
            stage("blur", &blur, &[("input", Texture("camera"))]),
            stage("glow", &blend, &[("input", Texture("camera")), ("overlay", Result(0))]),
            stage("title", &blend, &[("input", Result(1)), ("overlay", Texture("title card"))]),
        ],
    );
    assert_eq!(inputs(&fused.interface), [("camera", false), ("title card", true)]);
    assert_eq!(fused.interface.samplers.len(), 1);
}

#[test]
fn names_of_one_effect_mean_nothing_to_the_next() {
    let Some(compiler) = compiler() else { return };
    let a = text(
        "#define FACTOR 2\n#define SQUARE(x) ((x) * (x))\n\
         struct State { float strength; float last; };\nenum Mode { ON, OFF };\n\
         float strength = 0.25;\nfloat b = 0.5;\nstatic float counter = 1;\nstatic const float WEIGHT = FACTOR;\n\
         Texture2D mask, picture <filter = nearest>;\nSamplerState point_ { Filter = MIN_MAG_MIP_POINT; };\n\
         StructuredBuffer<float> table;\n\
         namespace deep { float half_of(float x) { return x / 2; } }\n\
         float helper(float x) { counter += ON; return SQUARE(x) * WEIGHT * strength * counter * deep::half_of(b); }\n\
         float4 main(float2 uv : TEXCOORD) : SV_Target {\n\
         State s; s.strength = strength; s.last = time; float mask_of = 1;\n\
         return picture.Sample(point_, uv) * helper(s.strength) + mask.Sample(free_sampler, uv).b * table[0] + s.last * mask_of; } // end \\",
    );
    let b = text(
        "#ifdef FACTOR\n#error it leaks\n#endif\n#define FACTOR 3\n\
         struct State { float4 strength; };\nenum Mode { OFF, ON };\n\
         float4 strength = { 1, 2, 3, 4 };\nfloat time;\nstatic float counter = 5;\nstatic const int WEIGHT = FACTOR;\n\
         cbuffer Settings { row_major float2x3 m; bool enabled = true; }\n\
         float helper(float x) { counter += ON; return x * WEIGHT * counter + time + mul(m, float3(1, 2, 3)).x; }\n\
         float4 main(float2 uv : TEXCOORD) : SV_Target { State s; s.strength = strength;\n\
         return enabled ? tex2D(input, uv) * helper(s.strength.x) : tex2D(input_texture, uv); }",
    );
    let fused = fuse(
        &compiler,
        &[
            stage("a", &a, &[("picture", Texture("x")), ("mask", Texture("y"))]),
            stage("b", &b, &[("input", Result(0))]),
            stage("odd \"name\"\nof \\", &a, &[("picture", Result(1)), ("mask", Texture("y"))]),
        ],
    );
    let interface = &fused.interface;
    assert_eq!(inputs(interface), [("x", true), ("y", true)]);
    let names: Vec<String> = interface.parameter_names();
    let odd = |name: &str| format!("odd \"name\"\nof \\.{name}");
    let expected = ["a.strength", "a.b", "b.strength", "b.m", "b.enabled"].map(str::to_owned);
    let expected =
        expected.into_iter().chain([odd("strength"), odd("b"), "a.table".to_owned(), odd("table")]);
    assert_eq!(names, expected.collect::<Vec<_>>());
    assert_eq!(interface.parameter("b.strength").expect("there").default, [1.0, 2.0, 3.0, 4.0]);
    assert_eq!(interface.parameter("b.enabled").expect("there").ty.scalar, Scalar::Bool);
    assert_eq!(interface.frame_uniforms.iter().filter(|u| u.uniform == FrameUniform::Time).count(), 2);
    let sampler = interface.samplers.iter().find(|s| s.name == "a.point_").expect("a's sampler");
    assert_eq!(sampler.filter, Filter::Nearest);
    assert!(interface.samplers.iter().any(|s| s.name == "a.free_sampler"));
}

#[test]
fn results_are_clamped_where_their_format_would_have_clamped_them() {
    let Some(compiler) = compiler() else { return };
    let source = text("float4 main(float2 uv : TEXCOORD) : SV_Target { return tex2D(input, uv) * 2; }");
    let clamps = |is_clamped: bool| {
        let first = Stage { is_clamped, ..stage("a", &source, &[("input", Texture("camera"))]) };
        let fused = fuse(&compiler, &[first, stage("b", &source, &[("input", Result(0))])]);
        let msl = fused.to_msl(MslTarget::MacOs).expect("it translates").text;
        msl.contains("clamp(_") && msl.contains("float4(0.0), float4(1.0)")
    };
    assert!(clamps(true));
    assert!(!clamps(false));
}

#[test]
fn one_stage_is_an_effect_as_well() {
    let Some(compiler) = compiler() else { return };
    let source = effect("invert");
    let fused = fuse(&compiler, &[stage("only", &source, &[("input", Texture("input"))])]);
    assert_eq!(inputs(&fused.interface), [("input", true)]);
    assert_eq!(parameters(&fused.interface), [("only.strength", 0)]);
}

#[test]
fn a_fused_kernel_is_remembered_by_everything_that_it_depends_on() {
    let directory = tempfile::tempdir().expect("a directory");
    let cache = CacheOptions::Disk(directory.path().to_owned());
    let limit = std::time::Duration::from_secs(60);
    let Some(compiler) = compiler_with(cache.clone(), limit) else { return };
    let source = effect("sepia");
    let first = [("input", Texture("camera"))];
    let second = [("input", Result(0))];
    let stages = [stage("a", &source, &first), stage("b", &source, &second)];
    let fused = compiler.compile_fused(&stages).expect("it fuses");
    assert!(Arc::ptr_eq(&fused, &compiler.compile_fused(&stages).expect("it fuses")));
    let renamed = [stages[0], Stage { name: "c", ..stages[1] }];
    let other = compiler.compile_fused(&renamed).expect("it fuses");
    assert_eq!(parameters(&other.interface), [("a.strength", 0), ("c.strength", 4)]);
    let elsewhere = [("input", Texture("file"))];
    let other = [Stage { inputs: &elsewhere, ..stages[0] }, stages[1]];
    assert_eq!(inputs(&compiler.compile_fused(&other).expect("it fuses").interface), [("file", true)]);
    // Another process finds it on disk.
    let another = compiler_with(cache, limit).expect("as before");
    assert_eq!(*another.compile_fused(&stages).expect("it fuses"), *fused);
    assert_eq!(another.cache_stats().misses, 0);
}

/// Fuses what cannot be fused.
fn refused(compiler: &Compiler, stages: &[Stage<'_>]) -> FuseError {
    match compiler.compile_fused(stages) {
        Ok(_) => panic!("it fused: {stages:?}"),
        Err(error) => error,
    }
}

#[test]
fn what_cannot_be_fused_is_refused_by_name() {
    let Some(compiler) = compiler() else { return };
    let (sepia, blur, median) = (effect("sepia"), effect("box_blur"), effect("median"));
    let camera = [("input", Texture("camera"))];
    let of_first = [("input", Result(0))];
    let start = stage("a", &sepia, &camera);
    let refused = |stages: &[Stage<'_>]| refused(&compiler, stages);
    assert!(matches!(refused(&[]), FuseError::Empty));
    assert!(matches!(refused(&[start, start]), FuseError::Repeated { name } if name == "a"));
    let twice = [("input", Texture("x")), ("input", Texture("y"))];
    assert!(
        matches!(refused(&[stage("b", &sepia, &twice)]), FuseError::Repeated { name } if name == "b.input")
    );
    assert!(
        matches!(refused(&[start, stage("b", &median, &of_first)]), FuseError::NotPixel { stage } if stage == "b")
    );
    let error = refused(&[start, stage("b", &blur, &of_first)]);
    assert!(matches!(error, FuseError::NotLocal { stage, port } if stage == "b" && port == "input"));
    let itself = [("input", Result(1))];
    let error = refused(&[start, stage("b", &sepia, &itself)]);
    assert!(matches!(error, FuseError::NotEarlier { wanted: 1, .. }));
    assert!(matches!(refused(&[stage("a", &sepia, &of_first)]), FuseError::NotEarlier { wanted: 0, .. }));
    let error = refused(&[stage("a", &sepia, &[("overlay", Texture("x"))])]);
    assert!(
        matches!(error, FuseError::UnknownInput { port, known, .. } if port == "overlay" && known == ["input"])
    );
    assert!(
        matches!(refused(&[stage("a", &sepia, &[])]), FuseError::MissingInput { port, .. } if port == "input")
    );
}

#[test]
fn texts_that_would_not_mean_the_same_together_are_refused() {
    let Some(compiler) = compiler() else { return };
    let of_camera = [("input", Texture("camera"))];
    let refused = |source: &str| refused(&compiler, &[stage("a", &text(source), &of_camera)]);
    const MAIN: &str = "float4 main(float2 uv : TEXCOORD) : SV_Target { return tex2D(input, uv) * f(); }";
    let error = refused(&format!("#pragma pack_matrix(row_major)\nfloat f() {{ return 1; }}\n{MAIN}"));
    assert!(matches!(error, FuseError::Pragma { pragma, .. } if pragma == "#pragma pack_matrix(row_major)"));
    let error = refused(&format!("#define P(n) float n\nP(hidden);\nfloat f() {{ return hidden; }}\n{MAIN}"));
    assert!(matches!(error, FuseError::Hidden { name, .. } if name == "hidden"));
    let error =
        refused(&format!("namespace n {{ float inside; }}\nfloat f() {{ return n::inside; }}\n{MAIN}"));
    assert!(matches!(error, FuseError::Hidden { name, .. } if name == "inside"));
    let error = refused(
        "Texture2D<float> input; float4 main(float2 uv : TEXCOORD) : SV_Target { return input.Sample(s, uv); }",
    );
    assert!(matches!(error, FuseError::TextureType { ty, .. } if ty == "Texture2D<float>"));
    assert!(matches!(refused("float4 main("), FuseError::Compile(_)));
    // A global name from inside a namespace: legal by itself only.
    let error = refused(&format!("float g() {{ return 1; }}\nfloat f() {{ return ::g(); }}\n{MAIN}"));
    let FuseError::Compile(error) = error else { panic!("{error}") };
    assert!(error.to_string().contains("::g()"), "{error}");
    assert!(error.diagnostics().iter().all(|d| d.severity != Severity::Warning), "{error}");
}

/// Effects of the repository whose only input is local.
const LOCAL: &[&str] = &[
    "bright_pass",
    "brightness",
    "chroma_key",
    "color_matrix",
    "contrast",
    "exposure",
    "film_grain",
    "gamma",
    "grayscale",
    "hue_shift",
    "invert",
    "levels",
    "palette",
    "posterize",
    "saturation",
    "sepia",
    "threshold",
    "tint",
    "tone_curve",
    "vignette",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_chain_of_local_effects_is_valid(picks in prop::collection::vec(prop::sample::select(LOCAL), 1..10)) {
        let Some(compiler) = compiler() else { return Ok(()) };
        let fused = chain(&compiler, &picks);
        let own = picks.iter().map(|name| compiler.compile(&effect(name)).expect(name));
        let expected: usize = own.map(|e| e.interface.parameter_names().len()).sum();
        prop_assert_eq!(fused.interface.parameter_names().len(), expected);
    }
}
