"""What the peers of `./x bench share` share: frames drawn in one process, handed to another, and looked at there.

A peer is started as `python handoff_NAME.py write REQUEST ANSWER`, or with `--probe` to say its versions. It starts its own reader.
The request is JSON: `width`, `height`, `fps`, `seconds`, and a `token` and a `port` that nobody else uses. The answer holds one sample a frame: from when the frame is done on the
writer's GPU until the reader may use it on its own, in nanoseconds.

With torch and a GPU of NVIDIA's frames are tensors there. Without, they are arrays in host memory, which is what a CPU device has.
"""

import json
import os
import subprocess
import sys
import time
import traceback

import numpy as np

try:
    import torch

    HAS_GPU = torch.cuda.is_available()
except ImportError:
    torch, HAS_GPU = None, False

#: Bytes behind the pixels of a message: the frame's number and when it was done, as 64-bit integers.
TRAILER = 16
#: How long a reader waits for a frame before it takes its writer for gone, seconds.
PATIENCE = 20


class Unsupported(Exception):
    """This peer is not for this machine."""


class Request:
    """What the conductor asked."""

    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            self.__dict__.update(json.load(file))
        self.bytes = self.width * self.height * 4


def shade(number):
    """The value of all bytes of a frame."""
    return number % 251


class Frames:
    """Frames as the writer has them, drawn in place, one after the other."""

    def __init__(self, request):
        if HAS_GPU:
            self.pixels = torch.zeros(request.bytes, dtype=torch.uint8, device="cuda")
        else:
            self.pixels = np.zeros(request.bytes, np.uint8)

    def draw(self, number, into=None):
        """Draws a frame; when it was done, on the monotonic clock."""
        pixels = self.pixels if into is None else into
        if HAS_GPU:
            pixels.fill_(shade(number))
            torch.cuda.synchronize()
        else:
            pixels[:] = shade(number)
        return time.monotonic_ns()

    def copy_to(self, array):
        """Into host memory."""
        if HAS_GPU:
            torch.from_numpy(array).copy_(self.pixels)
        else:
            array[:] = self.pixels


class Looks:
    """What a reader saw."""

    def __init__(self, request):
        self.request, self.samples, self.torn, self.last = request, [], 0, -1
        self.pixels = torch.empty(request.bytes, dtype=torch.uint8, device="cuda") if HAS_GPU else None

    def of_host(self, array, number, done_ns):
        """A frame in host memory: brought to where the reader wants it."""
        if HAS_GPU:
            self.pixels.copy_(torch.from_numpy(array))
            torch.cuda.synchronize()
            array = self.pixels
        self.of(array, number, done_ns)

    def of(self, pixels, number, done_ns):
        """A frame that may be used from now on."""
        self.samples.append(time.monotonic_ns() - done_ns)
        is_whole = int(pixels.min()) == int(pixels.max()) == shade(number) and number > self.last
        self.torn += not is_whole
        self.last = number


def pace(request, publish):
    """Calls `publish(number)` at the request's rate, and returns how many frames there were."""
    count, begin = int(request.fps * request.seconds), time.monotonic()
    for number in range(count):
        time.sleep(max(0.0, begin + number / request.fps - time.monotonic()))
        publish(number)
    return count


def main(name, versions, write, read):
    """`write(request, start)` publishes and returns how many frames; `start()` starts the reader. `read(request, looks)` returns when
    all have come."""
    if sys.argv[1:] == ["--probe"]:
        print(versions())
        return
    role, asked, answered = sys.argv[1:]
    request = Request(asked)
    try:
        if role == "read":
            looks = Looks(request)
            read(request, looks)
            answer = {"samples_ns": looks.samples, "torn": looks.torn}
        else:
            told = answered + ".reader"
            readers = []

            def start(**more):
                readers.append(subprocess.Popen([sys.executable, sys.argv[0], "read", asked, told], **more))
                return readers[0]

            published = write(request, start)
            if readers[0].wait(60) != 0:
                raise RuntimeError("the reader failed")
            with open(told, encoding="utf-8") as file:
                answer = {"published": published, "has_gpu": HAS_GPU, **json.load(file)}
    except Unsupported as error:
        answer = {"unsupported": str(error)}
    except Exception as error:  # the conductor shows the last line
        traceback.print_exc()
        print(f"{name}: {type(error).__name__}: {error}".splitlines()[0], file=sys.stderr)
        sys.stderr.flush()
        os._exit(1)
    with open(answered, "w", encoding="utf-8") as file:
        json.dump(answer, file)
    sys.stdout.flush()
    # What is torn down after the answer must not hide it.
    os._exit(0)
