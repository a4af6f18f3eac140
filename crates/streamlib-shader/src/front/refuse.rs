//! Refuses what would compile to something that cannot run, or that DXC would refuse in words of its own.

use streamlib_core::interface::{EffectForm, FrameUniform, Scalar};

use super::declarations::{Declarations, Global};
use super::lexer::{Kind, Lexed, Token};
use super::types::numeric_type;
use super::uses::{FreeName, Role, Uses};
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::EffectSource;

const DERIVATIVES: &[&str] = &["ddx", "ddy", "ddx_fine", "ddy_fine", "ddx_coarse", "ddy_coarse", "fwidth"];

/// Tokens in one expression that are let through. DXC recurses on operators and casts without a limit of its own, and
/// overflows its stack at some ten thousand.
const MAX_EXPRESSION: usize = 4096;

/// The first expression that is too long for the compiler.
pub(crate) fn endless_expression(source: &EffectSource, lexed: &Lexed) -> Option<Diagnostic> {
    let ends = |t: &Token| matches!(t.kind, Kind::Punct(b',' | b';' | b'{' | b'}'));
    let in_lines = lexed.directives.iter().map(|d| d.tokens.as_slice());
    std::iter::once(lexed.tokens.as_slice())
        .chain(in_lines)
        .flat_map(|tokens| tokens.split(ends))
        .find(|expression| expression.len() > MAX_EXPRESSION)
        .map(|expression| {
            let message =
                format!("this expression has {} parts, more than {MAX_EXPRESSION}", expression.len());
            source
                .diagnostic_at(Severity::Error, expression[0].start, message)
                .with_suggestion("split it over several statements, or write a loop")
        })
}

/// Everything in the source that must be changed before it can run.
pub(crate) fn refusals(
    source: &EffectSource,
    declared: &Declarations,
    uses: &Uses,
    form: EffectForm,
) -> Vec<Diagnostic> {
    let globals = declared.globals.iter().filter(|g| g.is_external());
    let mut found: Vec<Diagnostic> = globals.filter_map(|g| global(source, g, form)).collect();
    found.extend(uses.free.iter().filter_map(|f| free_name(source, f, form)));
    // DXC 1.8 crashes on it.
    found.extend(uses.local_semantics.iter().map(|&at| {
        source
            .diagnostic_at(Severity::Error, at, "a local variable cannot have a semantic")
            .with_suggestion("write `=` to give it a value")
    }));
    found
}

fn global(source: &EffectSource, global: &Global, form: EffectForm) -> Option<Diagnostic> {
    let refuse = |message: String, suggestion: String| {
        Some(source.diagnostic_at(Severity::Error, global.name_at, message).with_suggestion(suggestion))
    };
    let (name, ty) = (&global.name, global.ty.base.as_str());
    if name.starts_with("streamlib_") {
        let suggestion = format!("call it `{}`", name.trim_start_matches("streamlib_"));
        return refuse(format!("`{name}`: names that start with `streamlib_` are taken"), suggestion);
    }
    if let Some(uniform) = FrameUniform::ALL.into_iter().find(|u| u.name() == name) {
        let expected = uniform.hlsl_type();
        let fits = global.dimensions == 0 && (ty == expected || numeric_type(ty) == numeric_type(expected));
        if !fits {
            let found = &global.ty.text;
            return refuse(
                format!("`{name}` is set for every frame and is a `{expected}`, not a `{found}`"),
                format!("declare `{expected} {name};`, or rename the parameter"),
            );
        }
    }
    if let Some(numeric) = numeric_type(ty) {
        if numeric.is_matrix && numeric.scalar != Scalar::Float {
            return refuse(
                format!("parameter `{name}` is a `{ty}`: a matrix parameter has floats"),
                format!("use `float{}x{}`, or an array of vectors", numeric.rows, numeric.columns),
            );
        }
        if global.dimensions > 1 {
            let suggestion = "use one dimension and compute the index".to_owned();
            return refuse(
                format!("parameter `{name}` has {} array dimensions", global.dimensions),
                suggestion,
            );
        }
        return None;
    }
    match ty {
        "Texture2D" | "sampler2D" | "SamplerState" | "sampler" | "StructuredBuffer" | "RWTexture2D"
            if global.dimensions > 0 =>
        {
            let suggestion = "declare one variable for each".to_owned();
            refuse(
                format!("`{name}` is an array of `{ty}`: textures, samplers and buffers are found by name"),
                suggestion,
            )
        }
        "RWTexture2D" if form == EffectForm::Pixel => refuse(
            format!("a pixel effect cannot write to `{name}`: its result is what `main` returns"),
            "use the compute form: `[numthreads(8, 8, 1)] void main(uint3 id : SV_DispatchThreadID)`"
                .to_owned(),
        ),
        "double" | "float64_t" | "int64_t" | "uint64_t" | "int16_t" | "uint16_t" | "float16_t" => refuse(
            format!("parameter `{name}` is a `{ty}`: parameters are 32 bits wide"),
            "use `float`, `int` or `uint`".to_owned(),
        ),
        "ConstantBuffer" => refuse(
            format!("`{name}`: `ConstantBuffer` is not supported"),
            "declare its members as globals, or in a `cbuffer`".to_owned(),
        ),
        _ if is_other_resource(ty) => refuse(
            format!("`{name}` is a `{ty}`, which nothing can be bound to"),
            "an effect has Texture2D, RWTexture2D, SamplerState and StructuredBuffer".to_owned(),
        ),
        _ => None,
    }
}

fn is_other_resource(ty: &str) -> bool {
    const OTHERS: &[&str] = &[
        "Texture1D",
        "Texture1DArray",
        "Texture2DArray",
        "Texture2DMS",
        "Texture2DMSArray",
        "Texture3D",
        "TextureCube",
        "TextureCubeArray",
        "RWTexture1D",
        "RWTexture1DArray",
        "RWTexture2DArray",
        "RWTexture3D",
        "Buffer",
        "RWBuffer",
        "RWStructuredBuffer",
        "ByteAddressBuffer",
        "RWByteAddressBuffer",
        "AppendStructuredBuffer",
        "ConsumeStructuredBuffer",
        "SamplerComparisonState",
        "RaytracingAccelerationStructure",
        "texture",
        "sampler1D",
        "sampler3D",
        "samplerCUBE",
        "SubpassInput",
    ];
    OTHERS.contains(&ty)
}

fn free_name(source: &EffectSource, free: &FreeName, form: EffectForm) -> Option<Diagnostic> {
    let (message, suggestion) = match free.name.as_str() {
        name if free.role == Role::Call && DERIVATIVES.contains(&name) => (
            format!("`{name}` is not available: effects run as compute, which has no derivatives"),
            "take the difference of two neighbouring samples, one pixel (1 / resolution) apart",
        ),
        "discard" if form == EffectForm::Pixel => (
            "`discard` is not available: an effect gives every pixel a value".to_owned(),
            "return the input's colour, or float4(0, 0, 0, 0)",
        ),
        "clip" if free.role == Role::Call => (
            "`clip` is not available: an effect gives every pixel a value".to_owned(),
            "return the input's colour, or float4(0, 0, 0, 0)",
        ),
        _ => return None,
    };
    Some(source.diagnostic_at(Severity::Error, free.at, message).with_suggestion(suggestion))
}
