//! Finds names that a source uses without declaring them, respecting local scopes.

use std::collections::HashSet;

use super::declarations::Declarations;
use super::lexer::{Kind, Lexed, Token};
use super::parse::matching;

/// A use of a name that nothing in scope declares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FreeName {
    pub(crate) name: String,
    pub(crate) at: usize,
    pub(crate) role: Role,
}

/// How a free name is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Called like a function.
    Call,
    /// First argument of `tex2D` and its kin.
    Texture,
    /// First argument of a texture's `Sample...` or `Gather...`.
    Sampler,
    /// Anything else.
    Value,
}

/// `texture.Sample(sampler, uv)`: compute has no derivatives, so it becomes `SampleLevel` at level 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SampleCall {
    /// End of the word `Sample`.
    pub(crate) after_name: usize,
    /// End of the second argument.
    pub(crate) after_uv: usize,
}

/// What [`uses`] finds, in source order.
#[derive(Debug, Default)]
pub(crate) struct Uses {
    pub(crate) free: Vec<FreeName>,
    pub(crate) sample_calls: Vec<SampleCall>,
    /// Where the type `sampler2D` is written.
    pub(crate) sampler2d: Vec<usize>,
    /// Names of local variables that have a semantic.
    pub(crate) local_semantics: Vec<usize>,
}

/// Functions of the older spelling that take a texture first.
pub(crate) const LEGACY_LOOKUPS: &[&str] = &["tex2D", "tex2Dlod"];

const NO_TYPES: &[&str] = &[
    "return", "else", "case", "goto", "do", "in", "out", "inout", "const", "static", "uniform", "precise",
    "default", "discard", "break", "continue", "typedef", "struct", "using",
];

const TEMPLATE_TYPES: &[&str] = &[
    "vector",
    "matrix",
    "Texture2D",
    "RWTexture2D",
    "StructuredBuffer",
    "RWStructuredBuffer",
    "Buffer",
    "Texture2DArray",
    "Texture3D",
    "ConstantBuffer",
];

/// Reads the uses of `lexed`.
pub(crate) fn uses(source: &str, lexed: &Lexed, declared: &Declarations) -> Uses {
    let mut globals: HashSet<&str> = declared.globals.iter().map(|g| g.name.as_str()).collect();
    globals.extend(declared.functions.iter().map(|f| f.name.as_str()));
    globals.extend(declared.types.iter().map(String::as_str));
    let macros = lexed.directives.iter().filter_map(|d| {
        let [define, name, ..] = d.tokens.as_slice() else {
            return None;
        };
        (define.text(source) == "define").then(|| name.text(source))
    });
    globals.extend(macros);
    let textures = texture_names(source, lexed);
    let mut out = Uses::default();
    let mut run = |tokens: &[Token], own: &[&str]| {
        let mut walker = Walker {
            source,
            tokens,
            globals: &globals,
            textures: &textures,
            scopes: vec![own.iter().copied().collect()],
            out: &mut out,
            declaring: None,
            depth: 0,
        };
        walker.walk();
    };
    for function in &declared.functions {
        run(lexed.slice(&function.tokens), &[]);
    }
    for body in &declared.bodies {
        run(lexed.slice(body), &[]);
    }
    // Initialisers of program constants; those of parameters are evaluated here and never seen by DXC.
    for global in declared.globals.iter().filter(|g| !g.is_external() || g.has("const")) {
        if let Some(range) = &global.initializer {
            run(lexed.slice(range), &[]);
        }
    }
    for directive in &lexed.directives {
        if directive.tokens.first().is_some_and(|t| t.text(source) == "define") {
            let (parameters, body) = macro_parts(source, &directive.tokens);
            run(body, &parameters);
        }
    }
    out.sampler2d = lexed.tokens.iter().filter(|t| t.text(source) == "sampler2D").map(|t| t.start).collect();
    out.free.sort_by_key(|f| f.at);
    out
}

