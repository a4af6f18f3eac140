//! Evaluates the constant expressions that authors write as defaults and ranges.

use std::collections::HashMap;

use super::lexer::{Kind, Token};

/// Constants in references to constants that are followed.
const MAX_DEPTH: usize = 32;
/// Greatest number of components of one value.
const MAX_COMPONENTS: usize = 4096;

/// Named constants that an expression may use: the tokens that define them.
pub(crate) type Environment<'a> = HashMap<&'a str, &'a [Token]>;

/// The components of a constant expression; `None` when it is not understood.
///
/// Understood are numbers, `true`, `false`, `+ - * /`, parentheses, vector and matrix constructors, `{...}` lists, and
/// names in `environment`.
pub(crate) fn evaluate(source: &str, tokens: &[Token], environment: &Environment<'_>) -> Option<Vec<f64>> {
    evaluate_within(source, tokens, environment, 0)
}

fn evaluate_within(
    source: &str,
    tokens: &[Token],
    environment: &Environment<'_>,
    depth: usize,
) -> Option<Vec<f64>> {
    let mut evaluator = Evaluator { source, tokens, environment, at: 0, depth };
    let value = evaluator.sum()?;
    (evaluator.at == tokens.len()).then_some(value)
}

struct Evaluator<'a> {
    source: &'a str,
    tokens: &'a [Token],
    environment: &'a Environment<'a>,
    at: usize,
    depth: usize,
}

impl<'a> Evaluator<'a> {
    fn peek(&self) -> Option<&'a Token> {
        self.tokens.get(self.at)
    }

    fn eat(&mut self, punct: u8) -> bool {
        let found = self.peek().is_some_and(|t| t.is(punct));
        self.at += usize::from(found);
        found
    }

    fn sum(&mut self) -> Option<Vec<f64>> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return None;
        }
        let mut left = self.product()?;
        loop {
            if self.eat(b'+') {
                left = elementwise(&left, &self.product()?, |a, b| a + b)?;
            } else if self.eat(b'-') {
                left = elementwise(&left, &self.product()?, |a, b| a - b)?;
            } else {
                self.depth -= 1;
                return Some(left);
            }
        }
    }

    fn product(&mut self) -> Option<Vec<f64>> {
        let mut left = self.unary()?;
        loop {
            if self.eat(b'*') {
                left = elementwise(&left, &self.unary()?, |a, b| a * b)?;
            } else if self.eat(b'/') {
                left = elementwise(&left, &self.unary()?, |a, b| a / b)?;
            } else {
                return Some(left);
            }
        }
    }

    fn unary(&mut self) -> Option<Vec<f64>> {
        let mut negate = false;
        loop {
            if self.eat(b'-') {
                negate = !negate;
            } else if !self.eat(b'+') {
                break;
            }
        }
        let mut value = self.primary()?;
        if negate {
            value.iter_mut().for_each(|v| *v = -*v);
        }
        Some(value)
    }

    fn primary(&mut self) -> Option<Vec<f64>> {
        let token = *self.peek()?;
        self.at += 1;
        match token.kind {
            Kind::Number => number(token.text(self.source)).map(|n| vec![n]),
            Kind::Punct(b'(') => {
                let value = self.sum()?;
                self.eat(b')').then_some(value)
            }
            Kind::Punct(b'{') => self.list(b'}'),
            Kind::Ident => match token.text(self.source) {
                "true" => Some(vec![1.0]),
                "false" => Some(vec![0.0]),
                name if self.peek().is_some_and(|t| t.is(b'(')) => {
                    self.at += 1;
                    let components = super::types::numeric_type(name)?.components();
                    let value = self.list(b')')?;
                    match value.len() {
                        1 => Some(value.repeat(components)),
                        n => (n == components).then_some(value),
                    }
                }
                name => {
                    let tokens = *self.environment.get(name)?;
                    // The depth is what ends `#define A A`.
                    evaluate_within(self.source, tokens, self.environment, self.depth)
                }
            },
            _ => None,
        }
    }

    fn list(&mut self, close: u8) -> Option<Vec<f64>> {
        let mut all = Vec::new();
        while !self.eat(close) {
            all.extend(self.sum()?);
            if all.len() > MAX_COMPONENTS {
                return None;
            }
            if !self.eat(b',') {
                return self.eat(close).then_some(all);
            }
        }
        Some(all)
    }
}

fn elementwise(left: &[f64], right: &[f64], op: impl Fn(f64, f64) -> f64) -> Option<Vec<f64>> {
    match (left, right) {
        ([a], _) => Some(right.iter().map(|b| op(*a, *b)).collect()),
        (_, [b]) => Some(left.iter().map(|a| op(*a, *b)).collect()),
        _ if left.len() == right.len() => Some(left.iter().zip(right).map(|(a, b)| op(*a, *b)).collect()),
        _ => None,
    }
}

fn number(text: &str) -> Option<f64> {
    let lower = text.to_ascii_lowercase();
    if let Some(hex) = lower.strip_prefix("0x") {
        return u32::from_str_radix(hex.trim_end_matches(['u', 'l']), 16).ok().map(f64::from);
    }
    let digits = lower.trim_end_matches(['f', 'h', 'l', 'u']);
    digits.parse::<f64>().ok().filter(|n| n.is_finite())
}
