"""Surfaces: frames between two processes of Python, both ways."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import streamlib
from streamlib import StreamRuntime, app_sink, surface_sink, surface_source, video_effect, video_source

SIZE = (64, 36)

#: The other process: takes a surface, inverts it, and publishes the result, until its input is closed.
OTHER = """
import sys
from streamlib import StreamRuntime, shaders, surface_sink, surface_source, video_effect

@video_effect
def inverted(frame, gpu):
    return frame.clone_with_texture(gpu.run_shader(shaders.invert, frame))

there, back = surface_source("there", wait=30), surface_sink("back")
runtime = StreamRuntime()
runtime.connect(there.outputs["video"], inverted.inputs["video"])
runtime.connect(inverted.outputs["video"], back.inputs["video"])
with runtime:
    print("running", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def broker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A place of its own for the broker, so that surfaces of others are not met."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))


@pytest.fixture
def other(broker: None) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", OTHER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    yield process
    process.kill()
    process.communicate()


@video_effect
def numbered(frame: streamlib.VideoFrame, gpu: streamlib.GPUContext) -> streamlib.VideoFrame:
    hlsl = "float4 main(float2 uv : TEXCOORD) : SV_Target { return float4(frac(frame_number / 256.0), uv.x, 0.25, 1) + 0 * tex2D(input, uv); }"
    return frame.clone_with_texture(gpu.run_shader(gpu.create_shader(hlsl), frame))


def test_another_process_answers_with_a_surface_of_its_own(other: subprocess.Popen[str]) -> None:
    source = video_source("generate:bars", size=SIZE, fps=60)
    there = surface_sink("there")
    publisher = StreamRuntime()
    publisher.connect(source.outputs["video"], numbered.inputs["video"])
    publisher.connect(numbered.outputs["video"], there.inputs["video"])
    with publisher:
        assert other.stdout is not None
        assert other.stdout.readline() == "running\n"
        back, frames = surface_source("back", wait=30), app_sink()
        reader = StreamRuntime()
        reader.connect(back.outputs["video"], frames.inputs["video"])
        with reader:
            numbers = []
            for frame in frames:
                pixels = 255 - frame.data.numpy().astype(int)[..., :3]
                assert np.abs(pixels[..., 2] - 64).max() <= 1
                # All of a frame is of one number.
                assert pixels[..., 0].min() == pixels[..., 0].max()
                numbers.append(int(pixels[0, 0, 0]))
                if len(numbers) == 20:
                    break
    assert all(0 < (after - before) % 256 < 128 for before, after in zip(numbers, numbers[1:])), numbers


def test_what_is_not_published_is_said(broker: None) -> None:
    runtime = StreamRuntime()
    source, sink = surface_source("nobody/publishes/this", wait=0), app_sink()
    runtime.connect(source.outputs["video"], sink.inputs["video"])
    with pytest.raises(streamlib.GraphError, match="nobody publishes surfaces"):
        runtime.start()
    # With a broker there, it says which surfaces there are.
    publisher = StreamRuntime()
    bars, there = video_source("generate:bars", size=SIZE), surface_sink("there")
    publisher.connect(bars.outputs["video"], there.inputs["video"])
    with publisher, pytest.raises(streamlib.GraphError, match="no surface nobody/publishes/this; there are there"):
        runtime.start()


@pytest.mark.parametrize(
    ("wishes", "said"),
    [({"access": "nobody"}, "everyone"), ({"buffers": 1}, "from 2 to 48"), ({"memory": "any"}, "dma-buf-linear")],
)
def test_wishes_that_cannot_be_met_are_refused(broker: None, wishes: dict[str, object], said: str) -> None:
    runtime = StreamRuntime()
    source, sink = video_source("generate:bars", size=SIZE), surface_sink("wishes", **wishes)  # type: ignore[arg-type]
    runtime.connect(source.outputs["video"], sink.inputs["video"])
    with pytest.raises(streamlib.GraphError, match=said):
        runtime.start()
