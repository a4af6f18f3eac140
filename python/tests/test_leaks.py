"""Programs that build, run and drop graphs all day."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
import weakref
from collections import Counter
from pathlib import Path

import pytest

from streamlib import StreamRuntime, app_sink, file_sink, shaders, stream_processor, video_effect, video_source

pytest.importorskip("numpy")

ENDURANCE = Path(__file__).parents[2] / "benches" / "python" / "endurance.py"


def program(sink):
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


def kinds() -> Counter[str]:
    gc.collect()
    return Counter(type(thing).__name__ for thing in gc.get_objects())


def grown(before: Counter[str], after: Counter[str], by: int) -> dict[str, int]:
    return {kind: count - before[kind] for kind, count in after.items() if count - before[kind] >= by}


def test_graphs_that_are_built_and_dropped_leave_nothing() -> None:
    def build() -> None:
        assert program(app_sink())._build().graph["nodes"]

    build()
    before = kinds()
    for _ in range(300):
        build()
    assert grown(before, kinds(), by=300) == {}


def test_graphs_that_ran_leave_no_object_and_no_thread() -> None:
    def run() -> weakref.ref[StreamRuntime]:
        runtime = program(file_sink("null:"))
        runtime.run_blocking(frames=5)
        return weakref.ref(runtime)

    run()
    before, threads = kinds(), threading.active_count()
    gone = [run() for _ in range(30)]
    gc.collect()
    assert [runtime() for runtime in gone] == [None] * 30
    del gone
    assert threading.active_count() <= threads
    assert grown(before, kinds(), by=30) == {}


@pytest.mark.parametrize(("what", "count"), [("graphs", 300), ("runs", 30), ("exits", 8)])
def test_the_endurance_program_finds_nothing(what: str, count: int) -> None:
    command = [sys.executable, str(ENDURANCE), what, str(count)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert (result.returncode, result.stderr) == (0, ""), result.stdout + result.stderr
