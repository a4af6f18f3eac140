//! The picture of a comparison: a row for each case, a bar for each contender, in times of ours.

use std::path::Path;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::contender::OURS;
use super::results::{CaseResult, Comparison, Entry, Outcome};
use super::statistics::Ratio;
use crate::Fallible;

const WIDTH: i32 = 960;
const LEFT: i32 = 210;
const RIGHT: i32 = 70;
const TOP: i32 = 96;
const BAR: i32 = 11;
const STEP: i32 = 14;
const GAP: i32 = 12;
/// Colours that stay apart for the colour-blind (P. Tol, "bright"), by contender.
const COLORS: [(&str, RGBColor); 8] = [
    (OURS, RGBColor(0, 0, 0)),
    ("wgpu", RGBColor(68, 119, 170)),
    ("moderngl", RGBColor(34, 136, 51)),
    ("opencv", RGBColor(204, 187, 68)),
    ("gstreamer", RGBColor(238, 102, 119)),
    ("torch", RGBColor(170, 51, 119)),
    ("cupy", RGBColor(102, 204, 238)),
    ("holoscan", RGBColor(120, 120, 120)),
];

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

/// Draws all cases with at least one ratio to ours.
pub(crate) fn draw(path: &Path, comparison: &Comparison) -> Fallible<()> {
    let rows: Vec<(&CaseResult, Vec<(&Entry, Ratio)>)> =
        comparison.cases.iter().map(|case| (case, bars(case))).filter(|(_, bars)| !bars.is_empty()).collect();
    let height = TOP + rows.iter().map(|(_, bars)| bars.len() as i32 * STEP + GAP).sum::<i32>() + 34;
    let area = SVGBackend::new(path, (WIDTH as u32, height as u32)).into_drawing_area();
    area.fill(&WHITE)?;
    let title = format!("Time of a frame over ours on {}", comparison.device);
    area.draw_text(&title, &font(17, &BLACK), (14, 12))?;
    let by =
        if comparison.is_cpu { "wall clock" } else { "time on the GPU where both tell it, else wall clock" };
    let legend = format!(
        "By {by}, log scale. Right of the line: slower than streamlib. Whiskers: all process restarts."
    );
    area.draw_text(&legend, &font(12, &GREY), (14, 36))?;
    draw_legend(&area, &rows)?;
    let scale = Scale::of(rows.iter().flat_map(|(_, bars)| bars.iter().map(|(_, ratio)| *ratio)));
    draw_grid(&area, &scale, height)?;
    let mut y = TOP;
    for (case, bars) in &rows {
        let middle = y + bars.len() as i32 * STEP / 2 - 1;
        let to_the_left = font(12, &BLACK).pos(Pos::new(HPos::Right, VPos::Center));
        area.draw_text(&case.title, &to_the_left, (LEFT - 10, middle))?;
        for (entry, ratio) in bars {
            draw_bar(&area, &scale, (y, entry, *ratio))?;
            y += STEP;
        }
        y += GAP;
    }
    area.present()?;
    Ok(())
}

const GREY: RGBColor = RGBColor(90, 90, 90);

fn font(size: i32, color: &RGBColor) -> TextStyle<'_> {
    TextStyle::from(("sans-serif", size).into_font()).color(color)
}

fn color_of(contender: &str) -> RGBColor {
    COLORS.iter().find(|(name, _)| *name == contender).map_or(GREY, |(_, color)| *color)
}

/// Everybody but ours that was measured in a case where ours was as well.
fn bars(case: &CaseResult) -> Vec<(&Entry, Ratio)> {
    let others = case.entries.iter().filter(|entry| entry.contender != OURS);
    let ratio = |entry: &Entry| match &entry.outcome {
        Outcome::Measured(measured) => measured.ratio(),
        _ => None,
    };
    others.filter_map(|entry| Some((entry, ratio(entry)?))).collect()
}

/// From ratios to columns.
struct Scale {
    least: f64,
    greatest: f64,
}

impl Scale {
    /// Holds everything, the 1, and a little air.
    fn of(ratios: impl Iterator<Item = Ratio>) -> Self {
        let (mut least, mut greatest) = (0.5_f64, 2.0_f64);
        for ratio in ratios {
            (least, greatest) = (least.min(ratio.least), greatest.max(ratio.greatest));
        }
        Self { least: least.max(1e-4) / 1.1, greatest: greatest.min(1e5) * 1.1 }
    }

    fn x(&self, ratio: f64) -> i32 {
        let part =
            (ratio.clamp(self.least, self.greatest) / self.least).ln() / (self.greatest / self.least).ln();
        LEFT + (part * f64::from(WIDTH - LEFT - RIGHT)) as i32
    }
}

fn draw_legend(area: &Area<'_>, rows: &[(&CaseResult, Vec<(&Entry, Ratio)>)]) -> Fallible<()> {
    let mut x = 14;
    for (name, color) in COLORS.iter().skip(1) {
        if rows.iter().flat_map(|(_, bars)| bars).any(|(entry, _)| entry.contender == *name) {
            area.draw(&Rectangle::new([(x, 58), (x + 12, 70)], color.filled()))?;
            area.draw_text(name, &font(12, &BLACK), (x + 17, 58))?;
            x += 34 + name.len() as i32 * 8;
        }
    }
    Ok(())
}

fn draw_grid(area: &Area<'_>, scale: &Scale, height: i32) -> Fallible<()> {
    let span = scale.greatest / scale.least;
    let steps: &[f64] = if span < 300.0 { &[1.0, 2.0, 5.0] } else { &[1.0] };
    for power in -4..=5 {
        for step in steps {
            let ratio = step * 10.0_f64.powi(power);
            if ratio < scale.least || ratio > scale.greatest {
                continue;
            }
            let x = scale.x(ratio);
            let is_one = (ratio - 1.0).abs() < 1e-9;
            let color = if is_one { BLACK.mix(0.9) } else { BLACK.mix(0.15) };
            area.draw(&PathElement::new([(x, TOP - 8), (x, height - 26)], color))?;
            let below = font(11, &GREY).pos(Pos::new(HPos::Center, VPos::Top));
            area.draw_text(&format!("{ratio} ×"), &below, (x, height - 20))?;
        }
    }
    Ok(())
}

fn draw_bar(area: &Area<'_>, scale: &Scale, (y, entry, ratio): (i32, &Entry, Ratio)) -> Fallible<()> {
    let color = color_of(&entry.contender);
    let (one, end) = (scale.x(1.0), scale.x(ratio.median));
    area.draw(&Rectangle::new([(one.min(end), y), (one.max(end), y + BAR)], color.filled()))?;
    let (from, to, middle) = (scale.x(ratio.least), scale.x(ratio.greatest), y + BAR / 2);
    area.draw(&PathElement::new([(from, middle), (to, middle)], BLACK))?;
    for x in [from, to] {
        area.draw(&PathElement::new([(x, middle - 3), (x, middle + 3)], BLACK))?;
    }
    let label =
        if ratio.median < 10.0 { format!("{:.2}", ratio.median) } else { format!("{:.0}", ratio.median) };
    let style = font(10, &BLACK).pos(Pos::new(HPos::Left, VPos::Center));
    area.draw_text(&label, &style, (end.max(to).max(one) + 5, middle))?;
    Ok(())
}
