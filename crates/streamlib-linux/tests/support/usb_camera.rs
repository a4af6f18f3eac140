//! A USB camera whose frames a test makes up. It is plugged into the port that the kernel has for devices of other machines
//! (USB/IP, module `vhci_hcd`), so that the real `uvcvideo` driver takes it. USB/IP speaks big endian, USB little endian.

use std::io::{self, Read as _, Write as _};
use std::net::Shutdown;
use std::os::fd::AsRawFd as _;
use std::os::unix::net::UnixStream;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use streamlib_core::format::Size;

/// What the driver calls the camera.
pub(crate) const NAME: &str = "Camera of a test";

const ATTACH: &str = "/sys/devices/platform/vhci_hcd.0/attach";
/// Bytes that the camera sends at most at a time, with two of header.
const PAYLOAD: usize = 16384;
/// Ten frames a second: an emulated machine has time for other things then.
const INTERVAL: Duration = Duration::from_millis(100);
/// `-EPIPE`: what a device answers to what it does not know.
const STALL: i32 = -32;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Yuyv,
    #[allow(dead_code, reason = "not every test has a camera of both kinds")]
    Mjpeg,
}

/// Bytes of the frame of a number, counted from the beginning of the stream. A shorter one arrives as a short frame.
pub(crate) type Frames = Box<dyn FnMut(u32) -> Vec<u8> + Send>;

/// A camera that is plugged in. Dropping it pulls the plug.
pub(crate) struct UsbCamera {
    plug: UnixStream,
    device: Option<JoinHandle<()>>,
}

impl UsbCamera {
    /// Plugs a camera in. `None`, with a reason, where there is no such port.
    pub(crate) fn plug(encoding: Encoding, size: Size, frames: Frames) -> Option<Self> {
        await_the_end_of_the_last();
        let (plug, device) = UnixStream::pair().unwrap();
        let port = next_port();
        // The port, the kernel's end, any number for the device, and that it is a fast one (USB 2).
        let attached = std::fs::write(ATTACH, format!("{port} {} 65538 3", device.as_raw_fd()));
        if let Err(error) = attached {
            println!("SKIPPED: no USB camera can be plugged in: {ATTACH}: {error}");
            return None;
        }
        // The kernel holds its end by itself.
        drop(device);
        let socket = plug.try_clone().unwrap();
        let device = Device::new(socket, encoding, size, frames);
        Some(Self { plug, device: Some(std::thread::spawn(move || drop(device.serve()))) })
    }
}

