"""Textures and effects outside of graphs, and the way to and from arrays."""

import gc
import struct
import zlib

import numpy as np
import pytest

from .conftest import COPY, GAIN
from streamlib import _streamlib as native

FORMATS = {
    "rgba8": (4, np.uint8),
    "rgba8srgb": (4, np.uint8),
    "bgra8": (4, np.uint8),
    "bgra8srgb": (4, np.uint8),
    "rgba16float": (4, np.float16),
    "r8": (1, np.uint8),
    "rg8": (2, np.uint8),
}


def random(shape, dtype=np.uint8, seed=0):
    numbers = np.random.default_rng(seed)
    if dtype == np.uint8:
        return numbers.integers(0, 256, shape, dtype=np.uint8)
    return numbers.standard_normal(shape).astype(dtype)


def texture_of(runtime, array):
    texture = runtime.create_texture(array.shape[1], array.shape[0])
    texture.write(array)
    return texture


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("size", [(1, 1), (7, 3), (64, 33)])
def test_every_format_goes_there_and_back(runtime, name, size):
    channels, dtype = FORMATS[name]
    texture = runtime.create_texture(*size, name)
    assert (texture.width, texture.height, texture.format) == (*size, name)
    assert texture.shape == (size[1], size[0], channels)
    assert not texture.numpy().any(), "textures begin with zeros"
    sent = random(texture.shape, dtype)
    texture.write(sent)
    for got in (texture.numpy(), np.asarray(texture.map()), np.from_dlpack(texture)):
        assert got.dtype == dtype
        assert np.array_equal(got, sent)
    if channels == 1:
        texture.write(sent[..., 0])
        assert np.array_equal(texture.numpy(), sent)


def test_a_copy_is_the_programs_own_and_a_view_is_read_only(runtime):
    sent = random((4, 5, 4))
    texture = texture_of(runtime, sent)
    copy = texture.numpy()
    copy[:] = 0
    assert np.array_equal(texture.numpy(), sent)
    with texture.map() as view:
        assert not view.flags.writeable
        with pytest.raises(ValueError):
            view[0] = 0
    mapped = texture.map()
    with mapped:
        pass
    with pytest.raises(native.ClosedError, match="map the texture again"):
        mapped.__array_interface__
    # Arrays that were made keep the memory, whatever becomes of the view and the texture.
    view = np.asarray(texture.map())
    texture.write(random((4, 5, 4), seed=1))
    del texture, mapped
    gc.collect()
    assert np.array_equal(view, sent)


def test_arrays_that_do_not_fit_are_refused_with_advice(runtime):
    texture = runtime.create_texture(6, 4)
    good = random((4, 6, 4))
    refused = {
        "alpha channel": good[..., :3].copy(),
        "astype": good.astype(np.float64),
        "uint8": good.astype(np.int16),
        "rows come first": good.swapaxes(0, 1).copy(),
        "channels last": np.moveaxis(good, -1, 0).copy(),
        "resize the array": random((5, 6, 4)),
        "columns, then channels": good.ravel(),
        "ascontiguousarray": np.asfortranarray(good),
        r"ascontiguousarray\(": good[:, ::-1],
        "rows are not one after the other": random((4, 12, 4))[:, ::2],
    }
    for advice, array in refused.items():
        with pytest.raises(native.GraphError, match=advice):
            texture.write(array)
        with pytest.raises(ValueError):
            texture.write(array)
    for nothing in (None, 3, "picture", [[1]], object(), b"1234"):
        with pytest.raises(TypeError, match="NumPy array"):
            texture.write(nothing)
    assert not texture.numpy().any()
    # A dimension of one has no order.
    thin = runtime.create_texture(1, 4)
    thin.write(random((4, 3, 4))[:, :1, :].copy(order="C"))


class Telling:
    """An array of which only this is known."""

    def __init__(self, **told):
        self.__dict__.update(told)


def test_arrays_that_tell_nonsense_are_refused(runtime):
    texture = runtime.create_texture(2, 2)
    fine = {"shape": (2, 2, 4), "typestr": "|u1", "data": b"0" * 16, "version": 3}
    texture.write(Telling(__array_interface__=fine))
    assert (texture.numpy() == ord("0")).all()
    for key in ("shape", "typestr", "data"):
        lacking = {name: value for name, value in fine.items() if name != key}
        with pytest.raises(TypeError):
            texture.write(Telling(__array_interface__=lacking))
    for changed in ({"data": b"0" * 15}, {"data": 4}, {"shape": 3}, {"shape": ("a",)}, {"typestr": 1}):
        with pytest.raises((TypeError, ValueError)):
            texture.write(Telling(__array_interface__={**fine, **changed}))
    with pytest.raises(TypeError):
        texture.write(Telling(__array_interface__=[]))
    for device in ((1, 0), (2, 0), (99, 0)):
        with pytest.raises((TypeError, BufferError)):
            texture.write(Telling(__dlpack__=lambda **_: 3, __dlpack_device__=lambda device=device: device))


