//! Textures of a recording that are bound anew.

use streamlib_core::format::{Size, TextureFormat};
use streamlib_core::gpu::{Command, Dispatch, Gpu, HostBuffer as _, HostBufferUse};

use crate::steps::{
    Kernels, LONG, buffer_of, contents, download, floats, kernel, pattern, run, submit_and_wait, texture,
};

const SIZE: Size = Size::new(21, 9);
const BYTES: usize = SIZE.pixels() * 4;
const FORMAT: TextureFormat = TextureFormat::Rgba8;

fn image<G: Gpu>(gpu: &G, label: &str) -> G::Texture {
    texture(gpu, label, SIZE, FORMAT)
}

/// A texture that holds one level everywhere.
fn filled<G: Gpu>(gpu: &G, level: u8) -> G::Texture {
    let texture = image(gpu, "filled");
    let up = buffer_of(gpu, &vec![level; BYTES], HostBufferUse::Upload);
    run(gpu, &[Command::Upload { from: &up, offset: 0, to: &texture }]);
    texture
}

fn level<G: Gpu>(gpu: &G, texture: &G::Texture) -> u8 {
    let texels = download(gpu, texture, BYTES);
    assert!(texels.iter().all(|texel| *texel == texels[0]), "not all of it was written");
    texels[0]
}

/// `middle = tint(input)`, `side = tint(input)`, `output = tint(middle)`.
fn three_passes<G: Gpu>(
    gpu: &G,
    kernels: &Kernels,
    [input, middle, side, output]: [&G::Texture; 4],
) -> G::Recording {
    let code = kernel(gpu, "tint", &kernels.tint, FORMAT);
    let pass = |inputs, outputs| {
        Command::Dispatch(Dispatch {
            label: "tint",
            kernel: &code,
            inputs,
            outputs,
            buffers: &[],
            threads: SIZE,
        })
    };
    let (from_input, from_middle) = ([("input", input)], [("input", middle)]);
    let (to_middle, to_side, to_output) = ([("output", middle)], [("output", side)], [("output", output)]);
    let commands =
        [pass(&from_input, &to_middle), pass(&from_input, &to_side), pass(&from_middle, &to_output)];
    gpu.record("three passes", &commands).expect("a recording")
}

pub(crate) fn inputs_and_outputs_can_be_bound_anew<G: Gpu>(gpu: &G, kernels: &Kernels) {
    let [middle, side, output] = ["middle", "side", "output"].map(|label| image(gpu, label));
    let input = filled(gpu, 10);
    let mut recording = three_passes(gpu, kernels, [&input, &middle, &side, &output]);
    submit_and_wait(gpu, &mut recording);
    assert_eq!((level(gpu, &side), level(gpu, &output)), (10, 10));

    // The input of two passes; the new one's handle is gone before the submission.
    let other = filled(gpu, 20);
    gpu.rebind(&mut recording, &input, &other).expect("a new input");
    drop(other);
    submit_and_wait(gpu, &mut recording);
    assert_eq!((level(gpu, &side), level(gpu, &output)), (20, 20));

    // The output and what lies between two passes, with textures that nothing has ever used, and the input again.
    let [between, result] = ["between", "result"].map(|label| image(gpu, label));
    for round in 30..40 {
        let other = filled(gpu, round);
        gpu.rebind(&mut recording, &input, &other).expect("a new input");
        gpu.rebind(&mut recording, &middle, &between).expect("a new middle");
        gpu.rebind(&mut recording, &output, &result).expect("a new output");
        submit_and_wait(gpu, &mut recording);
        let found = [&side, &between, &result].map(|texture| level(gpu, texture));
        assert_eq!(found, [round; 3]);
    }
    assert_eq!((level(gpu, &middle), level(gpu, &output)), (20, 20), "the old ones are left alone");

    // What was displaced can take another place, and uniforms stay those of the recording.
    gpu.rebind(&mut recording, &output, &middle).expect("the old middle as the output");
    gpu.rebind(&mut recording, &input, &input).expect("the recorded one again");
    gpu.set_uniforms(&mut recording, 2, &floats(&[0.5; 4])).expect("a block");
    submit_and_wait(gpu, &mut recording);
    assert_eq!([&side, &between, &middle].map(|texture| level(gpu, texture)), [10, 10, 5]);
    assert_eq!(level(gpu, &result), 39);
}

