"""What every peer shares: the request it gets, the loop that times it, and the answer it writes.

A peer is started as `python peer_NAME.py REQUEST ANSWER`, or with `--probe` to say its versions. The request is JSON (see
`benches/src/peers/protocol.rs`). The answer holds samples, never a verdict: the conductor judges the pixels itself.
"""

import json
import os
import statistics
import sys
import time
import traceback

import numpy as np


class Unsupported(Exception):
    """This peer has no natural way to do the work."""


class Request:
    """One case, as the conductor wrote it."""

    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            self.__dict__.update(json.load(file))

    def picture(self, path):
        """An input as the array that its layout says."""
        data = np.fromfile(path, dtype=np.uint8)
        w, h = self.width, self.height
        shape = {"yuyv": (h, w // 2, 4), "nv12": (h * 3 // 2, w)}.get(self.work, (h, w, 4))
        return data.reshape(shape)

    def pictures(self):
        return [self.picture(path) for path in self.inputs]

    @property
    def is_chain(self):
        return self.work in ("chain-fused", "chain-passes")


class Job:
    """Work that has been set up. `run(i)` does frame `i` on input `i % inputs` and returns when its pixels are there."""

    note = ""
    # Set to "chain-passes" where passes are all there is.
    judged_as = None

    def run(self, frame):
        raise NotImplementedError

    def gpu_ns(self):
        """GPU time of the frame that `run` did last, or None."""
        return None

    def download(self):
        """The pixels of the frame that `run` did last: height x width x 4 or x 3 bytes."""
        raise NotImplementedError


class Shaders:
    """For the work `shader`: `show(tint)` goes from a new text to a finished frame of input 0."""

    note = ""

    def show(self, tint):
        raise NotImplementedError

    def download(self):
        raise NotImplementedError


def fastest(candidates, rounds=3):
    """The candidate, of pairs (name, job), whose median is least. What is timed later is only that one."""
    medians = {}
    for name, job in candidates:
        times = []
        for frame in range(rounds + 1):
            start = time.perf_counter_ns()
            job.run(frame)
            wall = time.perf_counter_ns() - start
            on_gpu = job.gpu_ns()
            times.append(wall if on_gpu is None else on_gpu)
        medians[name] = statistics.median(times[1:])
    best = min(medians, key=medians.get)
    job = dict(candidates)[best]
    job.note = f"{best}, the fastest of {len(candidates)}" if len(candidates) > 1 else best
    return job


def timed(request, job):
    """Runs warm-up frames, which do not count, and then frames until there are enough or the time is used up."""
    for frame in range(request.warmup):
        job.run(frame)
    wall, gpu = [], []
    budget = time.perf_counter_ns() + int(request.seconds * 1e9)
    for frame in range(request.frames):
        start = time.perf_counter_ns()
        job.run(frame)
        end = time.perf_counter_ns()
        wall.append(end - start)
        on_gpu = job.gpu_ns()
        if on_gpu is not None:
            gpu.append(int(on_gpu))
        if end > budget:
            break
    return {"wall_ns": wall, "gpu_ns": gpu}


def paced(request, job):
    """One frame at each tick. Latency counts from the tick, so that a late start is part of it."""
    for frame in range(request.warmup):
        job.run(frame)
    period = request.period_ns
    latency, late = [], []
    cpu = time.process_time_ns()
    first = time.perf_counter_ns() + period
    tick = first
    for frame in range(request.frames):
        wait = tick - time.perf_counter_ns()
        if wait > 0:
            time.sleep(wait / 1e9)
        start = time.perf_counter_ns()
        job.run(frame)
        end = time.perf_counter_ns()
        latency.append(end - tick)
        late.append(max(start - tick, 0))
        if end - first > request.seconds * 1e9:
            break
        # A frame whose tick has passed is skipped, as a camera's would be.
        tick += period * max(1, -(-(end - tick) // period))
    return {"wall_ns": latency, "gpu_ns": [], "late_ns": late, "cpu_ns": time.process_time_ns() - cpu}


def new_texts(request, shaders):
    """From each new text to its first finished frame."""
    wall = []
    for tint in request.tints:
        start = time.perf_counter_ns()
        shaders.show(tint)
        wall.append(time.perf_counter_ns() - start)
    return {"wall_ns": wall, "gpu_ns": []}


def answer_for(peer, request):
    if request.work == "graph":
        return peer.graph(request)
    if request.work == "shader":
        shaders = peer.shaders(request)
        answer = new_texts(request, shaders)
        made = shaders
    else:
        made = peer.job(request)
        answer = (paced if request.period_ns else timed)(request, made)
    pixels = np.ascontiguousarray(made.download())
    if pixels.shape[2] == 3:
        pixels = np.dstack([pixels, np.full(pixels.shape[:2], 255, np.uint8)])
    pixels.tofile(request.output)
    answer.update(note=made.note, judged_as=getattr(made, "judged_as", None))
    return answer


def main(make_peer):
    """Runs a peer as the conductor asks."""
    if sys.argv[1:] == ["--probe"]:
        peer = make_peer(None)
        print(json.dumps({"versions": peer.versions, "device": peer.device}))
        return
    request = Request(sys.argv[1])
    try:
        peer = make_peer(request)
        answer = answer_for(peer, request)
        answer.update(versions=peer.versions, device=peer.device)
    except Unsupported as error:
        answer = {"unsupported": str(error)}
    except Exception as error:  # the conductor prints the last line of what is said here
        traceback.print_exc()
        print(f"{type(error).__name__}: {error}".splitlines()[0], file=sys.stderr)
        sys.exit(1)
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        json.dump(answer, file)
    # Drivers and schedulers that crash while they are torn down would hide an answer that is there.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


# RGB from Y, Cb, Cr of 0..=1: ITU-R BT.601, limited range, the one matrix that every peer knows.
def rgb_from_yuv():
    kr, kb = 0.299, 0.114
    kg = 1 - kr - kb
    y, r, b = 255 / 219, 2 * (1 - kr) * 255 / 224, 2 * (1 - kb) * 255 / 224
    rows = [[y, 0, r], [y, -b * kb / kg, -r * kr / kg], [y, b, 0]]
    return [row + [-(row[0] * 16 + (row[1] + row[2]) * 128) / 255] for row in rows]


# The chain's constants, which are the defaults of the effects of the same names.
LUMA = (0.2126, 0.7152, 0.0722)
SATURATION = 1.6
SEPIA = ((0.393, 0.769, 0.189), (0.349, 0.686, 0.168), (0.272, 0.534, 0.131))
TINT = (1.0, 0.72, 0.45)


def hue_matrix():
    """The hue turned by 120 degrees: what a program computes once and not for each pixel."""
    c, s = np.cos(np.radians(120)), np.sin(np.radians(120))
    luma = np.tile([0.213, 0.715, 0.072], (3, 1))
    cosine = np.array([[0.787, -0.715, -0.072], [-0.213, 0.285, -0.072], [-0.213, -0.715, 0.928]])
    sine = np.array([[-0.213, -0.715, 0.928], [0.143, 0.140, -0.283], [-0.787, 0.715, 0.072]])
    return luma + c * cosine + s * sine


def saturation_matrix():
    return SATURATION * np.eye(3) + (1 - SATURATION) * np.tile(LUMA, (3, 1))
