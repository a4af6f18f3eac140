//! Choosing devices, several of them at once, and the order in which things are dropped.

#[path = "conformance/steps.rs"]
mod steps;
mod support;

use std::process::Command as Process;

use steps::{LONG, buffer_of, contents, kernel, pattern, submit_and_wait, texture};
use streamlib_core::format::{Size, TextureFormat};
use streamlib_core::gpu::{Command, Dispatch, Gpu, HostBufferUse, KernelDesc};
use streamlib_vulkan::{
    DeviceChoice, DeviceOptions, Shortfall, Validation, VulkanError, VulkanGpu, list_devices,
};

const SIZE: Size = Size::new(16, 16);

fn open(choice: DeviceChoice) -> Result<VulkanGpu, VulkanError> {
    VulkanGpu::new(&DeviceOptions { choice, validation: Validation::On })
}

#[test]
fn a_device_is_found_by_index_and_by_part_of_its_name() {
    if support::gpu().is_none() {
        return;
    }
    let all = list_devices().expect("devices");
    let (index, report) =
        all.iter().enumerate().find(|(_, report)| report.usable.is_ok()).expect("one was opened");
    assert!(report.timeline && report.api_version >= (1, 2, 0) && report.memory_bytes > 0, "{report:?}");
    assert_eq!(report.formats.len(), TextureFormat::ALL.len());
    let by_index = open(DeviceChoice::Index(index)).expect("by index");
    assert_eq!(by_index.report(), report);
    let part = report.name[..report.name.len() / 2].to_uppercase();
    let by_name = open(DeviceChoice::Name(part)).expect("by name");
    assert!(by_name.info().max_texture_size >= 4096);
}

#[test]
fn a_device_that_does_not_exist_is_an_error_that_lists_those_that_do() {
    if support::gpu().is_none() {
        return;
    }
    let names: Vec<_> = list_devices().expect("devices").into_iter().map(|report| report.name).collect();
    for choice in [DeviceChoice::Index(names.len()), DeviceChoice::Name("no such thing".to_owned())] {
        let error = open(choice).expect_err("it does not exist");
        assert!(matches!(&error, VulkanError::NoSuchDevice { found, .. } if *found == names), "{error}");
        assert!(error.to_string().contains(&names[0]));
    }
}

#[test]
fn threads_open_and_close_devices_and_end_while_others_do() {
    if support::gpu().is_none() {
        return;
    }
    // Without the layer, some versions of which take no threads that do this.
    let options = DeviceOptions { validation: Validation::Off, ..DeviceOptions::default() };
    for _ in 0..3 {
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| drop(VulkanGpu::new(&options).expect("opened")));
            }
        });
    }
}

#[test]
fn handles_of_another_device_are_refused() {
    let (Some(one), Some(other)) = (support::gpu(), support::gpu()) else { return };
    let format = TextureFormat::Rgba8;
    let [mine, theirs] = [&one, &other].map(|gpu| texture(gpu, "image", SIZE, format));
    let buffer = buffer_of(&other, &[0; 16 * 16 * 4], HostBufferUse::Upload);
    let code = kernel(&other, "tint", &support::kernels().tint, format);
    let clear = |texture| Command::Clear { texture, color: [0.0; 4] };
    let foreign = [
        clear(&theirs),
        Command::Upload { from: &buffer, offset: 0, to: &mine },
        Command::Dispatch(Dispatch {
            label: "foreign",
            kernel: &code,
            inputs: &[("input", &mine)],
            outputs: &[("output", &mine)],
            buffers: &[],
            threads: SIZE,
        }),
    ];
    for command in foreign {
        let error = one.record("foreign", &[command]).expect_err("another device's");
        assert!(matches!(error, VulkanError::ForeignHandle { .. }), "{error}");
    }
    let mut recordings = [one.record("clear", &[clear(&mine)]), other.record("clear", &[clear(&theirs)])]
        .map(|recording| recording.expect("its own"));
    let is_foreign = |result| matches!(result, Err(VulkanError::ForeignHandle { .. }));
    assert!(is_foreign(other.submit_one(&mut recordings[0]).map(drop)));
    assert!(is_foreign(one.submit(&mut [&mut recordings]).map(drop)), "one of them is another device's");
    for (recorded, texture) in [(&mine, &theirs), (&theirs, &mine)] {
        assert!(is_foreign(one.rebind(&mut recordings[0], recorded, texture)));
    }
    assert!(is_foreign(other.rebind(&mut recordings[0], &theirs, &theirs)));
    assert!(is_foreign(other.timestamps(&recordings[0], &mut Vec::new())));
    let [mut own, mut others] = recordings;
    submit_and_wait(&one, &mut own);
    submit_and_wait(&other, &mut others);
    assert_eq!(one.validation_messages() + other.validation_messages(), 0);
}

