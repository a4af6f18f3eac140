//! A SPIR-V module as instructions, and the facts about ids that reflection needs.

use std::collections::HashMap;

/// Opcodes of the SPIR-V specification that are looked at here.
pub(crate) mod op {
    pub(crate) const UNDEF: u16 = 1;
    pub(crate) const NAME: u16 = 5;
    pub(crate) const MEMBER_NAME: u16 = 6;
    pub(crate) const ENTRY_POINT: u16 = 15;
    pub(crate) const EXECUTION_MODE: u16 = 16;
    pub(crate) const CAPABILITY: u16 = 17;
    pub(crate) const TYPE_VOID: u16 = 19;
    pub(crate) const TYPE_INT: u16 = 21;
    pub(crate) const TYPE_FLOAT: u16 = 22;
    pub(crate) const TYPE_VECTOR: u16 = 23;
    pub(crate) const TYPE_MATRIX: u16 = 24;
    pub(crate) const TYPE_IMAGE: u16 = 25;
    pub(crate) const TYPE_SAMPLER: u16 = 26;
    pub(crate) const TYPE_ARRAY: u16 = 28;
    pub(crate) const TYPE_RUNTIME_ARRAY: u16 = 29;
    pub(crate) const TYPE_STRUCT: u16 = 30;
    pub(crate) const TYPE_POINTER: u16 = 32;
    pub(crate) const CONSTANT: u16 = 43;
    pub(crate) const SPEC_CONSTANT: u16 = 50;
    pub(crate) const FUNCTION: u16 = 54;
    pub(crate) const VARIABLE: u16 = 59;
    pub(crate) const LOAD: u16 = 61;
    pub(crate) const ACCESS_CHAIN: u16 = 65;
    pub(crate) const IN_BOUNDS_ACCESS_CHAIN: u16 = 66;
    pub(crate) const DECORATE: u16 = 71;
    pub(crate) const MEMBER_DECORATE: u16 = 72;
    pub(crate) const COPY_OBJECT: u16 = 83;
    pub(crate) const IMAGE_READ: u16 = 98;
    pub(crate) const IMAGE_WRITE: u16 = 99;
    pub(crate) const PHI: u16 = 245;
}

/// Decorations.
pub(crate) mod decoration {
    pub(crate) const SPEC_ID: u32 = 1;
    pub(crate) const COL_MAJOR: u32 = 5;
    pub(crate) const ARRAY_STRIDE: u32 = 6;
    pub(crate) const MATRIX_STRIDE: u32 = 7;
    pub(crate) const BINDING: u32 = 33;
    pub(crate) const DESCRIPTOR_SET: u32 = 34;
    pub(crate) const OFFSET: u32 = 35;
}

const MAGIC: u32 = 0x0723_0203;
const HEADER_WORDS: usize = 5;

/// One instruction: its opcode, and all its words, the first of which holds the opcode.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Instruction<'a> {
    pub(crate) op: u16,
    pub(crate) words: &'a [u32],
}

impl Instruction<'_> {
    /// The `n`-th word after the first; 0 when it is missing.
    pub(crate) fn operand(&self, n: usize) -> u32 {
        self.words.get(n + 1).copied().unwrap_or(0)
    }
}

/// The instructions of a module; `None` when the words are no SPIR-V.
pub(crate) fn instructions(words: &[u32]) -> Option<Vec<Instruction<'_>>> {
    if words.len() < HEADER_WORDS || words[0] != MAGIC {
        return None;
    }
    let mut rest = &words[HEADER_WORDS..];
    let mut out = Vec::new();
    while let Some(&first) = rest.first() {
        let length = (first >> 16) as usize;
        let (words, after) = rest.split_at_checked(length).filter(|_| length > 0)?;
        out.push(Instruction { op: first as u16, words });
        rest = after;
    }
    Some(out)
}

