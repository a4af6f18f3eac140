//! From the author's text to the text that DXC compiles, and what the author said besides.

pub(crate) mod annotation;
pub(crate) mod constant;
pub(crate) mod declarations;
pub(crate) mod edit;
pub(crate) mod entry;
pub(crate) mod lexer;
pub(crate) mod local;
pub(crate) mod lower;
pub(crate) mod parse;
pub(crate) mod prelude;
pub(crate) mod refuse;
pub(crate) mod types;
pub(crate) mod uses;

#[cfg(test)]
mod tests;
