"""Textures as tensors on an NVIDIA GPU: what torch sees is what the engine drew, also while it runs."""

from __future__ import annotations

import gc
import json
import threading

import pytest

import streamlib
from streamlib import _streamlib

torch = pytest.importorskip("torch", reason="SKIPPED: torch is not here")

COUNT = "float4 main(float2 uv : TEXCOORD) : SV_Target { return float4(frac(frame_number / 256.0), uv, 1) + 0 * tex2D(input, uv); }"
SIZE = (3840, 2160)


@pytest.fixture(scope="module")
def runtime() -> _streamlib.Runtime:
    made = _streamlib.Runtime()
    if made.is_cpu or not torch.cuda.is_available():
        pytest.skip("SKIPPED: no GPU of NVIDIA's, or torch without CUDA")
    return made


def gradient(runtime: _streamlib.Runtime, width: int, height: int) -> _streamlib.Texture:
    hlsl = "float4 main(float2 uv : TEXCOORD) : SV_Target { return float4(uv, 0.25, 1); }"
    return runtime.run_effect(hlsl, {}, size=(width, height))


@pytest.mark.parametrize("size", [(64, 32), (333, 77), (1, 1), SIZE])
def test_a_tensor_shows_what_the_texture_shows(runtime, size) -> None:
    texture = gradient(runtime, *size)
    tensor = torch.from_dlpack(texture)
    assert tensor.device.type == "cuda" and tensor.dtype == torch.uint8
    assert tuple(tensor.shape) == texture.shape
    assert (tensor.cpu().numpy() == texture.numpy()).all()


def test_a_tensor_becomes_a_texture(runtime) -> None:
    for size in [(64, 32), (333, 77)]:
        width, height = size
        tensor = torch.randint(0, 256, (height, width, 4), dtype=torch.uint8, device="cuda")
        texture = runtime.create_texture(width, height)
        texture.write(tensor)
        assert (texture.numpy() == tensor.cpu().numpy()).all()
        wide = torch.zeros((height, width + 8, 4), dtype=torch.uint8, device="cuda")
        wide[:, :width] = tensor
        texture.write(wide[:, :width])
        assert (texture.numpy() == tensor.cpu().numpy()).all()
        with pytest.raises(streamlib.GraphError, match="contiguous"):
            texture.write(torch.zeros((width, height, 4), dtype=torch.uint8, device="cuda").swapaxes(0, 1))
        with pytest.raises(streamlib.GraphError, match="float32"):
            texture.write(tensor.float())


def test_side_streams_wait_and_memory_is_used_again(runtime) -> None:
    texture = gradient(runtime, 640, 480)
    expected = texture.numpy()
    seen = set()
    for _ in range(50):
        stream = torch.cuda.Stream()
        with torch.cuda.stream(stream):
            tensor = torch.from_dlpack(texture)
            seen.add(tensor.data_ptr())
            doubled = tensor.to(torch.int16) * 2
            del tensor
        stream.synchronize()
        assert (doubled.cpu().numpy() == expected.astype("int16") * 2).all()
    assert len(seen) <= 16


def test_a_thousand_frames_are_right_while_the_engine_runs(runtime) -> None:
    graph = {
        "clock": "bars",
        "nodes": {
            "bars": {"source": "generate:bars", "size": list(SIZE), "fps": 120},
            "count": {"hlsl": COUNT, "inputs": {"input": "bars"}},
            "out": {"sink": "app:", "inputs": {"input": "count"}},
        },
    }
    live = runtime.start(json.dumps(graph))
    outlet = live.outlet("out")
    column = torch.linspace(0, 1, SIZE[1], device="cuda")
    frames = 0
    while frames < 1000:
        frame = outlet.wait(10)
        assert frame is not None
        tensor = torch.from_dlpack(frame.texture)
        number = frame.sequence % 256
        # All of the first channel is the frame's own number: a torn, stale or repeated frame would show another.
        assert int(tensor[..., 0].min()) == int(tensor[..., 0].max())
        assert abs(int(tensor[0, 0, 0]) - round(number / 256 * 255)) <= 1
        assert int(tensor[-1, 0, 2]) >= 253 and int(tensor[0, 0, 2]) <= 1
        frames += 1
    live.stop()
    del column
    gc.collect()


def test_tensors_outlive_textures_threads_and_graphs(runtime) -> None:
    tensors = []

    def make() -> None:
        texture = gradient(runtime, 100, 50)
        tensors.append((torch.from_dlpack(texture), texture.numpy()))

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    gc.collect()
    for tensor, expected in tensors:
        assert (tensor.cpu().numpy() == expected).all()


def test_the_cuda_array_interface_shows_the_texture(runtime) -> None:
    for size in [(64, 32), (333, 77)]:
        texture = gradient(runtime, *size)
        tensor = torch.as_tensor(texture, device="cuda")
        assert tuple(tensor.shape) == texture.shape and tensor.dtype == torch.uint8
        assert (tensor.cpu().numpy() == texture.numpy()).all()
    own = runtime.create_texture(40, 30)
    own.write(torch.full((30, 40, 4), 7, dtype=torch.uint8, device="cuda"))
    first = torch.as_tensor(own, device="cuda")
    assert int(first.min()) == int(first.max()) == 7
    own.write(torch.full((30, 40, 4), 9, dtype=torch.uint8, device="cuda"))
    second = torch.as_tensor(own, device="cuda")
    # The texture keeps one memory, and lets it show what it shows itself.
    assert second.data_ptr() == first.data_ptr()
    assert int(first.min()) == int(second.max()) == 9
