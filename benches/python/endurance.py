"""What a program does all day, many times: whether memory stays flat, and whether its end is clean.

    python benches/python/endurance.py graphs 10000     graphs that are built and dropped
    python benches/python/endurance.py runs 1000        graphs that are built, run for some frames, and dropped
    python benches/python/endurance.py exits 100        programs that end while a graph runs

It ends with 1 when memory grows or a program does not end well. The tests of the package do each a few times.
"""

from __future__ import annotations

import argparse
import gc
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from streamlib import Sink, StreamRuntime, app_sink, file_sink, shaders, stream_processor, video_effect, video_source

#: Bytes of memory that may be more at the end than when a third was done; what an allocator holds differs by that much.
NOISE = 4 << 20

#: A graph of everything that runs beside the frames. It ends in the ways of `ENDS`.
PROGRAM = """
import sys, time
from streamlib import StreamRuntime, file_sink, shaders, stream_processor, video_effect, video_source

@video_effect(every_frame=True)
def look(frame, gpu):
    return frame.clone_with_texture(gpu.run_shader(shaders.brightness, frame, amount=frame.time / 100))

@stream_processor(inputs=["video"])
async def meter(tick, inputs, outputs):
    inputs["video"].read_latest()

source, out, runtime = video_source("generate:bars", size=(64, 36)), file_sink("out.y4m"), StreamRuntime(fps=60)
runtime.connect(source.outputs["video"], look.inputs["video"])
runtime.connect(source.outputs["video"], meter.inputs["video"])
runtime.connect(look.outputs["video"], out.inputs["video"])
runtime.start()
time.sleep({seconds})
{end}
"""
ENDS = ["", "sys.exit(0)", "del runtime, source, look, meter, out", "look.runtime = runtime"]
#: Longer than any program that ends takes.
LIMIT = 120


def program(sink: Sink) -> StreamRuntime:
    """A graph with traced effects, Python beside the frames, and a message."""

    @video_effect
    def look(frame, gpu):
        return frame.clone_with_texture(gpu.run_shader(shaders.vignette, frame, radius=frame.time))

    @video_effect(every_frame=True)
    def shade(frame, gpu):
        return frame.clone_with_texture(gpu.run_shader(shaders.brightness, frame, amount=frame.time / 10))

    @stream_processor(inputs=["video"], outputs=["strength"])
    async def meter(tick, inputs, outputs):
        inputs["video"].read_latest()
        outputs["strength"].write(0.5)

    source = video_source("generate:bars", size=(16, 9))
    runtime = StreamRuntime(fps=200)
    runtime.connect(source.outputs["video"], look.inputs["video"])
    runtime.connect(source.outputs["video"], meter.inputs["video"])
    runtime.connect(meter.outputs["strength"], look.inputs["strength"])
    runtime.connect(look.outputs["video"], shade.inputs["video"])
    runtime.connect(shade.outputs["video"], sink.inputs["video"])
    return runtime


def build() -> None:
    """A graph that nobody starts."""
    assert program(app_sink()).graph.json["nodes"]


def run() -> None:
    """A graph that runs."""
    program(file_sink("null:")).run_blocking(frames=3)


def resident() -> int:
    """Bytes of memory that this process has."""
    gc.collect()
    status = Path("/proc/self/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) << 10


def is_flat(act: Callable[[], None], count: int) -> bool:
    """Does it that often, and says how memory was meanwhile."""
    sizes = []
    for part in range(1, 7):
        for _ in range(count * part // 6 - count * (part - 1) // 6):
            act()
        sizes.append(resident())
        print(f"{count * part // 6:8} done: {sizes[-1] / (1 << 20):8.1f} MiB", flush=True)
    # Caches fill in the first third.
    more = sizes[-1] - sizes[1]
    print(f"{more / (1 << 10):+.0f} KiB over the last two thirds, {more / max(count * 2 // 3, 1):+.0f} bytes each")
    return more <= NOISE


def ends_well(number: int, folder: Path) -> bool:
    """One program that ends while its graph runs, a little later each time."""
    end = ENDS[number % len(ENDS)]
    code = PROGRAM.format(seconds=0.02 * (number % 17), end=end)
    try:
        result = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, timeout=LIMIT)
    except subprocess.TimeoutExpired:
        print(f"program {number} (`{end}`) hangs")
        return False
    is_whole = (folder / "out.y4m").exists()
    if result.returncode != 0 or result.stderr or not is_whole:
        print(f"program {number} (`{end}`) ended with {result.returncode}, file: {is_whole}\n{result.stderr}")
        return False
    (folder / "out.y4m").unlink()
    return True


def exits(count: int) -> bool:
    """Programs that end."""
    with tempfile.TemporaryDirectory() as folder:
        well = sum(ends_well(number, Path(folder)) for number in range(count))
    print(f"{well} of {count} ended well")
    return well == count


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["graphs", "runs", "exits"])
    parser.add_argument("count", type=int)
    options = parser.parse_args()
    if options.what == "exits":
        return 0 if exits(options.count) else 1
    return 0 if is_flat(build if options.what == "graphs" else run, options.count) else 1


if __name__ == "__main__":
    sys.exit(main())
