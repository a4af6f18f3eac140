//! Reads global declarations from tokens. What it cannot read it skips: DXC is the judge of the language.

use super::declarations::{ConstantBuffer, Declarations, Function, FunctionParameter, Global, TypeName};
use super::lexer::{Kind, Lexed, Token};

const MODIFIERS: &[&str] = &[
    "static",
    "const",
    "uniform",
    "extern",
    "row_major",
    "column_major",
    "groupshared",
    "precise",
    "volatile",
    "shared",
    "nointerpolation",
    "inline",
    "export",
    "in",
    "out",
    "inout",
    "unorm",
    "snorm",
    "linear",
    "centroid",
    "noperspective",
    "globallycoherent",
];

/// Reads the declarations of `lexed`.
pub(crate) fn declarations(source: &str, lexed: &Lexed) -> Declarations {
    let mut parser =
        Parser { source, tokens: &lexed.tokens, at: 0, out: Declarations::default(), has_numthreads: false };
    while parser.at < parser.tokens.len() {
        let before = parser.at;
        parser.item();
        if parser.at == before {
            parser.at += 1;
        }
    }
    parser.out
}

struct Parser<'a> {
    source: &'a str,
    tokens: &'a [Token],
    at: usize,
    out: Declarations,
    has_numthreads: bool,
}

