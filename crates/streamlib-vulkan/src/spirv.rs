//! Looks over SPIR-V before a driver sees it, and patches the group size.
//!
//! This is no validator: it refuses what is not SPIR-V at all, what the device cannot run, and resources that the
//! interface does not describe, because a driver would read descriptors that do not exist. Code from strangers must
//! have been validated before.

use std::collections::{HashMap, HashSet};

use streamlib_core::interface::Interface;

use crate::error::Shortfall;
use crate::features::Features;

/// Why code was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpirvProblem {
    /// Not SPIR-V.
    #[error("this is not SPIR-V: the code starts with neither its magic number nor a whole header")]
    NotSpirv,
    /// Cut off or damaged.
    #[error("the SPIR-V is damaged at word {word}")]
    Damaged {
        /// Where.
        word: usize,
    },
    /// A function that is called or entered has no whole body.
    #[error("the SPIR-V is cut off: function %{0} has no whole body")]
    NoBody(u32),
    /// No `main`.
    #[error("the SPIR-V has no compute entry point called `main`")]
    NoEntryPoint,
    /// A resource that the interface does not describe.
    #[error(
        "the SPIR-V uses a {kind} at set {set}, binding {binding}, which the interface does not describe"
    )]
    Resource {
        /// Kind of resource.
        kind: &'static str,
        /// Descriptor set.
        set: u32,
        /// Binding.
        binding: u32,
    },
    /// The interface describes one binding twice.
    #[error("the interface gives binding {0} twice")]
    RepeatedBinding(u32),
}

const MAGIC: u32 = 0x0723_0203;
const HEADER_WORDS: usize = 5;

mod op {
    pub(super) const EXTENSION: u16 = 10;
    pub(super) const ENTRY_POINT: u16 = 15;
    pub(super) const EXECUTION_MODE: u16 = 16;
    pub(super) const CAPABILITY: u16 = 17;
    pub(super) const TYPE_IMAGE: u16 = 25;
    pub(super) const TYPE_SAMPLER: u16 = 26;
    pub(super) const TYPE_STRUCT: u16 = 30;
    pub(super) const TYPE_POINTER: u16 = 32;
    pub(super) const FUNCTION: u16 = 54;
    pub(super) const FUNCTION_END: u16 = 56;
    pub(super) const FUNCTION_CALL: u16 = 57;
    pub(super) const VARIABLE: u16 = 59;
    pub(super) const DECORATE: u16 = 71;
}

const MODE_LOCAL_SIZE: u32 = 17;
const MODEL_COMPUTE: u32 = 5;
const DECORATION_BUFFER_BLOCK: u32 = 3;
const DECORATION_BINDING: u32 = 33;
const DECORATION_SET: u32 = 34;
const STORAGE_UNIFORM_CONSTANT: u32 = 0;
const STORAGE_UNIFORM: u32 = 2;
const STORAGE_BUFFER: u32 = 12;

/// Why [`check`] refused code.
#[derive(Debug)]
pub(crate) enum Refusal {
    Problem(SpirvProblem),
    Shortfall(Shortfall),
}

impl From<SpirvProblem> for Refusal {
    fn from(problem: SpirvProblem) -> Self {
        Self::Problem(problem)
    }
}

/// Checks code against the device and the interface.
pub(crate) fn check(words: &[u32], features: &Features, interface: &Interface) -> Result<(), Refusal> {
    let mut module = Module::default();
    let mut main = None;
    for instruction in instructions(words)? {
        let (_, opcode, operands) = instruction?;
        match (opcode, operands) {
            (op::CAPABILITY, &[capability]) => {
                crate::capability::check(capability, features).map_err(Refusal::Shortfall)?;
            }
            (op::EXTENSION, name) => {
                crate::capability::check_extension(&text(name), features).map_err(Refusal::Shortfall)?;
            }
            (op::ENTRY_POINT, [MODEL_COMPUTE, id, name @ ..]) if text(name) == "main" => main = Some(*id),
            _ => module.note(opcode, operands),
        }
    }
    module.called.push(main.ok_or(SpirvProblem::NoEntryPoint)?);
    module.check_bodies()?;
    module.check_resources(interface)?;
    Ok(())
}

/// Replaces the group size of every compute entry point.
pub(crate) fn set_group_size(words: &mut [u32], size: [u32; 3]) {
    let places: Vec<usize> = instructions(words)
        .into_iter()
        .flatten()
        .map_while(Result::ok)
        .filter(|(_, opcode, operands)| {
            *opcode == op::EXECUTION_MODE && operands.len() == 5 && operands[1] == MODE_LOCAL_SIZE
        })
        .map(|(start, ..)| start + 3)
        .collect();
    for place in places {
        words[place..place + 3].copy_from_slice(&size);
    }
}

type Instruction<'a> = (usize, u16, &'a [u32]);

/// Every instruction: place of its first word, opcode, operands.
fn instructions(
    words: &[u32],
) -> Result<impl Iterator<Item = Result<Instruction<'_>, SpirvProblem>>, SpirvProblem> {
    if words.len() < HEADER_WORDS || words[0] != MAGIC {
        return Err(SpirvProblem::NotSpirv);
    }
    let mut at = HEADER_WORDS;
    Ok(std::iter::from_fn(move || {
        let first = *words.get(at)?;
        let (length, opcode) = ((first >> 16) as usize, first as u16);
        if length == 0 || at + length > words.len() {
            let word = at;
            at = words.len();
            return Some(Err(SpirvProblem::Damaged { word }));
        }
        let start = at;
        at += length;
        Some(Ok((start, opcode, &words[start + 1..at])))
    }))
}