/// Text that starts at a word: bytes up to a zero.
pub(crate) fn text(words: &[u32]) -> String {
    let bytes: Vec<u8> = words.iter().flat_map(|w| w.to_le_bytes()).take_while(|&b| b != 0).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// `text` as words, with its closing zero.
pub(crate) fn text_words(text: &str) -> Vec<u32> {
    let mut bytes = text.as_bytes().to_vec();
    bytes.resize(text.len() / 4 * 4 + 4, 0);
    bytes.chunks_exact(4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
}

/// A type, as far as reflection looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    Int {
        signed: bool,
        bits: u32,
    },
    Float {
        bits: u32,
    },
    Vector {
        of: u32,
        count: u32,
    },
    /// `count` vectors.
    Matrix {
        of: u32,
        count: u32,
    },
    /// Words after the result id: sampled type, dimensions, depth, arrayed, multisampled, sampled, format.
    Image(Vec<u32>),
    Sampler,
    Array {
        of: u32,
        length: u32,
    },
    RuntimeArray {
        of: u32,
    },
    Struct(Vec<u32>),
    Pointer {
        to: u32,
    },
}

/// A variable outside functions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Variable {
    pub(crate) id: u32,
    pub(crate) class: u32,
    /// Id of what it points to.
    pub(crate) pointee: u32,
}

/// Facts about the ids of a module.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    pub(crate) names: HashMap<u32, String>,
    pub(crate) member_names: HashMap<(u32, u32), String>,
    pub(crate) types: HashMap<u32, Type>,
    pub(crate) variables: Vec<Variable>,
    decorations: HashMap<(u32, u32), u32>,
    member_decorations: HashMap<(u32, u32, u32), u32>,
    pub(crate) local_size: Option<[u32; 3]>,
}

impl Facts {
    pub(crate) fn collect(instructions: &[Instruction<'_>]) -> Self {
        let mut facts = Self::default();
        let mut constants = HashMap::new();
        for i in instructions.iter().take_while(|i| i.op != op::FUNCTION) {
            let (a, b, c) = (i.operand(0), i.operand(1), i.operand(2));
            let ty = match i.op {
                op::NAME => {
                    facts.names.insert(a, text(&i.words[2..]));
                    continue;
                }
                op::MEMBER_NAME => {
                    facts.member_names.insert((a, b), text(i.words.get(3..).unwrap_or_default()));
                    continue;
                }
                op::DECORATE => {
                    facts.decorations.insert((a, b), c);
                    continue;
                }
                op::MEMBER_DECORATE => {
                    facts.member_decorations.insert((a, b, c), i.operand(3));
                    continue;
                }
                // Execution mode 17 is LocalSize.
                op::EXECUTION_MODE if b == 17 => {
                    facts.local_size = Some([c, i.operand(3), i.operand(4)]);
                    continue;
                }
                op::CONSTANT => {
                    constants.insert(b, c);
                    continue;
                }
                op::VARIABLE => {
                    if let Some(Type::Pointer { to }) = facts.types.get(&a) {
                        facts.variables.push(Variable { id: b, class: c, pointee: *to });
                    }
                    continue;
                }
                op::TYPE_INT => Type::Int { bits: b, signed: c == 1 },
                op::TYPE_FLOAT => Type::Float { bits: b },
                op::TYPE_VECTOR => Type::Vector { of: b, count: c },
                op::TYPE_MATRIX => Type::Matrix { of: b, count: c },
                op::TYPE_IMAGE => Type::Image(i.words[2..].to_vec()),
                op::TYPE_SAMPLER => Type::Sampler,
                op::TYPE_ARRAY => Type::Array { of: b, length: constants.get(&c).copied().unwrap_or(0) },
                op::TYPE_RUNTIME_ARRAY => Type::RuntimeArray { of: b },
                op::TYPE_STRUCT => Type::Struct(i.words[2..].to_vec()),
                op::TYPE_POINTER => Type::Pointer { to: c },
                _ => continue,
            };
            facts.types.insert(a, ty);
        }
        facts
    }

    pub(crate) fn name(&self, id: u32) -> &str {
        self.names.get(&id).map_or("", String::as_str)
    }

    pub(crate) fn decoration(&self, id: u32, which: u32) -> Option<u32> {
        self.decorations.get(&(id, which)).copied()
    }

    pub(crate) fn member_decoration(&self, id: u32, member: u32, which: u32) -> Option<u32> {
        self.member_decorations.get(&(id, member, which)).copied()
    }
}