class Tensor:
    """An array that knows DLPack only, as tensors of torch do."""

    def __init__(self, array, is_old=False):
        self.array, self.is_old = array, is_old

    def __dlpack__(self, **how):
        if self.is_old:
            if how:
                raise TypeError("what is max_version?")
            return self.array.__dlpack__()
        return self.array.__dlpack__(**how)

    def __dlpack_device__(self):
        return self.array.__dlpack_device__()


@pytest.mark.parametrize("is_old", [False, True])
def test_tensors_are_written_through_dlpack(runtime, is_old):
    texture, sent = runtime.create_texture(6, 4), random((4, 6, 4))
    for _ in range(3):
        texture.write(Tensor(sent, is_old))
    assert np.array_equal(texture.numpy(), sent)
    with pytest.raises(native.GraphError, match="float32"):
        texture.write(Tensor(sent.astype(np.float32), is_old))
    with pytest.raises(native.GraphError, match="ascontiguousarray"):
        texture.write(Tensor(random((4, 12, 4))[:, ::2], is_old))


def test_dlpack_capsules_are_consumed_or_freed(runtime):
    sent = random((4, 6, 4))
    texture = texture_of(runtime, sent)
    assert texture.__dlpack_device__() == (1, 0)
    for how in ({}, {"max_version": (1, 0)}, {"max_version": (0, 8)}, {"copy": True}, {"dl_device": (1, 0)}):
        texture.__dlpack__(**how)
    array = np.from_dlpack(Tensor(texture, is_old=True))
    kept = np.from_dlpack(texture)
    del texture
    gc.collect()
    assert np.array_equal(array, sent)
    assert np.array_equal(kept, sent)
    assert np.array_equal(kept[1:3, 2:], sent[1:3, 2:])


def test_what_dlpack_cannot_give_is_said(runtime):
    texture = runtime.create_texture(2, 2)
    with pytest.raises(BufferError, match="copy=False"):
        texture.__dlpack__(copy=False)
    with pytest.raises(BufferError, match="dl_device"):
        texture.__dlpack__(dl_device=(2, 0))
    with pytest.raises(BufferError, match="stream"):
        texture.__dlpack__(stream=3)
    with pytest.raises(AttributeError, match="numpy"):
        texture.__cuda_array_interface__
    with pytest.raises(AttributeError, match="numpy"):
        texture.__array_interface__


def test_an_effect_runs_at_once(runtime):
    sent = random((9, 17, 4))
    texture = texture_of(runtime, sent)
    got = runtime.run_effect(GAIN, {"input": texture}, {"gain": 0.5}).numpy()
    assert np.abs(got - sent * [0.5, 0.5, 0.5, 1]).max() <= 0.51
    assert np.array_equal(runtime.run_effect(GAIN, {"input": texture}).numpy(), sent)
    half = runtime.run_effect(GAIN, {"input": texture}, {"gain": "time"}, time=0.5).numpy()
    assert np.array_equal(half, got)
    output = runtime.create_texture(17, 9, "rgba16float")
    assert runtime.run_effect(GAIN, {"input": texture}, {"gain": 2}, output=output) is output
    assert np.abs(output.numpy() - sent / 255 * [2, 2, 2, 1]).max() < 2e-3


def test_an_effect_may_have_no_input_several_and_buffers(runtime):
    hlsl = """
    StructuredBuffer<float4> palette;
    float4 main(float2 uv : TEXCOORD) : SV_Target { return palette[uint(frame_number)] * (resolution.x == 3); }
    """
    palette = [[1, 0, 0, 1], [0, 1, 0, 1]]
    for frame in range(2):
        got = runtime.run_effect(hlsl, {}, {"palette": palette}, size=(3, 2), frame=frame).numpy()
        assert (got == np.array(palette[frame]) * 255).all()
        assert got.shape == (2, 3, 4)
    mix = """
    Texture2D<float4> other;
    float4 main(float2 uv : TEXCOORD) : SV_Target { return tex2D(input, uv) - other.Load(int3(0, 0, 0)); }
    """
    high, low = np.full((2, 2, 4), 200, np.uint8), np.full((2, 2, 4), 50, np.uint8)
    got = runtime.run_effect(mix, {"input": texture_of(runtime, high), "other": texture_of(runtime, low)})
    assert (got.numpy() == 150).all()


