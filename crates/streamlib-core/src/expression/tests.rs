//! Texts, what they come to, and texts that are refused.

mod oracle;

use super::*;

fn at(time: f64, delta: f64, frame: f64) -> FrameVariables {
    FrameVariables { time, delta, frame }
}

fn value(text: &str) -> f64 {
    let expression = Expression::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    expression.evaluate(&at(2.0, 0.25, 7.0))
}

fn refused(text: &str) -> ExpressionError {
    Expression::parse(text).expect_err(text)
}

#[test]
fn operators_bind_as_in_hlsl() {
    for (text, wanted) in [
        ("2 + 3 * 4", 14.0),
        ("(2 + 3) * 4", 20.0),
        ("10 - 4 - 3", 3.0),
        ("24 / 4 / 3", 2.0),
        ("24 / 4 * 3", 18.0),
        ("7 % 4 * 2", 6.0),
        ("2 * 7 % 4", 2.0),
        ("-2 * 3", -6.0),
        ("2 * -3", -6.0),
        ("1 - -1", 2.0),
        ("--2", 2.0),
        ("-(1 + 2)", -3.0),
        ("-7 % 4", -3.0),
        ("7 % -4", 3.0),
        ("mod(-7, 4)", 1.0),
        ("mod(7, -4)", -1.0),
        (" \t1+\n2 ", 3.0),
        (".5 + 5. + 1e1 + 2.5E-1", 15.75),
    ] {
        assert_eq!(value(text), wanted, "{text}");
    }
}

#[test]
fn a_frame_brings_its_time_and_its_number() {
    assert_eq!(value("time"), 2.0);
    assert_eq!(value("delta"), 0.25);
    assert_eq!(value("frame"), 7.0);
    assert_eq!(value("frame_number + 0"), 7.0);
    assert_eq!(value("pi"), std::f64::consts::PI);
    assert_eq!(value("sin(time * pi / 4) * frame"), (std::f64::consts::PI / 2.0).sin() * 7.0);
}

#[test]
fn what_arithmetic_has_no_answer_for_is_no_failure() {
    assert!(value("0 / 0").is_nan());
    assert!(value("1 % 0").is_nan());
    assert!(value("mod(1, 0)").is_nan());
    assert!(value("log(-1)").is_nan());
    assert!(value("sqrt(-1) + 1").is_nan());
    assert_eq!(value("1 / 0"), f64::INFINITY);
    assert_eq!(value("exp(1e9)"), f64::INFINITY);
    assert_eq!(value("saturate(0 / 0)"), 0.0);
    assert_eq!(value("clamp(5, 3, 1)"), 1.0, "bounds the wrong way round");
    assert_eq!(value("smoothstep(1, 1, 2)"), 1.0);
    assert_eq!(
        Expression::parse("time + frame").map(|e| e.evaluate(&at(f64::NAN, 0.0, 1.0)).is_nan()),
        Ok(true)
    );
}

#[test]
fn the_text_is_kept_as_it_was() {
    let text = "  0.50*sin( time )";
    let expression = Expression::parse(text).expect("an expression");
    assert_eq!((expression.text(), expression.to_string().as_str()), (text, text));
    assert_eq!(Expression::parse(expression.text()).as_ref(), Ok(&expression));
    assert_ne!(Expression::parse("0.5*sin(time)").as_ref(), Ok(&expression), "another text");
}

#[test]
fn mistakes_are_told_with_their_position() {
    let told = |text: &str| refused(text).to_string();
    assert_eq!(refused(" \n"), ExpressionError::Empty);
    assert_eq!(told("2 + * 3"), "at character 5: a number, a name, `-` or `(` is expected here, not `*`");
    assert_eq!(told("2 3"), "at character 3: an operator, or the end is expected here, not `3`");
    assert_eq!(told("(1 + 2"), "at character 7: an operator, or `)` is expected here, not the end");
    assert_eq!(told("1)"), "at character 2: an operator, or the end is expected here, not `)`");
    assert_eq!(told("min(1 2)"), "at character 7: an operator, `,` or `)` is expected here, not `2`");
    assert_eq!(told("min(1,)"), "at character 7: a number, a name, `-` or `(` is expected here, not `)`");
    assert_eq!(told("sin * 2"), "at character 5: `(` after the name of a function is expected here, not `*`");
    assert_eq!(
        told("time(2)"),
        format!("at character 1: there is no function `time`; there are {}", functions())
    );
    assert_eq!(
        told("\u{a0}× 2"),
        "at character 2: `×` is no part of an expression, which has numbers, names, + - * / %, \
         commas and parentheses"
    );
    assert_eq!(refused("1 + 2x"), ExpressionError::Number { at: 5, found: "2x".into() });
    assert_eq!(refused("1.2.3"), ExpressionError::Number { at: 1, found: "1.2.3".into() });
    for number in ["1e999", "1e", "0x10", ".", "0.5f"] {
        assert_eq!(refused(number), ExpressionError::Number { at: 1, found: number.into() });
    }
    assert_eq!(
        told("1 + tme"),
        "at character 5: there is no variable `tme`; there are time, delta, frame, frame_number, pi"
    );
    assert_eq!(told("1 + clamp(1, 2)"), "at character 5: `clamp` takes 3 argument(s), not 2");
    assert_eq!(told("sin()"), "at character 1: `sin` takes 1 argument(s), not 0");
    assert_eq!(told("max(1, 2, 3)"), "at character 1: `max` takes 2 argument(s), not 3");
    assert!(told("\u{7}").contains("`\\u{7}`"), "nothing that a terminal acts on");
}

fn functions() -> String {
    FUNCTIONS.map(|(name, _)| name).join(", ")
}

#[test]
fn text_that_is_too_long_or_too_deep_is_refused() {
    assert_eq!(refused(&"(".repeat(1 << 20)), ExpressionError::TooLong { length: 1 << 20 });
    assert!(Expression::parse(format!("1{}", "+1".repeat((MAX_LENGTH - 1) / 2))).is_ok(), "long is not deep");
    let nested = |levels: usize| format!("{}1{}", "(".repeat(levels), ")".repeat(levels));
    assert!(Expression::parse(nested(MAX_DEPTH)).is_ok());
    assert_eq!(refused(&nested(MAX_DEPTH + 1)), ExpressionError::TooDeep { at: MAX_DEPTH + 1 });
    for deep in ["(", "-", "sin(", "min(1,"] {
        let text = deep.repeat(MAX_LENGTH / deep.len());
        assert!(matches!(refused(&text), ExpressionError::TooDeep { .. }), "{deep}");
    }
    // Not many levels, but many values that wait: 1 + 1 * (1 + 1 * (…)).
    let waiting = |levels: usize| format!("{}1{}", "1+1*(".repeat(levels), ")".repeat(levels));
    assert_eq!(Expression::parse(waiting(31)).map(|e| e.evaluate(&at(0.0, 0.0, 0.0))), Ok(32.0));
    assert!(matches!(refused(&waiting(40)), ExpressionError::TooDeep { .. }));
}
