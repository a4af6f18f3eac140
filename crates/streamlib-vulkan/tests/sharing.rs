//! Textures that two devices have, in one process and in two.

#[path = "support/peer.rs"]
mod peer;
#[path = "conformance/steps.rs"]
mod steps;
mod support;

use std::fs::File;
use std::os::fd::OwnedFd;

use peer::{copy, hand_over, handed_over};
use steps::{buffer_of, download, kernel, pattern, run};
use streamlib_core::format::{Size, TextureFormat};
use streamlib_core::gpu::{Command, Dispatch, Gpu, HostBufferUse, Sharing, TextureDesc};
use streamlib_vulkan::{
    SharedTexture, SharedTiling, SharingKind, SharingProblem, Texture, VulkanError, VulkanGpu,
};

const SIZE: Size = Size::new(61, 33);

/// The kinds that the device hands out and takes; a word about those that it does not.
#[allow(clippy::print_stdout, reason = "standard output is where skips are counted")]
fn kinds(gpu: &VulkanGpu) -> Vec<SharingKind> {
    let sharing = gpu.report().sharing;
    let has = |kind: &SharingKind| match kind {
        SharingKind::OpaqueFd => sharing.opaque_fd,
        SharingKind::DmaBuf => sharing.dma_buf_export && sharing.dma_buf_import,
    };
    let (there, missing): (Vec<_>, Vec<_>) = SharingKind::ALL.into_iter().partition(has);
    for kind in missing {
        println!("SKIPPED: {} shares no textures as {}", gpu.report().name, kind.name());
    }
    there
}

fn create(gpu: &VulkanGpu, format: TextureFormat, kind: SharingKind) -> Texture {
    let desc = TextureDesc { label: "shared", size: SIZE, format };
    gpu.create_shared_texture(&desc, Some(kind)).expect("a texture")
}

fn fill(gpu: &VulkanGpu, to: &Texture, bytes: &[u8]) {
    let from = buffer_of(gpu, bytes, HostBufferUse::Upload);
    run(gpu, &[Command::Upload { from: &from, offset: 0, to }]);
}

/// Two patterns for a texture: what one side writes, and what the other one answers.
fn patterns(format: TextureFormat) -> [Vec<u8>; 2] {
    let bytes = pattern(SIZE.pixels() * format.bytes_per_texel());
    let answer = bytes.iter().rev().copied().collect();
    [bytes, answer]
}

const FORMATS: [TextureFormat; 4] =
    [TextureFormat::Rgba8, TextureFormat::Bgra8Srgb, TextureFormat::Rgba16Float, TextureFormat::R8];

#[test]
fn what_one_process_writes_another_reads_and_what_that_writes_the_first_reads() {
    const NAME: &str = "what_one_process_writes_another_reads_and_what_that_writes_the_first_reads";
    let Some(gpu) = support::gpu_in_turn() else { return };
    let gpu = &*gpu;
    if let Some(all) = handed_over() {
        for shared in all {
            let (what, [bytes, answer]) =
                (format!("{:?} {:?}", shared.kind, shared.format), patterns(shared.format));
            let texture = gpu.import_texture("theirs", shared).expect("imported");
            assert!(download(gpu, &texture, bytes.len()) == bytes, "{what}: what the first has written");
            fill(gpu, &texture, &answer);
        }
        assert_eq!(gpu.validation_messages(), 0);
        return;
    }
    let all = kinds(gpu).into_iter().flat_map(|kind| FORMATS.map(|format| (kind, format)));
    let written = |(kind, format)| {
        let [bytes, answer] = patterns(format);
        let texture = create(gpu, format, kind);
        assert_eq!(download(gpu, &texture, bytes.len()), vec![0; bytes.len()]);
        fill(gpu, &texture, &bytes);
        (format!("{kind:?} {format:?}"), texture, answer)
    };
    let all: Vec<_> = all.map(written).collect();
    let shared: Vec<_> = all.iter().map(|(_, texture, _)| gpu.share(texture).expect("shared")).collect();
    hand_over(NAME, &shared);
    for (what, texture, answer) in all {
        assert!(download(gpu, &texture, answer.len()) == answer, "{what}: the answer");
    }
    assert_eq!(gpu.validation_messages(), 0);
}

