//! Finds textures that an effect reads at the pixel's own position only.
//!
//! The answer is yes only where the tokens prove it: every mention of the texture is a lookup at the untouched parameter of
//! `main`, and no macro could make of it something else. A wrong no costs a pass; a wrong yes would cost pixels.

use std::collections::HashSet;
use std::ops::Range;

use super::declarations::{Function, FunctionParameter, Global};
use super::edit::Edits;
use super::entry::{LOCAL_LOOKUP, main_function};
use super::lexer::{Directive, Kind, Token};
use super::lower::Reading;
use super::parse::matching;
use super::prelude::{DEFAULT_SAMPLER, OLD_INPUT};

/// Built-in functions that write to an argument.
const WRITERS: &[&str] = &["sincos", "modf", "frexp", "asuint", "GetDimensions"];
/// Words that may stand before an expression.
const BEFORE_EXPRESSION: &[&str] = &["return", "else", "case", "in"];

/// A lookup at the pixel's own position, and the names in it: bytes of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Read {
    pub(crate) range: Range<usize>,
    texture: Range<usize>,
    /// `None` in `tex2D`.
    sampler: Option<Range<usize>>,
    uv: Range<usize>,
}

impl Read {
    /// Calls the wrapper's lookup instead. The names stay where they are, so that they can be renamed; so does a level of 0,
    /// which a `Sample` is given anyway.
    pub(crate) fn load(&self, edits: &mut Edits) {
        let Self { range, texture, sampler, uv } = self;
        match sampler {
            Some(sampler) => {
                edits.insert(range.start, format!("{LOCAL_LOOKUP}("));
                edits.replace(texture.end..sampler.start, ", ");
                edits.replace(sampler.end..uv.start, ", ");
            }
            None => {
                edits.replace(range.start..texture.start, format!("{LOCAL_LOOKUP}("));
                edits.replace(texture.end..uv.start, format!(", {DEFAULT_SAMPLER}, "));
                edits.replace(uv.end..range.end, ", 0)");
            }
        }
    }
}

/// Each lookup of the texture `name` in the pixel form, when it is read at the pixel's own position only: `None`
/// where that is not certain.
pub(crate) fn local_reads(reading: &Reading<'_>, name: &str) -> Option<Vec<Read>> {
    reading.entry.call.as_ref()?;
    let names = names_of(reading, name);
    let declarations: HashSet<usize> = reading
        .declared
        .globals
        .iter()
        .filter(|g| names.contains(&g.name.as_str()))
        .map(|g| is_plain_texture(g).then_some(g.name_at))
        .collect::<Option<_>>()?;
    if declarations.is_empty() && !reading.prelude().declares_texture(name) {
        return None;
    }
    let body = Body::of(reading)?;
    let mut watched = names.clone();
    watched.extend(["tex2D", "Sample", "SampleLevel", "main", body.uv]);
    if !macros_are_harmless(reading, &watched) || !body.keeps_uv() {
        return None;
    }
    let tokens = &reading.lexed.tokens;
    let mentions = (0..tokens.len()).filter(|&i| names.contains(&body.text(i)));
    let reads = mentions.filter(|&i| !declarations.contains(&tokens[i].start)).map(|i| body.lookup(i));
    reads.collect()
}

/// Whether a lookup gives a `float4`, and it is one texture.
pub(crate) fn is_plain_texture(global: &Global) -> bool {
    let ty: String = global.ty.text.split_whitespace().collect();
    matches!(ty.as_str(), "Texture2D" | "Texture2D<float4>" | "sampler2D") && global.dimensions == 0
}

/// All names of the texture called `name`.
pub(crate) fn names_of<'a>(reading: &Reading<'_>, name: &'a str) -> Vec<&'a str> {
    match name {
        "input" | OLD_INPUT if reading.prelude().has_two_inputs() => vec!["input", OLD_INPUT],
        _ => vec![name],
    }
}

/// Whether no macro can stand for, or be wrapped around, one of `watched`.
fn macros_are_harmless(reading: &Reading<'_>, watched: &[&str]) -> bool {
    let source = reading.source.text();
    let main = main_function(&reading.declared).map(|f| reading.lexed.slice(&f.tokens));
    let Some([first, .., last]) = main else { return false };
    reading.lexed.directives.iter().all(|directive| {
        let is_in_main = directive.end > first.start && directive.start < last.end;
        let names_one = directive.tokens.iter().any(|t| watched.contains(&t.text(source)));
        let is_harmless = match directive.tokens.first().map_or("", |t| t.text(source)) {
            "define" => is_expression(source, directive),
            "if" | "ifdef" | "ifndef" | "elif" | "else" | "endif" | "undef" => !is_in_main,
            _ => true,
        };
        is_harmless && !names_one
    })
}

