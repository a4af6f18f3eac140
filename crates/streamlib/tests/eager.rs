//! Effects and textures outside of graphs.

use std::sync::{Arc, LazyLock};

use streamlib::format::{Size, TextureFormat};
use streamlib::shader::EffectSource;
use streamlib::value::Value;
use streamlib::vulkan::Texture;
use streamlib::{EagerError, EffectRun, RuntimeOptions, StreamRuntime};

fn runtime() -> Option<Arc<StreamRuntime>> {
    static RUNTIME: LazyLock<Option<Arc<StreamRuntime>>> =
        LazyLock::new(|| match StreamRuntime::new(&RuntimeOptions::default()) {
            Ok(runtime) => Some(Arc::new(runtime)),
            #[allow(clippy::print_stdout, reason = "standard output is where skips are counted")]
            Err(error) => {
                println!("SKIPPED: {error}");
                None
            }
        });
    RUNTIME.clone()
}

fn texture(runtime: &StreamRuntime, size: Size, pixel: [u8; 4]) -> Texture {
    let texture = runtime.create_texture(size, TextureFormat::Rgba8).expect("a texture");
    let texels = pixel.repeat(size.pixels());
    runtime.write_texture(&texture, |memory| memory.copy_from_slice(&texels)).expect("written");
    texture
}

fn texels(runtime: &StreamRuntime, texture: &Texture) -> Vec<u8> {
    runtime.read_texture(texture).expect("read").read(<[u8]>::to_vec).expect("nobody else uses it")
}

#[test]
fn a_texture_begins_with_zeros_and_gives_back_what_was_written() {
    let Some(runtime) = runtime() else { return };
    let size = Size::new(5, 3);
    let fresh = runtime.create_texture(size, TextureFormat::Rgba16Float).expect("a texture");
    assert_eq!(texels(&runtime, &fresh), vec![0; 5 * 3 * 8]);
    let written = texture(&runtime, size, [1, 2, 3, 4]);
    let copy = runtime.read_texture(&written).expect("read");
    assert_eq!((copy.size(), copy.format()), (size, TextureFormat::Rgba8));
    // A copy does not change with the texture, nor when memory is used again.
    runtime.write_texture(&written, |memory| memory.fill(9)).expect("written");
    assert_eq!(texels(&runtime, &written), vec![9; 5 * 3 * 4]);
    let is_kept = copy.read(|bytes| bytes == [1, 2, 3, 4].repeat(15)).expect("nobody else uses it");
    assert!(is_kept);
    assert_eq!(runtime.gpu().validation_messages(), 0);
}

#[test]
fn an_effect_runs_once_with_inputs_parameters_expressions_and_buffers() {
    let Some(runtime) = runtime() else { return };
    let hlsl = "float gain = 1; StructuredBuffer<float> offsets; Texture2D<float4> other;
        float4 main(float2 uv : TEXCOORD) : SV_Target {
            float4 sum = tex2D(input, uv) * gain + other.Load(int3(0, 0, 0)) + offsets[1] / 255;
            return float4(sum.rgb, resolution.x / 255); }";
    let effect = EffectSource::from_text("sum.hlsl", hlsl);
    let (input, other) = (
        texture(&runtime, Size::new(7, 2), [100, 50, 0, 255]),
        texture(&runtime, Size::new(1, 1), [1, 2, 3, 0]),
    );
    let offsets = Value::List(vec![Value::Int(100), Value::Int(10)]);
    let parameters = [("gain", Value::parse("time / 2").expect("an expression")), ("offsets", offsets)];
    let inputs = [("input", &input), ("other", &other)];
    let run = EffectRun { inputs: &inputs, parameters: &parameters, time: 1.0, ..EffectRun::default() };
    let result = runtime.run_effect(&effect, &run).expect("it runs");
    assert_eq!(result.size(), Size::new(7, 2));
    assert_eq!(texels(&runtime, &result), [61, 37, 13, 7].repeat(14));
    let output = texture(&runtime, Size::new(3, 3), [0; 4]);
    let run = EffectRun { output: Some(&output), ..run };
    let result = runtime.run_effect(&effect, &run).expect("it runs again");
    assert!(result.is(&output));
    assert_eq!(texels(&runtime, &output), [61, 37, 13, 3].repeat(9));
    assert_eq!(runtime.gpu().validation_messages(), 0);
}

#[test]
fn an_effect_that_cannot_run_says_what_it_needs() {
    let Some(runtime) = runtime() else { return };
    let input = texture(&runtime, Size::new(4, 4), [0; 4]);
    let copy = "float4 main(float2 uv : TEXCOORD) : SV_Target { return tex2D(input, uv); }";
    let plain = "float4 main() : SV_Target { return 1; }";
    let refused = |hlsl: &str, run: &EffectRun<'_>| {
        let error = runtime.run_effect(&EffectSource::from_text("fx.hlsl", hlsl), run);
        error.expect_err("it cannot run")
    };
    let none = EffectRun::default();
    assert!(matches!(refused(copy, &none), EagerError::MissingInput { .. }));
    assert!(matches!(refused(plain, &none), EagerError::NoSize(_)));
    assert!(matches!(refused("?", &none), EagerError::Compile(_)));
    let given = EffectRun { inputs: &[("input", &input)], ..none };
    assert!(matches!(refused(plain, &given), EagerError::UnknownInput { .. }));
    let same = EffectRun { output: Some(&input), ..given.clone() };
    assert!(matches!(refused(copy, &same), EagerError::InputIsOutput { .. }));
    let sizes = EffectRun { size: Some(Size::new(1, 1)), output: Some(&input), ..EffectRun::default() };
    assert!(matches!(refused(plain, &sizes), EagerError::OutputSize { .. }));
    let parameters = [("gain", Value::Int(1))];
    let unknown = EffectRun { parameters: &parameters, ..given.clone() };
    assert!(matches!(refused(copy, &unknown), EagerError::Parameter { .. }));
    let buffer = "StructuredBuffer<float> b; float4 main() : SV_Target { return b[0]; }";
    let sized = EffectRun { size: Some(Size::new(1, 1)), ..EffectRun::default() };
    assert!(matches!(refused(buffer, &sized), EagerError::MissingBuffer { .. }));
}

#[test]
fn textures_become_png_files_that_others_read() {
    let Some(runtime) = runtime() else { return };
    let size = Size::new(3, 2);
    let shown = |texture: &Texture| {
        let png = runtime.texture_png(texture).expect("a picture");
        image::load_from_memory(&png).expect("a PNG file").into_rgba8().get_pixel(1, 1).0
    };
    assert_eq!(shown(&texture(&runtime, size, [9, 8, 7, 100])), [9, 8, 7, 100]);
    for (format, texel, pixel) in [
        (TextureFormat::Rgba8Srgb, &[9, 8, 7, 100][..], [9, 8, 7, 100]),
        (TextureFormat::Bgra8, &[9, 8, 7, 100], [7, 8, 9, 100]),
        (TextureFormat::Bgra8Srgb, &[90, 80, 70, 100], [70, 80, 90, 100]),
        (TextureFormat::R8, &[9], [9, 9, 9, 255]),
        // 1, 2, 0 and -1 as half floats.
        (TextureFormat::Rgba16Float, &[0, 0x3c, 0, 0x40, 0, 0, 0, 0xbc], [255, 255, 0, 0]),
    ] {
        let texture = runtime.create_texture(size, format).expect("a texture");
        let texels = texel.repeat(size.pixels());
        runtime.write_texture(&texture, |memory| memory.copy_from_slice(&texels)).expect("written");
        assert_eq!(shown(&texture), pixel, "{}", format.name());
    }
}