#[test]
fn kernels_read_and_write_shared_textures_like_any_others() {
    let (Some(one), Some(other)) = (support::gpu(), support::gpu_in_turn()) else { return };
    let other = &*other;
    let code = support::kernels().tint;
    for kind in kinds(&one) {
        for format in [TextureFormat::Rgba8, TextureFormat::Rgba8Srgb] {
            let [bytes, answer] = patterns(format);
            let [from, to] = [(); 2].map(|()| create(&one, format, kind));
            fill(&one, &from, &bytes);
            let import = |texture| {
                other.import_texture("theirs", one.share(texture).expect("shared")).expect("imported")
            };
            let (input, output) = (import(&from), import(&to));
            let tint = kernel(other, "tint", &code, format);
            let own = other.create_texture(&TextureDesc { label: "own", size: SIZE, format }).expect("one");
            fill(other, &own, &answer);
            let pass = Command::Dispatch(Dispatch {
                label: "tint",
                kernel: &tint,
                inputs: &[("input", &own)],
                outputs: &[("output", &output)],
                buffers: &[],
                threads: SIZE,
            });
            let mut recording = run(other, &[pass]);
            assert!(download(&one, &to, bytes.len()) == answer, "{kind:?} {format:?}");
            other.rebind(&mut recording, &own, &input).expect("the same size and format");
            steps::submit_and_wait(other, &mut recording);
            assert!(download(&one, &to, bytes.len()) == bytes, "{kind:?} {format:?}, bound anew");
        }
    }
    assert_eq!(one.validation_messages() + other.validation_messages(), 0);
}

#[test]
fn what_was_shared_lives_on_when_its_owner_is_gone() {
    let (Some(owner), Some(other)) = (support::gpu(), support::gpu_in_turn()) else { return };
    let other = &*other;
    let [bytes, _] = patterns(TextureFormat::Rgba8);
    let shared = |kind| {
        let texture = create(&owner, TextureFormat::Rgba8, kind);
        fill(&owner, &texture, &bytes);
        [owner.share(&texture).expect("shared"), owner.share(&texture).expect("shared once more")]
    };
    let all: Vec<_> = kinds(&owner).into_iter().flat_map(shared).collect();
    drop(owner);
    for shared in all {
        let texture = other.import_texture("theirs", shared).expect("imported");
        assert!(download(other, &texture, bytes.len()) == bytes);
    }
    assert_eq!(other.validation_messages(), 0);
}

#[test]
fn a_device_shares_as_it_says() {
    let Some(gpu) = support::gpu_in_turn() else { return };
    let gpu = &*gpu;
    let sharing = gpu.report().sharing;
    let desc = TextureDesc { label: "shared", size: SIZE, format: TextureFormat::Rgba8 };
    let exports = [(SharingKind::OpaqueFd, sharing.opaque_fd), (SharingKind::DmaBuf, sharing.dma_buf_export)];
    for (kind, is_there) in exports {
        match gpu.create_shared_texture(&desc, Some(kind)) {
            Ok(texture) => {
                assert!(is_there, "{kind:?}");
                assert_eq!(gpu.share(&texture).expect("shared").kind, kind);
            }
            Err(VulkanError::Sharing { problem: SharingProblem::NoExport { .. }, .. }) => {
                assert!(!is_there, "{kind:?}");
            }
            Err(error) => panic!("{error}"),
        }
    }
    let any = gpu.create_shared_texture(&desc, None);
    match exports.into_iter().find(|(_, is_there)| *is_there) {
        Some((kind, _)) => assert_eq!(gpu.share(&any.expect("one")).expect("shared").kind, kind),
        None => assert!(matches!(any, Err(VulkanError::Sharing { .. })), "{any:?}"),
    }
    assert_eq!(gpu.validation_messages(), 0);
}

