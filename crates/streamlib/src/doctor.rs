//! What this machine has, and what to do about what it has not.

use serde::Serialize;
use streamlib_shader::{Compiler, CompilerOptions, DxcInfo};
use streamlib_vulkan::{DeviceKind, DeviceReport};

/// Everything that was found.
#[derive(Clone, Debug, Serialize)]
pub struct Doctor {
    /// Vulkan devices in the order of their numbers.
    pub devices: Vec<DeviceSummary>,
    /// The HLSL compiler.
    pub dxc: Option<DxcInfo>,
    /// Cameras.
    pub cameras: Vec<CameraReport>,
    /// Codecs and containers, which are built in.
    pub codecs: Vec<&'static str>,
    /// What is missing, each with what to do; empty when everything is there.
    pub advice: Vec<String>,
}

/// A Vulkan device and what it can do.
#[derive(Clone, Debug, Serialize)]
pub struct DeviceSummary {
    /// Name.
    pub name: String,
    /// `discrete`, `integrated`, `virtual`, `cpu` or `other`.
    pub kind: &'static str,
    /// Driver and its version.
    pub driver: String,
    /// Vulkan version.
    pub vulkan: String,
    /// Bytes of its own memory.
    pub memory_bytes: u64,
    /// Formats that effects can write.
    pub writable: Vec<&'static str>,
    /// Whether passes can be timed.
    pub timestamps: bool,
    /// Extensions for sharing memory with other processes and devices.
    pub external_memory: Vec<String>,
    /// Why it cannot be used, if it cannot.
    pub shortfall: Option<String>,
}

/// A camera.
#[derive(Clone, Debug, Serialize)]
pub struct CameraReport {
    /// Device file.
    pub path: String,
    /// The driver's name for it.
    pub name: String,
    /// Pixel formats.
    pub formats: Vec<String>,
}

impl Doctor {
    /// Looks.
    #[must_use]
    pub fn examine() -> Self {
        Self::examine_with(CompilerOptions::default())
    }

    /// Looks, with effects compiled so.
    #[must_use]
    pub fn examine_with(compiler: CompilerOptions) -> Self {
        let mut advice = Vec::new();
        let devices = streamlib_vulkan::list_devices().unwrap_or_else(|error| {
            advice.push(error.to_string());
            Vec::new()
        });
        let devices: Vec<_> = devices.iter().map(DeviceSummary::of).collect();
        let usable: Vec<_> = devices.iter().filter(|device| device.shortfall.is_none()).collect();
        if usable.is_empty() && advice.is_empty() {
            advice.push(
                "no usable Vulkan device: install a driver, or `apt install mesa-vulkan-drivers` for a software one"
                    .to_owned(),
            );
        }
        if !usable.is_empty() && usable.iter().all(|device| device.kind == "cpu") {
            advice.push(
                "Vulkan runs on the CPU here: everything works, slowly; for speed install your GPU's Vulkan driver"
                    .to_owned(),
            );
        }
        let dxc = match Compiler::new(compiler) {
            Ok(compiler) => Some(compiler.dxc().clone()),
            Err(error) => {
                advice.push(error.to_string());
                None
            }
        };
        Self { devices, dxc, cameras: cameras(), codecs: codecs(), advice }
    }

    /// Whether effects can run here.
    #[must_use]
    pub fn can_run(&self) -> bool {
        self.dxc.is_some() && self.devices.iter().any(|device| device.shortfall.is_none())
    }
}

impl DeviceSummary {
    fn of(report: &DeviceReport) -> Self {
        let (major, minor, patch) = report.api_version;
        let writable = report.formats.iter().filter(|format| format.storage && format.sampled);
        Self {
            name: report.name.clone(),
            kind: match report.kind {
                DeviceKind::Discrete => "discrete",
                DeviceKind::Integrated => "integrated",
                DeviceKind::Virtual => "virtual",
                DeviceKind::Other => "other",
                DeviceKind::Cpu => "cpu",
            },
            driver: report.driver.clone(),
            vulkan: format!("{major}.{minor}.{patch}"),
            memory_bytes: report.memory_bytes,
            writable: writable.map(|format| format.format.name()).collect(),
            timestamps: report.timestamps,
            external_memory: report.external_memory.clone(),
            shortfall: report.usable.as_ref().err().map(ToString::to_string),
        }
    }
}

fn codecs() -> Vec<&'static str> {
    vec!["H.264 in MP4 (in and out)", "Y4M (in and out)", "PNG (in and out)", "JPEG (in and out)"]
}

#[cfg(target_os = "linux")]
fn cameras() -> Vec<CameraReport> {
    let format = |format: &streamlib_linux::CameraFormat| {
        let sizes: Vec<_> = format.modes.iter().map(|mode| mode.size.to_string()).collect();
        format!("{} {}", format.fourcc, sizes.join("/"))
    };
    let report = |camera: streamlib_linux::CameraInfo| CameraReport {
        path: camera.path.display().to_string(),
        name: camera.name,
        formats: camera.formats.iter().map(format).collect(),
    };
    streamlib_linux::list_cameras().into_iter().map(report).collect()
}

#[cfg(not(target_os = "linux"))]
fn cameras() -> Vec<CameraReport> {
    Vec::new()
}
