//! Writes the HLSL of a fused kernel.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

use streamlib_core::interface::{EffectForm, FrameUniform};

use super::check::public_name;
use super::{FuseError, Stage, StageInput};
use crate::front::edit::Edits;
use crate::front::entry::{Call, Pixels, WRAPPER, output_facts, wrapper_prelude};
use crate::front::lexer::Token;
use crate::front::local::{is_plain_texture, local_reads, names_of};
use crate::front::lower::{Front, GlobalFacts, Reading};
use crate::front::prelude::{DEFAULT_SAMPLER, FIRST_LINE, OLD_INPUT, lookup_functions};
use crate::front::uses::LEGACY_LOOKUPS;
use crate::source::EffectSource;

/// The text of a fused kernel, as a source of its own.
#[derive(Debug)]
pub(super) struct Fused {
    pub(super) source: EffectSource,
    pub(super) front: Front,
}

/// Writes `stages`, which have been checked.
pub(super) fn fuse(stages: &[Stage<'_>]) -> Result<Fused, FuseError> {
    let readings = stages.iter().map(|stage| Reading::of(stage.source)).collect::<Result<Vec<_>, _>>()?;
    let mut writer = Writer::default();
    for (stage, reading) in stages.iter().zip(&readings) {
        writer.textures(stage, reading)?;
    }
    for (index, (stage, reading)) in stages.iter().zip(&readings).enumerate() {
        writer.stage(index, stage, reading)?;
    }
    let names: Vec<&str> = stages.iter().map(|stage| stage.name).collect();
    let names = names.join(" + ");
    let can_repeat = readings.iter().all(|reading| reading.pixels() == Pixels::Any);
    let pixels = if can_repeat { Pixels::Any } else { Pixels::One };
    let (text, mut globals) = writer.finish(stages, pixels);
    globals.push(output_facts());
    let source = EffectSource::from_text(names.clone(), text);
    let front = Front {
        lowered: Edits::default().apply(source.text(), FIRST_LINE, ""),
        form: EffectForm::Pixel,
        pixels,
        pixels_per_thread: [1, 1],
        function: WRAPPER,
        description: format!("Fused: {names}"),
        globals,
        warnings: Vec::new(),
    };
    Ok(Fused { source, front })
}

/// An input texture of the fused kernel.
#[derive(Debug)]
struct Texture {
    name: String,
    is_local: bool,
}

#[derive(Debug, Default)]
struct Writer<'a> {
    /// The namespaces.
    text: String,
    textures: Vec<Texture>,
    /// Frame uniforms that authors use without declaring them; all stages share them.
    uniforms: Vec<FrameUniform>,
    lookups: HashSet<&'a str>,
    globals: Vec<GlobalFacts>,
}

impl<'a> Writer<'a> {
    /// Notes the textures that a stage reads. One is local where every stage reads it so.
    fn textures(&mut self, stage: &Stage<'a>, reading: &Reading<'_>) -> Result<(), FuseError> {
        let globals = reading.globals(&mut Vec::new());
        for (port, input) in stage.inputs {
            let StageInput::Texture(texture) = *input else { continue };
            let is_local = global_of(stage, &globals, port)?.is_local;
            match self.textures.iter_mut().find(|t| t.name == texture) {
                Some(texture) => texture.is_local &= is_local,
                None => self.textures.push(Texture { name: texture.to_owned(), is_local }),
            }
        }
        Ok(())
    }

