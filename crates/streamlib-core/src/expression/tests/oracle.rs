//! Expressions as trees, evaluated by walking them: what the compiled ones are compared with.

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Tree {
    Number(f64),
    Name(&'static str),
    Minus(Box<Tree>),
    Operator(char, Box<[Tree; 2]>),
    Call(&'static str, Vec<Tree>),
}

/// Every function by name and number of arguments, so that none is forgotten.
const CALLS: [(&str, usize); 26] = [
    ("sin", 1),
    ("cos", 1),
    ("tan", 1),
    ("asin", 1),
    ("acos", 1),
    ("atan", 1),
    ("atan2", 2),
    ("abs", 1),
    ("sign", 1),
    ("min", 2),
    ("max", 2),
    ("floor", 1),
    ("ceil", 1),
    ("round", 1),
    ("fract", 1),
    ("frac", 1),
    ("sqrt", 1),
    ("exp", 1),
    ("log", 1),
    ("pow", 2),
    ("mod", 2),
    ("clamp", 3),
    ("lerp", 3),
    ("step", 2),
    ("smoothstep", 3),
    ("saturate", 1),
];

impl Tree {
    fn evaluate(&self, frame: &FrameVariables) -> f64 {
        match self {
            Self::Number(number) => *number,
            Self::Name("time") => frame.time,
            Self::Name("delta") => frame.delta,
            Self::Name("frame" | "frame_number") => frame.frame,
            Self::Name(_) => std::f64::consts::PI,
            Self::Minus(tree) => -tree.evaluate(frame),
            Self::Operator(operator, operands) => {
                let [a, b] = [&operands[0], &operands[1]].map(|operand| operand.evaluate(frame));
                match operator {
                    '+' => a + b,
                    '-' => a - b,
                    '*' => a * b,
                    '/' => a / b,
                    _ => a % b,
                }
            }
            Self::Call(name, arguments) => {
                let numbers: Vec<_> = arguments.iter().map(|argument| argument.evaluate(frame)).collect();
                call(name, &numbers)
            }
        }
    }

    /// As text, with the parentheses that it needs and, where `spare` says so, more; `level` is how tightly what stands around
    /// it binds.
    fn print(&self, level: u8, spare: &mut dyn FnMut() -> bool, out: &mut String) {
        let own = match self {
            Self::Operator('+' | '-', _) => 0,
            Self::Operator(..) => 1,
            Self::Minus(_) => 2,
            Self::Number(_) | Self::Name(_) | Self::Call(..) => 3,
        };
        let is_enclosed = own < level || spare();
        out.push_str(if is_enclosed { "( " } else { "" });
        match self {
            Self::Number(number) => out.push_str(&number.to_string()),
            Self::Name(name) => out.push_str(name),
            Self::Minus(tree) => {
                out.push('-');
                tree.print(2, spare, out);
            }
            Self::Operator(operator, operands) => {
                operands[0].print(own, spare, out);
                out.push_str(&format!(" {operator}"));
                operands[1].print(own + 1, spare, out);
            }
            Self::Call(name, arguments) => {
                out.push_str(&format!("{name}("));
                for (index, argument) in arguments.iter().enumerate() {
                    out.push_str(if index == 0 { "" } else { ", " });
                    argument.print(0, spare, out);
                }
                out.push(')');
            }
        }
        out.push_str(if is_enclosed { " )" } else { "" });
    }
}

/// HLSL's functions, from their definitions.
fn call(name: &str, x: &[f64]) -> f64 {
    let saturate = |x: f64| {
        if x > 1.0 {
            1.0
        } else if x > 0.0 {
            x
        } else {
            0.0
        }
    };
    match name {
        "sin" => x[0].sin(),
        "cos" => x[0].cos(),
        "tan" => x[0].tan(),
        "asin" => x[0].asin(),
        "acos" => x[0].acos(),
        "atan" => x[0].atan(),
        "atan2" => x[0].atan2(x[1]),
        "abs" => x[0].abs(),
        "sign" if x[0].is_nan() => f64::NAN,
        "sign" => f64::from(i8::from(x[0] > 0.0) - i8::from(x[0] < 0.0)),
        "min" => x[0].min(x[1]),
        "max" => x[0].max(x[1]),
        "floor" => x[0].floor(),
        "ceil" => x[0].ceil(),
        "round" => x[0].round_ties_even(),
        "fract" | "frac" => x[0] - x[0].floor(),
        "sqrt" => x[0].sqrt(),
        "exp" => x[0].exp(),
        "log" => x[0].ln(),
        "pow" => x[0].powf(x[1]),
        "mod" => x[0] - x[1] * (x[0] / x[1]).floor(),
        "clamp" => x[0].max(x[1]).min(x[2]),
        "lerp" => x[0] + x[2] * (x[1] - x[0]),
        "step" => f64::from(u8::from(x[1] >= x[0])),
        "smoothstep" => {
            let t = saturate((x[2] - x[0]) / (x[1] - x[0]));
            t * t * (3.0 - 2.0 * t)
        }
        "saturate" => saturate(x[0]),
        other => unreachable!("{other}"),
    }
}

fn trees() -> impl Strategy<Value = Tree> {
    let names = VARIABLES.map(|(name, _)| name);
    let numbers = prop_oneof![0.0..10.0, (0_u32..100).prop_map(f64::from), Just(0.0), 1e-9..1e9];
    let leaf = prop_oneof![
        numbers.prop_map(Tree::Number),
        prop::sample::select(names.to_vec()).prop_map(Tree::Name)
    ];
    leaf.prop_recursive(6, 48, 3, |inner| {
        let pair = (inner.clone(), inner.clone());
        let operator = prop::sample::select(&['+', '-', '*', '/', '%'][..]);
        let arguments = prop::collection::vec(inner.clone(), 3);
        prop_oneof![
            inner.prop_map(|tree| Tree::Minus(Box::new(tree))),
            (operator, pair).prop_map(|(operator, (a, b))| Tree::Operator(operator, Box::new([a, b]))),
            (prop::sample::select(&CALLS[..]), arguments).prop_map(|((name, count), mut arguments)| {
                arguments.truncate(count);
                Tree::Call(name, arguments)
            }),
        ]
    })
}

fn same(a: f64, b: f64) -> bool {
    a == b || (a.is_nan() && b.is_nan())
}

proptest! {
    #[test]
    fn a_printed_tree_is_read_as_the_same_tree(
        tree in trees(),
        spares in prop::collection::vec(any::<bool>(), 64),
        (time, delta, frame) in (-1e4..1e4, 0.0..1.0, 0_u32..1_000_000),
    ) {
        let mut spares = spares.iter().cycle();
        let mut text = String::new();
        tree.print(0, &mut || spares.next().is_some_and(|spare| *spare), &mut text);
        let expression = match Expression::parse(text.as_str()) {
            Ok(expression) => expression,
            Err(ExpressionError::TooLong { .. } | ExpressionError::TooDeep { .. }) => return Ok(()),
            Err(error) => return Err(TestCaseError::fail(format!("{text}: {error}"))),
        };
        let frame = at(time, delta, f64::from(frame));
        let (got, wanted) = (expression.evaluate(&frame), tree.evaluate(&frame));
        prop_assert!(same(got, wanted), "{text} is {got}, not {wanted}");
    }

    #[test]
    fn every_function_is_what_f64_has_for_it(numbers in prop::array::uniform3(-20.0..20.0_f64)) {
        let arguments = numbers.map(|number| if number < 0.0 { format!("-{}", -number) } else { number.to_string() });
        for (name, count) in CALLS {
            let text = format!("{name}({})", arguments[..count].join(","));
            let got = value(&text);
            let wanted = call(name, &numbers);
            prop_assert!(same(got, wanted), "{text} is {got}, not {wanted}");
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in "[-+*/%(),. 0-9a-z_]{0,40}|\\PC{0,40}") {
        if let Ok(expression) = Expression::parse(text.as_str()) {
            let _any = expression.evaluate(&at(1.0, 0.5, 3.0));
            prop_assert_eq!(expression.text(), text);
        }
    }
}

#[test]
fn the_oracle_knows_every_function() {
    assert!(FUNCTIONS.iter().map(|(name, function)| (*name, function.arity())).eq(CALLS));
}

#[test]
fn functions_at_their_edges() {
    let edges = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, 2.5, -2.5, f64::INFINITY, f64::NEG_INFINITY, f64::NAN];
    let text = |number: f64| match number {
        n if n.is_nan() => "(0/0)".to_owned(),
        n if n.is_infinite() => format!("({}1/0)", if n < 0.0 { "-" } else { "" }),
        n if n.is_sign_negative() => format!("-{}", -n),
        n => n.to_string(),
    };
    for (name, count) in CALLS {
        for a in edges {
            for b in edges {
                for c in edges {
                    let numbers = [a, b, c];
                    let arguments = numbers.map(text)[..count].join(",");
                    let (got, wanted) = (value(&format!("{name}({arguments})")), call(name, &numbers));
                    assert!(same(got, wanted), "{name}({arguments}) is {got}, not {wanted}");
                }
            }
        }
    }
}