/// A null-terminated literal.
fn text(words: &[u32]) -> String {
    let bytes: Vec<u8> =
        words.iter().flat_map(|word| word.to_le_bytes()).take_while(|byte| *byte != 0).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// What the module says about its resources.
#[derive(Default)]
struct Module {
    sets: HashMap<u32, u32>,
    bindings: HashMap<u32, u32>,
    buffer_blocks: Vec<u32>,
    /// Type id to what it is as a resource.
    types: HashMap<u32, &'static str>,
    /// Pointer type id to the type that it points to.
    pointers: HashMap<u32, u32>,
    /// Variable id, pointer type, storage class.
    variables: Vec<(u32, u32, u32)>,
    /// Functions that are called or entered.
    called: Vec<u32>,
    /// The function whose body has not ended yet.
    open: Option<u32>,
    /// Functions with a whole body.
    whole: HashSet<u32>,
}

const SAMPLED: &str = "sampled image";
const STORAGE: &str = "storage image";
const SAMPLER: &str = "sampler";
const UNIFORMS: &str = "uniform block";
const BUFFER: &str = "buffer";

impl Module {
    fn note(&mut self, opcode: u16, operands: &[u32]) {
        match (opcode, operands) {
            (op::DECORATE, &[id, DECORATION_SET, set]) => {
                self.sets.insert(id, set);
            }
            (op::DECORATE, &[id, DECORATION_BINDING, binding]) => {
                self.bindings.insert(id, binding);
            }
            (op::DECORATE, &[id, DECORATION_BUFFER_BLOCK]) => self.buffer_blocks.push(id),
            (op::TYPE_IMAGE, &[id, _, _, _, _, _, sampled, ..]) => {
                self.types.insert(id, if sampled == 2 { STORAGE } else { SAMPLED });
            }
            (op::TYPE_SAMPLER, &[id]) => {
                self.types.insert(id, SAMPLER);
            }
            (op::TYPE_STRUCT, &[id, ..]) => {
                self.types.insert(id, UNIFORMS);
            }
            (op::TYPE_POINTER, &[id, _, to]) => {
                self.pointers.insert(id, to);
            }
            (op::VARIABLE, &[pointer, id, class, ..]) => self.variables.push((id, pointer, class)),
            (op::FUNCTION, &[_, id, ..]) => self.open = Some(id),
            (op::FUNCTION_END, _) => self.whole.extend(self.open.take()),
            (op::FUNCTION_CALL, &[_, _, function, ..]) => self.called.push(function),
            _ => {}
        }
    }

    fn check_bodies(&self) -> Result<(), SpirvProblem> {
        let missing = self.called.iter().find(|id| !self.whole.contains(id));
        missing.or(self.open.as_ref()).map_or(Ok(()), |id| Err(SpirvProblem::NoBody(*id)))
    }

    fn check_resources(&self, interface: &Interface) -> Result<(), SpirvProblem> {
        let known = known_bindings(interface)?;
        for &(id, pointer, class) in &self.variables {
            if ![STORAGE_UNIFORM_CONSTANT, STORAGE_UNIFORM, STORAGE_BUFFER].contains(&class) {
                continue;
            }
            let pointee = self.pointers.get(&pointer);
            let kind = match pointee.and_then(|ty| self.types.get(ty)).copied() {
                Some(UNIFORMS) if class == STORAGE_BUFFER => BUFFER,
                Some(UNIFORMS) if pointee.is_some_and(|ty| self.buffer_blocks.contains(ty)) => BUFFER,
                Some(kind) => kind,
                None => "resource of another kind",
            };
            // The null set and binding of an undecorated variable are no answer, so they must not match.
            let set = self.sets.get(&id).copied().unwrap_or(u32::MAX);
            let binding = self.bindings.get(&id).copied().unwrap_or(u32::MAX);
            if set != 0 || known.get(&binding) != Some(&kind) {
                return Err(SpirvProblem::Resource { kind, set, binding });
            }
        }
        Ok(())
    }
}

fn known_bindings(interface: &Interface) -> Result<HashMap<u32, &'static str>, SpirvProblem> {
    let inputs = interface.inputs.iter().map(|slot| (slot.binding, SAMPLED));
    let outputs = interface.outputs.iter().map(|slot| (slot.binding, STORAGE));
    let samplers = interface.samplers.iter().map(|slot| (slot.binding, SAMPLER));
    let buffers = interface.buffers.iter().map(|slot| (slot.binding, BUFFER));
    let uniforms = interface.uniforms.iter().map(|block| (block.binding, UNIFORMS));
    let mut known = HashMap::new();
    for (binding, kind) in inputs.chain(outputs).chain(samplers).chain(buffers).chain(uniforms) {
        if known.insert(binding, kind).is_some() {
            return Err(SpirvProblem::RepeatedBinding(binding));
        }
    }
    Ok(known)
}
