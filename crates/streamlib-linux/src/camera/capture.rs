//! Pictures from one camera.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use streamlib_core::format::Size;
use streamlib_core::frame::Timestamp;
use streamlib_core::picture::{Picture, PictureFormat, PictureLayout};

use super::error::CameraError;
use super::list::{captures, fourcc_name, pixel_formats};
use super::pixels::{LAYOUTS, Unpacking};
use crate::sys::abi::{self, Buffer, Capability, Format, Fraction, PixFormat, Plain as _, StreamParameters};
use crate::sys::{Device, Queue, Readiness, monotonic_now};

/// Buffers to stream with: one being filled, one being read, two to bridge a late reader.
const BUFFERS: u32 = 4;

/// What is wanted of a camera. The default leaves everything to the driver and takes the best layout.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CameraOptions {
    /// Size in pixels; the driver takes the nearest that it has.
    pub size: Option<Size>,
    /// Frames per second; the driver takes the nearest that it has.
    pub frame_rate: Option<u32>,
    /// Layout of the pictures. `Yuyv`, `Nv12`, `I420` and `Grey8` can be captured.
    pub layout: Option<PictureLayout>,
}

/// An open camera that streams. Dropping it ends the stream.
#[derive(Debug)]
pub struct Camera {
    path: PathBuf,
    queue: Queue,
    unpacking: Unpacking,
    counter: Counter,
}

impl Camera {
    /// Opens the camera at `path`, sets its format and starts streaming.
    ///
    /// # Errors
    ///
    /// Every [`CameraError`] but [`Stalled`](CameraError::Stalled).
    pub fn open(path: &Path, options: &CameraOptions) -> Result<Self, CameraError> {
        let failed = |action| move |source| CameraError::of(path, action, source);
        let device = Device::open(path).map_err(failed("open"))?;
        let mut capability = Capability::zeroed();
        device.call(&abi::QUERYCAP, &mut capability).map_err(failed("say what it can do"))?;
        if !captures(&capability) {
            let found = "a V4L2 node that does not stream captured video";
            return Err(CameraError::NotACamera { path: path.to_owned(), found });
        }
        let unpacking = set_format(&device, path, options)?;
        if let Some(rate) = options.frame_rate {
            set_frame_rate(&device, rate).map_err(failed("set the frame rate"))?;
        }
        let queue = Queue::start(device, BUFFERS).map_err(failed("start streaming"))?;
        Ok(Self { path: path.to_owned(), queue, unpacking, counter: Counter::default() })
    }

    /// Size, layout and colour of the pictures, as the driver has set them.
    #[must_use]
    pub fn format(&self) -> PictureFormat {
        self.unpacking.format
    }

    /// The driver's number of the picture that was read last. The first is mostly 0; a gap is a lost frame.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.counter.sequence
    }

    /// Frames that the camera captured since the first and that never arrived whole: the reader was late, or the
    /// transfer failed.
    #[must_use]
    pub fn lost_frames(&self) -> u64 {
        self.counter.lost
    }

    /// Reads the next picture, waiting for it up to `timeout`. Its timestamp is the driver's own.
    ///
    /// `into` is given this camera's format and its data is replaced; its memory is used again. After an error it
    /// holds no whole picture.
    ///
    /// # Errors
    ///
    /// [`Stalled`](CameraError::Stalled) when none came in time, [`Unplugged`](CameraError::Unplugged) when the camera
    /// is gone, [`Driver`](CameraError::Driver) for anything else.
    pub fn read(&mut self, into: &mut Picture, timeout: Duration) -> Result<(), CameraError> {
        let begun = Instant::now();
        loop {
            let left = timeout.saturating_sub(begun.elapsed());
            let readiness = match self.queue.device().wait(left) {
                Ok(readiness) => readiness,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(CameraError::of(&self.path, "wait for a picture", error)),
            };
            if readiness == Readiness::TimedOut {
                return Err(CameraError::Stalled { path: self.path.clone(), waited: begun.elapsed() });
            }
            match self.take(into) {
                Ok(true) => return Ok(()),
                // A damaged picture: the next one may be whole.
                Ok(false) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock && readiness == Readiness::Ready => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return Err(CameraError::Unplugged { path: self.path.clone() });
                }
                Err(error) => return Err(CameraError::of(&self.path, "deliver a picture", error)),
            }
        }
    }

    /// Takes one buffer; `false` when what it holds is not a whole picture.
    fn take(&mut self, into: &mut Picture) -> io::Result<bool> {
        let Self { queue, unpacking, counter, .. } = self;
        queue.take(|buffer, bytes| {
            let whole = buffer.flags & abi::BUFFER_ERROR == 0 && unpacking.unpack(bytes, &mut into.data);
            counter.count(buffer.sequence, whole);
            into.format = unpacking.format;
            into.timestamp = timestamp(buffer);
            whole
        })
    }
}

