//! Programs in C, other processes, a real broker, and memory that both sides have.
#![cfg(target_os = "linux")]

mod support;

use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
use streamlib_c::code;
use streamlib_core::format::{Size, TextureFormat};
use streamlib_core::frame::{CameraModel, FrameMeta, Timestamp};
use streamlib_share::{
    Acquired, BufferDescription, BufferKind, Publisher, PublisherOptions, Reader, ReaderOptions,
    SharedBuffer, SurfaceError,
};
use support::{compile, succeed};

/// Far longer than anything takes: reaching it is a failure.
const LONG: Duration = Duration::from_secs(60);
const SIZE: Size = Size::new(7, 5);

fn place() -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().expect("a folder");
    let path = directory.path().join("broker.sock");
    (directory, path)
}

/// A publisher in this process, with buffers whose first bytes are their number.
struct Painter {
    publisher: Publisher<()>,
    buffers: Vec<SharedBuffer>,
    published: u64,
}

impl Painter {
    fn new(broker: &Path) -> Self {
        let options = PublisherOptions { broker: Some(broker.to_owned()), ..PublisherOptions::default() };
        let publisher = Publisher::create("here", &options).expect("a publisher");
        let buffers = (1..=8).map(|number| publisher.add_buffer(description(), buffer(number))).collect();
        Self { publisher, buffers, published: 0 }
    }

    fn publish(&mut self) {
        let buffer = self.buffers[self.published as usize % self.buffers.len()];
        self.published += 1;
        let meta = FrameMeta {
            captured: Timestamp(self.published as i64 * 1_000),
            sequence: self.published + 100,
            camera: self.published.is_multiple_of(2).then_some(camera()),
        };
        self.publisher.publish(&buffer, &meta, ()).expect("there is a place for it");
    }
}

fn description() -> BufferDescription {
    BufferDescription {
        kind: BufferKind::Memory,
        size: SIZE,
        format: TextureFormat::R8.into(),
        allocation: 4096,
        tiling: 0,
        offset: 16,
        pitch: 32,
        device: *b"0123456789abcdef",
        driver: *b"fedcba9876543210",
    }
}

/// A buffer whose rows hold `number` and the numbers after it.
fn buffer(number: u8) -> impl Fn() -> std::io::Result<OwnedFd> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let file = File::from(memfd_create("test-buffer", flags).expect("memory"));
    file.set_len(4096).expect("there is room");
    fcntl_add_seals(&file, SealFlags::SHRINK).expect("it takes seals");
    for row in 0..u64::from(SIZE.height) {
        let texels: Vec<u8> = (0..SIZE.width as u8).map(|x| number * 10 + x).collect();
        file.write_all_at(&texels, 16 + 32 * row).expect("it is in memory");
    }
    move || Ok(file.try_clone()?.into())
}

fn camera() -> CameraModel {
    let world_from_camera =
        std::array::from_fn(|row| std::array::from_fn(|column| (10 * row + column) as f32));
    CameraModel { intrinsics: [500.5, 501.0, 320.0, 240.25], world_from_camera }
}

/// `tests/c/reader.c`, which does as it is told.
struct Told {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

impl Told {
    fn start(broker: &Path, name: &str) -> Option<Self> {
        let program = compile("tests/c/reader.c", name, false)?;
        let mut child = Command::new(program)
            .env("STREAMLIB_BROKER", broker)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let (to, from) = (child.stdin.take().expect("piped"), child.stdout.take().expect("piped"));
        Some(Self { child, to, from: BufReader::new(from) })
    }

    fn does(&mut self, what: &str) -> String {
        writeln!(self.to, "{what}").expect("it listens");
        let mut line = String::new();
        self.from.read_line(&mut line).expect("it answers");
        line.trim().to_owned()
    }

