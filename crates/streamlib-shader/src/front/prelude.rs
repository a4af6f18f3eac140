//! Declares what authors use and do not declare.

use std::collections::HashSet;
use std::fmt::Write as _;

use streamlib_core::interface::{EffectForm, FrameUniform};

use super::lower::GlobalFacts;
use super::uses::{LEGACY_LOOKUPS, Role, Uses};

/// hassle-rs reads a null pointer when the compiler has nothing to say: this makes it say something.
pub(crate) const FIRST_LINE: &str = "#warning streamlib\n";
/// The older spelling of the default port.
pub(crate) const OLD_INPUT: &str = "input_texture";
/// The name of the sampler behind `tex2D`.
pub(crate) const DEFAULT_SAMPLER: &str = "streamlib_sampler";

/// What is declared for the author.
#[derive(Debug, Default)]
pub(crate) struct Prelude<'a> {
    pub(crate) declarations: Vec<Declaration<'a>>,
    /// Whether `input_texture` is a second name of `input`.
    pub(crate) has_old_input: bool,
    /// Which of [`LEGACY_LOOKUPS`] to define.
    pub(crate) lookups: Vec<&'a str>,
}

/// A variable that the author uses and does not declare.
#[derive(Debug)]
pub(crate) struct Declaration<'a> {
    pub(crate) ty: &'static str,
    pub(crate) name: &'a str,
    /// Name of the port, where it differs.
    pub(crate) port: Option<&'static str>,
}

impl<'a> Prelude<'a> {
    /// What `uses` lacks.
    pub(crate) fn of(uses: &'a Uses, form: EffectForm) -> Self {
        let mut prelude = Self::default();
        let mut declared = HashSet::new();
        let has_input = uses.free.iter().any(|f| f.name == "input" && f.role != Role::Call);
        for free in &uses.free {
            let name = free.name.as_str();
            let uniform = FrameUniform::ALL.into_iter().find(|u| u.name() == name);
            let is_port = matches!(name, "input" | OLD_INPUT) || free.role == Role::Texture;
            let (ty, port) = match (free.role, uniform) {
                (Role::Call, _) => {
                    if LEGACY_LOOKUPS.contains(&name) && !prelude.lookups.contains(&name) {
                        prelude.lookups.push(name);
                    }
                    continue;
                }
                (_, Some(uniform)) => (uniform.hlsl_type(), None),
                _ if name == OLD_INPUT && has_input => {
                    prelude.has_old_input = true;
                    continue;
                }
                _ if name == OLD_INPUT => ("Texture2D<float4>", Some("input")),
                _ if is_port => ("Texture2D<float4>", None),
                _ if name == "output" && form == EffectForm::Compute => ("RWTexture2D<float4>", None),
                (Role::Sampler, _) => ("SamplerState", None),
                _ => continue,
            };
            if declared.insert(name) {
                prelude.declarations.push(Declaration { ty, name, port });
            }
        }
        prelude
    }

    /// Whether `input_texture` is the default port, beside `input` or in its place.
    pub(crate) fn has_two_inputs(&self) -> bool {
        self.has_old_input || self.declarations.iter().any(|d| d.port.is_some())
    }

    /// Whether a texture called `name` is declared.
    pub(crate) fn declares_texture(&self, name: &str) -> bool {
        self.declarations.iter().any(|d| d.name == name && d.ty.starts_with("Texture2D"))
    }

    /// As HLSL.
    pub(crate) fn text(&self) -> String {
        let mut text = FIRST_LINE.to_owned();
        for Declaration { ty, name, .. } in &self.declarations {
            let _ = writeln!(text, "{ty} {name};");
        }
        if self.has_old_input {
            let _ = writeln!(text, "#define {OLD_INPUT} input");
        }
        text + &lookup_functions(&self.lookups)
    }

    /// The facts about what is declared.
    pub(crate) fn globals(&self) -> Vec<GlobalFacts> {
        let mut globals: Vec<GlobalFacts> = self.declarations.iter().map(Declaration::facts).collect();
        if !self.lookups.is_empty() {
            globals.push(GlobalFacts { name: DEFAULT_SAMPLER.to_owned(), ..GlobalFacts::default() });
        }
        globals
    }
}

impl Declaration<'_> {
    fn facts(&self) -> GlobalFacts {
        let port = self.port.map(str::to_owned);
        GlobalFacts { name: self.name.to_owned(), port, ..GlobalFacts::default() }
    }
}

/// The functions of the older spelling, with the sampler behind them.
pub(crate) fn lookup_functions(lookups: &[&str]) -> String {
    let mut text = String::new();
    if !lookups.is_empty() {
        let _ = writeln!(text, "SamplerState {DEFAULT_SAMPLER};");
    }
    for lookup in lookups {
        let (parameter, uv, level) = match *lookup {
            "tex2D" => ("float2 uv", "uv", "0.0"),
            _ => ("float4 uv", "uv.xy", "uv.w"),
        };
        let _ = writeln!(
            text,
            "float4 {lookup}(Texture2D<float4> t, {parameter}) {{ return t.SampleLevel({DEFAULT_SAMPLER}, {uv}, {level}); }}"
        );
    }
    text
}
