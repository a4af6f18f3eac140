//! SPIR-V to the Metal Shading Language, by SPIRV-Cross.

use serde::Serialize;
use spirv_cross2::compile::msl::{BindTarget, CompilerOptions, MetalPlatform, MslVersion, ResourceBinding};
use spirv_cross2::{Compiler, Module, SpirvCrossError, spirv, targets};

use crate::effect::Effect;

/// What the Metal text is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MslTarget {
    /// MSL 2.4: macOS 12 and later.
    MacOs,
    /// MSL 2.4: iOS 15 and later.
    Ios,
}

/// What a binding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum MslBindingKind {
    /// `[[buffer(n)]]`
    Buffer,
    /// `[[texture(n)]]`
    Texture,
    /// `[[sampler(n)]]`
    Sampler,
}

/// Where something is bound; each kind has its own indices.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MslBinding {
    /// Name in the effect's interface; `$Globals` for the uniform block.
    pub name: String,
    /// What it is.
    pub kind: MslBindingKind,
    /// Index among those of its kind.
    pub index: u32,
}

/// An effect for Metal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MslSource {
    /// The text.
    pub text: String,
    /// Name of the kernel function.
    pub entry_point: String,
    /// Where everything of the interface is bound.
    pub bindings: Vec<MslBinding>,
}

/// An effect that cannot be translated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("effect `{name}` cannot be translated for Metal: {reason}")]
pub struct MslError {
    name: String,
    reason: String,
}

pub(crate) fn translate(effect: &Effect, target: MslTarget) -> Result<MslSource, MslError> {
    cross(effect, target).map_err(|e| MslError { name: effect.name.clone(), reason: e.to_string() })
}

fn cross(effect: &Effect, target: MslTarget) -> Result<MslSource, SpirvCrossError> {
    let mut compiler = Compiler::<targets::Msl>::new(Module::from_words(&effect.spirv))?;
    let mut bindings = Vec::new();
    for (name, kind, binding) in resources(effect) {
        let index = bindings.iter().filter(|b: &&MslBinding| b.kind == kind).count() as u32;
        // Only the field of the resource's own kind is looked at.
        let place = BindTarget { buffer: index, texture: index, sampler: index, count: None };
        let binding = ResourceBinding::from_qualified(0, binding);
        compiler.add_resource_binding(spirv::ExecutionModel::GLCompute, binding, &place)?;
        bindings.push(MslBinding { name: name.to_owned(), kind, index });
    }
    let mut options = CompilerOptions::default();
    options.version = MslVersion::new(2, 4, 0);
    options.platform = match target {
        MslTarget::MacOs => MetalPlatform::MacOS,
        MslTarget::Ios => MetalPlatform::iOS,
    };
    let compiled = compiler.compile(&options)?;
    // `main` is reserved in Metal; this is what SPIRV-Cross calls it.
    let entry_point = compiled
        .cleansed_entry_point_name("main", spirv::ExecutionModel::GLCompute)?
        .map_or_else(|| "main0".to_owned(), |name| name.to_string());
    Ok(MslSource { text: compiled.to_string(), entry_point, bindings })
}

/// Everything in the interface, with its kind and binding.
fn resources(effect: &Effect) -> impl Iterator<Item = (&str, MslBindingKind, u32)> {
    let interface = &effect.interface;
    let block = interface.uniforms.iter().map(|u| ("$Globals", MslBindingKind::Buffer, u.binding));
    let buffers = interface.buffers.iter().map(|b| (b.name.as_str(), MslBindingKind::Buffer, b.binding));
    let textures = interface
        .inputs
        .iter()
        .chain(&interface.outputs)
        .map(|t| (t.name.as_str(), MslBindingKind::Texture, t.binding));
    let samplers = interface.samplers.iter().map(|s| (s.name.as_str(), MslBindingKind::Sampler, s.binding));
    block.chain(buffers).chain(textures).chain(samplers)
}
