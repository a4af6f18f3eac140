//! Fails the n-th Vulkan call of a whole play, for every n, and looks for what was left behind.
//!
//! The counters belong to the process, so this file has one test.

use std::path::Path;
use std::sync::Arc;

use streamlib::graph::Graph;
use streamlib::shader::{Compiler, CompilerOptions};
use streamlib::vulkan::fault::{self, Fault};
use streamlib::vulkan::{DeviceOptions, Validation};
use streamlib::{RunError, RunOptions, StartError, StreamRuntime};

/// Every kind of resource: pictures that are uploaded and converted, a generated source, history, two passes, two sinks.
const GRAPH: &str = "
    [nodes.film]
    source = 'film.y4m'
    [nodes.bars]
    source = 'generate:bars'
    size = [16, 16]
    [nodes.mixed]
    hlsl = '''Texture2D other; Texture2D past; StructuredBuffer<float> gain;
            float4 main(float2 uv : TEXCOORD) : SV_Target {
                return tex2D(input, uv) * gain[0] + tex2D(other, uv) + 0.1 * tex2D(past, uv);
            }'''
    inputs = { input = 'film', other = 'bars', past = { from = 'mixed', delay = 1 } }
    set = { gain = [0.5] }
    [nodes.video]
    sink = 'out.y4m'
    inputs = { input = 'mixed' }
    [nodes.stills]
    sink = 'out-%d.png'
    inputs = { input = 'film' }";

enum Failure {
    Start(StartError),
    Run(RunError),
}

#[expect(clippy::result_large_err, reason = "a test looks at it and lets it go")]
fn play(compiler: &Arc<Compiler>, folder: &Path) -> Result<u64, Failure> {
    let device = DeviceOptions { validation: Validation::On, ..DeviceOptions::default() };
    let runtime = StreamRuntime::with_compiler(compiler.clone(), &device).map_err(Failure::Start)?;
    let graph = Graph::from_toml(GRAPH).expect("a graph");
    let options = RunOptions { base: folder.to_owned(), ..RunOptions::default() };
    let frames = runtime.run(&graph, &options).map_err(Failure::Run)?.frames_out;
    assert_eq!(runtime.gpu().validation_messages(), 0, "the validation layer spoke");
    Ok(frames)
}

fn outputs(folder: &Path) -> Vec<String> {
    let names = std::fs::read_dir(folder).expect("readable");
    let names = names.map(|entry| entry.expect("readable").file_name().to_string_lossy().into_owned());
    names.filter(|name| name != "film.y4m").collect()
}

#[test]
fn the_nth_vulkan_call_may_fail_for_every_n_and_nothing_is_left_alive() {
    let Ok(compiler) = Compiler::new(CompilerOptions::default()) else {
        println!("SKIPPED: no DXC here; `./x setup` gets it");
        return;
    };
    let compiler = Arc::new(compiler);
    let folder = tempfile::tempdir().expect("a folder");
    let mut film = b"YUV4MPEG2 W16 H16 F25:1 C420jpeg\n".to_vec();
    for frame in 0..4_u8 {
        film.extend_from_slice(b"FRAME\n");
        film.extend(std::iter::repeat_n(frame * 40 + 30, 16 * 16 * 3 / 2));
    }
    std::fs::write(folder.path().join("film.y4m"), film).expect("written");
    if let Err(Failure::Start(error)) = play(&compiler, folder.path()) {
        println!("SKIPPED: {error}");
        return;
    }
    for fault in [Fault::OutOfDeviceMemory, Fault::DeviceLost] {
        let mut n = 0;
        loop {
            for name in outputs(folder.path()) {
                std::fs::remove_file(folder.path().join(name)).expect("removed");
            }
            fault::arm_with(n, fault);
            let played = play(&compiler, folder.path());
            let calls = fault::disarm();
            assert_eq!(fault::live_handles(), Default::default(), "after {fault:?} in call {n}");
            match played {
                Ok(frames) => {
                    // A call whose failure costs nothing (a name for debuggers) may let the play go on.
                    assert_eq!(frames, 8);
                    if calls <= n {
                        break;
                    }
                }
                Err(failure) => {
                    assert!(outputs(folder.path()).is_empty(), "{:?}", outputs(folder.path()));
                    if let (Failure::Run(error), Fault::DeviceLost) = (&failure, fault) {
                        assert!(error.is_device_lost(), "call {n}: {error}");
                    }
                    let (Failure::Start(_) | Failure::Run(_)) = failure;
                }
            }
            n += 1;
        }
        assert!(n > 50, "only {n} calls were counted");
        println!("{fault:?}: each of {n} calls failed once");
    }
}