    /// It fails with that error, and a sentence.
    fn fails(&mut self, what: &str, code: std::ffi::c_int) -> String {
        let said = self.does(what);
        let (number, sentence) = said.split_once(' ').unwrap_or((&said, ""));
        assert_eq!(number, code.to_string(), "{what}: {said}");
        assert!(sentence.len() > 10, "{what}: {said}");
        said
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

fn numbers(values: &[f32]) -> String {
    values.iter().map(|value| format!(" {value}")).collect()
}

#[test]
fn a_program_in_c_reads_frames_with_all_that_is_said_of_them() {
    let (_directory, broker) = place();
    let Some(mut reader) = Told::start(&broker, "reader-all") else { return };
    let mut painter = Painter::new(&broker);
    assert_eq!(reader.does("open here"), "0");
    assert_eq!(reader.does("acquire 0"), "1", "there is no frame yet");
    painter.publish();
    let none = numbers(&[0.0; 20]);
    let frame = format!("frame 1 size 7x5 format 6 skipped 0 captured 1000 sequence 101 camera 0{none}");
    assert_eq!(reader.does("acquire 60000"), frame);
    assert_eq!(
        reader.does("look"),
        "kind 3 format 6 size 7x5 allocation 4096 tiling 0 offset 16 pitch 32 device 0123456789abcdef driver \
         fedcba9876543210 row 10 11 12 13 14 15 16"
    );
    assert_eq!(reader.does("acquire 0"), "1", "it has had that one");
    (0..3).for_each(|_| painter.publish());
    let pose = [&camera().intrinsics[..], camera().world_from_camera.as_flattened()].concat();
    let said = numbers(&pose);
    let frame = format!("frame 4 size 7x5 format 6 skipped 2 captured 4000 sequence 104 camera 1{said}");
    assert_eq!(reader.does("acquire 60000"), frame);
    assert!(reader.does("look").ends_with("row 40 41 42 43 44 45 46"));

    // Two more, and that is all it may hold.
    for number in [5, 6] {
        painter.publish();
        assert!(reader.does("acquire 60000").starts_with(&format!("frame {number} ")));
    }
    painter.publish();
    reader.fails("acquire 60000", code::TOO_MANY_FRAMES);
    assert!(painter.publisher.kept() >= 5, "what it holds is kept");
    assert_eq!(reader.does("release"), "0");
    assert!(reader.does("acquire 60000").starts_with("frame 7 "));
    assert_eq!(painter.publisher.readers(), 1);
}

#[test]
fn a_program_in_c_outlives_the_publisher_and_finds_its_successor() {
    let (_directory, broker) = place();
    let Some(mut reader) = Told::start(&broker, "reader-outlives") else { return };
    let mut painter = Painter::new(&broker);
    painter.publish();
    assert_eq!(reader.does("open here"), "0");
    assert!(reader.does("acquire 60000").starts_with("frame 1 "));
    let said = reader.fails("open elsewhere-not", code::NO_SURFACE);
    assert!(said.contains("there are here"), "{said}");
    drop(painter);
    reader.fails("acquire -1", code::PUBLISHER_GONE);
    reader.fails("look", code::PUBLISHER_GONE);
    reader.fails("reopen", code::NO_BROKER);
    assert_eq!(reader.does("release"), "0", "of a frame whose publisher is gone");
    let mut painter = Painter::new(&broker);
    painter.publish();
    assert_eq!(reader.does("reopen"), "0");
    assert!(reader.does("acquire 60000").starts_with("frame 1 "));
    assert!(reader.does("look").contains("row 10 11"));
    painter.publisher.remove_buffer(&painter.buffers[0]);
    reader.fails("look", code::NO_BUFFER);
    assert_eq!(reader.does("close"), "0");
    assert_eq!(reader.does("release"), "0", "of a frame whose reader is closed");
}

/// The example that paints, which is stopped at the latest when the test ends.
struct Publishing(Child);

impl Publishing {
    fn start(broker: &Path, name: &str) -> Option<Self> {
        let program = compile("../../examples/c/publish.c", name, false)?;
        let mut command = Command::new(program);
        command.args(["painted", "1000000", "200"]).env("STREAMLIB_BROKER", broker).stdout(Stdio::null());
        Some(Self(command.spawn().expect("it starts")))
    }
}

impl Drop for Publishing {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _gone = self.0.wait();
    }
}

/// Whether texels are as the example paints them.
fn is_painted(texels: &[u8], width: usize, at: impl Fn(usize) -> usize, blue: u8) -> bool {
    (0..texels.len() / 4).all(|index| {
        let (x, y) = (index % width, index / width);
        texels[at(index)..][..4] == [x as u8, y as u8, blue, 255]
    })
}

fn check(reader: &mut Reader, frame: &Acquired) {
    let (description, file) = reader.buffer(frame.buffer()).expect("its buffer");
    let is_dma_buf = Path::new("/dev/udmabuf").exists();
    let kind = if is_dma_buf { BufferKind::DmaBuf } else { BufferKind::Memory };
    assert_eq!((description.kind, description.size), (kind, Size::new(320, 240)));
    assert_eq!((description.format, description.pitch), (TextureFormat::Rgba8.into(), 1280));
    if !is_dma_buf {
        let mut texels = vec![0; 320 * 240 * 4];
        File::from(file).read_exact_at(&mut texels, 0).expect("as many as it says");
        let blue = frame.meta().sequence as u8;
        assert!(is_painted(&texels, 320, |index| 4 * index, blue), "frame {}", frame.number());
    }
}

#[test]
fn a_program_in_rust_reads_what_one_in_c_publishes_and_what_it_holds_is_not_painted_over() {
    let (_directory, broker) = place();
    let Some(publisher) = Publishing::start(&broker, "publish-rust") else { return };
    let options = ReaderOptions { broker: Some(broker), patience: LONG, ..ReaderOptions::default() };
    let mut reader = Reader::open("painted", &options).expect("it comes");
    let mut held: Vec<Acquired> = Vec::new();
    let mut last = None;
    for _ in 0..40 {
        let frame = reader.acquire(LONG).expect("it publishes").expect("in time");
        assert!(frame.meta().captured.0 > 0 && frame.published() >= frame.meta().captured);
        assert!(last.is_none_or(|last| frame.meta().sequence > last), "{last:?}");
        last = Some(frame.meta().sequence);
        check(&mut reader, &frame);
        if held.len() < 3 {
            held.push(frame);
        }
        held.iter().for_each(|frame| check(&mut reader, frame));
    }
    drop(publisher);
    let gone = std::iter::repeat_with(|| reader.acquire(LONG)).find_map(Result::err);
    assert!(matches!(gone, Some(SurfaceError::PublisherGone { .. })), "{gone:?}");
}

#[test]
fn a_program_in_c_keeps_a_picture_of_what_another_one_publishes() {
    let (directory, broker) = place();
    let Some(_publisher) = Publishing::start(&broker, "publish-c") else { return };
    let Some(program) = compile("../../examples/c/read.c", "read-c", false) else { return };
    let picture = directory.path().join("last.ppm");
    let mut read = Command::new(&program);
    let said = succeed(read.args(["painted", "7"]).arg(&picture).env("STREAMLIB_BROKER", &broker));
    assert_eq!(said.lines().filter(|line| line.contains(": 320x240 in buffer")).count(), 7, "{said}");
    let picture = std::fs::read(picture).expect("it was written");
    let texels = picture.strip_prefix(b"P6\n320 240\n255\n").expect("a picture of that size");
    let blue = texels[2];
    let is_right =
        |(index, texel): (usize, &[u8])| *texel == [(index % 320) as u8, (index / 320) as u8, blue];
    assert!(texels.len() == 3 * 320 * 240 && texels.chunks(3).enumerate().all(is_right));

    let listed = succeed(Command::new(&program).env("STREAMLIB_BROKER", &broker));
    assert!(listed.starts_with("painted 320x240 format 1, "), "{listed}");
    let mut wrong = Command::new(&program);
    let output = wrong.args(["pa inted"]).env("STREAMLIB_BROKER", &broker).output().expect("it starts");
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("no name of a surface"));
}

#[test]
fn what_no_function_can_be_called_with_is_refused_by_each() {
    for (name, is_static) in [("misuse-shared", false), ("misuse-static", true)] {
        let (_directory, broker) = place();
        let Some(program) = compile("tests/c/misuse.c", name, is_static) else { return };
        let said = succeed(Command::new(program).env("STREAMLIB_BROKER", broker));
        assert_eq!(said, "ok\n", "{name}");
    }
}
