//! The entry point: finds `main`, tells the two forms apart, and writes the compute wrapper of the pixel form.

use std::fmt::Write as _;

use streamlib_core::interface::{EffectForm, Scalar};

use super::declarations::{Declarations, Function, FunctionParameter};
use super::lower::GlobalFacts;
use super::types::numeric_type;
use crate::diagnostic::{Diagnostic, Severity};
use crate::error::CompileError;
use crate::source::EffectSource;

/// Threads in a group of the pixel form, as compiled; a backend may change it.
pub(crate) const GROUP: [u32; 3] = [16, 16, 1];
/// A specialisation constant of the wrapper, a uint.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Constant {
    pub(crate) id: u32,
    pub(crate) name: &'static str,
    /// Its value where a backend sets none.
    pub(crate) value: u32,
}

/// All of them: the members of [`OPTIONS_BLOCK`], in order.
pub(crate) const OPTIONS: [Constant; 3] = [ENCODE_SRGB, ROWS, LOADS];
/// Whether the wrapper encodes sRGB.
pub(crate) const ENCODE_SRGB: Constant = Constant { id: 1000, name: "streamlib_encode_srgb", value: 0 };
/// Rows of pixels that one thread computes.
pub(crate) const ROWS: Constant = Constant { id: 1001, name: "streamlib_rows", value: 1 };
/// Whether local lookups load the texel at the pixel's own place.
pub(crate) const LOADS: Constant = Constant { id: 1002, name: "streamlib_loads", value: 0 };
/// The function that a local lookup calls.
pub(crate) const LOCAL_LOOKUP: &str = "streamlib_lookup";
/// Name of the wrapper.
pub(crate) const WRAPPER: &str = "streamlib_main";
/// Name of the texture that the wrapper writes.
pub(crate) const WRAPPER_OUTPUT: &str = "streamlib_output";
/// The block in which the wrapper looks up its options; `crate::spirv` puts specialisation constants in its place, because
/// DXC makes such a constant a member of `$Globals`.
pub(crate) const OPTIONS_BLOCK: &str = "streamlib_options";

const PIXEL_SHAPE: &str = "float4 main(float2 uv : TEXCOORD) : SV_Target { return tex2D(input, uv); }";

/// An entry point that this crate knows how to run.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) form: EffectForm,
    /// Name of the function that DXC is to compile.
    pub(crate) function: &'static str,
    /// How the pixel form is called.
    pub(crate) call: Option<Call>,
}

/// The author's `main`, called: HLSL in which `streamlib_position` and `streamlib_size` are known.
#[derive(Debug)]
pub(crate) struct Call {
    /// Statements before it.
    pub(crate) statements: String,
    /// Its result as a `float4`.
    pub(crate) color: String,
}

impl Call {
    /// HLSL to append to the author's text.
    pub(crate) fn wrapper(&self, pixels: Pixels) -> String {
        wrapper_text(&self.statements, &self.color, pixels)
    }
}

/// How many pixels one thread may compute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pixels {
    /// One: the effect has variables that would keep their values from one pixel to the next.
    One,
    /// As many as the backend chooses.
    Any,
}

/// Declarations before the author's text: the wrapper's options, and what stands for local lookups.
pub(crate) fn wrapper_prelude() -> String {
    let members: String = OPTIONS.iter().map(|option| format!("uint {}; ", option.name)).collect();
    let loads = LOADS.name;
    // Filtering at the middle of a texel gives the texel, so both ways give the same pixels; a load costs less. Measured with
    // a 4K sepia on an H100: 28.4 µs against 30.4; at 1080p on lavapipe 9.5 ms against 18.1.
    format!(
        "cbuffer {OPTIONS_BLOCK} {{ {members}}}\nstatic uint2 streamlib_at;\n\
         float4 {LOCAL_LOOKUP}(Texture2D<float4> t, SamplerState s, float2 uv, float level) {{ \
         if ({loads} != 0) return t.Load(int3(streamlib_at, 0)); return t.SampleLevel(s, uv, level); }}\n"
    )
}

/// What there is to say about the texture that the wrapper writes.
pub(crate) fn output_facts() -> GlobalFacts {
    GlobalFacts { name: WRAPPER_OUTPUT.to_owned(), port: Some("output".to_owned()), ..GlobalFacts::default() }
}