/// Whether a macro stands for nothing but a part of an expression that changes no variable.
fn is_expression(source: &str, directive: &Directive) -> bool {
    let tokens = directive.tokens.get(2..).unwrap_or_default();
    let mut depth = 0_i32;
    tokens.iter().zip(tokens.iter().skip(1).map(Some).chain([None])).all(|(token, next)| {
        let is_doubled = next.is_some_and(|n| n.kind == token.kind && n.start == token.end);
        match token.kind {
            Kind::Punct(b'(') => depth += 1,
            Kind::Punct(b')') => depth -= 1,
            Kind::Punct(b'+' | b'-') => return depth >= 0 && !is_doubled,
            Kind::Punct(b'*' | b'/' | b'.' | b',') | Kind::Number => {}
            // A macro may be named like a function that writes to its argument.
            Kind::Ident => return depth >= 0 && !WRITERS.contains(&token.text(source)),
            _ => return false,
        }
        depth >= 0
    }) && depth == 0
}

/// The author's `main` with its parameter for the position.
struct Body<'a> {
    reading: &'a Reading<'a>,
    function: &'a Function,
    uv: &'a str,
    macros: HashSet<&'a str>,
}

impl<'a> Body<'a> {
    fn of(reading: &'a Reading<'a>) -> Option<Self> {
        let source = reading.source.text();
        let function = main_function(&reading.declared)?;
        let is_uv = |p: &&FunctionParameter| {
            let semantic = p.semantic.as_deref().unwrap_or_default().to_ascii_uppercase();
            matches!(semantic.as_str(), "TEXCOORD" | "TEXCOORD0")
                && p.ty.text == "float2"
                && p.modifiers.iter().all(|m| matches!(m.as_str(), "in" | "const"))
        };
        let uv = function.parameters.iter().find(is_uv).map_or("", |p| p.name.as_str());
        let macros = reading.lexed.directives.iter().filter_map(|d| match d.tokens.as_slice() {
            [define, name, ..] if define.text(source) == "define" => Some(name.text(source)),
            _ => None,
        });
        let body = Self { reading, function, uv, macros: macros.collect() };
        // A second `main`, or one that is called with another position, makes the parameter anything.
        let mentions = |name: &str| reading.lexed.tokens.iter().filter(|t| t.text(source) == name).count();
        let parameters_named = function.parameters.iter().filter(|p| p.name == uv).count();
        let declares = |name: &str| {
            reading.declared.functions.iter().any(|f| f.name == name)
                || reading.declared.globals.iter().any(|g| g.name == name)
                || reading.declared.types.contains(name)
        };
        (mentions("main") == 1 && parameters_named <= 1 && !declares(uv) && !declares("tex2D"))
            .then_some(body)
    }

