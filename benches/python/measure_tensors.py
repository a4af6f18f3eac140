"""A texture handed to torch: by DLPack, by reading it back and uploading it again, and torch's own upload of an array.

Where torch has no GPU, or is not there, the same calls give host memory, and NumPy takes part in its place.
"""

import time

import numpy as np
import reference
import streamlib
import worker


def drawn(options):
    """A texture that an effect drew, and its pixels."""
    array = reference.pictures(options.width, options.height, 1)[0]
    gpu = streamlib.GPUContext()
    source = gpu.create_texture(options.width, options.height)
    source.write(array)
    result = gpu.run_shader(streamlib.shaders.invert, source)
    pixels = array.copy()
    pixels[..., :3] = 255 - pixels[..., :3]
    return result, pixels


def on_gpu(torch, texture, pixels):
    done = torch.cuda.synchronize

    def uploaded(array):
        return torch.from_numpy(array).cuda()

    reference.check_same(torch.from_dlpack(texture).cpu().numpy(), pixels, "the tensor")
    back = streamlib.GPUContext().create_texture(texture.width, texture.height)
    tensor = uploaded(pixels)
    back.write(tensor)
    reference.check_same(back.numpy(), pixels, "the texture of a tensor")
    pinned = torch.from_numpy(pixels).pin_memory()
    # The calls that only begin work end with it done, so that the next one does not pay for it.
    return {
        "torch: upload of the array": lambda: (uploaded(pixels), done()),
        "torch: upload from pinned memory": lambda: (pinned.cuda(non_blocking=True), done()),
        "streamlib: from_dlpack(texture), done": lambda: (torch.from_dlpack(texture), done()),
        "streamlib: numpy(), then upload": lambda: (uploaded(texture.numpy()), done()),
        "streamlib: write(tensor), the call": lambda: back.write(tensor),
    }


def in_a_row(torch, texture, count):
    """The call, and until the tensor's texels are there, of one tensor after the other, as frames come."""
    calls, done = [], []
    for _ in range(count):
        begin = time.perf_counter_ns()
        tensor = torch.from_dlpack(texture)
        calls.append(time.perf_counter_ns() - begin)
        torch.cuda.synchronize()
        done.append(time.perf_counter_ns() - begin)
        del tensor
    return {"streamlib: from_dlpack(texture), in a row, the call": calls, "streamlib: from_dlpack(texture), in a row, done": done}


def on_host(torch, texture, pixels):
    take = torch.from_dlpack if torch else np.from_dlpack
    reference.check_same(np.asarray(take(texture)), pixels, "the tensor")
    back = streamlib.GPUContext().create_texture(texture.width, texture.height)
    back.write(pixels)
    reference.check_same(back.numpy(), pixels, "the texture of an array")
    name = "torch" if torch else "NumPy"
    copy = torch.from_numpy(pixels).clone if torch else pixels.copy
    return {
        f"{name}: copy of the array": copy,
        f"streamlib: {name}.from_dlpack(texture)": lambda: take(texture),
        "streamlib: numpy()": texture.numpy,
        "streamlib: write(array)": lambda: back.write(pixels),
    }


def measure(options):
    try:
        import torch
    except ImportError:
        torch = None
    texture, pixels = drawn(options)
    if torch is None or not torch.cuda.is_available() or streamlib.default_runtime().is_cpu:
        return worker.interleaved(on_host(torch, texture, pixels), options.frames, options.seconds)
    rows = worker.interleaved(on_gpu(torch, texture, pixels), options.frames, options.seconds)
    return rows | in_a_row(torch, texture, 10 * options.frames)


worker.main(measure)
