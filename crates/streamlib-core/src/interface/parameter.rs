//! Parameters: their types, their layout in memory, and values that fit them.

use serde::{Deserialize, Serialize};

use super::ParameterError;
use crate::expression::Expression;
use crate::value::Value;

/// Type of one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scalar {
    /// 32-bit IEEE float.
    Float,
    /// 32-bit two's complement.
    Int,
    /// 32-bit unsigned.
    Uint,
    /// 32-bit, 0 or 1.
    Bool,
}

impl Scalar {
    /// Name in HLSL.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Float => "float",
            Self::Int => "int",
            Self::Uint => "uint",
            Self::Bool => "bool",
        }
    }

    fn fits(self, number: f64) -> bool {
        let whole = number.fract() == 0.0;
        match self {
            Self::Float => number.is_finite(),
            Self::Int => whole && (f64::from(i32::MIN)..=f64::from(i32::MAX)).contains(&number),
            Self::Uint => whole && (0.0..=f64::from(u32::MAX)).contains(&number),
            Self::Bool => number == 0.0 || number == 1.0,
        }
    }

    fn value(self, number: f64) -> Value {
        match self {
            Self::Float => Value::Float(number),
            Self::Int | Self::Uint => Value::Int(number as i64),
            Self::Bool => Value::Bool(number != 0.0),
        }
    }

    /// The number that it can hold and that is nearest to `number`: whole ones take the nearest, of two the even one (as HLSL's
    /// `round` does), and a boolean is whether it is not 0. `number` is not NaN.
    fn nearest(self, number: f64) -> f64 {
        match self {
            Self::Float => number.clamp(f64::from(f32::MIN), f64::from(f32::MAX)),
            Self::Int => number.round_ties_even().clamp(f64::from(i32::MIN), f64::from(i32::MAX)),
            Self::Uint => number.round_ties_even().clamp(0.0, f64::from(u32::MAX)),
            Self::Bool => f64::from(u8::from(number != 0.0)),
        }
    }

    /// Little-endian, as GPUs read it.
    pub(super) fn bytes(self, number: f64) -> [u8; 4] {
        match self {
            Self::Float => (number as f32).to_le_bytes(),
            Self::Int => (number as i32).to_le_bytes(),
            Self::Uint | Self::Bool => (number as u32).to_le_bytes(),
        }
    }
}

/// Type and memory layout of a parameter inside the uniform block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParameterType {
    /// Type of each number.
    pub scalar: Scalar,
    /// 1 for scalars and vectors, rows of a matrix otherwise.
    pub rows: u32,
    /// Components of a vector, columns of a matrix.
    pub columns: u32,
    /// Bytes from the start of one stored vector of a matrix to the next; 0 when there is one.
    pub matrix_stride: u32,
    /// Whether the stored vectors of a matrix are its rows (else its columns).
    pub rows_are_contiguous: bool,
    /// Elements of an array; `None` for a value that is no array.
    pub array: Option<u32>,
    /// Bytes from one array element to the next; 0 when it is no array.
    pub array_stride: u32,
}

impl ParameterType {
    /// How many numbers a value of this type has.
    #[must_use]
    pub const fn components(&self) -> usize {
        let elements = match self.array {
            Some(n) => n,
            None => 1,
        };
        (self.rows * self.columns * elements) as usize
    }

    /// Byte offset of every component, in reading order (array element, row, column), from the parameter's own start.
    pub(super) fn component_offsets(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.array.unwrap_or(1)).flat_map(move |element| {
            (0..self.rows).flat_map(move |row| {
                (0..self.columns).map(move |column| {
                    let within = if self.rows == 1 {
                        column * 4
                    } else if self.rows_are_contiguous {
                        row * self.matrix_stride + column * 4
                    } else {
                        column * self.matrix_stride + row * 4
                    };
                    (element * self.array_stride + within) as usize
                })
            })
        })
    }
}

impl std::fmt::Display for ParameterType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let scalar = self.scalar.name();
        match (self.rows, self.columns) {
            (1, 1) => write!(f, "{scalar}")?,
            (1, n) => write!(f, "{scalar}{n}")?,
            (r, c) => write!(f, "{scalar}{r}x{c}")?,
        }
        self.array.map_or(Ok(()), |n| write!(f, "[{n}]"))
    }
}

/// A named value of the uniform block that can be set while the effect runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Parameter {
    /// Name in the source.
    pub name: String,
    /// Type and layout.
    #[serde(rename = "type")]
    pub ty: ParameterType,
    /// Byte offset in the uniform block.
    pub offset: u32,
    /// Every component at start, in reading order (zeros where the source says nothing).
    pub default: Vec<f64>,
    /// Least value of every component, when the author states one.
    pub min: Option<f64>,
    /// Greatest value of every component, when the author states one.
    pub max: Option<f64>,
    /// The author's sentence about it.
    pub description: Option<String>,
}

