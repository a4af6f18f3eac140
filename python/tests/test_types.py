"""The package and programs that use it are typed, strictly."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import streamlib

PROGRAM = """
import streamlib
from streamlib import (
    DataOutput, GPUContext, StreamRuntime, TimedTick, VideoFrame, VideoInput, app_sink, shaders, stream_processor, video_effect,
    video_source,
)

@video_effect
def look(frame: VideoFrame, gpu: GPUContext) -> VideoFrame:
    strength = 0.5 + 0.5 * streamlib.math.sin(frame.time * 2)
    return frame.clone_with_texture(gpu.run_shader(shaders.vignette, [frame], strength=strength))

@video_effect(every_frame=True, on_error="bypass")
def other(frame: VideoFrame, gpu: GPUContext) -> VideoFrame:
    other.count = frame.frame_number + 1
    return frame

@stream_processor(inputs=["video"], outputs={"number": DataOutput})
async def reader(tick: TimedTick, inputs: dict[str, VideoInput], outputs: dict[str, DataOutput]) -> None:
    frame = inputs["video"].read_latest()
    if frame is not None:
        outputs["number"].write(frame.frame_number)

async def main() -> None:
    runtime, camera = StreamRuntime(), video_source("a.mp4")
    runtime.connect(camera.outputs["video"], look.inputs["video"], delivery="latest")
    await runtime.start()
    look.params.strength = 0.3
    report = await runtime.run(3.0)
    print(report["seconds"])
    for frame in app_sink():
        print(frame.numpy().shape)
"""


def mypy(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> None:
    pytest.importorskip("mypy")
    folder = Path(streamlib.__file__).parents[1]
    if folder.name != "site-packages":
        # A package that is not installed has to be pointed at.
        monkeypatch.setenv("MYPYPATH", str(folder))
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir=/dev/null", *map(str, arguments)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_package_is_typed_strictly(monkeypatch: pytest.MonkeyPatch) -> None:
    mypy(monkeypatch, "--python-version", "3.10", "-p", "streamlib")


def test_typed_programs_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM, encoding="utf-8")
    mypy(monkeypatch, program)
