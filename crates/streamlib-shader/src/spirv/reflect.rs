//! Reads an effect's interface from SPIR-V, and puts to it what only the source says.

use std::collections::HashMap;

use streamlib_core::interface::{
    BufferSlot, EffectForm, FrameUniform, FrameUniformSlot, Interface, Parameter, ParameterError,
    ParameterType, SamplerSlot, Scalar, TextureSlot, UniformBlock,
};
use streamlib_core::value::Value;

use super::module::{Facts, Type, Variable, decoration};
use crate::diagnostic::{Diagnostic, Severity};
use crate::front::entry::{ENCODE_SRGB, GROUP, LOADS, OPTIONS_BLOCK, Pixels, ROWS};
use crate::front::lower::{Front, GlobalFacts};
use crate::source::EffectSource;

/// Storage classes of what can be bound.
const UNIFORM_CONSTANT: u32 = 0;
const UNIFORM: u32 = 2;
const STORAGE_BUFFER: u32 = 12;
/// Image dimensionality of a `Texture2D`.
const DIM_2D: u32 = 1;
/// Name that DXC gives to the block of loose globals.
const GLOBALS: &str = "$Globals";

/// An interface, and the binding of each variable id.
#[derive(Debug)]
pub(crate) struct Reflected {
    pub(crate) interface: Interface,
    pub(crate) bindings: HashMap<u32, u32>,
    /// The variable of the wrapper's options.
    pub(crate) options: Option<u32>,
    /// Errors and warnings that only the layout could show.
    pub(crate) diagnostics: Vec<Diagnostic>,
}

/// Reads the interface of a module.
pub(crate) fn reflect(source: &EffectSource, front: &Front, facts: &Facts) -> Reflected {
    let mut reader = Reader { source, front, facts, diagnostics: Vec::new() };
    let mut found = Found::default();
    let mut variables: Vec<&Variable> = facts.variables.iter().collect();
    // Source order, so that bindings do not depend on DXC's order.
    variables
        .sort_by_key(|v| front.globals.iter().position(|g| g.name == facts.name(v.id)).unwrap_or(usize::MAX));
    for variable in variables {
        reader.variable(variable, &mut found);
    }
    if found.outputs.is_empty() && reader.diagnostics.is_empty() {
        let nothing = source.diagnostic_whole(Severity::Error, "the effect writes to no texture");
        reader.diagnostics.push(nothing.with_suggestion("write to `output[id.xy]`"));
    }
    let mut bindings = HashMap::new();
    let mut next = 0;
    let mut bind = |id: u32| {
        bindings.insert(id, next);
        next += 1;
        next - 1
    };
    let uniforms = found.block.map(|(id, size)| UniformBlock { binding: bind(id), size });
    let mut slots = |found: Vec<(u32, TextureSlot)>| -> Vec<TextureSlot> {
        found.into_iter().map(|(id, slot)| TextureSlot { binding: bind(id), ..slot }).collect()
    };
    let (inputs, outputs) = (slots(found.inputs), slots(found.outputs));
    let samplers =
        found.samplers.into_iter().map(|(id, slot)| SamplerSlot { binding: bind(id), ..slot }).collect();
    let buffers =
        found.buffers.into_iter().map(|(id, slot)| BufferSlot { binding: bind(id), ..slot }).collect();
    let is_pixel = front.form == EffectForm::Pixel;
    let interface = Interface {
        form: front.form,
        description: front.description.clone(),
        group_size: facts.local_size.unwrap_or(GROUP),
        group_size_is_free: is_pixel,
        pixels_per_thread: front.pixels_per_thread,
        rows_constant: (is_pixel && front.pixels == Pixels::Any).then_some(ROWS.id),
        loads_constant: (is_pixel && inputs.iter().any(|slot| slot.is_local)).then_some(LOADS.id),
        encode_srgb_constant: is_pixel.then_some(ENCODE_SRGB.id),
        inputs,
        outputs,
        samplers,
        buffers,
        uniforms,
        parameters: found.parameters,
        frame_uniforms: found.frame_uniforms,
    };
    Reflected { interface, bindings, options: found.options, diagnostics: reader.diagnostics }
}

#[derive(Default)]
struct Found {
    block: Option<(u32, u32)>,
    inputs: Vec<(u32, TextureSlot)>,
    outputs: Vec<(u32, TextureSlot)>,
    samplers: Vec<(u32, SamplerSlot)>,
    buffers: Vec<(u32, BufferSlot)>,
    parameters: Vec<Parameter>,
    frame_uniforms: Vec<FrameUniformSlot>,
    options: Option<u32>,
}

struct Reader<'a> {
    source: &'a EffectSource,
    front: &'a Front,
    facts: &'a Facts,
    diagnostics: Vec<Diagnostic>,
}