/// A value that fits its parameter.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ParameterValue {
    /// Every component, in reading order. Where an expression stands it is the author's default.
    pub numbers: Vec<f64>,
    /// What some of them are in each frame.
    pub expressions: Vec<(usize, Expression)>,
}

impl Parameter {
    /// Checks `value` against type and range and gives its components. What an expression will come to is not known here: in a
    /// frame it is [`Parameter::nearest`] to its result.
    ///
    /// # Errors
    /// When the count, a component's kind or its range does not fit.
    pub fn check(&self, value: &Value) -> Result<ParameterValue, ParameterError> {
        let expected = self.ty.components();
        // What is set most often, without the detour.
        if let Value::Float(number) = value
            && expected == 1
        {
            self.check_number(*number)?;
            return Ok(ParameterValue { numbers: vec![*number], expressions: vec![] });
        }
        let parts = value.parts();
        if parts.len() != expected {
            return Err(ParameterError::Count {
                name: self.name.clone(),
                ty: self.ty.to_string(),
                expected,
                found: parts.len(),
            });
        }
        let mut checked = ParameterValue { numbers: value.flatten(), expressions: vec![] };
        for (component, (part, number)) in parts.into_iter().zip(&mut checked.numbers).enumerate() {
            if let Value::Expression(expression) = part {
                checked.expressions.push((component, expression.clone()));
                *number = self.default_of(component);
                continue;
            }
            self.check_number(*number)?;
        }
        Ok(checked)
    }

    /// Checks one component against the type and the author's range.
    fn check_number(&self, number: f64) -> Result<(), ParameterError> {
        let found = number;
        if !self.ty.scalar.fits(number) {
            let (name, ty) = (self.name.clone(), self.ty.to_string());
            return Err(ParameterError::Kind { name, ty, found });
        }
        if self.min.is_some_and(|min| number < min) || self.max.is_some_and(|max| number > max) {
            let (min, max) = (self.min.unwrap_or(f64::NEG_INFINITY), self.max.unwrap_or(f64::INFINITY));
            return Err(ParameterError::Range { name: self.name.clone(), found, min, max });
        }
        Ok(())
    }

    /// What a component becomes when an expression gives `number`, which cannot be refused in a frame: the nearest number in the
    /// author's range that the type can hold, so that a kernel sees none that it could not have been set to. NaN gives the
    /// author's default.
    #[must_use]
    pub fn nearest(&self, component: usize, number: f64) -> f64 {
        if number.is_nan() {
            return self.default_of(component);
        }
        let least = self.min.unwrap_or(f64::NEG_INFINITY);
        let greatest = self.max.unwrap_or(f64::INFINITY);
        self.ty.scalar.nearest(number.max(least).min(greatest))
    }

    fn default_of(&self, component: usize) -> f64 {
        self.default.get(component).copied().unwrap_or(0.0)
    }

    /// The value at start, as people write it: a number, a flag, or a flat list of those.
    #[must_use]
    pub fn default_value(&self) -> Value {
        let zeros = vec![0.0; self.ty.components()];
        let numbers = if self.default.is_empty() { &zeros } else { &self.default };
        let mut values: Vec<Value> = numbers.iter().map(|&number| self.ty.scalar.value(number)).collect();
        if values.len() == 1 { values.remove(0) } else { Value::List(values) }
    }

    /// Writes `numbers` (in reading order, as many as [`ParameterType::components`]) into a uniform block.
    pub fn write(&self, numbers: &[f64], block: &mut [u8]) {
        for (offset, &number) in self.ty.component_offsets().zip(numbers) {
            let start = self.offset as usize + offset;
            block[start..start + 4].copy_from_slice(&self.ty.scalar.bytes(number));
        }
    }
}

/// A `StructuredBuffer` of scalars or vectors: a parameter whose length is free.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BufferSlot {
    /// Name in the source.
    pub name: String,
    /// Descriptor binding.
    pub binding: u32,
    /// Type of each number.
    pub scalar: Scalar,
    /// Numbers in one element, 1..=4.
    pub columns: u32,
    /// Bytes from one element to the next (16 for a vector of three).
    pub stride: u32,
    /// The author's sentence about it.
    pub description: Option<String>,
}