#[test]
fn handles_may_outlive_the_device() {
    let Some(gpu) = support::gpu() else { return };
    let image = texture(&gpu, "image", SIZE, TextureFormat::Rgba8);
    let texels = pattern(SIZE.pixels() * 4);
    let up = buffer_of(&gpu, &texels, HostBufferUse::Upload);
    let upload = [Command::Upload { from: &up, offset: 0, to: &image }];
    let mut recording = gpu.record("upload", &upload).expect("a recording");
    gpu.submit_one(&mut recording).expect("a submission");
    drop(gpu);
    // Dropping it has waited, so the buffer is free.
    assert!(contents::<VulkanGpu>(&up) == texels);
    drop((image, up));
    drop(recording);
}

#[test]
fn threads_may_create_record_and_submit_at_once() {
    let Some(gpu) = support::gpu() else { return };
    let kernels = support::kernels();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..10 {
                    let format = TextureFormat::Rgba8;
                    let [a, b] = ["a", "b"].map(|label| texture(&gpu, label, SIZE, format));
                    let code = kernel(&gpu, "tint", &kernels.tint, format);
                    let dispatch = Dispatch {
                        label: "tint",
                        kernel: &code,
                        inputs: &[("input", &a)],
                        outputs: &[("output", &b)],
                        buffers: &[],
                        threads: SIZE,
                    };
                    let mut recording =
                        gpu.record("tint", &[Command::Dispatch(dispatch)]).expect("a recording");
                    let value = gpu.submit_one(&mut recording).expect("a submission");
                    drop((a, b, code));
                    gpu.wait(value, LONG).expect("it ends");
                }
            });
        }
    });
    assert_eq!(gpu.validation_messages(), 0);
}

#[test]
fn a_capability_that_the_device_lacks_is_named() {
    let Some(gpu) = support::gpu() else { return };
    let code = support::kernels().tint;
    // Capability 5352 is `RayTracingNV`; nothing in this crate switches it on.
    let spirv = [&code.spirv[..5], &[0x0002_0011, 5352], &code.spirv[5..]].concat();
    let error = gpu
        .create_kernel(&KernelDesc {
            label: "rays",
            spirv: &spirv,
            interface: &code.interface,
            outputs: &[("output", TextureFormat::Rgba8)],
        })
        .expect_err("no device was asked for it");
    let is_named = matches!(
        &error,
        VulkanError::MissingFeature { shortfall: Shortfall::Capability(name), .. } if name.contains("5352")
    );
    assert!(is_named, "{error}");
}

#[test]
#[allow(clippy::print_stdout, reason = "a skipped test says why")]
fn the_assembled_kernels_are_those_of_the_texts() {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/kernels");
    for name in ["tint", "palette"] {
        let assembled = Process::new("spirv-as")
            .args(["--target-env", "vulkan1.2", "-o", "-"])
            .arg(format!("{directory}/{name}.spvasm"))
            .output();
        let Ok(assembled) = assembled else {
            println!("SKIPPED: spirv-as is not installed (`apt install spirv-tools`)");
            return;
        };
        let committed = std::fs::read(format!("{directory}/{name}.spv")).expect("the file is there");
        // The third word names the assembler's version.
        assert!(assembled.stdout[12..] == committed[12..], "{name}.spv is out of date");
    }
}
