//! Names of surfaces.

use std::fmt;
use std::str::FromStr;

/// Most bytes that a name may have.
pub const MAX_NAME_BYTES: usize = 64;

/// A surface's name: 1 to 64 bytes, letters, digits and `-`, `_`, `.`, `/`, `:`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SurfaceName(String);

/// A text that is no name of a surface.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no name of a surface: it has 1 to 64 bytes, letters, digits and `-`, `_`, `.`, `/`, `:`")]
pub struct BadName(pub String);

impl SurfaceName {
    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SurfaceName {
    type Err = BadName;

    fn from_str(text: &str) -> Result<Self, BadName> {
        let fits = (1..=MAX_NAME_BYTES).contains(&text.len());
        let is_allowed = |c: char| c.is_alphanumeric() || "-_./:".contains(c);
        if fits && text.chars().all(is_allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(BadName(text.chars().take(MAX_NAME_BYTES).collect()))
        }
    }
}

impl fmt::Display for SurfaceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_and_plain() {
        for good in ["a", "camera/front", "Tür:2", "a.b-c_d", &"x".repeat(MAX_NAME_BYTES)] {
            assert_eq!(good.parse::<SurfaceName>().unwrap().to_string(), good);
        }
        for bad in ["", " ", "a b", "a\n", "a\0", "$a", &"x".repeat(MAX_NAME_BYTES + 1)] {
            assert!(bad.parse::<SurfaceName>().is_err(), "{bad:?}");
        }
    }
}