/// Parameters and body of a `#define`.
fn macro_parts<'s, 't>(source: &'s str, tokens: &'t [Token]) -> (Vec<&'s str>, &'t [Token]) {
    let (Some(name), Some(open)) = (tokens.get(1), tokens.get(2)) else {
        return (Vec::new(), &[]);
    };
    // Only a parenthesis that touches the name opens a parameter list.
    if !open.is(b'(') || open.start != name.end {
        return (Vec::new(), &tokens[2..]);
    }
    let close = matching(tokens, 2).unwrap_or(tokens.len() - 1);
    let parameters =
        tokens[3..close.max(3)].iter().filter(|t| t.is_ident()).map(|t| t.text(source)).collect();
    (parameters, &tokens[close + 1..])
}

/// Every name that is declared as a two-dimensional texture somewhere, and those that may be undeclared ports.
fn texture_names<'a>(source: &'a str, lexed: &Lexed) -> HashSet<&'a str> {
    let mut names: HashSet<&str> = ["input", "input_texture"].into();
    let tokens = &lexed.tokens;
    for (index, token) in tokens.iter().enumerate() {
        if !matches!(token.text(source), "Texture2D" | "sampler2D") {
            continue;
        }
        let mut next = index + 1;
        if tokens.get(next).is_some_and(|t| t.is(b'<')) {
            next += tokens[next..].iter().position(|t| t.is(b'>')).map_or(0, |i| i + 1);
        }
        while let Some(name) = tokens.get(next).filter(|t| t.is_ident()) {
            names.insert(name.text(source));
            // `Texture2D a, b;`, but not the next parameter of a function.
            let more = tokens.get(next + 1).is_some_and(|t| t.is(b','))
                && !tokens.get(next + 3).is_some_and(Token::is_ident);
            if !more {
                break;
            }
            next += 2;
        }
    }
    names
}

struct Walker<'a, 'o> {
    source: &'a str,
    tokens: &'o [Token],
    globals: &'o HashSet<&'a str>,
    textures: &'o HashSet<&'a str>,
    scopes: Vec<HashSet<&'a str>>,
    out: &'o mut Uses,
    /// Bracket depth of the declaration being read: a comma there starts another name.
    declaring: Option<usize>,
    depth: usize,
}

