//! Numeric types by their HLSL name.

use streamlib_core::interface::Scalar;

/// A scalar, vector or matrix type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NumericType {
    pub(crate) scalar: Scalar,
    pub(crate) rows: u32,
    pub(crate) columns: u32,
    pub(crate) is_matrix: bool,
}

impl NumericType {
    pub(crate) fn components(self) -> usize {
        (self.rows * self.columns) as usize
    }
}

/// The type called `name`: `float`, `int3`, `float4x4` and the like. 16-bit names are 32 bits wide here, as in DXC.
pub(crate) fn numeric_type(name: &str) -> Option<NumericType> {
    const BASES: &[(&str, Scalar)] = &[
        ("float32_t", Scalar::Float),
        ("int32_t", Scalar::Int),
        ("uint32_t", Scalar::Uint),
        ("min16float", Scalar::Float),
        ("min10float", Scalar::Float),
        ("min16int", Scalar::Int),
        ("min12int", Scalar::Int),
        ("min16uint", Scalar::Uint),
        ("float", Scalar::Float),
        ("half", Scalar::Float),
        ("int", Scalar::Int),
        ("uint", Scalar::Uint),
        ("dword", Scalar::Uint),
        ("bool", Scalar::Bool),
    ];
    if name == "matrix" || name == "vector" {
        let rows = if name == "matrix" { 4 } else { 1 };
        return Some(NumericType { scalar: Scalar::Float, rows, columns: 4, is_matrix: rows == 4 });
    }
    BASES.iter().find_map(|&(base, scalar)| {
        let digit = |b: u8| (b'1'..=b'4').contains(&b).then(|| u32::from(b - b'0'));
        let (rows, columns, is_matrix) = match *name.strip_prefix(base)?.as_bytes() {
            [] => (1, 1, false),
            [n] => (1, digit(n)?, false),
            [r, b'x', c] => (digit(r)?, digit(c)?, true),
            _ => return None,
        };
        Some(NumericType { scalar, rows, columns, is_matrix })
    })
}
