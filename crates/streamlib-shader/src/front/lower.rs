//! Turns the author's text into the text that DXC compiles.

use std::collections::HashSet;
use std::fmt::Write as _;

use streamlib_core::interface::{AddressMode, EffectForm, Filter, FrameUniform, Scalar};

use super::annotation;
use super::constant::{Environment, evaluate};
use super::declarations::{Declarations, Global};
use super::edit::{Edits, Lowered};
use super::entry::{self, Entry, WRAPPER_OUTPUT};
use super::lexer::{Lexed, lex};
use super::parse::declarations;
use super::refuse::{endless_expression, refusals};
use super::types::numeric_type;
use super::uses::{Role, Uses, uses};
use crate::diagnostic::{Diagnostic, Severity};
use crate::error::CompileError;
use crate::source::EffectSource;

/// The name of the sampler behind `tex2D`.
const DEFAULT_SAMPLER: &str = "streamlib_sampler";

/// What DXC compiles, and what the author said that DXC does not know.
#[derive(Debug)]
pub(crate) struct Front {
    pub(crate) lowered: Lowered,
    pub(crate) form: EffectForm,
    /// Function to compile.
    pub(crate) function: &'static str,
    pub(crate) description: String,
    /// Everything that can be bound or set, in source order, those of the prelude first.
    pub(crate) globals: Vec<GlobalFacts>,
    pub(crate) warnings: Vec<Diagnostic>,
}

/// What the source says about a global.
#[derive(Debug, Default)]
pub(crate) struct GlobalFacts {
    pub(crate) name: String,
    /// Name of the port, where it differs.
    pub(crate) port: Option<&'static str>,
    /// Place of its name in the flat text; `None` in the prelude.
    pub(crate) at: Option<usize>,
    /// Type of its numbers, where the name of the type says it.
    pub(crate) scalar: Option<Scalar>,
    pub(crate) default: Option<Vec<f64>>,
    pub(crate) min: Option<f64>,
    pub(crate) max: Option<f64>,
    pub(crate) description: Option<String>,
    pub(crate) filter: Filter,
    pub(crate) address: AddressMode,
}

/// Lowers `source`.
pub(crate) fn lower(source: &EffectSource) -> Result<Front, CompileError> {
    let text = source.text();
    let lexed = lex(text);
    if let Some(too_long) = endless_expression(source, &lexed) {
        return Err(CompileError::rejected(source, vec![too_long]));
    }
    let declared = declarations(text, &lexed);
    let Entry { form, function, wrapper } = entry::find(source, &declared)?;
    let uses = uses(text, &lexed, &declared);
    let refused = refusals(source, &declared, &uses, form);
    if !refused.is_empty() {
        return Err(CompileError::rejected(source, refused));
    }
    let mut warnings = Vec::new();
    let (prelude, mut globals) = prelude(&uses, form);
    let environment = environment(text, &lexed, &declared);
    let mut seen = HashSet::new();
    for global in declared.globals.iter().filter(|g| is_settable(g) && seen.insert(&g.name)) {
        let reader = FactsReader { source, lexed: &lexed, environment: &environment };
        globals.push(reader.read(global, &mut warnings));
    }
    if form == EffectForm::Pixel {
        let output =
            GlobalFacts { name: WRAPPER_OUTPUT.to_owned(), port: Some("output"), ..GlobalFacts::default() };
        globals.push(output);
    }
    let lowered = edits(text, &lexed, &declared, &uses).apply(text, &prelude, &wrapper);
    let description = annotation::header(source.main_text());
    Ok(Front { lowered, form, function, description, globals, warnings })
}

/// Whether a global is the host's to set. One that is `const` with a value is a constant, with or without `static`.
fn is_settable(global: &Global) -> bool {
    global.is_external() && !is_implied_static(global)
}

fn is_implied_static(global: &Global) -> bool {
    let is_asked_for = global.has("extern") || global.has("uniform");
    global.is_external() && global.has("const") && global.initializer.is_some() && !is_asked_for
}

fn edits(text: &str, lexed: &Lexed, declared: &Declarations, uses: &Uses) -> Edits {
    let mut edits = Edits::default();
    let mut made_static = HashSet::new();
    for global in &declared.globals {
        if is_implied_static(global) {
            if made_static.insert(global.start) {
                edits.insert(global.start, "static ");
            }
        } else if is_settable(global) {
            global.blank.iter().for_each(|range| edits.blank(text, range.clone()));
        }
    }
    for block in &declared.constant_buffers {
        edits.blank(text, block.opening.clone());
        edits.blank(text, block.closing.clone());
    }
    for at in &uses.sampler2d {
        edits.replace(*at..at + "sampler2D".len(), "Texture2D");
    }
    for call in &uses.sample_calls {
        edits.insert(call.after_name, "Level");
        edits.insert(call.after_uv, ", 0");
    }
    for directive in &lexed.directives {
        let word = |n: usize| directive.tokens.get(n).map_or("", |t| t.text(text));
        // Places are counted in this text, so the author's own numbering would mislead; and it is one file now.
        if word(0) == "line" || (word(0) == "pragma" && word(1) == "once") {
            edits.blank(text, directive.start..directive.end);
        }
    }
    edits
}