impl BufferSlot {
    /// The bytes of a buffer that holds `value`.
    ///
    /// # Errors
    /// When there are no numbers, one is an expression, a part of an element is missing, or a number does not fit the element
    /// type.
    pub fn encode(&self, value: &Value) -> Result<Vec<u8>, ParameterError> {
        let name = self.name.clone();
        let mut parts = value.parts().into_iter();
        if let Some(Value::Expression(expression)) = parts.find(|part| matches!(part, Value::Expression(_))) {
            return Err(ParameterError::BufferExpression { name, found: expression.to_string() });
        }
        let numbers = value.flatten();
        let columns = self.columns.max(1) as usize;
        if numbers.is_empty() || !numbers.len().is_multiple_of(columns) {
            return Err(ParameterError::BufferCount { name, columns, found: numbers.len() });
        }
        let mut bytes = vec![0; numbers.len() / columns * self.stride as usize];
        for (element, numbers) in numbers.chunks_exact(columns).enumerate() {
            for (column, &number) in numbers.iter().enumerate() {
                if !self.scalar.fits(number) {
                    let ty = format!("buffer of {}", self.scalar.name());
                    return Err(ParameterError::Kind { name, ty, found: number });
                }
                let start = element * self.stride as usize + column * 4;
                bytes[start..start + 4].copy_from_slice(&self.scalar.bytes(number));
            }
        }
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameter(scalar: Scalar, rows: u32, columns: u32) -> Parameter {
        let ty = ParameterType {
            scalar,
            rows,
            columns,
            matrix_stride: if rows > 1 { 16 } else { 0 },
            rows_are_contiguous: false,
            array: None,
            array_stride: 0,
        };
        let name = "p".to_owned();
        Parameter { name, ty, offset: 4, default: vec![], min: None, max: None, description: None }
    }

    #[test]
    fn a_value_is_refused_when_count_kind_or_range_is_wrong() {
        let float2 = parameter(Scalar::Float, 1, 2);
        assert!(float2.check(&Value::List(vec![Value::Int(1), Value::Float(0.5)])).is_ok());
        assert!(matches!(float2.check(&Value::Int(1)), Err(ParameterError::Count { .. })));
        let uint = parameter(Scalar::Uint, 1, 1);
        assert!(matches!(uint.check(&Value::Int(-1)), Err(ParameterError::Kind { .. })));
        let ranged = Parameter { max: Some(1.0), ..parameter(Scalar::Float, 1, 1) };
        assert!(matches!(ranged.check(&Value::Float(1.5)), Err(ParameterError::Range { .. })));
        assert!(matches!(ranged.check(&Value::Float(f64::NAN)), Err(ParameterError::Kind { .. })));
    }

    #[test]
    fn an_expression_fits_any_number_and_becomes_the_nearest_that_there_may_be() {
        let formula = || Value::Expression(Expression::parse("time").expect("an expression"));
        let float2 = Parameter { default: vec![7.0, 8.0], ..parameter(Scalar::Float, 1, 2) };
        let checked = float2.check(&Value::List(vec![Value::Int(1), formula()])).expect("it fits");
        assert_eq!(checked.numbers, [1.0, 8.0]);
        assert_eq!(checked.expressions.len(), 1);
        assert_eq!(checked.expressions[0].0, 1);
        assert!(matches!(float2.check(&formula()), Err(ParameterError::Count { found: 1, .. })));
        assert!(matches!(
            float2.check(&Value::List(vec![formula(), Value::Float(f64::NAN)])),
            Err(ParameterError::Kind { .. })
        ));

        let of = |scalar, number| parameter(scalar, 1, 1).nearest(0, number);
        assert_eq!(of(Scalar::Float, 0.1), 0.1);
        assert_eq!(of(Scalar::Float, f64::NEG_INFINITY), f64::from(f32::MIN));
        assert_eq!(
            [0.5, 1.5, -1.6, 1e300].map(|x| of(Scalar::Int, x)),
            [0.0, 2.0, -2.0, f64::from(i32::MAX)]
        );
        assert_eq!(
            [-3.0, 2.5, 3.5, 1e300].map(|x| of(Scalar::Uint, x)),
            [0.0, 2.0, 4.0, f64::from(u32::MAX)]
        );
        assert_eq!([0.0, -0.0, 1e-9, 5.0].map(|x| of(Scalar::Bool, x)), [0.0, 0.0, 1.0, 1.0]);
        assert_eq!(float2.nearest(1, f64::NAN), 8.0);
        let ranged = Parameter { min: Some(-1.0), max: Some(2.0), ..parameter(Scalar::Int, 1, 1) };
        assert_eq!([-9.0, 1.4, f64::INFINITY].map(|x| ranged.nearest(0, x)), [-1.0, 1.0, 2.0]);
    }

    #[test]
    fn a_buffer_takes_no_expression() {
        let slot = BufferSlot {
            name: "colors".into(),
            binding: 0,
            scalar: Scalar::Float,
            columns: 1,
            stride: 4,
            description: None,
        };
        let value = Value::parse("1, sin(time)").expect("a value");
        let error = slot.encode(&value).expect_err("refused").to_string();
        assert!(
            error.contains("buffer `colors` takes numbers, and cannot get the expression `sin(time)`"),
            "{error}"
        );
    }

    #[test]
    fn a_column_major_matrix_is_written_by_columns() {
        let matrix = parameter(Scalar::Float, 2, 2);
        let mut block = vec![0; 4 + 32];
        matrix.write(&[1.0, 2.0, 3.0, 4.0], &mut block);
        let at =
            |offset: usize| f32::from_le_bytes(block[offset..offset + 4].try_into().expect("four bytes"));
        assert_eq!([at(4), at(8), at(20), at(24)], [1.0, 3.0, 2.0, 4.0]);
    }
}
