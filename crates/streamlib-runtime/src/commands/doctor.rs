//! `streamlib doctor`: what was found, and what to do about what was not.

use streamlib::Doctor;

use super::Done;
use crate::cli::DoctorArgs;
use crate::output::{self, line};

pub(crate) fn doctor(args: &DoctorArgs) -> Done {
    let found = Doctor::examine();
    if args.json {
        output::json(&found);
    } else {
        print(&found);
    }
    if found.can_run() { Ok(()) } else { Err("effects cannot run on this machine yet".into()) }
}

fn print(found: &Doctor) {
    line("Vulkan devices");
    for (index, device) in found.devices.iter().enumerate() {
        let gib = device.memory_bytes as f64 / f64::from(1 << 30);
        line(format_args!(
            "  {index}: {} ({}, Vulkan {}, {gib:.1} GiB)",
            device.name, device.kind, device.vulkan
        ));
        line(format_args!("     driver        {}", device.driver));
        line(format_args!("     effects write {}", device.writable.join(", ")));
        line(format_args!("     pass times    {}", if device.timestamps { "yes" } else { "no" }));
        line(format_args!("     sharing       {}", none_or(&device.external_memory)));
        if let Some(shortfall) = &device.shortfall {
            line(format_args!("     cannot be used: {shortfall}"));
        }
    }
    if found.devices.is_empty() {
        line("  none");
    }
    line("HLSL compiler");
    match &found.dxc {
        Some(dxc) => line(format_args!("  DXC {} at {}", dxc.version, dxc.path.display())),
        None => line("  none"),
    }
    line("Cameras");
    for camera in &found.cameras {
        line(format_args!("  {}: {} ({})", camera.path, camera.name, none_or(&camera.formats)));
    }
    if found.cameras.is_empty() {
        line("  none");
    }
    line(format_args!("Files\n  {}", found.codecs.join("\n  ")));
    if found.advice.is_empty() {
        line("Nothing is missing.");
        return;
    }
    line("What to do");
    found.advice.iter().for_each(|advice| line(format_args!("  - {advice}")));
}

fn none_or(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}