/// Declares what the author uses and does not declare.
fn prelude(uses: &Uses, form: EffectForm) -> (String, Vec<GlobalFacts>) {
    // hassle-rs reads a null pointer when the compiler has nothing to say: this makes it say something.
    let mut text = "#warning streamlib\n".to_owned();
    let mut globals = Vec::new();
    let mut declared = HashSet::new();
    let mut lookups = Vec::new();
    let has_input = uses.free.iter().any(|f| f.name == "input" && f.role != Role::Call);
    for free in &uses.free {
        let name = free.name.as_str();
        let uniform = FrameUniform::ALL.into_iter().find(|u| u.name() == name);
        let is_port = matches!(name, "input" | "input_texture") || free.role == Role::Texture;
        let (ty, port) = match (free.role, uniform) {
            (Role::Call, _) => {
                if super::uses::LEGACY_LOOKUPS.contains(&name) && !lookups.contains(&name) {
                    lookups.push(name);
                }
                continue;
            }
            (_, Some(uniform)) => (uniform.hlsl_type(), None),
            // The older spelling of the default port.
            _ if name == "input_texture" && has_input => {
                if declared.insert(name) {
                    text.push_str("#define input_texture input\n");
                }
                continue;
            }
            _ if name == "input_texture" => ("Texture2D<float4>", Some("input")),
            _ if is_port => ("Texture2D<float4>", None),
            _ if name == "output" && form == EffectForm::Compute => ("RWTexture2D<float4>", None),
            (Role::Sampler, _) => ("SamplerState", None),
            _ => continue,
        };
        if declared.insert(name) {
            let _ = writeln!(text, "{ty} {name};");
            globals.push(GlobalFacts { name: name.to_owned(), port, ..GlobalFacts::default() });
        }
    }
    if !lookups.is_empty() {
        let _ = writeln!(text, "SamplerState {DEFAULT_SAMPLER};");
        globals.push(GlobalFacts { name: DEFAULT_SAMPLER.to_owned(), ..GlobalFacts::default() });
    }
    for lookup in lookups {
        let (parameter, uv, level) = match lookup {
            "tex2D" => ("float2 uv", "uv", "0.0"),
            _ => ("float4 uv", "uv.xy", "uv.w"),
        };
        let _ = writeln!(
            text,
            "float4 {lookup}(Texture2D<float4> t, {parameter}) {{ return t.SampleLevel({DEFAULT_SAMPLER}, {uv}, {level}); }}"
        );
    }
    (text, globals)
}

/// Names that a default may use: macros without parameters, and constants of the program.
fn environment<'a>(text: &'a str, lexed: &'a Lexed, declared: &'a Declarations) -> Environment<'a> {
    let mut environment = Environment::new();
    for directive in &lexed.directives {
        if let [define, name, body @ ..] = directive.tokens.as_slice()
            && define.text(text) == "define"
        {
            environment.insert(name.text(text), body);
        }
    }
    for global in declared.globals.iter().filter(|g| g.has("const")) {
        if let Some(range) = &global.initializer {
            environment.insert(&global.name, lexed.slice(range));
        }
    }
    environment
}

struct FactsReader<'a> {
    source: &'a EffectSource,
    lexed: &'a Lexed,
    environment: &'a Environment<'a>,
}

impl FactsReader<'_> {
    fn read(&self, global: &Global, warnings: &mut Vec<Diagnostic>) -> GlobalFacts {
        let text = self.source.text();
        let mut facts = GlobalFacts {
            name: global.name.clone(),
            at: Some(global.name_at),
            scalar: numeric_type(&global.ty.base).map(|t| t.scalar),
            description: annotation::doc_comment(text, &self.lexed.comments, global.start),
            ..GlobalFacts::default()
        };
        if let Some(range) = &global.initializer {
            facts.default = evaluate(text, self.lexed.slice(range), self.environment);
            if facts.default.is_none() {
                let at = self.lexed.tokens.get(range.start).map_or(global.name_at, |t| t.start);
                let message = format!(
                    "the default of `{}` is not a constant that can be read here; it starts at 0",
                    global.name
                );
                warnings.push(
                    self.source.diagnostic_at(Severity::Warning, at, message).with_suggestion(
                        "write numbers, + - * /, and constructors such as float3(1, 0.5, 0)",
                    ),
                );
            }
        }
        for property in annotation::properties(text, self.lexed, global) {
            match property.key.as_str() {
                "min" | "uimin" => facts.min = property.number(text, self.environment),
                "max" | "uimax" => facts.max = property.number(text, self.environment),
                "description" | "uitooltip" => facts.description = property.text(text).or(facts.description),
                "filter" | "minfilter" | "magfilter" => {
                    facts.filter = annotation::filter(&property.word(text)).unwrap_or(facts.filter);
                }
                "address" | "addressu" | "addressv" => {
                    facts.address = annotation::address(&property.word(text)).unwrap_or(facts.address);
                }
                _ => {}
            }
        }
        facts
    }
}
