//! Draws pass times as bars, in copies.

use std::path::Path;

use plotters::prelude::*;

use crate::{Fallible, Results};

const ROW: i32 = 15;
const LEFT: i32 = 170;
const WIDTH: u32 = 860;
const TOP: i32 = 56;
const COLORS: [RGBColor; 2] = [RGBColor(68, 119, 170), RGBColor(238, 102, 119)];

pub(crate) fn draw(path: &Path, results: &Results) -> Fallible<()> {
    let Some(first) = results.passes.first() else { return Ok(()) };
    let height = TOP as u32 + first.passes.len() as u32 * ROW as u32 + 16;
    let area = SVGBackend::new(path, (WIDTH, height)).into_drawing_area();
    area.fill(&WHITE)?;
    let text = |size: i32| ("sans-serif", size).into_font();
    area.draw_text(&format!("One pass of each effect on {}", results.device), &text(16).into(), (10, 8))?;
    let all = results.passes.iter().flat_map(|set| &set.passes);
    let most = all.map(|pass| pass.copies).fold(1.0, f64::max);
    // Bars are logarithmic, because one effect may cost a hundred times another.
    let floor = 0.5_f64;
    let span = f64::from(WIDTH as i32 - LEFT - 70) / (most / floor).ln();
    let x = |copies: f64| LEFT + ((copies / floor).max(1.0).ln() * span) as i32;
    for (index, set) in results.passes.iter().enumerate() {
        let legend = format!("{}: in copies of {:.1} µs", set.size, set.copy_p50_us);
        area.draw_text(&legend, &text(12).color(&COLORS[index % 2]), (LEFT + index as i32 * 220, 32))?;
        for (row, pass) in set.passes.iter().enumerate() {
            let y = TOP + row as i32 * ROW + index as i32 * 6;
            let bar = Rectangle::new([(LEFT, y), (x(pass.copies), y + 5)], COLORS[index % 2].filled());
            area.draw(&bar)?;
            if index == 0 {
                area.draw_text(&pass.effect, &text(11).into(), (10, y))?;
                area.draw_text(&format!("{:.2}", pass.copies), &text(10).into(), (x(pass.copies) + 6, y))?;
            }
        }
    }
    area.draw(&PathElement::new([(x(1.0), TOP - 4), (x(1.0), height as i32 - 12)], BLACK.mix(0.5)))?;
    area.present()?;
    Ok(())
}
