//! `streamlib doctor`: what was found, and what to do about what was not.

use std::fmt::Write;

use streamlib::Doctor;

use super::Done;
use crate::cli::DoctorArgs;
use crate::output::{self, line};

pub(crate) fn doctor(args: &DoctorArgs) -> Done {
    let found = Doctor::examine_with(crate::compiler());
    if args.json {
        output::json(&found);
    } else {
        line(text(&found).trim_end());
    }
    if found.can_run() { Ok(()) } else { Err("effects cannot run on this machine yet".into()) }
}

/// What was found, for people.
pub(crate) fn text(found: &Doctor) -> String {
    let mut text = String::new();
    write(found, &mut text).expect("a text takes everything");
    text
}

fn write(found: &Doctor, to: &mut String) -> std::fmt::Result {
    writeln!(to, "Vulkan devices")?;
    for (index, device) in found.devices.iter().enumerate() {
        let gib = device.memory_bytes as f64 / f64::from(1 << 30);
        writeln!(to, "  {index}: {} ({}, Vulkan {}, {gib:.1} GiB)", device.name, device.kind, device.vulkan)?;
        writeln!(to, "     driver        {}", device.driver)?;
        writeln!(to, "     effects write {}", device.writable.join(", "))?;
        writeln!(to, "     pass times    {}", if device.timestamps { "yes" } else { "no" })?;
        writeln!(to, "     sharing       {}", none_or(&device.external_memory))?;
        if let Some(shortfall) = &device.shortfall {
            writeln!(to, "     cannot be used: {shortfall}")?;
        }
    }
    if found.devices.is_empty() {
        writeln!(to, "  none")?;
    }
    writeln!(to, "HLSL compiler")?;
    match &found.dxc {
        Some(dxc) => writeln!(to, "  DXC {} at {}", dxc.version, dxc.path.display())?,
        None => writeln!(to, "  none")?,
    }
    writeln!(to, "Cameras")?;
    for camera in &found.cameras {
        writeln!(to, "  {}: {} ({})", camera.path, camera.name, none_or(&camera.formats))?;
    }
    if found.cameras.is_empty() {
        writeln!(to, "  none")?;
    }
    writeln!(to, "Files\n  {}", found.codecs.join("\n  "))?;
    if found.advice.is_empty() {
        return writeln!(to, "Nothing is missing.");
    }
    writeln!(to, "What to do")?;
    found.advice.iter().try_for_each(|advice| writeln!(to, "  - {advice}"))
}

fn none_or(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}