def test_an_effect_that_cannot_run_says_what_it_needs(runtime):
    texture = runtime.create_texture(4, 4)
    run = runtime.run_effect
    refused = {
        "no texture for it": lambda: run(COPY, {}),
        "has no input `mask`": lambda: run(COPY, {"input": texture, "mask": texture}),
        "no parameter `x`": lambda: run(COPY, {"input": texture}, {"x": 1}),
        "it reads as `input`": lambda: run(COPY, {"input": texture}, output=texture),
        "give one of the two": lambda: run(COPY, {"input": texture}, size=(2, 2), output=runtime.create_texture(3, 3)),
        "take its size from": lambda: run("float4 main() : SV_Target { return 1; }", {}),
        "reads the buffer `b`": lambda: run(
            "StructuredBuffer<float> b; float4 main() : SV_Target { return b[0]; }", {}, size=(2, 2)
        ),
        "allows 1 to": lambda: run("float4 main() : SV_Target { return 1; }", {}, size=(0, 2)),
    }
    for why, call in refused.items():
        with pytest.raises(native.GraphError, match=why):
            call()
    with pytest.raises(TypeError, match="takes a Texture"):
        run(COPY, {"input": np.zeros((4, 4, 4), np.uint8)})
    with pytest.raises(native.CompileError):
        run("float4 main() : SV_Target { return x; }", {}, size=(2, 2))


def test_sizes_and_formats_that_there_are_not(runtime):
    for size in ((0, 1), (1, 0), (10**6, 1)):
        with pytest.raises(native.GraphError, match="allows 1 to"):
            runtime.create_texture(*size)
    for size in ((-1, 1), (2**40, 1)):
        with pytest.raises(OverflowError):
            runtime.create_texture(*size)
    with pytest.raises(native.GraphError, match="rgba16float"):
        runtime.create_texture(1, 1, "rgba16f")


def test_textures_of_two_runtimes_are_not_mixed(runtime):
    other = native.Runtime()
    texture = other.create_texture(4, 4)
    with pytest.raises(native.GraphError, match="another Runtime"):
        runtime.run_effect(COPY, {"input": texture})
    # A runtime may go before its textures.
    del other
    gc.collect()
    assert not texture.numpy().any()


def test_devices_are_chosen_by_number_or_name(runtime):
    assert native.Runtime(0).device_name
    assert native.Runtime(runtime.device_name[:5].lower()).device_name == runtime.device_name
    for wrong in ("no such device", 99):
        with pytest.raises(native.DeviceError, match="choose one of these"):
            native.Runtime(wrong)
    with pytest.raises(TypeError, match="part of its name"):
        native.Runtime([])


def read_png(data):
    """The size, channels and pixels of a PNG file without interlacing."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    at, packed = 8, b""
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at : at + 8])
        body = data[at + 8 : at + 8 + length]
        if kind == b"IHDR":
            width, height, depth, color = struct.unpack(">IIBB", body[:10])
        packed += body if kind == b"IDAT" else b""
        at += 12 + length
    assert (depth, color) == (8, 6)
    rows = np.frombuffer(zlib.decompress(packed), np.uint8).reshape(height, 1 + width * 4)
    picture = np.zeros((height, width * 4), int)
    for y, (how, *row) in enumerate(rows.astype(int).tolist()):
        for x, value in enumerate(row):
            left = picture[y, x - 4] if x >= 4 else 0
            up = picture[y - 1, x] if y else 0
            corner = picture[y - 1, x - 4] if y and x >= 4 else 0
            guess = left + up - corner
            paeth = min((left, up, corner), key=lambda one: abs(guess - one))
            picture[y, x] = (value + [0, left, up, (left + up) // 2, paeth][how]) % 256
    return picture.reshape(height, width, 4)


def test_png_shows_every_format_as_it_looks(runtime):
    sent = random((5, 7, 4))
    texture = texture_of(runtime, sent)
    assert np.array_equal(read_png(texture.png()), sent)
    assert texture._repr_png_() == texture.png()
    srgb = runtime.create_texture(7, 5, "rgba8srgb")
    srgb.write(sent)
    assert np.array_equal(read_png(srgb.png()), sent)
    for name in ("bgra8", "bgra8srgb"):
        swapped = runtime.create_texture(7, 5, name)
        swapped.write(sent[..., [2, 1, 0, 3]].copy())
        assert np.abs(read_png(swapped.png()) - sent.astype(int)).max() <= 1
    grey = runtime.create_texture(7, 5, "r8")
    grey.write(sent[..., 0].copy())
    assert np.array_equal(read_png(grey.png())[..., 2], sent[..., 0])
    high = runtime.create_texture(7, 5, "rgba16float")
    high.write((sent / 100).astype(np.float16))
    assert np.abs(read_png(high.png()) - np.clip(sent * 2.55, 0, 255)).max() <= 1


def test_a_frames_texture_is_read_and_not_written(runtime, start):
    from .test_graphs import chain, push

    live = start(chain(COPY))
    inlet, outlet = live.inlet("cam"), live.outlet("out")
    sent = random((12, 16, 4))
    push(inlet, sent)
    texture = outlet.wait(60).texture
    with pytest.raises(native.GraphError, match="others read it"):
        texture.write(sent)
    with pytest.raises(native.GraphError, match="others read it"):
        runtime.run_effect(COPY, {"input": runtime.create_texture(16, 12)}, output=texture)
    assert np.array_equal(runtime.run_effect(COPY, {"input": texture}).numpy(), sent)
    assert np.array_equal(np.from_dlpack(texture), sent)