/// A camera whose plug was pulled a moment ago may still be found under the name of the next one.
#[expect(clippy::disallowed_methods, reason = "the kernel tells nobody")]
fn await_the_end_of_the_last() {
    let begun = Instant::now();
    let is_it = |name: io::Result<String>| name.is_ok_and(|name| name.starts_with(NAME));
    let is_there = || {
        let nodes = std::fs::read_dir("/sys/class/video4linux").into_iter().flatten().flatten();
        nodes.into_iter().any(|node| is_it(std::fs::read_to_string(node.path().join("name"))))
    };
    while is_there() {
        assert!(begun.elapsed() < Duration::from_secs(20), "the camera before is still there");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A port other than the last one, which the kernel takes a moment to free. That one may have been another program's: they take turns.
fn next_port() -> u32 {
    let kept = std::env::temp_dir().join("streamlib-tests-usb-port");
    let last = std::fs::read_to_string(&kept).ok().and_then(|last| last.parse().ok());
    let port = last.map_or(0, |last: u32| last.wrapping_add(1) % 8);
    // Where it cannot be kept nothing can be plugged in either.
    let _refused = std::fs::write(kept, port.to_string());
    port
}

impl Drop for UsbCamera {
    fn drop(&mut self) {
        let _ = self.plug.shutdown(Shutdown::Both);
        if let Some(device) = self.device.take() {
            let _ = device.join();
        }
    }
}

/// The other side of the cable.
struct Device {
    socket: UnixStream,
    configuration: Vec<u8>,
    /// What the driver and the camera agreed on: `struct uvc_streaming_control`.
    agreed: [u8; 26],
    frames: Frames,
    number: u32,
    frame: Vec<u8>,
    sent: usize,
    due: Instant,
}

impl Device {
    fn new(socket: UnixStream, encoding: Encoding, size: Size, frames: Frames) -> Self {
        let bytes = (size.pixels() * 2) as u32;
        let mut agreed = [0; 26];
        agreed[2] = 1;
        agreed[3] = 1;
        agreed[4..8].copy_from_slice(&frame_interval().to_le_bytes());
        agreed[18..22].copy_from_slice(&bytes.to_le_bytes());
        agreed[22..26].copy_from_slice(&(PAYLOAD as u32).to_le_bytes());
        let configuration = configuration(encoding, size);
        let due = Instant::now();
        Self { socket, configuration, agreed, frames, number: 0, frame: Vec::new(), sent: 0, due }
    }

    /// Answers requests until the plug is pulled.
    fn serve(mut self) -> io::Result<()> {
        loop {
            let mut request = [0; 48];
            self.socket.read_exact(&mut request)?;
            let word = |index: usize| u32::from_be_bytes(request[4 * index..][..4].try_into().unwrap());
            let (command, number, inward, endpoint, length) =
                (word(0), word(1), word(3) == 1, word(4), word(6));
            if command == 2 {
                // Everything was answered before it could be taken back.
                self.reply(4, number, 0, 0, &[])?;
                continue;
            }
            let mut data = vec![0; if inward { 0 } else { length as usize }];
            self.socket.read_exact(&mut data)?;
            let answer = match endpoint {
                0 => self.control(request[40..].try_into().unwrap(), &data),
                _ => Ok(self.payload(length as usize)),
            };
            match answer {
                Ok(mut answer) if inward => {
                    answer.truncate(length as usize);
                    self.reply(3, number, 0, answer.len() as u32, &answer)?;
                }
                Ok(_) => self.reply(3, number, 0, length, &[])?,
                Err(status) => self.reply(3, number, status, 0, &[])?,
            }
        }
    }

    fn reply(&mut self, command: u32, number: u32, status: i32, length: u32, data: &[u8]) -> io::Result<()> {
        let words = [command, number, 0, 0, 0, status.cast_unsigned(), length, 0, 0, 0, 0, 0];
        let header = words.map(u32::to_be_bytes).concat();
        self.socket.write_all(&[&header, data].concat())
    }

    /// A request to the device itself: what it is, and what it shall send.
    fn control(&mut self, setup: [u8; 8], data: &[u8]) -> Result<Vec<u8>, i32> {
        let [kind, request, value, what, index, ..] = setup;
        match (kind, request, what) {
            (0x80, 6, 1) => Ok(DEVICE.to_vec()),
            (0x80, 6, 2) => Ok(self.configuration.clone()),
            (0x80, 6, 3) if value == 0 => Ok(vec![4, 3, 9, 4]),
            (0x80, 6, 3) => Ok(string(NAME)),
            (0x80, 0, _) => Ok(vec![0, 0]),
            // It has one configuration, and one setting of each interface.
            (0..=2, _, _) => Ok(Vec::new()),
            // The video stream: 1 is to try out, 2 to settle.
            (0xa1 | 0x21, _, 1 | 2) if index == 1 => match request {
                1 => {
                    // Which frame interval; there is one of everything else.
                    let given = data.len().min(2);
                    self.agreed[..given].copy_from_slice(&data[..given]);
                    if what == 2 {
                        self.begin();
                    }
                    Ok(Vec::new())
                }
                0x85 => Ok(vec![self.agreed.len() as u8, 0]),
                0x86 => Ok(vec![3]),
                0x81..=0x87 => Ok(self.agreed.to_vec()),
                _ => Err(STALL),
            },
            _ => Err(STALL),
        }
    }

    fn begin(&mut self) {
        self.number = 0;
        self.frame = (self.frames)(0);
        self.sent = 0;
        self.due = Instant::now();
    }

    /// The next part of the frame, when it is due.
    #[expect(clippy::disallowed_methods, reason = "a camera's frames come by the clock")]
    fn payload(&mut self, room: usize) -> Vec<u8> {
        if self.sent == 0 {
            std::thread::sleep(self.due.saturating_duration_since(Instant::now()));
            self.due = Instant::now() + INTERVAL;
        }
        let count = (self.frame.len() - self.sent).min(room.min(PAYLOAD) - 2);
        let ends = self.sent + count == self.frame.len();
        // Its second byte tells frames apart by one bit, and says which part is the last.
        let mut payload = vec![2, 0x80 | (self.number & 1) as u8 | u8::from(ends) << 1];
        payload.extend(&self.frame[self.sent..][..count]);
        self.sent += count;
        if ends {
            self.number += 1;
            self.frame = (self.frames)(self.number);
            self.sent = 0;
        }
        payload
    }
}

/// In units of 100 ns.
fn frame_interval() -> u32 {
    (INTERVAL.as_nanos() / 100) as u32
}

/// Vendor 1d6b, product 0102; its strings 1 and 2 are names.
const DEVICE: [u8; 18] = [18, 1, 0, 2, 0xef, 2, 1, 64, 0x6b, 0x1d, 2, 1, 0, 1, 1, 2, 0, 1];

fn string(text: &str) -> Vec<u8> {
    let units: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    [&[2 + units.len() as u8, 3][..], &units].concat()
}

/// A camera without controls, and its stream of one format in one size at one rate, sent in bulk.
fn configuration(encoding: Encoding, size: Size) -> Vec<u8> {
    let terminals =
        [&[18, 0x24, 2, 1, 1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0][..], &[9, 0x24, 3, 2, 1, 1, 0, 1, 0]]
            .concat();
    let control_length = (13 + terminals.len()) as u8;
    let control = [13, 0x24, 1, 0, 1, control_length, 0, 0x80, 0x8d, 0x5b, 0, 1, 1];

    let format: &[u8] = match encoding {
        Encoding::Yuyv => &[
            27, 0x24, 4, 1, 1, b'Y', b'U', b'Y', b'2', 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71,
            16, 1, 0, 0, 0, 0,
        ],
        Encoding::Mjpeg => &[11, 0x24, 6, 1, 1, 1, 1, 0, 0, 0, 0],
    };
    let bytes = (size.pixels() * 2) as u32;
    let mut frame = vec![30, 0x24, if encoding == Encoding::Yuyv { 5 } else { 7 }, 1, 0];
    frame.extend((size.width as u16).to_le_bytes());
    frame.extend((size.height as u16).to_le_bytes());
    let rates = [bytes * 8 * 10, bytes * 8 * 30, bytes, frame_interval()];
    frame.extend(rates.map(u32::to_le_bytes).concat());
    frame.push(1);
    frame.extend(frame_interval().to_le_bytes());
    let stream_length = (14 + format.len() + frame.len()) as u16;
    let [low, high] = stream_length.to_le_bytes();
    let stream = [14, 0x24, 1, 1, low, high, 0x81, 0, 2, 0, 0, 0, 1, 0];

    let parts = [
        &[8, 0x0b, 0, 2, 0x0e, 3, 0, 0][..],
        &[9, 4, 0, 0, 0, 0x0e, 1, 0, 0],
        &control,
        &terminals,
        &[9, 4, 1, 0, 1, 0x0e, 2, 0, 0],
        &stream,
        format,
        &frame,
        &[7, 5, 0x81, 2, 0, 2, 0],
    ]
    .concat();
    let [low, high] = (9 + parts.len() as u16).to_le_bytes();
    [&[9, 2, low, high, 2, 1, 0, 0x80, 50][..], &parts].concat()
}
