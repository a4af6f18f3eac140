//! Splits HLSL into tokens, preprocessor lines and comments. Any text can be split; nothing here fails.

use std::ops::Range;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Ident,
    Number,
    /// A string or character literal with its quotes.
    Text,
    /// One character.
    Punct(u8),
}

/// A piece of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl Token {
    pub(crate) fn is(&self, punct: u8) -> bool {
        self.kind == Kind::Punct(punct)
    }

    pub(crate) fn is_ident(&self) -> bool {
        self.kind == Kind::Ident
    }

    pub(crate) fn text<'a>(&self, source: &'a str) -> &'a str {
        &source[self.start..self.end]
    }

    pub(crate) fn range(&self) -> Range<usize> {
        self.start..self.end
    }
}

/// A preprocessor line, from `#` to before its line break.
#[derive(Clone, Debug)]
pub(crate) struct Directive {
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// What follows the `#`.
    pub(crate) tokens: Vec<Token>,
}

/// A comment with its markers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Comment {
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// A text in pieces, each list in order.
#[derive(Debug, Default)]
pub(crate) struct Lexed {
    pub(crate) tokens: Vec<Token>,
    pub(crate) directives: Vec<Directive>,
    pub(crate) comments: Vec<Comment>,
}

impl Lexed {
    /// The tokens of a range; none when it reaches beyond the last, as in a text that was cut short.
    pub(crate) fn slice(&self, range: &Range<usize>) -> &[Token] {
        self.tokens.get(range.clone()).unwrap_or_default()
    }
}

/// Splits `source`.
pub(crate) fn lex(source: &str) -> Lexed {
    let mut lexer = Lexer { bytes: source.as_bytes(), at: 0 };
    let mut lexed = Lexed::default();
    let mut directive: Option<Directive> = None;
    let mut line_is_empty = true;
    while let Some(piece) = lexer.next() {
        match piece {
            Piece::LineBreak(at) => {
                line_is_empty = true;
                if let Some(mut d) = directive.take() {
                    d.end = at;
                    lexed.directives.push(d);
                }
            }
            Piece::Comment(comment) => lexed.comments.push(comment),
            Piece::Token(token) => {
                match &mut directive {
                    Some(d) => d.tokens.push(token),
                    None if line_is_empty && token.is(b'#') => {
                        directive =
                            Some(Directive { start: token.start, end: token.end, tokens: Vec::new() });
                    }
                    None => lexed.tokens.push(token),
                }
                line_is_empty = false;
            }
        }
    }
    if let Some(mut d) = directive {
        d.end = source.len();
        lexed.directives.push(d);
    }
    lexed
}

enum Piece {
    LineBreak(usize),
    Comment(Comment),
    Token(Token),
}

struct Lexer<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Lexer<'_> {
    fn peek(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn skip_while(&mut self, keep: impl Fn(u8) -> bool) {
        while self.bytes.get(self.at).is_some_and(|&b| keep(b)) {
            self.at += 1;
        }
    }

    /// Length of a backslash with its line break, which join two lines; 0 when there is none here.
    fn joined_line(&self) -> usize {
        match (self.peek(0), self.peek(1), self.peek(2)) {
            (b'\\', b'\n', _) => 2,
            (b'\\', b'\r', b'\n') => 3,
            _ => 0,
        }
    }

    fn next(&mut self) -> Option<Piece> {
        loop {
            let start = self.at;
            let byte = *self.bytes.get(start)?;
            let token = |end, kind| Some(Piece::Token(Token { kind, start, end }));
            match byte {
                b'\n' => {
                    self.at += 1;
                    return Some(Piece::LineBreak(start));
                }
                b'\\' if self.joined_line() > 0 => self.at += self.joined_line(),
                b'/' if self.peek(1) == b'/' => {
                    while self.at < self.bytes.len() && self.peek(0) != b'\n' {
                        self.at += self.joined_line().max(1);
                    }
                    return Some(Piece::Comment(Comment { start, end: self.at }));
                }
                b'/' if self.peek(1) == b'*' => {
                    let body = &self.bytes[start + 2..];
                    let length = body.windows(2).position(|w| w == b"*/").map_or(body.len(), |i| i + 2);
                    self.at = start + 2 + length;
                    return Some(Piece::Comment(Comment { start, end: self.at }));
                }
                b'"' | b'\'' => {
                    self.at += 1;
                    while !matches!(self.peek(0), b'\n' | 0) && self.peek(0) != byte {
                        self.at +=
                            if self.peek(0) == b'\\' && !matches!(self.peek(1), b'\n' | 0) { 2 } else { 1 };
                    }
                    if self.peek(0) == byte {
                        self.at += 1;
                    }
                    return token(self.at, Kind::Text);
                }
                b if b.is_ascii_digit() || (b == b'.' && self.peek(1).is_ascii_digit()) => {
                    self.skip_number();
                    return token(self.at, Kind::Number);
                }
                b if is_ident_start(b) => {
                    self.skip_while(|b| is_ident_start(b) || b.is_ascii_digit());
                    return token(self.at, Kind::Ident);
                }
                b if b.is_ascii_whitespace() => self.at += 1,
                // A character outside ASCII is one token, however many bytes it has.
                b => {
                    self.at += 1;
                    self.skip_while(|b| b & 0xC0 == 0x80);
                    return token(self.at, Kind::Punct(b));
                }
            }
        }
    }

    fn skip_number(&mut self) {
        let hex = self.peek(0) == b'0' && matches!(self.peek(1), b'x' | b'X');
        loop {
            let signed_exponent =
                !hex && matches!(self.peek(0), b'e' | b'E') && matches!(self.peek(1), b'+' | b'-');
            if signed_exponent {
                self.at += 2;
            } else if self.peek(0).is_ascii_alphanumeric() || self.peek(0) == b'.' {
                self.at += 1;
            } else {
                return;
            }
        }
    }
}

fn is_ident_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_'
}

/// An `#include "path"` line.
#[derive(Debug)]
pub(crate) struct IncludeDirective {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) path: String,
    /// Where the quoted path starts.
    pub(crate) path_start: usize,
}

/// Every `#include` with a literal path, in order. `<path>` counts as `"path"`.
pub(crate) fn include_directives(source: &str) -> Vec<IncludeDirective> {
    lex(source)
        .directives
        .iter()
        .filter(|d| d.tokens.first().is_some_and(|t| t.text(source) == "include"))
        .filter_map(|d| {
            let first = d.tokens.get(1)?;
            let path = if first.kind == Kind::Text {
                first.text(source).trim_matches('"')
            } else if first.is(b'<') {
                let close = d.tokens.iter().find(|t| t.is(b'>'))?;
                source[first.end..close.start].trim()
            } else {
                return None;
            };
            Some(IncludeDirective {
                start: d.start,
                end: d.end,
                path: path.to_owned(),
                path_start: first.start,
            })
        })
        .collect()
}
