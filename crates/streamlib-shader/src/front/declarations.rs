//! Finds what a source declares at global scope. It reads declarations only; DXC judges everything else.

use std::collections::HashSet;
use std::ops::Range;

/// A type as it was written.
#[derive(Clone, Debug)]
pub(crate) struct TypeName {
    /// Name without template arguments.
    pub(crate) base: String,
    /// Everything, for messages: `Texture2D<float4>`.
    pub(crate) text: String,
    pub(crate) token: usize,
}

/// A global variable, or a member of a `cbuffer`.
#[derive(Clone, Debug)]
pub(crate) struct Global {
    pub(crate) name: String,
    pub(crate) name_at: usize,
    pub(crate) ty: TypeName,
    pub(crate) modifiers: Vec<String>,
    /// Where the declaration starts.
    pub(crate) start: usize,
    /// Array dimensions.
    pub(crate) dimensions: usize,
    /// Tokens of the initialiser without the `=`.
    pub(crate) initializer: Option<Range<usize>>,
    /// Tokens inside `<...>` after the name, or inside `{...}` of an effect state block.
    pub(crate) annotations: Vec<Range<usize>>,
    /// Bytes that DXC should not see: registers, annotations, initialisers.
    pub(crate) blank: Vec<Range<usize>>,
}

impl Global {
    pub(crate) fn has(&self, modifier: &str) -> bool {
        self.modifiers.iter().any(|m| m == modifier)
    }

    /// Whether the host can set it: not a constant of the program, not shared memory.
    pub(crate) fn is_external(&self) -> bool {
        !self.has("static") && !self.has("groupshared")
    }
}

/// A parameter of a function.
#[derive(Clone, Debug)]
pub(crate) struct FunctionParameter {
    pub(crate) ty: TypeName,
    pub(crate) modifiers: Vec<String>,
    pub(crate) semantic: Option<String>,
    pub(crate) at: usize,
    pub(crate) name: String,
}

/// A function at global scope.
#[derive(Clone, Debug)]
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) name_at: usize,
    pub(crate) returns: TypeName,
    pub(crate) semantic: Option<String>,
    pub(crate) parameters: Vec<FunctionParameter>,
    /// Tokens from the opening parenthesis to the end of the body.
    pub(crate) tokens: Range<usize>,
    /// Whether `[numthreads(...)]` stands before it.
    pub(crate) has_numthreads: bool,
    pub(crate) has_body: bool,
}

/// A `cbuffer`: the bytes of its frame, which are blanked so that its members become globals.
#[derive(Clone, Debug)]
pub(crate) struct ConstantBuffer {
    /// From `cbuffer` to `{`.
    pub(crate) opening: Range<usize>,
    /// `}` and the `;` after it.
    pub(crate) closing: Range<usize>,
}

/// Everything at global scope.
#[derive(Debug, Default)]
pub(crate) struct Declarations {
    pub(crate) globals: Vec<Global>,
    pub(crate) functions: Vec<Function>,
    pub(crate) constant_buffers: Vec<ConstantBuffer>,
    /// Structs, type aliases, namespaces.
    pub(crate) types: HashSet<String>,
    /// Token ranges of struct and namespace bodies.
    pub(crate) bodies: Vec<Range<usize>>,
}
