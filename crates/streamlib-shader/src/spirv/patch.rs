//! Changes SPIR-V so that every effect looks the same to a backend: bindings of our choice, storage images of any format,
//! an entry point called `main`, and the specialisation constants of the pixel form.

use std::collections::{HashMap, HashSet};

use super::module::{Instruction, decoration, op, text_words};
use crate::front::entry::Constant;

const CAPABILITY_READ_WITHOUT_FORMAT: u32 = 55;
const CAPABILITY_WRITE_WITHOUT_FORMAT: u32 = 56;
const FORMAT_UNKNOWN: u32 = 0;
/// Operand of `OpTypeImage` that says how the image is used, and its value for a storage image.
const SAMPLED: usize = 6;
const STORAGE: u32 = 2;

/// What to change.
#[derive(Debug)]
pub(crate) struct Plan<'a> {
    /// Binding of each variable, in descriptor set 0.
    pub(crate) bindings: &'a HashMap<u32, u32>,
    /// Block of uints to replace by specialisation constants: its variable, and a constant for each member.
    pub(crate) options: Option<(u32, &'a [Constant])>,
}

/// The changed module; `None` when it is not as DXC makes it.
pub(crate) fn patch(words: &[u32], instructions: &[Instruction<'_>], plan: &Plan<'_>) -> Option<Vec<u32>> {
    let mut out = words.get(..5)?.to_vec();
    let images = StorageImages::find(instructions);
    let switches = match plan.options {
        Some((variable, constants)) => Some(Switches::find(out[3], instructions, variable, constants)?),
        None => None,
    };
    out[3] += switches.as_ref().map_or(0, |s| s.constants.len() as u32);
    let mut section = Section::Capabilities;
    for instruction in instructions {
        while section.ends_before(instruction.op) {
            if section == Section::Capabilities {
                images.capabilities(instructions).for_each(|c| push(&mut out, op::CAPABILITY, &[c]));
            }
            if let Some(switches) = &switches {
                switches.declare(section, &mut out);
            }
            section = section.next();
        }
        let replaced = switches.as_ref().is_some_and(|s| s.replace(instruction, &mut out));
        if !replaced && !images.drops(instruction) {
            let at = out.len();
            out.extend(instruction.words);
            change(&mut out, at, instruction, plan, &images);
        }
    }
    Some(out)
}

fn push(out: &mut Vec<u32>, op: u16, operands: &[u32]) {
    // An instruction of this file has at most a name's worth of operands.
    out.push(((operands.len() as u32 + 1) << 16) | u32::from(op));
    out.extend(operands);
}

/// Changes the instruction that was just copied to `at`.
fn change(out: &mut Vec<u32>, at: usize, i: &Instruction<'_>, plan: &Plan<'_>, images: &StorageImages) {
    let words = &mut out[at..];
    match i.op {
        op::ENTRY_POINT => {
            let name_length =
                i.words[3..].iter().position(|w| w.to_le_bytes().contains(&0)).map_or(0, |n| n + 1);
            let mut operands = i.words[1..3].to_vec();
            operands.extend(text_words("main"));
            operands.extend(&i.words[3 + name_length..]);
            out.truncate(at);
            push(out, op::ENTRY_POINT, &operands);
        }
        op::DECORATE => match (plan.bindings.get(&i.operand(0)), i.operand(1)) {
            (Some(&binding), decoration::BINDING) => words[3] = binding,
            (Some(_), decoration::DESCRIPTOR_SET) => words[3] = 0,
            _ => {}
        },
        op::TYPE_IMAGE if i.operand(SAMPLED) == STORAGE => words[8] = FORMAT_UNKNOWN,
        op::TYPE_POINTER => words[3] = images.unique(words[3]),
        op::LOAD | op::UNDEF | op::COPY_OBJECT | op::PHI => words[1] = images.unique(words[1]),
        _ => {}
    }
}

/// Storage image types, which are equal once their format is unknown; equal types must be one.
struct StorageImages {
    /// The type that takes its place.
    first: HashMap<u32, u32>,
}

impl StorageImages {
    fn find(instructions: &[Instruction<'_>]) -> Self {
        let mut kinds: HashMap<Vec<u32>, u32> = HashMap::new();
        let mut first = HashMap::new();
        for i in instructions.iter().filter(|i| i.op == op::TYPE_IMAGE && i.operand(SAMPLED) == STORAGE) {
            let id = i.operand(0);
            let kind = i.words[2..=SAMPLED + 1].to_vec();
            first.insert(id, *kinds.entry(kind).or_insert(id));
        }
        Self { first }
    }

    fn unique(&self, id: u32) -> u32 {
        self.first.get(&id).copied().unwrap_or(id)
    }

    /// Whether an instruction declares or names a type that another one replaces.
    fn drops(&self, i: &Instruction<'_>) -> bool {
        matches!(i.op, op::TYPE_IMAGE | op::NAME) && self.unique(i.operand(0)) != i.operand(0)
    }

    fn capabilities(&self, instructions: &[Instruction<'_>]) -> impl Iterator<Item = u32> {
        let has = |op: u16| instructions.iter().any(|i| i.op == op);
        let is_used = !self.first.is_empty();
        // OpImageRead reads storage images only; OpImageFetch is for the others.
        let wanted = [
            (CAPABILITY_READ_WITHOUT_FORMAT, is_used && has(op::IMAGE_READ)),
            (CAPABILITY_WRITE_WITHOUT_FORMAT, is_used && has(op::IMAGE_WRITE)),
        ];
        let present: HashSet<u32> =
            instructions.iter().filter(|i| i.op == op::CAPABILITY).map(|i| i.operand(0)).collect();
        wanted.into_iter().filter(move |(c, wanted)| *wanted && !present.contains(c)).map(|(c, _)| c)
    }
}

/// The parts of a module before its functions where something is added at the end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Section {
    Capabilities,
    BeforeNames,
    BeforeDecorations,
    Types,
    Functions,
}

impl Section {
    fn ends_before(self, opcode: u16) -> bool {
        let is_decoration = matches!(opcode, op::DECORATE | op::MEMBER_DECORATE);
        let is_type = (op::TYPE_VOID..=op::TYPE_POINTER).contains(&opcode) || opcode == op::FUNCTION;
        match self {
            Self::Capabilities => opcode != op::CAPABILITY,
            Self::BeforeNames => matches!(opcode, op::NAME | op::MEMBER_NAME) || is_decoration || is_type,
            Self::BeforeDecorations => is_decoration || is_type,
            Self::Types => opcode == op::FUNCTION,
            Self::Functions => false,
        }
    }

    fn next(self) -> Self {
        match self {
            Self::Capabilities => Self::BeforeNames,
            Self::BeforeNames => Self::BeforeDecorations,
            Self::BeforeDecorations => Self::Types,
            Self::Types | Self::Functions => Self::Functions,
        }
    }
}

/// The specialisation constants that take the place of a block's members, which are uints.
struct Switches<'a> {
    variable: u32,
    /// Pointers into the block, and the member that each points to.
    pointers: HashMap<u32, usize>,
    constants: &'a [Constant],
    /// Type of the constants; `None` when none is loaded.
    uint_type: Option<u32>,
    /// First of the new ids, one for each constant.
    ids: u32,
}

impl<'a> Switches<'a> {
    fn find(bound: u32, all: &[Instruction<'_>], variable: u32, constants: &'a [Constant]) -> Option<Self> {
        if all.iter().any(|i| i.op == op::LOAD && i.operand(2) == variable) {
            return None;
        }
        let value = |id: u32| all.iter().find(|i| i.op == op::CONSTANT && i.operand(1) == id);
        let mut pointers = HashMap::new();
        for chain in all.iter().filter(|i| is_chain(i) && i.operand(2) == variable) {
            let member = value(chain.operand(3))?.operand(2) as usize;
            pointers.insert(chain.operand(1), (member < constants.len()).then_some(member)?);
        }
        let loads = all.iter().find(|i| i.op == op::LOAD && pointers.contains_key(&i.operand(2)));
        let uint_type = loads.map(|load| load.operand(0));
        Some(Self { variable, pointers, constants, uint_type, ids: bound })
    }

    /// Adds what belongs at the end of `section`.
    fn declare(&self, section: Section, out: &mut Vec<u32>) {
        let Some(uint_type) = self.uint_type else {
            return;
        };
        for (id, constant) in (self.ids..).zip(self.constants) {
            match section {
                Section::BeforeNames => {
                    let operands: Vec<u32> = std::iter::once(id).chain(text_words(constant.name)).collect();
                    push(out, op::NAME, &operands);
                }
                Section::BeforeDecorations => {
                    push(out, op::DECORATE, &[id, decoration::SPEC_ID, constant.id]);
                }
                Section::Types => push(out, op::SPEC_CONSTANT, &[uint_type, id, constant.value]),
                Section::Capabilities | Section::Functions => {}
            }
        }
    }

    /// Puts a constant in place of a load from the block, and drops everything else about the block's variable.
    fn replace(&self, i: &Instruction<'_>, out: &mut Vec<u32>) -> bool {
        match i.op {
            op::LOAD => self.pointers.get(&i.operand(2)).is_some_and(|&member| {
                push(out, op::COPY_OBJECT, &[i.operand(0), i.operand(1), self.ids + member as u32]);
                true
            }),
            op::NAME | op::DECORATE => i.operand(0) == self.variable,
            op::VARIABLE => i.operand(1) == self.variable,
            _ => is_chain(i) && i.operand(2) == self.variable,
        }
    }
}

fn is_chain(i: &Instruction<'_>) -> bool {
    matches!(i.op, op::ACCESS_CHAIN | op::IN_BOUNDS_ACCESS_CHAIN)
}