/// Sets the best layout of those that are wanted and offered.
fn set_format(device: &Device, path: &Path, options: &CameraOptions) -> Result<Unpacking, CameraError> {
    let failed = |action| move |source| CameraError::of(path, action, source);
    let offered = pixel_formats(device);
    let wanted: Vec<_> = LAYOUTS
        .into_iter()
        .filter(|(layout, _)| options.layout.is_none_or(|wanted| wanted == *layout))
        .collect();

    let mut current = Format { kind: abi::VIDEO_CAPTURE, ..Format::zeroed() };
    device.call(&abi::G_FMT, &mut current).map_err(failed("say its format"))?;
    let size = options.size.unwrap_or(Size::new(current.pix.width, current.pix.height));
    if size.width == 0 || size.height == 0 {
        return Err(CameraError::BadSize { path: path.to_owned(), size });
    }
    for (layout, code) in &wanted {
        let fourcc = u32::from_le_bytes(*code);
        if !offered.contains(&fourcc) {
            continue;
        }
        let pix = PixFormat {
            width: size.width,
            height: size.height,
            fourcc,
            field: abi::FIELD_NONE,
            private: abi::PRIV_MAGIC,
            ..Format::zeroed().pix
        };
        let mut format = Format { kind: abi::VIDEO_CAPTURE, pix, ..Format::zeroed() };
        device.call(&abi::S_FMT, &mut format).map_err(failed("set the format"))?;
        let set = format.pix;
        if set.fourcc == fourcc && abi::FIELDS_OF_WHOLE_PICTURES.contains(&set.field) {
            let size = Size::new(set.width, set.height);
            return Unpacking::new(&set, *layout).ok_or(CameraError::BadSize { path: path.to_owned(), size });
        }
    }
    let names = |codes: Vec<u32>| codes.into_iter().map(fourcc_name).collect::<Vec<_>>().join(", ");
    Err(CameraError::NoUsableFormat {
        path: path.to_owned(),
        offered: names(offered),
        wanted: names(wanted.into_iter().map(|(_, code)| u32::from_le_bytes(code)).collect()),
    })
}

/// Asks for `rate` frames per second, of a driver that can be asked.
fn set_frame_rate(device: &Device, rate: u32) -> io::Result<()> {
    let mut parameters = StreamParameters { kind: abi::VIDEO_CAPTURE, ..StreamParameters::zeroed() };
    match device.call(&abi::G_PARM, &mut parameters) {
        Err(error) if error.raw_os_error() == Some(libc::ENOTTY) => return Ok(()),
        other => other?,
    }
    if parameters.capability & abi::CAP_TIME_PER_FRAME == 0 {
        return Ok(());
    }
    parameters.time_per_frame = Fraction { numerator: 1, denominator: rate };
    device.call(&abi::S_PARM, &mut parameters)
}

/// The driver's capture time; where it has none on `CLOCK_MONOTONIC`, now.
fn timestamp(buffer: &Buffer) -> Timestamp {
    if buffer.flags & abi::BUFFER_TIMESTAMP_MASK != abi::BUFFER_TIMESTAMP_MONOTONIC {
        return monotonic_now();
    }
    let time = buffer.timestamp;
    Timestamp(time.tv_sec * 1_000_000_000 + time.tv_usec * 1000)
}

/// Follows the driver's frame numbers, which wrap at 2³².
#[derive(Debug, Default)]
struct Counter {
    /// Number of the last whole picture.
    sequence: u64,
    /// The driver's number of the last buffer, and that number without wrapping.
    last: Option<(u32, u64)>,
    lost: u64,
}

impl Counter {
    fn count(&mut self, number: u32, whole: bool) {
        let sequence = match self.last {
            None => u64::from(number),
            Some((last, sequence)) => {
                // A driver that does not count repeats its number: each buffer then is the next frame.
                let step = u64::from(number.wrapping_sub(last)).max(1);
                self.lost += step - 1;
                sequence + step
            }
        };
        self.last = Some((number, sequence));
        if whole {
            self.sequence = sequence;
        } else {
            self.lost += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(numbers: &[(u32, bool)]) -> (u64, u64) {
        let mut counter = Counter::default();
        numbers.iter().for_each(|(number, whole)| counter.count(*number, *whole));
        (counter.sequence, counter.lost)
    }

    #[test]
    fn gaps_and_damaged_pictures_are_lost_frames() {
        assert_eq!(counted(&[(0, true), (1, true), (2, true)]), (2, 0));
        assert_eq!(counted(&[(5, true), (6, true), (9, true)]), (9, 2));
        assert_eq!(counted(&[(0, true), (1, false), (2, true)]), (2, 1));
    }

    #[test]
    fn numbers_that_wrap_or_stand_still_go_on_counting() {
        assert_eq!(counted(&[(u32::MAX, true), (0, true)]), (1 << 32, 0));
        assert_eq!(counted(&[(0, true), (0, true), (0, true)]), (2, 0));
    }

    #[test]
    fn a_time_on_another_clock_is_replaced_by_now() {
        let time = libc::timeval { tv_sec: 3, tv_usec: 25 };
        let buffer = |flags| Buffer { flags, timestamp: time, ..Buffer::zeroed() };
        assert_eq!(timestamp(&buffer(abi::BUFFER_TIMESTAMP_MONOTONIC)), Timestamp(3_000_025_000));
        let before = monotonic_now();
        assert!(timestamp(&buffer(0)) >= before);
    }
}