    fn stage(&mut self, index: usize, stage: &Stage<'a>, reading: &Reading<'a>) -> Result<(), FuseError> {
        refuse_pragmas(stage, reading)?;
        let Some(call) = &reading.entry.call else {
            return Err(FuseError::NotPixel { stage: stage.name.to_owned() });
        };
        // The effects by themselves have warned already.
        let globals = reading.globals(&mut Vec::new());
        let mut edits = reading.edits();
        let mut names = Names::new(index, reading);
        // Its ports are values and shared textures from here on.
        reading.texture_declarations().for_each(|range| edits.blank(stage.source.text(), range));
        for (port, input) in stage.inputs {
            let global = global_of(stage, &globals, port)?;
            match *input {
                StageInput::Stage(earlier) => {
                    let not_local =
                        || FuseError::NotLocal { stage: stage.name.to_owned(), port: (*port).to_owned() };
                    for read in local_reads(reading, &global.name).ok_or_else(not_local)? {
                        edits.replace(read.range, result_name(earlier));
                    }
                    let own = names_of(reading, &global.name);
                    names.kept.extend(own.into_iter().map(str::to_owned));
                }
                StageInput::Texture(texture) => {
                    refuse_type(stage, port, reading, &global.name)?;
                    let Some(index) = self.textures.iter().position(|t| t.name == texture) else { continue };
                    if self.textures[index].is_local {
                        reading.load_locally(&global.name, &mut edits);
                    }
                    for name in names_of(reading, &global.name) {
                        names.renamed.insert(name.to_owned(), texture_name(index));
                    }
                }
            }
        }
        let before = self.declarations(stage, reading, globals, &mut names);
        names.rename(&mut edits);
        let after = ending(reading, call);
        let _ = writeln!(self.text, "// {:?} {}", stage.name, stage.source.id());
        let _ = writeln!(self.text, "// inputs: {:?}", stage.inputs);
        let _ = writeln!(self.text, "namespace {} {{", namespace(index));
        self.text.push_str(&edits.apply(stage.source.text(), &before, &after).text);
        Ok(())
    }

    /// Names what a stage declares, and declares what its author uses without declaring it.
    fn declarations(
        &mut self,
        stage: &Stage<'a>,
        reading: &Reading<'a>,
        globals: Vec<GlobalFacts>,
        names: &mut Names<'_>,
    ) -> String {
        let prelude = reading.prelude();
        self.lookups.extend(LEGACY_LOOKUPS.iter().filter(|l| prelude.lookups.contains(l)));
        let mut text = String::new();
        for global in globals {
            let uniform = FrameUniform::ALL.into_iter().find(|u| u.name() == global.name);
            let own = prelude.declarations.iter().find(|d| d.name == global.name);
            match (uniform, own) {
                (Some(uniform), Some(_)) => {
                    if !self.uniforms.contains(&uniform) {
                        self.uniforms.push(uniform);
                    }
                    continue;
                }
                _ if global.name == DEFAULT_SAMPLER || names.kept.contains(&global.name) => continue,
                _ if names.renamed.contains_key(&global.name) => continue,
                _ => {}
            }
            let name = names.own(&global.name);
            if let Some(declaration) = own {
                let _ = writeln!(text, "{} {name};", declaration.ty);
            }
            names.renamed.insert(global.name.clone(), name.clone());
            let public = match uniform {
                Some(_) => global.name.clone(),
                None => public_name(stage, global.public_name()),
            };
            self.globals.push(GlobalFacts { name, port: Some(public), at: None, ..global });
        }
        if let Some(input) = names.renamed.get("input").filter(|_| prelude.has_old_input).cloned() {
            names.renamed.insert(OLD_INPUT.to_owned(), input);
        }
        text
    }

    /// The whole text, and the facts about everything in it.
    fn finish(self, stages: &[Stage<'_>], pixels: Pixels) -> (String, Vec<GlobalFacts>) {
        let mut text = wrapper_prelude();
        let mut globals = Vec::new();
        for uniform in &self.uniforms {
            let _ = writeln!(text, "{} {};", uniform.hlsl_type(), uniform.name());
            globals.push(GlobalFacts { name: uniform.name().to_owned(), ..GlobalFacts::default() });
        }
        for (index, Texture { name, is_local }) in self.textures.into_iter().enumerate() {
            let _ = writeln!(text, "Texture2D<float4> {};", texture_name(index));
            let name = (texture_name(index), Some(name));
            globals.push(GlobalFacts { name: name.0, port: name.1, is_local, ..GlobalFacts::default() });
        }
        let lookups: Vec<&str> =
            LEGACY_LOOKUPS.iter().copied().filter(|l| self.lookups.contains(l)).collect();
        text.push_str(&lookup_functions(&lookups));
        globals.push(GlobalFacts { name: DEFAULT_SAMPLER.to_owned(), ..GlobalFacts::default() });
        globals.extend(self.globals);
        let mut statements = String::new();
        let last = stages.len().saturating_sub(1);
        for (index, stage) in stages.iter().enumerate().take(last) {
            let _ = writeln!(text, "static float4 {};", result_name(index));
            let value = call_of(index);
            let value = if stage.is_clamped { format!("saturate({value})") } else { value };
            let _ = writeln!(statements, "{} = {value};", result_name(index));
        }
        let wrapper = Call { statements, color: call_of(last) }.wrapper(pixels);
        (text + &self.text + &wrapper, globals)
    }
}

/// What the source of `stage` says about the texture behind `port`.
fn global_of<'g>(
    stage: &Stage<'_>,
    globals: &'g [GlobalFacts],
    port: &str,
) -> Result<&'g GlobalFacts, FuseError> {
    let hidden = || FuseError::Hidden { stage: stage.name.to_owned(), name: port.to_owned() };
    globals.iter().find(|g| g.public_name() == port).ok_or_else(hidden)
}