/// The function that is the entry point, if there is one.
pub(crate) fn main_function(declared: &Declarations) -> Option<&Function> {
    declared.functions.iter().rev().find(|f| f.name == "main" && f.has_body)
}

/// Finds the entry point of `declared`.
pub(crate) fn find(source: &EffectSource, declared: &Declarations) -> Result<Entry, CompileError> {
    let Some(main) = main_function(declared) else {
        return Err(no_entry_point(source, declared));
    };
    if main.has_numthreads {
        return Ok(Entry { form: EffectForm::Compute, function: "main", call: None });
    }
    match call(source, main) {
        Ok(call) => Ok(Entry { form: EffectForm::Pixel, function: WRAPPER, call: Some(call) }),
        Err(diagnostic) => Err(CompileError::rejected(source, vec![*diagnostic])),
    }
}

fn no_entry_point(source: &EffectSource, declared: &Declarations) -> CompileError {
    let candidate = declared.functions.iter().find(|f| {
        f.has_numthreads || f.semantic.as_deref().is_some_and(|s| s.eq_ignore_ascii_case("SV_Target"))
    });
    let message = "the effect has no entry point: there is no function `main`";
    let diagnostic = match candidate {
        Some(f) => source
            .diagnostic_at(Severity::Error, f.name_at, message)
            .with_suggestion(format!("rename `{}` to `main`", f.name)),
        None => source.diagnostic_whole(Severity::Error, message).with_suggestion(format!(
            "write `{PIXEL_SHAPE}`, or `[numthreads(8, 8, 1)] void main(uint3 id : SV_DispatchThreadID)`"
        )),
    };
    CompileError::NoEntryPoint { diagnostics: vec![diagnostic] }
}

/// Components of a float scalar or vector type.
fn float_columns(ty: &str) -> Option<u32> {
    numeric_type(ty).filter(|t| t.scalar == Scalar::Float && !t.is_matrix).map(|t| t.columns)
}

fn call(source: &EffectSource, main: &Function) -> Result<Call, Box<Diagnostic>> {
    let refuse = |at, message: String, suggestion: &str| {
        Box::new(source.diagnostic_at(Severity::Error, at, message).with_suggestion(suggestion))
    };
    let mut arguments = Vec::new();
    let mut out_columns = None;
    for parameter in &main.parameters {
        match argument(parameter) {
            Some(Argument::In(expression)) => arguments.push(expression),
            Some(Argument::Out(columns)) if out_columns.is_none() => {
                arguments.push("streamlib_result".to_owned());
                out_columns = Some((columns, parameter.ty.base.as_str()));
            }
            _ => {
                let semantic = parameter.semantic.as_ref().map(|s| format!(" : {s}")).unwrap_or_default();
                let (ty, name) = (&parameter.ty.text, &parameter.name);
                let suggestion = if parameter.semantic.is_none() && ty == "float2" {
                    format!("write `float2 {name} : TEXCOORD`")
                } else {
                    "a pixel effect takes `float2 uv : TEXCOORD`, `float4 position : SV_Position`, or nothing"
                        .to_owned()
                };
                let message = format!("`main` cannot take `{ty} {name}{semantic}`");
                return Err(refuse(parameter.at, message, &suggestion));
            }
        }
    }
    let call = format!("main({})", arguments.join(", "));
    let (statements, value, columns) = match (out_columns, main.returns.base.as_str()) {
        (Some((columns, ty)), "void") => {
            (format!("{ty} streamlib_result; {call}; "), "streamlib_result".to_owned(), columns)
        }
        (None, ty) if float_columns(ty).is_some() => (String::new(), call, float_columns(ty).unwrap_or(4)),
        (_, "void") => {
            return Err(refuse(
                main.name_at,
                "`main` returns nothing, and no `[numthreads(...)]` stands before it".to_owned(),
                "pixel form: return a `float4 : SV_Target`; compute form: write `[numthreads(8, 8, 1)]` before `void main`",
            ));
        }
        (_, ty) => {
            let message = format!("`main` cannot return `{ty}`");
            return Err(refuse(
                main.name_at,
                message,
                "return `float4`, `float3` or `float`, as `: SV_Target`",
            ));
        }
    };
    let color = match columns {
        4 => value,
        3 => format!("float4({value}, 1.0)"),
        1 => format!("float4(({value}).xxx, 1.0)"),
        _ => {
            let message = "a pixel effect cannot give two components".to_owned();
            return Err(refuse(
                main.name_at,
                message,
                "return `float4`, `float3` (opaque) or `float` (grey)",
            ));
        }
    };
    if let Some(semantic) = main.semantic.as_deref().filter(|s| !is_target(s)) {
        let message = format!("`main` cannot return a `{semantic}`");
        return Err(refuse(main.name_at, message, "write `: SV_Target`"));
    }
    Ok(Call { statements, color })
}

