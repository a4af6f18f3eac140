//! Turns the author's text into the text that DXC compiles.

use std::collections::HashSet;
use std::ops::Range;

use streamlib_core::interface::{AddressMode, EffectForm, Filter, Scalar};

use super::annotation;
use super::constant::{Environment, evaluate};
use super::declarations::{Declarations, Global};
use super::edit::{Edits, Lowered};
use super::entry::{self, Entry, Pixels};
use super::lexer::{Lexed, lex};
use super::local::local_reads;
use super::parse::declarations;
use super::prelude::Prelude;
use super::refuse::{endless_expression, refusals};
use super::types::numeric_type;
use super::uses::{Uses, uses};
use crate::diagnostic::{Diagnostic, Severity};
use crate::error::CompileError;
use crate::source::EffectSource;

/// The constant by which the compute form says how many pixels one thread computes in x and y, and its greatest number.
const PIXELS_PER_THREAD: &str = "pixels_per_thread";
const MAX_PIXELS: f64 = 64.0;

/// What DXC compiles, and what the author said that DXC does not know.
#[derive(Debug)]
pub(crate) struct Front {
    pub(crate) lowered: Lowered,
    pub(crate) form: EffectForm,
    /// How many pixels one thread of the pixel form may compute.
    pub(crate) pixels: Pixels,
    /// Pixels that one thread computes, as compiled.
    pub(crate) pixels_per_thread: [u32; 2],
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
    /// Name in the interface, where it differs.
    pub(crate) port: Option<String>,
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
    /// Whether it is a texture that is read at the pixel's own position only.
    pub(crate) is_local: bool,
}

impl GlobalFacts {
    /// Its name in the interface.
    pub(crate) fn public_name(&self) -> &str {
        self.port.as_deref().unwrap_or(&self.name)
    }
}

/// An effect's text, read but not changed.
#[derive(Debug)]
pub(crate) struct Reading<'a> {
    pub(crate) source: &'a EffectSource,
    pub(crate) lexed: Lexed,
    pub(crate) declared: Declarations,
    pub(crate) uses: Uses,
    pub(crate) entry: Entry,
}

impl<'a> Reading<'a> {
    /// Reads `source`, or refuses it.
    pub(crate) fn of(source: &'a EffectSource) -> Result<Self, CompileError> {
        let text = source.text();
        let lexed = lex(text);
        if let Some(too_long) = endless_expression(source, &lexed) {
            return Err(CompileError::rejected(source, vec![too_long]));
        }
        let declared = declarations(text, &lexed);
        let entry = entry::find(source, &declared)?;
        let uses = uses(text, &lexed, &declared);
        let refused = refusals(source, &declared, &uses, entry.form);
        if !refused.is_empty() {
            return Err(CompileError::rejected(source, refused));
        }
        Ok(Self { source, lexed, declared, uses, entry })
    }