impl<'a> Reader<'a> {
    fn said(&self, name: &str) -> Option<&'a GlobalFacts> {
        self.front.globals.iter().find(|g| g.name == name)
    }

    fn public_name(&self, name: &str) -> String {
        self.said(name).map_or(name, GlobalFacts::public_name).to_owned()
    }

    fn report(&mut self, severity: Severity, name: &str, message: String, suggestion: &str) {
        let diagnostic = match self.said(name).and_then(|g| g.at) {
            Some(at) => self.source.diagnostic_at(severity, at, message),
            None => self.source.diagnostic_whole(severity, message),
        };
        self.diagnostics.push(diagnostic.with_suggestion(suggestion));
    }

    fn variable(&mut self, variable: &Variable, found: &mut Found) {
        let facts = self.facts;
        let name = facts.name(variable.id).to_owned();
        let said = self.said(&name);
        let public = self.public_name(&name);
        match (variable.class, facts.types.get(&variable.pointee)) {
            (UNIFORM_CONSTANT, Some(Type::Image(image))) => {
                let is_float = matches!(facts.types.get(&image[0]), Some(Type::Float { bits: 32 }));
                if !is_float || image[1] != DIM_2D || image[3] != 0 || image[4] != 0 {
                    return self.report(
                        Severity::Error,
                        &name,
                        format!("`{name}` cannot be bound: a frame is a two-dimensional texture of floats"),
                        "use `Texture2D<float4>` or `RWTexture2D<float4>`",
                    );
                }
                let list = if image[5] == 2 { &mut found.outputs } else { &mut found.inputs };
                let is_local = said.is_some_and(|g| g.is_local);
                list.push((variable.id, TextureSlot { name: public, binding: 0, is_local }));
            }
            (UNIFORM_CONSTANT, Some(Type::Sampler)) => {
                let (filter, address) = said.map(|g| (g.filter, g.address)).unwrap_or_default();
                let slot = SamplerSlot { name: public, binding: 0, filter, address };
                found.samplers.push((variable.id, slot));
            }
            (UNIFORM, _) if name == OPTIONS_BLOCK => found.options = Some(variable.id),
            (UNIFORM, Some(Type::Struct(members))) if name == GLOBALS => {
                found.block = Some((variable.id, self.block(variable.pointee, members, found)));
            }
            (UNIFORM | STORAGE_BUFFER, Some(Type::Struct(members))) => match self.buffer(members) {
                Some((scalar, columns, stride)) => {
                    let description = said.and_then(|g| g.description.clone());
                    let slot = BufferSlot { name: public, binding: 0, scalar, columns, stride, description };
                    found.buffers.push((variable.id, slot));
                }
                None => self.report(
                    Severity::Error,
                    &name,
                    format!("`{name}` cannot be bound: a buffer holds scalars or vectors of 32-bit numbers"),
                    "use `StructuredBuffer<float4>` or the like",
                ),
            },
            (UNIFORM_CONSTANT | UNIFORM | STORAGE_BUFFER, _) => self.report(
                Severity::Error,
                &name,
                format!("`{name}` cannot be bound"),
                "an effect has Texture2D, RWTexture2D, SamplerState and StructuredBuffer",
            ),
            _ => {}
        }
    }

    /// Element type and stride of a `StructuredBuffer`.
    fn buffer(&self, members: &[u32]) -> Option<(Scalar, u32, u32)> {
        let [array] = members else { return None };
        let Some(Type::RuntimeArray { of }) = self.facts.types.get(array) else {
            return None;
        };
        let stride = self.facts.decoration(*array, decoration::ARRAY_STRIDE)?;
        let (scalar, columns) = self.vector(*of)?;
        Some((scalar, columns, stride))
    }

    fn scalar(&self, id: u32) -> Option<Scalar> {
        match self.facts.types.get(&id)? {
            Type::Float { bits: 32 } => Some(Scalar::Float),
            Type::Int { bits: 32, signed: true } => Some(Scalar::Int),
            Type::Int { bits: 32, signed: false } => Some(Scalar::Uint),
            _ => None,
        }
    }

    fn vector(&self, id: u32) -> Option<(Scalar, u32)> {
        match self.facts.types.get(&id)? {
            Type::Vector { of, count } => Some((self.scalar(*of)?, *count)),
            _ => Some((self.scalar(id)?, 1)),
        }
    }

    /// Reads the members of the uniform block; the answer is its size in bytes.
    fn block(&mut self, block: u32, members: &[u32], found: &mut Found) -> u32 {
        let mut size = 0;
        for (index, &ty) in (0..).zip(members) {
            let name = self.facts.member_names.get(&(block, index)).cloned().unwrap_or_default();
            let offset = self.facts.member_decoration(block, index, decoration::OFFSET).unwrap_or(0);
            let Some((ty, bytes)) = self.parameter_type(block, index, ty) else {
                self.report(
                    Severity::Error,
                    &name,
                    format!("`{name}` cannot be a parameter: a parameter is a scalar, a vector, a matrix, or an array of these"),
                    "declare its parts as globals of their own",
                );
                continue;
            };
            size = size.max(offset + bytes);
            let public = self.public_name(&name);
            let uniform = FrameUniform::ALL.into_iter().find(|u| u.name() == public);
            let mut parameter = Parameter {
                name: public,
                ty,
                offset,
                default: Vec::new(),
                min: None,
                max: None,
                description: None,
            };
            match uniform {
                Some(uniform) => found.frame_uniforms.push(FrameUniformSlot { uniform, parameter }),
                None => {
                    self.describe(&name, &mut parameter);
                    found.parameters.push(parameter);
                }
            }
        }
        size.next_multiple_of(16)
    }

    /// Type and size in bytes of a member.
    fn parameter_type(&self, block: u32, index: u32, id: u32) -> Option<(ParameterType, u32)> {
        let (element, array, array_stride) = match self.facts.types.get(&id)? {
            Type::Array { of, length } => {
                (*of, Some(*length), self.facts.decoration(id, decoration::ARRAY_STRIDE)?)
            }
            _ => (id, None, 0),
        };
        let of_member = |which| self.facts.member_decoration(block, index, which);
        let mut ty = match self.facts.types.get(&element)? {
            // SPIR-V's columns are HLSL's rows, and so its ColMajor is HLSL's row_major.
            Type::Matrix { of, count } => {
                let (scalar, columns) = self.vector(*of)?;
                ParameterType {
                    scalar,
                    rows: *count,
                    columns,
                    matrix_stride: of_member(decoration::MATRIX_STRIDE)?,
                    rows_are_contiguous: of_member(decoration::COL_MAJOR).is_some(),
                    array,
                    array_stride,
                }
            }
            _ => {
                let (scalar, columns) = self.vector(element)?;
                let (matrix_stride, rows_are_contiguous) = (0, false);
                ParameterType {
                    scalar,
                    rows: 1,
                    columns,
                    matrix_stride,
                    rows_are_contiguous,
                    array,
                    array_stride,
                }
            }
        };
        let bytes = match (array, ty.rows) {
            (Some(length), _) => length.checked_mul(array_stride)?,
            (None, 1) => 4 * ty.columns,
            (None, rows) => ty.matrix_stride * if ty.rows_are_contiguous { rows } else { ty.columns },
        };
        // In memory a bool is a uint; only the source tells them apart.
        let name = self.facts.member_names.get(&(block, index))?;
        if let Some(Scalar::Bool) = self.said(name).and_then(|g| g.scalar) {
            ty.scalar = Scalar::Bool;
        }
        Some((ty, bytes))
    }

    /// Adds default, range and description.
    fn describe(&mut self, name: &str, parameter: &mut Parameter) {
        let components = parameter.ty.components();
        parameter.default = vec![0.0; components];
        let Some(said) = self.said(name) else {
            return;
        };
        parameter.description.clone_from(&said.description);
        (parameter.min, parameter.max) = (said.min, said.max);
        if let (Some(min), Some(max)) = (said.min, said.max)
            && min > max
        {
            let message =
                format!("`{name}` cannot be set: its least value {min} is above its greatest {max}");
            return self.report(Severity::Error, name, message, "swap min and max");
        }
        match &said.default {
            Some(value) if value.len() == components => parameter.default.clone_from(value),
            Some(value) if value.len() == 1 => parameter.default.fill(value[0]),
            Some(value) => {
                let message = format!(
                    "the default of `{name}` has {} numbers, its type {components}; it starts at 0",
                    value.len()
                );
                self.report(Severity::Warning, name, message, "write one number, or one for each component");
            }
            // Zero, or what is nearest to it in the range.
            None => {
                let start = 0.0_f64.max(said.min.unwrap_or(0.0)).min(said.max.unwrap_or(f64::INFINITY));
                parameter.default.fill(start);
            }
        }
        if parameter.ty.scalar == Scalar::Bool {
            parameter.default.iter_mut().for_each(|v| *v = f64::from(u8::from(*v != 0.0)));
        }
        let value = Value::List(parameter.default.iter().copied().map(Value::Float).collect());
        if let Err(error) = parameter.check(&value) {
            let suggestion = match error {
                ParameterError::Range { .. } => "widen the range, or change the default",
                _ => "write a default of the parameter's type",
            };
            self.report(Severity::Error, name, format!("the default does not fit: {error}"), suggestion);
        }
    }
}
