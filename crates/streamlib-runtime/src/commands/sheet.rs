//! `streamlib sheet`: a contact sheet of a video.

use image::imageops::{self, FilterType};
use image::{Rgb, RgbImage};
use streamlib::frame::Timestamp;
use streamlib::media::{self, VideoReader, convert};
use streamlib::picture::Picture;

use super::Done;
use crate::cli::SheetArgs;
use crate::output::line;

/// Space between pictures, in pixels.
const GAP: u32 = 6;
const BACKGROUND: Rgb<u8> = Rgb([24, 24, 26]);

pub(crate) fn sheet(args: &SheetArgs) -> Done {
    let mut reader = media::open(&args.input)?;
    let count = u64::from(args.columns * args.rows);
    let frames = match reader.info().frames {
        Some(frames) => frames,
        None => count_frames(&args.input)?,
    };
    let size = reader.info().format.size;
    let width = (args.width.saturating_sub(GAP * (args.columns + 1)) / args.columns).max(1);
    let height = (u64::from(width) * u64::from(size.height) / u64::from(size.width)).max(1) as u32;
    let full = |cells: u32, side: u32| cells * (side + GAP) + GAP;
    let mut sheet = RgbImage::from_pixel(full(args.columns, width), full(args.rows, height), BACKGROUND);
    let mut picture = empty(&*reader);
    let mut cell = 0;
    for frame in 0..frames {
        if !reader.read(&mut picture)? {
            break;
        }
        // The middle of every cell's share of the frames; short videos fill as many cells as they have frames.
        if frame != (2 * cell + 1) * frames / (2 * count.min(frames)) {
            continue;
        }
        let small = imageops::resize(&rgb(&picture)?, width, height, FilterType::Triangle);
        let (column, row) = (cell as u32 % args.columns, cell as u32 / args.columns);
        let place = |cell: u32, side: u32| i64::from(cell * (side + GAP) + GAP);
        imageops::replace(&mut sheet, &small, place(column, width), place(row, height));
        cell += 1;
    }
    sheet.save(&args.output).map_err(|error| format!("cannot write {}: {error}", args.output.display()))?;
    line(format_args!(
        "wrote {} ({cell} pictures, {}x{})",
        args.output.display(),
        sheet.width(),
        sheet.height()
    ));
    Ok(())
}

fn empty(reader: &dyn VideoReader) -> Picture {
    Picture { format: reader.info().format, timestamp: Timestamp(0), data: Vec::new() }
}

fn count_frames(path: &std::path::Path) -> Result<u64, Box<dyn std::error::Error>> {
    let mut reader = media::open(path)?;
    let mut picture = empty(&*reader);
    let mut frames = 0;
    while reader.read(&mut picture)? {
        frames += 1;
    }
    Ok(frames)
}

fn rgb(picture: &Picture) -> Result<RgbImage, String> {
    let size = picture.format.size;
    let rgba = convert::cpu::to_rgba(picture);
    let rgb = rgba.chunks_exact(4).flat_map(|texel| [texel[0], texel[1], texel[2]]).collect();
    RgbImage::from_raw(size.width, size.height, rgb)
        .ok_or_else(|| format!("a picture of {size} is not whole"))
}