impl<'a> Parser<'a> {
    fn text(&self, index: usize) -> &'a str {
        self.tokens.get(index).map_or("", |t| t.text(self.source))
    }

    fn is(&self, index: usize, punct: u8) -> bool {
        self.tokens.get(index).is_some_and(|t| t.is(punct))
    }

    fn is_ident(&self, index: usize) -> bool {
        self.tokens.get(index).is_some_and(Token::is_ident)
    }

    /// Index after the bracket that closes the one at `open`; the end when there is none.
    fn after_matching(&self, open: usize) -> usize {
        matching(self.tokens, open).map_or(self.tokens.len(), |i| i + 1)
    }

    /// Skips to after the next `;` at this level, or after a `{...}`.
    fn skip_statement(&mut self) {
        while self.at < self.tokens.len() {
            match self.tokens[self.at].kind {
                Kind::Punct(b';') => {
                    self.at += 1;
                    return;
                }
                Kind::Punct(b'{') => {
                    self.at = self.after_matching(self.at);
                    return;
                }
                Kind::Punct(b'(' | b'[') => self.at = self.after_matching(self.at),
                Kind::Punct(b'}') => return,
                _ => self.at += 1,
            }
        }
    }

    fn item(&mut self) {
        match self.text(self.at) {
            "[" => {
                let end = self.after_matching(self.at);
                self.has_numthreads |= (self.at..end).any(|i| self.text(i) == "numthreads");
                self.at = end;
            }
            "struct" | "class" | "interface" | "enum" => self.type_definition(),
            "namespace" => {
                self.out.types.insert(self.text(self.at + 1).to_owned());
                let open = self.at + 2;
                self.skip_statement();
                self.out.bodies.push(open..self.at);
            }
            "typedef" | "using" => {
                let start = self.at;
                self.skip_statement();
                // `using A = B;` names its second token, `typedef B A;` its last.
                let name = if self.text(start) == "using" { start + 1 } else { self.at.saturating_sub(2) };
                self.out.types.insert(self.text(name).to_owned());
            }
            "template" => {
                self.at += 1;
                if self.is(self.at, b'<') {
                    while self.at < self.tokens.len() && !self.is(self.at, b'>') {
                        self.at += 1;
                    }
                    self.at += 1;
                }
            }
            "cbuffer" | "tbuffer" => self.constant_buffer(),
            _ if self.is_ident(self.at) => self.declaration(true),
            _ => self.at += 1,
        }
    }

    fn type_definition(&mut self) {
        let start = self.at;
        self.at += 1;
        if self.text(start) == "enum" && self.text(self.at) == "class" {
            self.at += 1;
        }
        let name = self.at;
        self.out.types.insert(self.text(name).to_owned());
        while self.at < self.tokens.len() && !self.is(self.at, b'{') && !self.is(self.at, b';') {
            self.at += 1;
        }
        if self.is(self.at, b'{') {
            let open = self.at;
            self.at = self.after_matching(open);
            self.out.bodies.push(open..self.at);
        }
        if self.is_ident(self.at) {
            let ty =
                TypeName { base: self.text(name).to_owned(), text: self.text(name).to_owned(), token: name };
            let start = self.tokens[start].start;
            self.declarators(&ty, &[], start);
        }
    }

    fn constant_buffer(&mut self) {
        let start = self.at;
        while self.at < self.tokens.len() && !self.is(self.at, b'{') && !self.is(self.at, b';') {
            self.at += 1;
        }
        if !self.is(self.at, b'{') {
            return;
        }
        let open = self.at;
        let opening = self.tokens[start].start..self.tokens[open].end;
        self.at += 1;
        while self.at < self.tokens.len() && !self.is(self.at, b'}') {
            let before = self.at;
            if self.is_ident(self.at) {
                self.declaration(false);
            }
            if self.at == before {
                self.at += 1;
            }
        }
        let Some(close) = self.tokens.get(self.at) else {
            // Never closed: DXC says so.
            return;
        };
        let mut closing = close.range();
        self.at += 1;
        if let Some(semicolon) = self.tokens.get(self.at).filter(|t| t.is(b';')) {
            closing.end = semicolon.end;
            self.at += 1;
        }
        self.out.constant_buffers.push(ConstantBuffer { opening, closing });
    }

    fn modifiers(&mut self) -> Vec<String> {
        let mut found = Vec::new();
        while MODIFIERS.contains(&self.text(self.at)) {
            found.push(self.text(self.at).to_owned());
            self.at += 1;
        }
        found
    }

    fn type_name(&mut self) -> Option<TypeName> {
        if !self.is_ident(self.at) {
            return None;
        }
        let token = self.at;
        let start = self.tokens[token].start;
        let mut base = self.text(token).to_owned();
        self.at += 1;
        while self.is(self.at, b':') && self.is(self.at + 1, b':') && self.is_ident(self.at + 2) {
            self.at += 3;
        }
        if base == "unsigned" && self.text(self.at) == "int" {
            base = "uint".to_owned();
            self.at += 1;
        }
        if self.is(self.at, b'<') {
            let mut depth = 0_usize;
            while let Some(t) = self.tokens.get(self.at) {
                match t.kind {
                    Kind::Punct(b'<') => depth += 1,
                    Kind::Punct(b'>') => depth -= 1,
                    Kind::Punct(b';' | b'{' | b'}') => return None,
                    _ => {}
                }
                self.at += 1;
                if depth == 0 {
                    break;
                }
            }
        }
        let end = self.tokens[self.at - 1].end;
        Some(TypeName { base, text: self.source[start..end].to_owned(), token })
    }

    fn declaration(&mut self, functions: bool) {
        let start = self.tokens[self.at].start;
        let mut modifiers = self.modifiers();
        let Some(ty) = self.type_name() else {
            return self.skip_statement();
        };
        modifiers.extend(self.modifiers());
        if !self.is_ident(self.at) {
            return self.skip_statement();
        }
        if functions && self.is(self.at + 1, b'(') {
            self.function(ty);
        } else {
            self.declarators(&ty, &modifiers, start);
        }
    }

    fn function(&mut self, returns: TypeName) {
        let name = self.at;
        let open = name + 1;
        let close = self.after_matching(open);
        self.at = open + 1;
        let mut parameters = Vec::new();
        while self.at + 1 < close {
            let before = self.at;
            if let Some(p) = self.function_parameter(close - 1) {
                parameters.push(p);
            }
            if self.at == before {
                self.at += 1;
            }
        }
        self.at = close;
        let mut semantic = None;
        if self.is(self.at, b':') {
            semantic = Some(self.text(self.at + 1).to_owned());
            self.at += 2;
        }
        let has_body = self.is(self.at, b'{');
        self.skip_statement();
        self.out.functions.push(Function {
            name: self.text(name).to_owned(),
            name_at: self.tokens[name].start,
            returns,
            semantic,
            parameters,
            tokens: open..self.at,
            has_numthreads: std::mem::take(&mut self.has_numthreads),
            has_body,
        });
    }

    /// One parameter, up to after its comma.
    fn function_parameter(&mut self, end: usize) -> Option<FunctionParameter> {
        let modifiers = self.modifiers();
        let ty = self.type_name();
        let name = self.at.min(end);
        let mut semantic = None;
        let mut depth = 0_usize;
        while self.at < end {
            match self.tokens[self.at].kind {
                Kind::Punct(b'(' | b'[' | b'{') => depth += 1,
                Kind::Punct(b')' | b']' | b'}') => depth = depth.saturating_sub(1),
                Kind::Punct(b':') if depth == 0 && semantic.is_none() => {
                    semantic = Some(self.text(self.at + 1).to_owned());
                }
                Kind::Punct(b',') if depth == 0 => break,
                _ => {}
            }
            self.at += 1;
        }
        if self.at < end {
            self.at += 1;
        }
        let ty = ty.filter(|t| t.base != "void")?;
        Some(FunctionParameter {
            at: self.tokens[ty.token].start,
            ty,
            modifiers,
            semantic,
            name: if self.is_ident(name) { self.text(name).to_owned() } else { String::new() },
        })
    }

    /// `name [dims] [: register] [<annotation>] [= init] {, ...} ;`
    fn declarators(&mut self, ty: &TypeName, modifiers: &[String], start: usize) {
        while self.is_ident(self.at) {
            let mut global = Global {
                name: self.text(self.at).to_owned(),
                name_at: self.tokens[self.at].start,
                ty: ty.clone(),
                modifiers: modifiers.to_vec(),
                start,
                dimensions: 0,
                initializer: None,
                annotations: Vec::new(),
                blank: Vec::new(),
            };
            self.at += 1;
            self.declarator_tail(&mut global);
            self.out.globals.push(global);
            if self.is(self.at, b',') {
                self.at += 1;
            } else {
                break;
            }
        }
        self.skip_statement();
    }

    fn declarator_tail(&mut self, global: &mut Global) {
        while let Some(token) = self.tokens.get(self.at) {
            let from = token.start;
            match token.kind {
                Kind::Punct(b'[') => {
                    global.dimensions += 1;
                    self.at = self.after_matching(self.at);
                    continue;
                }
                Kind::Punct(b':') => {
                    self.at += 2;
                    if self.is(self.at, b'(') {
                        self.at = self.after_matching(self.at);
                    }
                }
                Kind::Punct(b'<') => {
                    let open = self.at;
                    while self.at < self.tokens.len() && !self.is(self.at, b'>') {
                        self.at += 1;
                    }
                    global.annotations.push(open + 1..self.at);
                    self.at += 1;
                }
                Kind::Punct(b'{') => {
                    let open = self.at;
                    self.at = self.after_matching(open);
                    global.annotations.push(open + 1..self.at.saturating_sub(1).max(open + 1));
                }
                Kind::Punct(b'=') => {
                    let first = self.at + 1;
                    self.at = first;
                    while let Some(t) = self.tokens.get(self.at) {
                        match t.kind {
                            Kind::Punct(b',' | b';' | b'}' | b')') => break,
                            Kind::Punct(b'(' | b'[' | b'{') => self.at = self.after_matching(self.at),
                            _ => self.at += 1,
                        }
                    }
                    if self.text(first) == "sampler_state" {
                        global.annotations.push(first + 2..self.at.saturating_sub(1).max(first + 2));
                    } else {
                        global.initializer = Some(first..self.at);
                    }
                }
                _ => return,
            }
            let last = self.at.min(self.tokens.len()) - 1;
            global.blank.push(from..self.tokens[last].end);
        }
    }
}

/// Index of the bracket that closes the one at `open`, all three kinds counted together.
pub(crate) fn matching(tokens: &[Token], open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (index, token) in tokens.iter().enumerate().skip(open) {
        match token.kind {
            Kind::Punct(b'(' | b'[' | b'{') => depth += 1,
            Kind::Punct(b')' | b']' | b'}') => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Some(index);
                }
            }
            _ => {}
        }
    }
    None
}
