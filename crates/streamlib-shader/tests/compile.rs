//! Effects that compile: SPIR-V that the validator accepts, and the interface that the source describes.

mod common;

use common::{compile, compile_file, compiler, validate};
use streamlib_core::interface::{AddressMode, EffectForm, Filter, FrameUniform, Interface, Scalar};
use streamlib_shader::{EffectSource, MslBindingKind, MslTarget};

fn names<'a, T>(slots: &'a [T], name: impl Fn(&'a T) -> &'a String) -> Vec<&'a str> {
    slots.iter().map(|s| name(s).as_str()).collect()
}

fn inputs(interface: &Interface) -> Vec<&str> {
    names(&interface.inputs, |s| &s.name)
}

fn parameters(interface: &Interface) -> Vec<&str> {
    names(&interface.parameters, |p| &p.name)
}

#[test]
fn every_effect_in_the_repository_is_valid_spirv_and_translates_to_metal() {
    let Some(compiler) = compiler() else { return };
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for directory in [common::inputs(), root.join("effects")] {
        for entry in std::fs::read_dir(directory).expect("a directory of effects") {
            let path = entry.expect("an entry").path();
            if path.extension().is_none_or(|e| e != "hlsl") {
                continue;
            }
            let source = EffectSource::from_file(&path).expect("readable");
            let effect = compiler.compile(&source).unwrap_or_else(|e| panic!("{e}"));
            validate(&effect);
            for target in [MslTarget::MacOs, MslTarget::Ios] {
                let msl = effect.to_msl(target).unwrap_or_else(|e| panic!("{e}"));
                assert!(msl.text.contains(&format!("kernel void {}(", msl.entry_point)), "{}", msl.text);
            }
        }
    }
}

#[test]
fn the_effect_of_the_mission_compiles_as_written() {
    let Some(compiler) = compiler() else { return };
    let effect = compile_file(&compiler, "tint.hlsl");
    assert_eq!(effect.interface.form, EffectForm::Pixel);
    assert_eq!(inputs(&effect.interface), ["input"]);
    assert_eq!(names(&effect.interface.outputs, |s| &s.name), ["output"]);
    assert_eq!(effect.interface.uniforms, None);
    assert!(effect.interface.group_size_is_free);
    assert!(effect.interface.encode_srgb_constant.is_some());
    assert_eq!(effect.warnings, []);
}

#[test]
fn the_compute_form_finds_its_ports_and_parameters_by_name() {
    let Some(compiler) = compiler() else { return };
    let effect = compile_file(&compiler, "threshold.hlsl");
    let interface = &effect.interface;
    assert_eq!(interface.form, EffectForm::Compute);
    assert_eq!(interface.group_size, [8, 8, 1]);
    assert!(!interface.group_size_is_free);
    assert_eq!(interface.encode_srgb_constant, None);
    assert_eq!(inputs(interface), ["input", "mask"]);
    assert_eq!(parameters(interface), ["strength"]);
}