pub(crate) fn what_is_bound_lives_until_the_work_has_finished<G: Gpu>(gpu: &G, kernels: &Kernels) {
    let [middle, side, output] = ["middle", "side", "output"].map(|label| image(gpu, label));
    let input = filled(gpu, 1);
    let mut recording = three_passes(gpu, kernels, [&input, &middle, &side, &output]);
    let result = image(gpu, "result");
    gpu.rebind(&mut recording, &output, &result).expect("a new output");
    for round in 50..60 {
        gpu.rebind(&mut recording, &input, &filled(gpu, round)).expect("a new input");
        let texels = pattern(BYTES);
        let up = buffer_of(gpu, &texels, HostBufferUse::Upload);
        let down = gpu.create_host_buffer("down", BYTES, HostBufferUse::Readback).expect("a buffer");
        let copy = [Command::Download { from: &result, to: &down, offset: 0 }];
        let mut batch = [gpu.record("copy", &copy).expect("a recording")];
        let value =
            gpu.submit(&mut [std::slice::from_mut(&mut recording), &mut batch]).expect("a submission");
        drop((batch, up));
        gpu.wait(value, LONG).expect("it ends");
        assert!(contents::<G>(&down).iter().all(|texel| *texel == round));
    }
    drop((input, middle, side, output));
    gpu.submit_one(&mut recording).expect("a submission");
    drop((recording, result));
}

pub(crate) fn what_cannot_be_bound_anew_is_refused<G: Gpu>(gpu: &G, kernels: &Kernels) {
    let [middle, side, output, spare] = ["middle", "side", "output", "spare"].map(|label| image(gpu, label));
    let input = filled(gpu, 80);
    let code = kernel(gpu, "tint", &kernels.tint, FORMAT);
    let down = gpu.create_host_buffer("down", BYTES, HostBufferUse::Readback).expect("a buffer");
    let commands = [
        Command::Clear { texture: &side, color: [1.0; 4] },
        Command::Dispatch(Dispatch {
            label: "tint",
            kernel: &code,
            inputs: &[("input", &input)],
            outputs: &[("output", &output)],
            buffers: &[],
            threads: SIZE,
        }),
        Command::Download { from: &output, to: &down, offset: 0 },
    ];
    let mut recording = gpu.record("tint", &commands).expect("a recording");
    let large = texture(gpu, "large", Size::new(SIZE.width + 1, SIZE.height), FORMAT);
    let decoded = texture(gpu, "decoded", SIZE, TextureFormat::Rgba8Srgb);
    let refused = [
        (&middle, &spare, "nothing was recorded with it"),
        (&side, &spare, "a clear"),
        (&output, &spare, "a download"),
        (&input, &large, "another size"),
        (&input, &decoded, "another format"),
        (&input, &output, "it stands elsewhere"),
        (&input, &side, "it stands elsewhere"),
    ];
    for (recorded, texture, why) in refused {
        let error = gpu.rebind(&mut recording, recorded, texture).expect_err(why);
        assert!(!error.to_string().is_empty());
    }
    submit_and_wait(gpu, &mut recording);
    assert!(contents::<G>(&down).iter().all(|texel| *texel == 80), "a refusal changed something");
    gpu.rebind(&mut recording, &input, &spare).expect("a new input");
    gpu.rebind(&mut recording, &spare, &input).expect_err("a new texture is no name of a place");
    gpu.rebind(&mut recording, &input, &input).expect("the old one");

    let value = gpu.submit_one(&mut recording).expect("a submission");
    if gpu.rebind(&mut recording, &input, &spare).is_ok() {
        assert!(gpu.reached(value).expect("no loss"), "bound anew in flight");
    }
    gpu.wait(value, LONG).expect("it ends");
    down.read(&mut |_| ()).expect("it has ended");
}