    fn text(&self, index: usize) -> &'a str {
        self.reading.lexed.tokens.get(index).map_or("", |t| t.text(self.reading.source.text()))
    }

    fn is(&self, index: usize, punct: u8) -> bool {
        self.reading.lexed.tokens.get(index).is_some_and(|t| t.is(punct))
    }

    fn is_ident(&self, index: usize) -> bool {
        self.reading.lexed.tokens.get(index).is_some_and(Token::is_ident)
    }

    /// Whether the name at `index` follows a `.` or a `::`.
    fn is_member(&self, index: usize) -> bool {
        let is_colon = |back: usize| index >= back && self.is(index - back, b':');
        (index > 0 && self.is(index - 1, b'.')) || (is_colon(1) && is_colon(2))
    }

    /// Index of the brace that opens the body.
    fn opening(&self) -> usize {
        let tokens = &self.reading.lexed.tokens;
        matching(tokens, self.function.tokens.start).map_or(tokens.len(), |close| {
            (close..self.function.tokens.end).find(|&i| self.is(i, b'{')).unwrap_or(tokens.len())
        })
    }

    /// The bytes of the lookup whose texture is the token at `index`; `None` when it is something else.
    fn lookup(&self, index: usize) -> Option<Read> {
        if index <= self.opening() || index >= self.function.tokens.end || self.uv.is_empty() {
            return None;
        }
        let tokens = &self.reading.lexed.tokens;
        let token = |at: usize| tokens.get(at).map(Token::range);
        let read = |from: usize, to: usize, sampler: Option<usize>, uv: usize| {
            let range = tokens[from].start..tokens.get(to)?.end;
            let sampler = sampler.map_or(Some(None), |at| token(at).map(Some))?;
            Some(Read { range, texture: token(index)?, sampler, uv: token(uv)? })
        };
        // tex2D ( NAME , UV )
        let is_function = index > 1 && self.text(index - 2) == "tex2D" && self.is(index - 1, b'(');
        if is_function && !self.is_member(index - 2) {
            let fits =
                self.is(index + 1, b',') && self.text(index + 2) == self.uv && self.is(index + 3, b')');
            return read(index - 2, index + 3, None, index + 2).filter(|_| fits);
        }
        // NAME . Sample ( SAMPLER , UV ), and SampleLevel with a level of 0
        let is_sampler = self.is_ident(index + 4) && !self.macros.contains(self.text(index + 4));
        let starts = self.is(index + 1, b'.') && self.is(index + 3, b'(') && is_sampler;
        let fits = starts && self.is(index + 5, b',') && self.text(index + 6) == self.uv;
        let is_zero = self.text(index + 8).parse() == Ok(0.0_f64);
        match self.text(index + 2) {
            "Sample" if fits && self.is(index + 7, b')') => {
                read(index, index + 7, Some(index + 4), index + 6)
            }
            "SampleLevel" if fits && self.is(index + 7, b',') && is_zero && self.is(index + 9, b')') => {
                read(index, index + 9, Some(index + 4), index + 6)
            }
            _ => None,
        }
    }

    /// Whether the position has the same value everywhere in the body.
    fn keeps_uv(&self) -> bool {
        let mentions = self.function.tokens.clone().filter(|&i| self.text(i) == self.uv);
        // The first is the parameter itself.
        mentions.skip(1).all(|i| self.is(i - 1, b'.') || self.only_reads(i))
    }

    /// Whether the mention of a variable at `index` can only read it.
    fn only_reads(&self, index: usize) -> bool {
        let mut after = index + 1;
        loop {
            if self.is(after, b'.') && self.is_ident(after + 1) {
                after += 2;
            } else if self.is(after, b'[') {
                let tokens = &self.reading.lexed.tokens;
                after = matching(tokens, after).map_or(tokens.len(), |i| i + 1);
            } else {
                break;
            }
        }
        let before = index - 1;
        let is_declared = (self.is_ident(before) && !BEFORE_EXPRESSION.contains(&self.text(before)))
            // `vector<float, 2> uv;`, and now and then an innocent `a > uv;`.
            || (self.is(before, b'>') && matches!(self.text(after), "=" | ";" | ":"));
        let is_stepped = (before > 0 && self.is_step(before - 1)) || self.is_step(after);
        // After an expression, a word or a parenthesis can only be a macro or its arguments.
        let is_followed = self.is_ident(after) || self.is(after, b'(');
        !is_declared
            && !is_stepped
            && !is_followed
            && !self.is_assigned(after)
            && self.is_kept_by_call(index, after)
    }

    /// Whether `++` or `--` starts at `at`.
    fn is_step(&self, at: usize) -> bool {
        match self.reading.lexed.tokens.get(at..at + 2) {
            Some([a, b]) => a.kind == b.kind && a.end == b.start && (a.is(b'+') || a.is(b'-')),
            _ => false,
        }
    }

    /// Whether an assignment starts at `at`: `=`, `+=`, `<<=` and the like.
    fn is_assigned(&self, at: usize) -> bool {
        let signs: String = (at..at + 3)
            .map_while(|i| match self.reading.lexed.tokens.get(i)?.kind {
                Kind::Punct(b) if b"=+-*/%&|^<>!".contains(&b) => Some(char::from(b)),
                _ => None,
            })
            .collect();
        let is_comparison = ["==", "!=", "<=", ">="].iter().any(|c| signs.starts_with(c));
        signs.contains('=') && !is_comparison
    }

    /// Whether the call that the variable at `index` is a whole argument of, if any, leaves it as it is. `after` is the
    /// first token behind the argument.
    fn is_kept_by_call(&self, index: usize, after: usize) -> bool {
        let is_whole = (self.is(index - 1, b'(') || self.is(index - 1, b','))
            && (self.is(after, b')') || self.is(after, b','));
        let Some(open) = self.enclosing_parenthesis(index) else { return true };
        let callee = open.checked_sub(1).map_or("", |i| self.text(i));
        if self.macros.contains(callee) {
            return false;
        }
        if !is_whole {
            return true;
        }
        if !self.is_ident(open - 1) {
            return false;
        }
        if self.is_member(open - 1) {
            let is_lookup = matches!(callee, "Sample" | "SampleLevel" | "Gather" | "Load");
            return is_lookup && !self.is_in_a_type(callee);
        }
        let writes = |f: &Function| {
            f.parameters.iter().any(|p| p.modifiers.iter().any(|m| m == "out" || m == "inout"))
        };
        !WRITERS.contains(&callee)
            && !callee.starts_with("Interlocked")
            && !self.reading.declared.functions.iter().any(|f| f.name == callee && writes(f))
    }

    /// Whether a struct or a namespace mentions `name`, and so may have a function of this name.
    fn is_in_a_type(&self, name: &str) -> bool {
        let Reading { source, lexed, declared, .. } = self.reading;
        declared.bodies.iter().any(|body| lexed.slice(body).iter().any(|t| t.text(source.text()) == name))
    }

    /// The parenthesis around `index`, without going out of a statement.
    fn enclosing_parenthesis(&self, index: usize) -> Option<usize> {
        let mut depth = 0_usize;
        for i in (self.opening()..index).rev() {
            match self.reading.lexed.tokens[i].kind {
                Kind::Punct(b')' | b']' | b'}') => depth += 1,
                Kind::Punct(b'(') if depth == 0 => return Some(i),
                Kind::Punct(b'[' | b'{') if depth == 0 => return None,
                Kind::Punct(b'(' | b'[' | b'{') => depth -= 1,
                Kind::Punct(b';') if depth == 0 => return None,
                _ => {}
            }
        }
        None
    }
}