#[test]
fn a_texture_is_shared_as_those_need_it_who_are_to_open_it() {
    let Some(gpu) = support::gpu_in_turn() else { return };
    let gpu = &*gpu;
    let (label, size) = ("shared", SIZE);
    for format in [TextureFormat::Rgba8, TextureFormat::Bgra8Srgb, TextureFormat::Rgba16Float] {
        for sharing in [Sharing::Device, Sharing::Devices, Sharing::Programs] {
            let desc = TextureDesc { label, size, format };
            match Gpu::create_shared_texture(gpu, &desc, sharing).and_then(|texture| gpu.share(&texture)) {
                Ok(shared) => {
                    let is_rows = shared.tiling == SharedTiling::Modifier(0);
                    assert!(sharing == Sharing::Device || shared.kind == SharingKind::DmaBuf);
                    assert!(sharing != Sharing::Programs || is_rows, "{:?}", shared.tiling);
                    let row = u64::from(SIZE.width) * format.bytes_per_texel() as u64;
                    assert!(!is_rows || shared.row_pitch >= row, "{}", shared.row_pitch);
                }
                Err(VulkanError::Sharing { problem, .. }) => {
                    let is_known = match sharing {
                        Sharing::Programs => matches!(problem, SharingProblem::NoRows { .. }),
                        _ => matches!(problem, SharingProblem::NoExport { .. }),
                    };
                    assert!(is_known && problem.to_string().contains("hands out no"), "{problem}");
                }
                Err(error) => panic!("{error}"),
            }
        }
    }
    assert_eq!(gpu.validation_messages(), 0);
}

#[test]
fn a_texture_that_was_not_made_for_it_is_not_shared() {
    let (Some(gpu), Some(other)) = (support::gpu_in_turn(), support::gpu()) else { return };
    let gpu = &*gpu;
    let plain = steps::texture(gpu, "plain", SIZE, TextureFormat::Rgba8);
    let error = gpu.share(&plain).expect_err("a piece of the pool");
    assert!(matches!(error, VulkanError::Sharing { problem: SharingProblem::NotShared, .. }), "{error}");
    assert!(error.to_string().contains("create_shared_texture"), "{error}");
    assert!(matches!(other.share(&plain), Err(VulkanError::ForeignHandle { .. })));
    for kind in kinds(gpu) {
        let shared = gpu.share(&create(gpu, TextureFormat::Rgba8, kind)).expect("shared");
        let theirs = other.import_texture("theirs", shared).expect("imported");
        let error = other.share(&theirs).expect_err("somebody else's");
        assert!(matches!(error, VulkanError::Sharing { problem: SharingProblem::NotShared, .. }), "{error}");
    }
}

/// What a peer might say instead of the truth.
fn lies(truth: &SharedTexture) -> Vec<(&'static str, SharedTexture)> {
    let lie = |change: fn(&mut SharedTexture)| {
        let mut lie = copy(truth);
        change(&mut lie);
        lie
    };
    vec![
        ("no width", lie(|t| t.size.width = 0)),
        ("too wide", lie(|t| t.size.width = u32::MAX)),
        ("too high", lie(|t| t.size.height = u32::MAX)),
        ("higher", lie(|t| t.size.height += 4096)),
        ("more bytes a texel", lie(|t| t.format = TextureFormat::Rgba16Float)),
        ("rows that overlap", lie(|t| t.row_pitch = 4)),
        ("rows far apart", lie(|t| t.row_pitch = u64::MAX)),
        ("an odd pitch", lie(|t| t.row_pitch += 1)),
        ("beyond the end", lie(|t| t.offset = 1 << 40)),
        ("beyond any end", lie(|t| t.offset = u64::MAX)),
        ("an unknown modifier", lie(|t| t.tiling = SharedTiling::Modifier(0x00ff_dead_beef_0001))),
        ("a directory", lie(|t| t.descriptor = File::open("/proc").expect("open").into())),
        ("a pipe", lie(|t| t.descriptor = std::io::pipe().expect("a pipe").0.into())),
        ("a device", lie(|t| t.descriptor = File::open("/dev/zero").expect("open").into())),
        ("a file", lie(|t| t.descriptor = File::open("/proc/self/exe").expect("open").into())),
    ]
}

