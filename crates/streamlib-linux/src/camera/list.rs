//! Which cameras there are, and what they can deliver.

use std::path::{Path, PathBuf};

use streamlib_core::format::Size;

use crate::sys::Device;
use crate::sys::abi::{self, Capability, FormatDescription, Fraction, FrameInterval, FrameSize, Plain as _};

/// Entries asked of a driver before it is taken to repeat itself.
const LONGEST_LIST: u32 = 256;

/// A camera that is plugged in.
#[derive(Clone, Debug, PartialEq)]
pub struct CameraInfo {
    /// Its device node.
    pub path: PathBuf,
    /// What the driver calls it.
    pub name: String,
    /// Where it is plugged in, such as `usb-0000:00:14.0-1`; the same after a reboot.
    pub bus: String,
    /// What it can deliver.
    pub formats: Vec<CameraFormat>,
}

/// A pixel format that a camera offers.
#[derive(Clone, Debug, PartialEq)]
pub struct CameraFormat {
    /// Four-character code, such as `YUYV` or `MJPG`.
    pub fourcc: String,
    /// Sizes in which it comes.
    pub modes: Vec<CameraMode>,
}

/// A size that a camera offers.
#[derive(Clone, Debug, PartialEq)]
pub struct CameraMode {
    /// Pixels. Of a camera that offers a whole range of sizes, the smallest and the largest are listed.
    pub size: Size,
    /// Frames per second, highest first. Of a range, both ends.
    pub rates: Vec<f64>,
}

/// The cameras of this machine, by the number of their node.
///
/// Nodes that deliver something else (metadata, codecs), or that this user may not open, are left out;
/// [`Camera::open`](crate::Camera::open) on such a node says which it is.
#[must_use]
pub fn list_cameras() -> Vec<CameraInfo> {
    camera_nodes().filter_map(|path| describe(&path)).collect()
}

/// Nodes that stream pictures and that this user may open, by number.
pub(super) fn camera_nodes() -> impl Iterator<Item = PathBuf> {
    let entries = std::fs::read_dir("/dev").into_iter().flatten().flatten();
    let mut nodes: Vec<(u32, PathBuf)> = entries
        .filter_map(|entry| {
            let name = entry.file_name();
            let number = name.to_str()?.strip_prefix("video")?.parse().ok()?;
            Some((number, entry.path()))
        })
        .collect();
    nodes.sort();
    nodes.into_iter().map(|(_, path)| path).filter(|path| open(path).is_some())
}

/// The node and the interface that it streams pictures by; `None` when it is no camera, or may not be opened.
fn open(path: &Path) -> Option<(Device, u32, Capability)> {
    let device = Device::open(path).ok()?;
    let mut capability = Capability::zeroed();
    device.call(&abi::QUERYCAP, &mut capability).ok()?;
    let kind = stream_kind(&capability)?;
    Some((device, kind, capability))
}

/// What the driver calls the camera, and where it is plugged in; `None` when the node is no camera, or may not be opened.
pub(super) fn name_and_bus(path: &Path) -> Option<(String, String)> {
    let (_, _, capability) = open(path)?;
    Some((text(&capability.card), text(&capability.bus_info)))
}

/// The same cameras as [`list_cameras`], without their formats: a driver may have to be asked thousands of times for all of them.
pub(super) fn nameable_cameras() -> Vec<CameraInfo> {
    camera_nodes().filter_map(|path| nameable(&path)).map(|(_, _, camera)| camera).collect()
}

/// `None` unless `path` is a capture node that offers at least one format.
fn nameable(path: &Path) -> Option<(Device, u32, CameraInfo)> {
    let (device, kind, capability) = open(path)?;
    pixel_format(&device, kind, 0)?;
    let (name, bus) = (text(&capability.card), text(&capability.bus_info));
    Some((device, kind, CameraInfo { path: path.to_owned(), name, bus, formats: Vec::new() }))
}

fn describe(path: &Path) -> Option<CameraInfo> {
    let (device, kind, camera) = nameable(path)?;
    let formats = pixel_formats(&device, kind)
        .into_iter()
        .map(|fourcc| CameraFormat { fourcc: fourcc_name(fourcc), modes: modes(&device, fourcc) })
        .collect();
    Some(CameraInfo { formats, ..camera })
}

/// By which interface the node streams pictures; `None` for what is no camera: a codec, a metadata node beside one.
pub(super) fn stream_kind(capability: &Capability) -> Option<u32> {
    // `capabilities` speaks of all nodes of the hardware, `device_caps` of this one.
    let node = match capability.capabilities & abi::CAP_DEVICE_CAPS {
        0 => capability.capabilities,
        _ => capability.device_caps,
    };
    let can = |needed| node & needed == needed;
    if !can(abi::CAP_STREAMING) || can(abi::CAP_VIDEO_M2M) {
        None
    } else if can(abi::CAP_VIDEO_CAPTURE) {
        Some(abi::VIDEO_CAPTURE)
    } else {
        can(abi::CAP_VIDEO_CAPTURE_MPLANE).then_some(abi::VIDEO_CAPTURE_MPLANE)
    }
}