#[test]
fn every_kind_of_parameter_is_reflected_with_what_its_author_says() {
    let Some(compiler) = compiler() else { return };
    let effect = compile_file(&compiler, "parameters.hlsl");
    let interface = &effect.interface;
    assert_eq!(interface.description, "Every kind of parameter.\nIn two lines.");
    let types: Vec<String> = interface.parameters.iter().map(|p| format!("{} {}", p.ty, p.name)).collect();
    assert_eq!(
        types,
        [
            "float strength",
            "float3 tint",
            "int steps",
            "uint seed",
            "bool invert",
            "bool3 channels",
            "float2x3 affine",
            "float3x2 rows",
            "float4x4[2] many",
            "float[3] weights",
            "float4 grey",
            "float unused",
            "float2 centre",
            "float radius"
        ]
    );
    let strength = interface.parameter("strength").expect("strength");
    assert_eq!(strength.default, [1.0]);
    assert_eq!((strength.min, strength.max), (Some(0.0), Some(2.0)));
    assert_eq!(strength.description.as_deref(), Some("How much."));
    let default = |name: &str| interface.parameter(name).expect("known").default.clone();
    assert_eq!(default("tint"), [1.0, 0.5, 0.0]);
    assert_eq!(default("seed"), [16.0]);
    assert_eq!(default("channels"), [1.0, 0.0, 1.0]);
    assert_eq!(default("affine"), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    assert_eq!(default("grey"), [0.5; 4]);
    assert_eq!(default("unused"), [-0.15]);
    assert_eq!(default("radius"), [0.25]);
    assert!(interface.parameter("rows").expect("rows").ty.rows_are_contiguous);
    assert!(!interface.parameter("affine").expect("affine").ty.rows_are_contiguous);
    let uniforms: Vec<FrameUniform> = interface.frame_uniforms.iter().map(|f| f.uniform).collect();
    FrameUniform::ALL.iter().for_each(|u| assert!(uniforms.contains(u), "{u:?}"));
    let points = &interface.buffers[0];
    assert_eq!((points.scalar, points.columns, points.stride), (Scalar::Float, 3, 16));
    let sampler = |name: &str| interface.samplers.iter().find(|s| s.name == name).expect("known");
    assert_eq!((sampler("blocky").filter, sampler("blocky").address), (Filter::Nearest, AddressMode::Repeat));
    assert_eq!(
        (sampler("linear_sampler").filter, sampler("linear_sampler").address),
        (Filter::Linear, AddressMode::Clamp)
    );
}

#[test]
fn parameters_are_kept_when_the_code_uses_none_of_them() {
    let Some(compiler) = compiler() else { return };
    let effect = compile(
        &compiler,
        "float a = 1; Texture2D mask; float2 b = 2;\nfloat4 main(float2 uv : TEXCOORD) : SV_Target { return 0.5; }",
    );
    assert_eq!(parameters(&effect.interface), ["a", "b"]);
    assert_eq!(inputs(&effect.interface), ["mask"]);
    assert_eq!(effect.interface.default_block()[..4], 1.0_f32.to_le_bytes());
    validate(&effect);
}

#[test]
fn registers_and_bindings_of_the_author_do_not_matter() {
    let Some(compiler) = compiler() else { return };
    let effect = compile(
        &compiler,
        "Texture2D input : register(t0, space3); RWTexture2D<float4> output : register(u0);
         [[vk::binding(0, 2)]] Texture2D<float4> mask; float k : register(b0); SamplerState s : register(s0);
         [numthreads(8, 8, 1)] void main(uint3 id : SV_DispatchThreadID) {
             output[id.xy] = input[id.xy] * k + mask.SampleLevel(s, float2(id.xy), 0);
         }",
    );
    validate(&effect);
    let interface = &effect.interface;
    let mut bindings: Vec<u32> =
        interface.inputs.iter().chain(&interface.outputs).map(|s| s.binding).collect();
    bindings.extend(interface.samplers.iter().map(|s| s.binding));
    bindings.extend(interface.uniforms.map(|u| u.binding));
    bindings.sort_unstable();
    assert_eq!(bindings, [0, 1, 2, 3, 4]);
}

#[test]
fn the_pixel_form_takes_every_parameter_and_result_it_promises() {
    let Some(compiler) = compiler() else { return };
    for main in [
        "float4 main() : SV_Target { return 1; }",
        "float4 main() : SV_Target { return 0; }",
        "float3 main(float2 p : VPOS) : SV_Target0 { return p.xyx; }",
        "float main(float4 p : SV_Position) : COLOR { return p.x; }",
        "float4 main(in float2 uv : texcoord0, float2 p : SV_Position) { return uv.xyxy + p.xyxy; }",
        "void main(float2 uv : TEXCOORD, out float4 c : SV_Target) { c = uv.xyxy; }",
        "void main(out float3 c : SV_Target) { c = 1; }",
    ] {
        let effect = compile(&compiler, main);
        assert_eq!(effect.interface.form, EffectForm::Pixel);
        validate(&effect);
    }
}

#[test]
fn undeclared_textures_of_tex2d_become_ports_in_order_of_use() {
    let Some(compiler) = compiler() else { return };
    let effect = compile(
        &compiler,
        "sampler2D declared;
         float4 look(sampler2D s, float2 uv) { return tex2D(s, uv) + tex2Dlod(s, float4(uv, 0, 0)); }
         float4 main(float2 uv : TEXCOORD) : SV_Target {
             return look(declared, uv) + tex2D(second, uv) + tex2D(first, uv) + tex2D(input_texture, uv);
         }",
    );
    assert_eq!(inputs(&effect.interface), ["second", "first", "input", "declared"]);
    validate(&effect);
}

#[test]
fn input_texture_and_input_are_one_port() {
    let Some(compiler) = compiler() else { return };
    let effect = compile(
        &compiler,
        "float4 main(float2 uv : TEXCOORD) : SV_Target { return tex2D(input_texture, uv) + tex2D(input, uv); }",
    );
    assert_eq!(inputs(&effect.interface), ["input"]);
}

#[test]
fn local_names_are_not_taken_for_ports_or_frame_uniforms() {
    let Some(compiler) = compiler() else { return };
    let effect = compile(
        &compiler,
        "struct Wave { float time; float Sample(float x) { return x * time; } };
         float wave(float time, float delta) { float resolution = 2, input = 3; return time * delta * resolution * input; }
         float4 main(float2 uv : TEXCOORD) : SV_Target {
             Wave w; w.time = 2;
             for (float frame_number = 0; frame_number < 2; frame_number++) { w.time += frame_number; }
             // time, input and output in a comment are nothing, nor \" in one
             return wave(uv.x, uv.y) + w.Sample(1);
         }",
    );
    assert_eq!(inputs(&effect.interface), [""; 0]);
    assert_eq!(effect.interface.frame_uniforms, []);
    assert_eq!(effect.interface.uniforms, None);
}

#[test]
fn a_frame_uniform_is_found_beside_a_local_of_its_name_and_in_a_macro() {
    let Some(compiler) = compiler() else { return };
    let effect = compile(
        &compiler,
        "#define WOBBLE(x) ((x) * delta)
         float wave(float time) { return sin(time); }
         bool late(float a) { return a > time; }
         float4 main() : SV_Target { return wave(time) + WOBBLE(2) + late(1); }",
    );
    let uniforms: Vec<FrameUniform> = effect.interface.frame_uniforms.iter().map(|f| f.uniform).collect();
    assert_eq!(uniforms, [FrameUniform::Delta, FrameUniform::Time]);
}

#[test]
fn a_declared_frame_uniform_is_the_same_one() {
    let Some(compiler) = compiler() else { return };
    let effect = compile(&compiler, "float time; float k; float4 main() : SV_Target { return time * k; }");
    assert_eq!(parameters(&effect.interface), ["k"]);
    assert_eq!(effect.interface.frame_uniforms[0].uniform, FrameUniform::Time);
}

#[test]
fn output_images_have_no_format_and_ask_for_reading_only_when_they_are_read() {
    let Some(compiler) = compiler() else { return };
    // Capabilities 55 and 56 of the SPIR-V specification.
    let has = |spirv: &[u32], capability: u32| spirv.windows(2).any(|w| w == [0x0002_0011, capability]);
    let text = |body: &str| {
        format!(
            "RWTexture2D<float4> output; RWTexture2D<float> depth; RWTexture2D<float2> flow;
             [numthreads(8, 8, 1)] void main(uint3 id : SV_DispatchThreadID) {{ depth[id.xy] = 1; flow[id.xy] = 2; {body} }}"
        )
    };
    let written = compile(&compiler, &text("output[id.xy] = 1;"));
    assert!(has(&written.spirv, 56) && !has(&written.spirv, 55));
    validate(&written);
    let read = compile(&compiler, &text("output[id.xy] += depth[id.xy + 1];"));
    assert!(has(&read.spirv, 56) && has(&read.spirv, 55));
    validate(&read);
    assert_eq!(names(&read.interface.outputs, |s| &s.name), ["output", "depth", "flow"]);
}

#[test]
fn metal_bindings_are_counted_by_kind_in_the_order_of_the_interface() {
    let Some(compiler) = compiler() else { return };
    let effect = compile_file(&compiler, "parameters.hlsl");
    let msl = effect.to_msl(MslTarget::MacOs).expect("MSL");
    let found: Vec<(&str, MslBindingKind, u32)> =
        msl.bindings.iter().map(|b| (b.name.as_str(), b.kind, b.index)).collect();
    assert_eq!(
        found,
        [
            ("$Globals", MslBindingKind::Buffer, 0),
            ("points", MslBindingKind::Buffer, 1),
            ("input", MslBindingKind::Texture, 0),
            ("output", MslBindingKind::Texture, 1),
            ("linear_sampler", MslBindingKind::Sampler, 0),
            ("blocky", MslBindingKind::Sampler, 1),
        ]
    );
    for place in ["[[buffer(1)]]", "[[texture(1)]]", "[[sampler(1)]]", "[[function_constant(1000)]]"] {
        assert!(msl.text.contains(place), "{place} is missing in\n{}", msl.text);
    }
}

#[test]
fn older_declarations_are_understood() {
    let Some(compiler) = compiler() else { return };
    let effect = compile(
        &compiler,
        "uniform float k = 2; Texture2D<float4> input, mask; const float LIMIT = 1.0; extern const float gain = 3;
         sampler2D old : register(s1) = sampler_state { Filter = LINEAR; };
         SamplerState points { Filter = MIN_MAG_MIP_POINT; AddressU = Wrap; };
         /// First line
         /// and second.
         matrix turn; vector shift = { 1, 2, 3, 4 }; unsigned int count = 3, total = 4;
         float4 main(float2 uv : TEXCOORD) : SV_Target {
             return mul(turn, input.Sample(points, uv) + mask.Sample(points, uv)) * k * LIMIT * gain + shift + count + total
                 + tex2D(old, uv);
         }",
    );
    validate(&effect);
    let interface = &effect.interface;
    let types: Vec<String> = interface.parameters.iter().map(|p| format!("{} {}", p.ty, p.name)).collect();
    assert_eq!(types, ["float k", "float gain", "float4x4 turn", "float4 shift", "uint count", "uint total"]);
    assert_eq!(interface.parameters[2].description.as_deref(), Some("First line and second."));
    assert_eq!(interface.parameters[5].default, [4.0]);
    assert_eq!(inputs(interface), ["input", "mask", "old"]);
    let points = interface.samplers.iter().find(|s| s.name == "points").expect("points");
    assert_eq!((points.filter, points.address), (Filter::Nearest, AddressMode::Repeat));
    assert_eq!(effect.warnings, []);
}
