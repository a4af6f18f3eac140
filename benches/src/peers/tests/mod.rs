//! The comparison's own parts: a wrong verdict here would be printed as somebody's figure.

mod conductor;
mod figures;
mod pixels;

use std::path::PathBuf;

use super::protocol::{Request, Work};
use super::reference;

/// A request as the conductor would make it.
fn request(work: Work, width: u32, height: u32) -> Request {
    Request {
        case: "test".to_owned(),
        work,
        width,
        height,
        inputs: Vec::new(),
        output: PathBuf::new(),
        frames: 1,
        warmup: 0,
        seconds: 1.0,
        period_ns: None,
        weights: reference::weights(),
        tint: reference::TINT,
        tints: Vec::new(),
        nodes: 10,
        cache: PathBuf::new(),
        effects: PathBuf::new(),
        device: String::new(),
    }
}