enum Argument {
    In(String),
    /// Components of the `out` colour.
    Out(u32),
}

fn is_target(semantic: &str) -> bool {
    ["SV_Target", "SV_Target0", "COLOR", "COLOR0"].iter().any(|s| s.eq_ignore_ascii_case(semantic))
}

fn argument(parameter: &FunctionParameter) -> Option<Argument> {
    let semantic = parameter.semantic.as_deref()?;
    let is = |names: &[&str]| names.iter().any(|n| n.eq_ignore_ascii_case(semantic));
    let columns = float_columns(&parameter.ty.base)?;
    let has = |modifier: &str| parameter.modifiers.iter().any(|m| m == modifier);
    if has("out") {
        return (is_target(semantic)).then_some(Argument::Out(columns));
    }
    if has("inout") || has("uniform") {
        return None;
    }
    let expression = match columns {
        2 if is(&["TEXCOORD", "TEXCOORD0"]) => "streamlib_position / float2(streamlib_size)",
        2 if is(&["SV_Position", "VPOS"]) => "streamlib_position",
        4 if is(&["SV_Position", "VPOS"]) => "float4(streamlib_position, 0.0, 1.0)",
        _ => return None,
    };
    Some(Argument::In(expression.to_owned()))
}

/// Runs the author's `main` once per pixel. Nothing in it depends on the group size.
///
/// There is no branch around a pixel, so that a thread can have all its loads under way at once: outside the picture it
/// computes an edge pixel again, and its store has no effect (Vulkan: texel output coordinate validation). Measured on an H100
/// with eight fused effects at 4K, four pixels a thread: 34.8 µs, 46.7 with a branch.
fn wrapper_text(statements: &str, color: &str, pixels: Pixels) -> String {
    let [x, y, z] = GROUP;
    let (encode, rows) = (ENCODE_SRGB.name, ROWS.name);
    // The piecewise curve of IEC 61966-2-1, not a power of 2.2.
    // Two line breaks: the author's text may end in a backslash, which joins lines.
    let mut text = format!(
        "\n\nRWTexture2D<float4> {WRAPPER_OUTPUT};\n\
         float streamlib_srgb(float c) {{ c = saturate(c); \
         return c <= 0.0031308 ? 12.92 * c : 1.055 * pow(c, 1.0 / 2.4) - 0.055; }}\n"
    );
    let (opening, row, closing) = match pixels {
        Pixels::One => (String::new(), "streamlib_id.y".to_owned(), ""),
        // Without the hint the H100's driver keeps the loop, and the eight effects take 49 µs.
        Pixels::Any => (
            format!("[unroll] for (uint streamlib_i = 0; streamlib_i < {rows}; ++streamlib_i) {{\n"),
            format!("streamlib_id.y * {rows} + streamlib_i"),
            "}\n",
        ),
    };
    let _ = write!(
        text,
        "[numthreads({x}, {y}, {z})] void {WRAPPER}(uint3 streamlib_id : SV_DispatchThreadID) {{\n\
         uint2 streamlib_size; {WRAPPER_OUTPUT}.GetDimensions(streamlib_size.x, streamlib_size.y);\n\
         {opening}uint2 streamlib_to = uint2(streamlib_id.x, {row});\n\
         streamlib_at = min(streamlib_to, streamlib_size - 1);\n\
         float2 streamlib_position = float2(streamlib_at) + 0.5;\n\
         {statements}float4 streamlib_color = {color};\n\
         if ({encode} != 0) streamlib_color = float4(streamlib_srgb(streamlib_color.r), \
         streamlib_srgb(streamlib_color.g), streamlib_srgb(streamlib_color.b), streamlib_color.a);\n\
         {WRAPPER_OUTPUT}[streamlib_to] = streamlib_color;\n{closing}}}\n"
    );
    text
}
