//! What an expression becomes: operations on a stack of numbers.

use super::FrameVariables;

/// Values that may wait at once. An evaluation has them on the thread's own stack.
pub(super) const STACK: usize = 64;

/// One operation: it takes its operands from the top of the stack and leaves its result there.
#[derive(Clone, Copy, Debug)]
pub(super) enum Op {
    Number(f64),
    Variable(Variable),
    Apply(Function),
}

/// A value that the frame brings.
#[derive(Clone, Copy, Debug)]
pub(super) enum Variable {
    Time,
    Delta,
    Frame,
    /// The same in every frame.
    Constant(f64),
}

/// A function, by how many numbers it takes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Function {
    One(fn(f64) -> f64),
    Two(fn(f64, f64) -> f64),
    Three(fn(f64, f64, f64) -> f64),
}

impl Function {
    pub(super) const fn arity(self) -> usize {
        match self {
            Self::One(_) => 1,
            Self::Two(_) => 2,
            Self::Three(_) => 3,
        }
    }
}

/// Names of what a frame brings. HLSL's own name of the frame's number is read as well.
pub(super) const VARIABLES: [(&str, Variable); 5] = [
    ("time", Variable::Time),
    ("delta", Variable::Delta),
    ("frame", Variable::Frame),
    ("frame_number", Variable::Frame),
    ("pi", Variable::Constant(std::f64::consts::PI)),
];

/// Names of functions, which mean what they mean in HLSL; `mod` is what GLSL calls so: the remainder has the sign of the
/// divisor, where that of `%` has the dividend's. HLSL's spelling of `fract` is read as well.
pub(super) const FUNCTIONS: [(&str, Function); 26] = [
    ("sin", Function::One(f64::sin)),
    ("cos", Function::One(f64::cos)),
    ("tan", Function::One(f64::tan)),
    ("asin", Function::One(f64::asin)),
    ("acos", Function::One(f64::acos)),
    ("atan", Function::One(f64::atan)),
    ("atan2", Function::Two(f64::atan2)),
    ("abs", Function::One(f64::abs)),
    ("sign", Function::One(sign)),
    ("min", Function::Two(f64::min)),
    ("max", Function::Two(f64::max)),
    ("floor", Function::One(f64::floor)),
    ("ceil", Function::One(f64::ceil)),
    ("round", Function::One(f64::round_ties_even)),
    ("fract", Function::One(fract)),
    ("frac", Function::One(fract)),
    ("sqrt", Function::One(f64::sqrt)),
    ("exp", Function::One(f64::exp)),
    ("log", Function::One(f64::ln)),
    ("pow", Function::Two(f64::powf)),
    ("mod", Function::Two(|x, y| x - y * (x / y).floor())),
    // `f64::clamp` panics where the bounds are the wrong way round.
    ("clamp", Function::Three(|x, least, greatest| x.max(least).min(greatest))),
    ("lerp", Function::Three(|x, y, s| x + s * (y - x))),
    ("step", Function::Two(|edge, x| f64::from(u8::from(x >= edge)))),
    ("smoothstep", Function::Three(smoothstep)),
    ("saturate", Function::One(saturate)),
];

fn sign(x: f64) -> f64 {
    if x == 0.0 { 0.0 } else { x.signum() }
}

fn fract(x: f64) -> f64 {
    x - x.floor()
}

fn saturate(x: f64) -> f64 {
    // NaN becomes 0, as in HLSL.
    if x > 0.0 { x.min(1.0) } else { 0.0 }
}

fn smoothstep(from: f64, to: f64, x: f64) -> f64 {
    let t = saturate((x - from) / (to - from));
    t * t * (3.0 - 2.0 * t)
}

/// Runs a program that the parser made: it never needs more than [`STACK`] values and leaves exactly one.
pub(super) fn run(ops: &[Op], at: &FrameVariables) -> f64 {
    let mut stack = [0.0; STACK];
    let mut height = 0;
    for op in ops {
        let value = match *op {
            Op::Number(number) => number,
            Op::Variable(Variable::Time) => at.time,
            Op::Variable(Variable::Delta) => at.delta,
            Op::Variable(Variable::Frame) => at.frame,
            Op::Variable(Variable::Constant(number)) => number,
            Op::Apply(function) => {
                height -= function.arity();
                match function {
                    Function::One(f) => f(stack[height]),
                    Function::Two(f) => f(stack[height], stack[height + 1]),
                    Function::Three(f) => f(stack[height], stack[height + 1], stack[height + 2]),
                }
            }
        };
        stack[height] = value;
        height += 1;
    }
    stack[0]
}