impl<'a> Walker<'a, '_> {
    fn text(&self, index: usize) -> &'a str {
        self.tokens.get(index).map_or("", |t| t.text(self.source))
    }

    fn is(&self, index: usize, punct: u8) -> bool {
        self.tokens.get(index).is_some_and(|t| t.is(punct))
    }

    fn walk(&mut self) {
        for index in 0..self.tokens.len() {
            match self.tokens[index].kind {
                Kind::Punct(b'{') => {
                    self.depth += 1;
                    self.scopes.push(HashSet::new());
                }
                Kind::Punct(b'}') => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.scopes.len() > 1 {
                        self.scopes.pop();
                    }
                    self.declaring = None;
                }
                Kind::Punct(b'(' | b'[') => self.depth += 1,
                Kind::Punct(b')' | b']') => self.depth = self.depth.saturating_sub(1),
                Kind::Punct(b';') => self.declaring = None,
                Kind::Ident => self.identifier(index),
                _ => {}
            }
        }
    }

    fn identifier(&mut self, index: usize) {
        let name = self.text(index);
        let after_comma = index > 0 && self.is(index - 1, b',') && self.declaring == Some(self.depth);
        if after_comma || self.follows_type(index) {
            self.declaring = Some(self.depth);
            if self.is_local_with_semantic(index) {
                self.out.local_semantics.push(self.tokens[index].start);
            }
            if let Some(scope) = self.scopes.last_mut() {
                scope.insert(name);
            }
            return;
        }
        if index > 0 && (self.is(index - 1, b'.') || self.is_semantic(index)) {
            if index > 1 && name == "Sample" && self.is(index + 1, b'(') && self.is_texture(index - 2) {
                self.sample_call(index);
            }
            return;
        }
        if self.is_declared(name) {
            return;
        }
        let role = if self.is_first_argument(index) {
            self.role_as_argument(index)
        } else if self.is(index + 1, b'(') {
            Role::Call
        } else {
            Role::Value
        };
        self.out.free.push(FreeName { name: name.to_owned(), at: self.tokens[index].start, role });
    }

    /// `Type name :` in the body of a function. Tokens of a function start at its parameters, those of a struct at its brace.
    fn is_local_with_semantic(&self, index: usize) -> bool {
        let is_statement = self.is(0, b'(') && self.depth > 0 && self.depth == self.scopes.len() - 1;
        is_statement && self.is(index + 1, b':') && !self.is(index + 2, b':')
    }

    fn is_declared(&self, name: &str) -> bool {
        self.globals.contains(name) || self.scopes.iter().any(|s| s.contains(name))
    }

    /// `Type name` followed by what can follow a name in a declaration.
    fn follows_type(&self, index: usize) -> bool {
        let Some(previous) = index.checked_sub(1) else {
            return false;
        };
        let declares = match self.tokens.get(index + 1).map(|t| t.kind) {
            Some(Kind::Punct(b)) => matches!(b, b';' | b'=' | b',' | b')' | b'[' | b':' | b'{'),
            Some(_) => false,
            None => true,
        };
        if !declares {
            return false;
        }
        if self.tokens[previous].is_ident() {
            return !NO_TYPES.contains(&self.text(previous));
        }
        // `>` closes a type only when a template's name stands before the `<`.
        self.is(previous, b'>')
            && (0..previous)
                .rev()
                .find(|&i| self.is(i, b'<'))
                .and_then(|open| open.checked_sub(1))
                .is_some_and(|i| TEMPLATE_TYPES.contains(&self.text(i)))
    }

    /// `: SV_Position` after a parameter, but not the second half of `a ? b : c` or of `A::b`.
    fn is_semantic(&self, index: usize) -> bool {
        self.is(index - 1, b':')
            && (self.text(index).starts_with("SV_")
                || self.text(index).starts_with("TEXCOORD")
                || (index > 1 && self.is(index - 2, b':')))
    }

    fn is_texture(&self, index: usize) -> bool {
        self.tokens.get(index).is_some_and(Token::is_ident) && self.textures.contains(self.text(index))
    }

    fn is_first_argument(&self, index: usize) -> bool {
        index > 1 && self.is(index - 1, b'(') && (self.is(index + 1, b',') || self.is(index + 1, b')'))
    }

    fn role_as_argument(&self, index: usize) -> Role {
        let function = self.text(index - 2);
        if LEGACY_LOOKUPS.contains(&function) {
            return Role::Texture;
        }
        let is_method = index > 3 && self.is(index - 3, b'.') && self.is_texture(index - 4);
        if is_method && (function.starts_with("Sample") || function.starts_with("Gather")) {
            return Role::Sampler;
        }
        Role::Value
    }

    fn sample_call(&mut self, index: usize) {
        let open = index + 1;
        let Some(close) = matching(self.tokens, open) else {
            return;
        };
        let mut depth = 0_usize;
        let mut commas = 0;
        let mut end = close;
        for i in open..close {
            match self.tokens[i].kind {
                Kind::Punct(b'(' | b'[' | b'{') => depth += 1,
                Kind::Punct(b')' | b']' | b'}') => depth = depth.saturating_sub(1),
                Kind::Punct(b',') if depth == 1 => {
                    commas += 1;
                    if commas == 2 {
                        end = i;
                        break;
                    }
                }
                _ => {}
            }
        }
        if commas > 0 {
            let call = SampleCall { after_name: self.tokens[index].end, after_uv: self.tokens[end].start };
            self.out.sample_calls.push(call);
        }
    }
}