/// Codes of the pixel formats that the device offers.
pub(super) fn pixel_formats(device: &Device, kind: u32) -> Vec<u32> {
    (0..LONGEST_LIST).map_while(|index| pixel_format(device, kind, index)).collect()
}

fn pixel_format(device: &Device, kind: u32, index: u32) -> Option<u32> {
    let mut format = FormatDescription { index, kind, ..FormatDescription::zeroed() };
    device.call(&abi::ENUM_FMT, &mut format).ok()?;
    Some(format.fourcc)
}

fn modes(device: &Device, fourcc: u32) -> Vec<CameraMode> {
    let mut sizes = Vec::new();
    for index in 0..LONGEST_LIST {
        let mut entry = FrameSize { index, fourcc, ..FrameSize::zeroed() };
        if device.call(&abi::ENUM_FRAMESIZES, &mut entry).is_err() {
            break;
        }
        let [a, b, _, c, d, _] = entry.size;
        if entry.kind != abi::DISCRETE {
            sizes.extend([Size::new(a, c), Size::new(b, d)]);
            break;
        }
        sizes.push(Size::new(a, b));
    }
    sizes.into_iter().map(|size| CameraMode { size, rates: rates(device, fourcc, size) }).collect()
}

/// Frames per second, highest first.
pub(super) fn rates(device: &Device, fourcc: u32, size: Size) -> Vec<f64> {
    let mut intervals = Vec::new();
    for index in 0..LONGEST_LIST {
        let (width, height) = size.into();
        let mut entry = FrameInterval { index, fourcc, width, height, ..FrameInterval::zeroed() };
        if device.call(&abi::ENUM_FRAMEINTERVALS, &mut entry).is_err() {
            break;
        }
        if entry.kind != abi::DISCRETE {
            intervals.extend([entry.interval[0], entry.interval[1]]);
            break;
        }
        intervals.push(entry.interval[0]);
    }
    let mut rates: Vec<f64> = intervals.into_iter().filter_map(rate).collect();
    rates.sort_by(|a, b| b.total_cmp(a));
    rates
}

/// Frames per second of an interval in seconds.
fn rate(interval: Fraction) -> Option<f64> {
    let sound = interval.numerator > 0 && interval.denominator > 0;
    sound.then(|| f64::from(interval.denominator) / f64::from(interval.numerator))
}

/// A code as its four characters; the top bit marks big-endian variants and is none of them.
pub(super) fn fourcc_name(fourcc: u32) -> String {
    let characters = (fourcc & 0x7fff_ffff).to_le_bytes();
    String::from_utf8_lossy(&characters).trim_end().to_owned()
}

/// A C string in an array of fixed length.
pub(super) fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_streaming_capture_nodes_are_cameras() {
        let node = |device_caps| Capability {
            capabilities: abi::CAP_DEVICE_CAPS | abi::CAP_VIDEO_CAPTURE | abi::CAP_STREAMING,
            device_caps,
            ..Capability::zeroed()
        };
        let kind = |device_caps| stream_kind(&node(device_caps));
        assert_eq!(kind(abi::CAP_VIDEO_CAPTURE | abi::CAP_STREAMING), Some(abi::VIDEO_CAPTURE));
        let planes = abi::CAP_VIDEO_CAPTURE_MPLANE | abi::CAP_STREAMING;
        assert_eq!(kind(planes), Some(abi::VIDEO_CAPTURE_MPLANE));
        assert_eq!(kind(0x0080_0000 | abi::CAP_STREAMING), None, "metadata beside a camera");
        assert_eq!(kind(abi::CAP_VIDEO_CAPTURE), None, "read() only");
        assert_eq!(kind(abi::CAP_VIDEO_CAPTURE | abi::CAP_STREAMING | abi::CAP_VIDEO_M2M), None, "a codec");
    }

    #[test]
    fn names_end_at_the_first_zero_or_with_the_array() {
        assert_eq!(text(b"vivid\0\0\0"), "vivid");
        assert_eq!(text(b"full"), "full");
        assert_eq!(fourcc_name(u32::from_le_bytes(*b"Y16 ") | 1 << 31), "Y16");
    }

    #[test]
    fn an_interval_of_zero_has_no_rate() {
        let of = |numerator, denominator| rate(Fraction { numerator, denominator });
        assert_eq!(of(1, 30), Some(30.0));
        assert_eq!((of(0, 30), of(1, 0)), (None, None));
    }
}