fn namespace(stage: usize) -> String {
    format!("streamlib_s{stage}")
}

fn result_name(stage: usize) -> String {
    format!("streamlib_r{stage}")
}

fn texture_name(index: usize) -> String {
    format!("streamlib_t{index}")
}

fn call_of(stage: usize) -> String {
    format!("{}::streamlib_effect(streamlib_position, streamlib_size)", namespace(stage))
}

/// What follows an author's text: an end to its macros, a function that calls its `main`, and the end of the namespace.
fn ending(reading: &Reading<'_>, call: &Call) -> String {
    // Two line breaks: the text may end in a backslash.
    let mut text = "\n\n".to_owned();
    let source = reading.source.text();
    for directive in &reading.lexed.directives {
        if let [define, name, ..] = directive.tokens.as_slice()
            && define.text(source) == "define"
        {
            let _ = writeln!(text, "#undef {}", name.text(source));
        }
    }
    let Call { statements, color } = call;
    let _ = writeln!(
        text,
        "float4 streamlib_effect(float2 streamlib_position, uint2 streamlib_size) {{ {statements}return {color}; }}\n}}"
    );
    text
}

fn refuse_pragmas(stage: &Stage<'_>, reading: &Reading<'_>) -> Result<(), FuseError> {
    let source = reading.source.text();
    let word = |tokens: &[Token], n: usize| tokens.get(n).map_or("", |t| t.text(source)).to_owned();
    let lasting = reading
        .lexed
        .directives
        .iter()
        .find(|d| word(&d.tokens, 0) == "pragma" && word(&d.tokens, 1) != "once");
    lasting.map_or(Ok(()), |directive| {
        let pragma = source[directive.start..directive.end].trim().to_owned();
        Err(FuseError::Pragma { stage: stage.name.to_owned(), pragma })
    })
}

fn refuse_type(stage: &Stage<'_>, port: &str, reading: &Reading<'_>, name: &str) -> Result<(), FuseError> {
    let other = reading.declared.globals.iter().find(|g| g.name == name && !is_plain_texture(g));
    other.map_or(Ok(()), |global| {
        let (stage, port, ty) = (stage.name.to_owned(), port.to_owned(), global.ty.text.clone());
        Err(FuseError::TextureType { stage, port, ty })
    })
}

/// New names for what a stage declares.
struct Names<'r> {
    stage: usize,
    reading: &'r Reading<'r>,
    renamed: HashMap<String, String>,
    /// Ports whose every use is replaced by a value.
    kept: HashSet<String>,
}

impl<'r> Names<'r> {
    fn new(stage: usize, reading: &'r Reading<'r>) -> Self {
        Self { stage, reading, renamed: HashMap::new(), kept: HashSet::new() }
    }

    /// The name of a stage's own variable. Variables are told apart by it, because SPIR-V knows no namespaces.
    fn own(&self, name: &str) -> String {
        format!("{}_{name}", namespace(self.stage))
    }

    /// Renames every mention: local variables and members of the same name too, which changes nothing.
    fn rename(&self, edits: &mut Edits) {
        let in_lines = self.reading.lexed.directives.iter().map(|d| d.tokens.as_slice());
        for tokens in std::iter::once(self.reading.lexed.tokens.as_slice()).chain(in_lines) {
            for (index, token) in tokens.iter().enumerate().filter(|(_, t)| t.is_ident()) {
                let name = token.text(self.reading.source.text());
                let Some(new) = self.renamed.get(name) else { continue };
                let follows_dot = index > 0 && tokens[index - 1].is(b'.');
                if follows_dot && is_swizzle(name) {
                    continue;
                }
                edits.replace(token.range(), new.clone());
            }
        }
    }
}

fn is_swizzle(name: &str) -> bool {
    let is_of = |letters: &str| name.chars().all(|c| letters.contains(c));
    name.len() <= 4 && (is_of("xyzw") || is_of("rgba")) || name.starts_with("_m") || name.starts_with("_1")
}
