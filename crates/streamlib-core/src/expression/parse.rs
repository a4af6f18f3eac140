//! From text to operations: `sum = product { (+|-) product }`, `product = sign { (*|/|%) sign }`, `sign = [-] sign | atom`,
//! `atom = number | name | name ( sum {, sum} ) | ( sum )`.

use super::program::{FUNCTIONS, Function, Op, STACK, VARIABLES};
use super::{ExpressionError, MAX_DEPTH, MAX_LENGTH};

/// The operations that `text` stands for.
pub(super) fn parse(text: &str) -> Result<Vec<Op>, ExpressionError> {
    if text.len() > MAX_LENGTH {
        return Err(ExpressionError::TooLong { length: text.len() });
    }
    let mut parser = Parser { rest: text, at: 1, depth: 0, height: 0, ops: Vec::new() };
    parser.skip_blanks();
    if parser.rest.is_empty() {
        return Err(ExpressionError::Empty);
    }
    parser.sum()?;
    match parser.rest {
        "" => Ok(parser.ops),
        _ => Err(parser.unexpected("an operator, or the end")),
    }
}

struct Parser<'a> {
    /// What is left of the text; blanks are skipped after each piece.
    rest: &'a str,
    /// Position of `rest`, in characters from 1.
    at: usize,
    /// Levels that are open.
    depth: usize,
    /// Values on the stack after the operations so far.
    height: usize,
    ops: Vec<Op>,
}

type Parsed = Result<(), ExpressionError>;

impl<'a> Parser<'a> {
    fn sum(&mut self) -> Parsed {
        self.product()?;
        loop {
            let at = self.at;
            let function = match self.take_one_of("+-") {
                Some('+') => Function::Two(|a, b| a + b),
                Some(_) => Function::Two(|a, b| a - b),
                None => return Ok(()),
            };
            self.product()?;
            self.push(Op::Apply(function), at)?;
        }
    }

    fn product(&mut self) -> Parsed {
        self.sign()?;
        loop {
            let at = self.at;
            let function = match self.take_one_of("*/%") {
                Some('*') => Function::Two(|a, b| a * b),
                Some('/') => Function::Two(|a, b| a / b),
                // Rust's remainder has the sign of the dividend, as HLSL's has.
                Some(_) => Function::Two(|a, b| a % b),
                None => return Ok(()),
            };
            self.sign()?;
            self.push(Op::Apply(function), at)?;
        }
    }

    fn sign(&mut self) -> Parsed {
        let at = self.at;
        if self.take_one_of("-").is_none() {
            return self.atom();
        }
        self.nested(at, Self::sign)?;
        self.push(Op::Apply(Function::One(|a| -a)), at)
    }

    fn atom(&mut self) -> Parsed {
        let at = self.at;
        match self.rest.chars().next() {
            Some('(') => {
                self.skip(1);
                self.nested(at, Self::sum)?;
                self.close("an operator, or `)`")
            }
            Some(c) if c.is_ascii_digit() || c == '.' => self.number(),
            Some(c) if c.is_ascii_alphabetic() || c == '_' => {
                let name = self.take_while(|c| c.is_ascii_alphanumeric() || c == '_');
                if self.take_one_of("(").is_some() { self.call(name, at) } else { self.variable(name, at) }
            }
            _ => Err(self.unexpected("a number, a name, `-` or `(`")),
        }
    }

    fn number(&mut self) -> Parsed {
        let (at, all) = (self.at, self.rest);
        let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
        let mut length = digits(all);
        if all[length..].starts_with('.') {
            length += 1 + digits(&all[length + 1..]);
        }
        if let Some(exponent) = all[length..].strip_prefix(['e', 'E']) {
            let sign = usize::from(exponent.starts_with(['+', '-']));
            length += 1 + sign + digits(&exponent[sign..]);
        }
        // What follows at once belongs to it: `2x` and `1.2.3` are no numbers.
        let more = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
        length += all[length..].bytes().take_while(|&b| more(char::from(b))).count();
        let text = &all[..length];
        match text.parse::<f64>() {
            Ok(number) if number.is_finite() => {
                self.skip(length);
                self.push(Op::Number(number), at)
            }
            _ => Err(ExpressionError::Number { at, found: text.to_owned() }),
        }
    }

    fn variable(&mut self, name: &str, at: usize) -> Parsed {
        if let Some((_, variable)) = VARIABLES.iter().find(|(known, _)| *known == name) {
            return self.push(Op::Variable(*variable), at);
        }
        match FUNCTIONS.iter().any(|(known, _)| *known == name) {
            true => Err(self.unexpected("`(` after the name of a function")),
            false => Err(ExpressionError::UnknownVariable { at, found: name.to_owned() }),
        }
    }

    fn call(&mut self, name: &str, at: usize) -> Parsed {
        let Some(&(function, known)) = FUNCTIONS.iter().find(|(known, _)| *known == name) else {
            return Err(ExpressionError::UnknownFunction { at, found: name.to_owned() });
        };
        let mut found = 0;
        if !self.rest.starts_with(')') {
            loop {
                self.nested(at, Self::sum)?;
                found += 1;
                if self.take_one_of(",").is_none() {
                    break;
                }
            }
        }
        self.close("an operator, `,` or `)`")?;
        let expected = known.arity();
        if found != expected {
            return Err(ExpressionError::Arguments { at, function, expected, found });
        }
        self.push(Op::Apply(known), at)
    }

    fn close(&mut self, expected: &'static str) -> Parsed {
        self.take_one_of(")").map(drop).ok_or_else(|| self.unexpected(expected))
    }

    /// Reads what stands one level deeper than the text that began at `at`.
    fn nested(&mut self, at: usize, read: impl FnOnce(&mut Self) -> Parsed) -> Parsed {
        if self.depth == MAX_DEPTH {
            return Err(ExpressionError::TooDeep { at });
        }
        self.depth += 1;
        read(self)?;
        self.depth -= 1;
        Ok(())
    }

    fn push(&mut self, op: Op, at: usize) -> Parsed {
        self.height += 1;
        if let Op::Apply(function) = op {
            self.height -= function.arity();
        }
        if self.height > STACK {
            return Err(ExpressionError::TooDeep { at });
        }
        self.ops.push(op);
        Ok(())
    }

    fn take_one_of(&mut self, wanted: &str) -> Option<char> {
        let found = self.rest.chars().next().filter(|c| wanted.contains(*c))?;
        self.skip(1);
        Some(found)
    }

    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest;
        let length = rest.find(|c| !wanted(c)).unwrap_or(rest.len());
        self.skip(length);
        &rest[..length]
    }

    /// Goes on behind so many ASCII characters, and the blanks that follow.
    fn skip(&mut self, length: usize) {
        self.rest = &self.rest[length..];
        self.at += length;
        self.skip_blanks();
    }

    fn skip_blanks(&mut self) {
        let rest = self.rest.trim_start();
        self.at += self.rest[..self.rest.len() - rest.len()].chars().count();
        self.rest = rest;
    }

    fn unexpected(&self, expected: &'static str) -> ExpressionError {
        let at = self.at;
        let Some(found) = self.rest.chars().next() else {
            return ExpressionError::Unexpected { at, found: "the end".to_owned(), expected };
        };
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if !is_name(found) && !"+-*/%(),.".contains(found) {
            return ExpressionError::Character { at, found };
        }
        let length = self.rest.find(|c| !is_name(c)).unwrap_or(self.rest.len()).max(1);
        ExpressionError::Unexpected { at, found: format!("`{}`", &self.rest[..length]), expected }
    }
}