    /// What is declared for the author.
    pub(crate) fn prelude(&self) -> Prelude<'_> {
        Prelude::of(&self.uses, self.entry.form)
    }

    /// Everything that can be bound or set, in source order, those of the prelude first.
    pub(crate) fn globals(&self, warnings: &mut Vec<Diagnostic>) -> Vec<GlobalFacts> {
        let mut globals = self.prelude().globals();
        let environment = environment(self.source.text(), &self.lexed, &self.declared);
        let mut seen = HashSet::new();
        let reader = FactsReader { source: self.source, lexed: &self.lexed, environment: &environment };
        for global in self.declared.globals.iter().filter(|g| is_settable(g) && seen.insert(&g.name)) {
            globals.push(reader.read(global, warnings));
        }
        for global in &mut globals {
            global.is_local = local_reads(self, &global.name).is_some();
        }
        globals
    }

    /// The bytes of each declaration of textures.
    pub(crate) fn texture_declarations(&self) -> impl Iterator<Item = Range<usize>> {
        let globals = &self.declared.globals;
        let textures = globals.iter().filter(|g| matches!(g.ty.base.as_str(), "Texture2D" | "sampler2D"));
        textures.filter(|g| is_settable(g)).filter_map(move |texture| {
            let same = || globals.iter().filter(|g| g.start == texture.start);
            let is_annotation = |at: usize| same().any(|g| g.blank.iter().any(|b| b.contains(&at)));
            let mut ends = self.lexed.tokens.iter().filter(|t| t.is(b';') && t.start > texture.name_at);
            Some(texture.start..ends.find(|t| !is_annotation(t.start))?.end)
        })
    }

    /// Makes the lookups of a local texture loads, where the wrapper's option says so.
    pub(crate) fn load_locally(&self, name: &str, edits: &mut Edits) {
        local_reads(self, name).unwrap_or_default().iter().for_each(|read| read.load(edits));
    }

    /// How many pixels one thread may compute: one where a variable could keep its value from one pixel to the next.
    pub(crate) fn pixels(&self) -> Pixels {
        let text = self.source.text();
        let lines = self.lexed.directives.iter().map(|d| d.tokens.as_slice());
        let is_constant = std::iter::once(self.lexed.tokens.as_slice()).chain(lines).all(|tokens| {
            let is = |at: Option<usize>, word| {
                at.and_then(|i| tokens.get(i)).is_some_and(|t| t.text(text) == word)
            };
            let mut statics =
                (0..tokens.len()).filter(|&i| matches!(tokens[i].text(text), "static" | "groupshared"));
            statics.all(|i| is(Some(i + 1), "const") || is(i.checked_sub(1), "const"))
        });
        if is_constant { Pixels::Any } else { Pixels::One }
    }

    /// Pixels that one thread of the compute form computes: the author's constant `pixels_per_thread`, otherwise one.
    fn pixels_per_thread(&self) -> Result<[u32; 2], CompileError> {
        let (text, name) = (self.source.text(), PIXELS_PER_THREAD);
        let constant = self.declared.globals.iter().find(|g| g.name == name && g.has("const"));
        let Some(global) = constant.filter(|_| self.entry.form == EffectForm::Compute) else {
            return Ok([1, 1]);
        };
        let environment = environment(text, &self.lexed, &self.declared);
        let tokens = global.initializer.as_ref().map(|range| self.lexed.slice(range));
        let value = tokens.and_then(|tokens| evaluate(text, tokens, &environment));
        let is_count = |n: &f64| (1.0..=MAX_PIXELS).contains(n) && n.fract() == 0.0;
        match value.as_deref() {
            Some([x, y]) if is_count(x) && is_count(y) => Ok([*x as u32, *y as u32]),
            _ => {
                let message = format!("`{name}` is not two whole numbers from 1 to {MAX_PIXELS}");
                let diagnostic = self.source.diagnostic_at(Severity::Error, global.name_at, message);
                let suggestion = format!("write `static const uint2 {name} = {{ 4, 1 }};`");
                Err(CompileError::rejected(self.source, vec![diagnostic.with_suggestion(suggestion)]))
            }
        }
    }

    /// The changes that make DXC accept the text.
    pub(crate) fn edits(&self) -> Edits {
        edits(self.source.text(), &self.lexed, &self.declared, &self.uses)
    }
}

/// Lowers `source`.
pub(crate) fn lower(source: &EffectSource) -> Result<Front, CompileError> {
    let reading = Reading::of(source)?;
    let form = reading.entry.form;
    let mut warnings = Vec::new();
    let mut globals = reading.globals(&mut warnings);
    let mut edits = reading.edits();
    let mut before = reading.prelude().text();
    let mut after = String::new();
    if let Some(call) = &reading.entry.call {
        for global in globals.iter().filter(|g| g.is_local) {
            reading.load_locally(&global.name, &mut edits);
        }
        globals.push(entry::output_facts());
        before.push_str(&entry::wrapper_prelude());
        after = call.wrapper(reading.pixels());
    }
    let lowered = edits.apply(source.text(), &before, &after);
    let description = annotation::header(source.main_text());
    Ok(Front {
        lowered,
        form,
        pixels: reading.pixels(),
        pixels_per_thread: reading.pixels_per_thread()?,
        function: reading.entry.function,
        description,
        globals,
        warnings,
    })
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
