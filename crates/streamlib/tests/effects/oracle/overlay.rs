//! What is laid over a picture: letters.

use super::{Case, Color, Setup, each};

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::new("frame_stats", frame_stats)
            .always("frame_rate", &[59.94])
            .always("latency_ms", &[16.66])
            .always("latency_p99_ms", &[21.32])
            .always("gpu_ms", &[1.256])
            .always("dropped", &[3.0])
            .variant(&[("missed", &[1e9]), ("dropped", &[4203.0]), ("latency_ms", &[123_456.7])])
            .variant(&[("scale", &[3.0]), ("frame_rate", &[0.04]), ("dropped", &[7.0])])
            .variant(&[("scale", &[8.0])]),
    ]
}

/// Letters as they look, 3 by 5 pixels each.
const LETTERS: [(char, [&str; 5]); 20] = [
    ('0', ["###", "# #", "# #", "# #", "###"]),
    ('1', [" # ", "## ", " # ", " # ", "###"]),
    ('2', ["###", "  #", "###", "#  ", "###"]),
    ('3', ["###", "  #", "###", "  #", "###"]),
    ('4', ["# #", "# #", "###", "  #", "  #"]),
    ('5', ["###", "#  ", "###", "  #", "###"]),
    ('6', ["###", "#  ", "###", "# #", "###"]),
    ('7', ["###", "  #", "  #", "  #", "  #"]),
    ('8', ["###", "# #", "###", "# #", "###"]),
    ('9', ["###", "# #", "###", "  #", "###"]),
    ('.', ["   ", "   ", "   ", "   ", " # "]),
    (' ', ["   ", "   ", "   ", "   ", "   "]),
    ('D', ["## ", "# #", "# #", "# #", "## "]),
    ('F', ["###", "#  ", "###", "#  ", "#  "]),
    ('G', ["###", "#  ", "# #", "# #", "###"]),
    ('I', ["###", " # ", " # ", " # ", "###"]),
    ('M', ["# #", "###", "###", "# #", "# #"]),
    ('P', ["###", "# #", "###", "#  ", "#  "]),
    ('R', ["###", "# #", "## ", "# #", "# #"]),
    ('U', ["# #", "# #", "# #", "# #", "###"]),
];

/// The lines as text: a label, and a number to the right.
fn lines(s: &Setup) -> Vec<String> {
    let all = [
        ("FPS", "frame_rate", 1),
        ("MS", "latency_ms", 1),
        ("P99", "latency_p99_ms", 1),
        ("GPU", "gpu_ms", 2),
        ("MISS", "missed", 0),
        ("DROP", "dropped", 0),
    ];
    let line = |(label, name, decimals): (&str, &str, i32)| {
        let tens = 10_f64.powi(decimals);
        // As many digits as there is room for.
        let most = if decimals == 0 { 9_999_999.0 } else { 999_999.0 };
        let number = (s.number(name) * tens + 0.5).floor().min(most) / tens;
        format!("{label:<5}{number:>7.*}", decimals as usize)
    };
    all.map(line).into()
}

fn frame_stats(s: &Setup, x: u32, y: u32) -> Color {
    let color = s.here(x, y);
    let side = (s.resolution()[1] * s.number("scale") / 240.0).floor().max(1.0) as u32;
    let lines = lines(s);
    let (width, height) = (4 * lines[0].len() as u32 - 1, 6 * lines.len() as u32 - 1);
    // Two dots from the corner stands the panel, and two within it the text.
    let (Some(panel_x), Some(panel_y)) = ((x / side).checked_sub(2), (y / side).checked_sub(2)) else {
        return color;
    };
    if panel_x >= width + 4 || panel_y >= height + 4 {
        return color;
    }
    let is_set = panel_x.checked_sub(2).zip(panel_y.checked_sub(2)).is_some_and(|(x, y)| {
        let letter = lines.get((y / 6) as usize).and_then(|line| line.chars().nth((x / 4) as usize));
        letter.is_some_and(|letter| is_dot(letter, x % 4, y % 6))
    });
    if is_set { [1.0, 1.0, 1.0, color[3]] } else { each(color, |c| c * 0.35) }
}

fn is_dot(letter: char, x: u32, y: u32) -> bool {
    let looks_like = match letter {
        'O' => '0',
        'S' => '5',
        other => other,
    };
    let (_, rows) = LETTERS.iter().find(|(known, _)| *known == looks_like).expect("a letter that is there");
    rows.get(y as usize).is_some_and(|row| row.as_bytes().get(x as usize) == Some(&b'#'))
}