/// Anonymous memory of the kernel's that keeps its size.
#[allow(unsafe_code, reason = "the standard library makes no such files")]
fn sealed(bytes: u64) -> OwnedFd {
    use std::os::fd::{AsRawFd, FromRawFd};
    // SAFETY: the name ends with a zero; the answer is checked.
    let raw = unsafe { libc::memfd_create(c"sealed".as_ptr(), libc::MFD_ALLOW_SEALING | libc::MFD_CLOEXEC) };
    assert!(raw >= 0);
    // SAFETY: it is new.
    let file = File::from(unsafe { OwnedFd::from_raw_fd(raw) });
    file.set_len(bytes).expect("set");
    let seals = libc::F_SEAL_SHRINK | libc::F_SEAL_GROW;
    // SAFETY: takes numbers.
    assert_eq!(unsafe { libc::fcntl(file.as_raw_fd(), libc::F_ADD_SEALS, seals) }, 0);
    file.into()
}

#[test]
fn a_peer_that_lies_is_refused_in_words_and_nothing_else_happens() {
    let Some(gpu) = support::gpu_in_turn() else { return };
    let gpu = &*gpu;
    for kind in kinds(gpu) {
        let texture = create(gpu, TextureFormat::Rgba8, kind);
        let truth = gpu.share(&texture).expect("shared");
        let mut lies = lies(&truth);
        if kind == SharingKind::OpaqueFd {
            let bytes = truth.allocation;
            lies.extend([
                ("less memory than it is", SharedTexture { allocation: bytes - 1, ..copy(&truth) }),
                ("more memory than it is", SharedTexture { allocation: bytes * 2, ..copy(&truth) }),
                ("another device", SharedTexture { device: [7; 16], ..copy(&truth) }),
                ("another driver", SharedTexture { driver: [7; 16], ..copy(&truth) }),
                ("another kind", SharedTexture { kind: SharingKind::DmaBuf, ..copy(&truth) }),
                ("zeros", SharedTexture { descriptor: sealed(bytes * 4), ..copy(&truth) }),
                ("too few zeros", SharedTexture { descriptor: sealed(8), ..copy(&truth) }),
            ]);
        } else {
            lies.push(("another kind", SharedTexture { kind: SharingKind::OpaqueFd, ..copy(&truth) }));
        }
        for (what, lie) in lies {
            match gpu.import_texture("theirs", lie) {
                Err(error @ (VulkanError::Sharing { .. } | VulkanError::Limit { .. })) => {
                    assert!(error.to_string().contains("theirs"), "{error}");
                }
                other => panic!("{kind:?}, {what}: {other:?}"),
            }
        }
        gpu.import_texture("theirs", truth).expect("the truth is taken after all that");
    }
    assert_eq!(gpu.validation_messages(), 0);
}

#[test]
fn descriptors_are_closed_whether_or_not_a_texture_is_imported() {
    let Some(gpu) = support::gpu_in_turn() else { return };
    let gpu = &*gpu;
    for kind in kinds(gpu) {
        let texture = create(gpu, TextureFormat::Rgba8, kind);
        let truth = gpu.share(&texture).expect("shared");
        let target = |fd: &std::fs::DirEntry| std::fs::read_link(fd.path()).ok();
        let shared_file = std::fs::read_link(format!(
            "/proc/self/fd/{}",
            std::os::fd::AsRawFd::as_raw_fd(&truth.descriptor)
        ))
        .expect("it is open");
        // Other tests open and close theirs at the same time, under other names or of other size; so compare like with like.
        let open = || {
            let all = std::fs::read_dir("/proc/self/fd").expect("listed").flatten();
            all.filter(|fd| target(fd).is_some_and(|path| path == shared_file)).count()
        };
        let count = |run: &dyn Fn()| {
            let before = open();
            (0..20).for_each(|_| run());
            open().saturating_sub(before)
        };
        let imported = count(&|| drop(gpu.import_texture("theirs", copy(&truth)).expect("imported")));
        let refused = count(&|| {
            let lie = SharedTexture { size: Size::new(0, 0), ..copy(&truth) };
            gpu.import_texture("theirs", lie).expect_err("no size");
        });
        // What was dropped last may still wait for the GPU; what leaks would be twenty.
        assert!(imported < 10 && refused < 10, "{kind:?}: {imported} and {refused} are left open");
    }
}
