"""torch: plain tensor code, compiled into fused kernels; as passes, one compiled function a step."""

import math
import os

import numpy as np
import torch

import common


def channels(words):
    """Four bytes of each 32-bit word, as floats of 0..=1."""
    return [((words >> shift) & 255).float() / 255 for shift in (0, 8, 16, 24)]


def packed(color):
    """Opaque RGBA words. Words keep pixels interleaved and still let everything be one pointwise kernel."""
    r, g, b = ((c.clamp(0, 1) * 255).round().to(torch.int32) for c in color)
    return r | (g << 8) | (b << 16) | -(1 << 24)


def mixed(color, rows):
    return [sum(weight * c for weight, c in zip(row, color)) for row in rows]


class Chain:
    """The eight operations as functions of a list of three planes."""

    def __init__(self, height, width):
        saturation, hue = common.saturation_matrix().tolist(), common.hue_matrix().tolist()

        def shaded(color):
            y = torch.arange(height, dtype=torch.float32, device="cuda")[:, None] + 0.5
            x = torch.arange(width, dtype=torch.float32, device="cuda")[None, :] + 0.5
            away = torch.sqrt((x - width / 2) ** 2 + (y - height / 2) ** 2) / math.hypot(width / 2, height / 2)
            t = ((away - 0.35) / 0.65).clamp(0, 1)
            shade = 1 - 0.85 * t * t * (3 - 2 * t)
            return [c * shade for c in color]

        self.steps = [
            lambda color: [c + 0.15 for c in color],
            lambda color: [(c - 0.5) * 1.5 + 0.5 for c in color],
            lambda color: mixed(color, saturation),
            lambda color: mixed(color, hue),
            lambda color: [c ** (1 / 1.8) for c in color],
            lambda color: mixed(color, common.SEPIA),
            shaded,
            lambda color: [c * factor for c, factor in zip(color, common.TINT)],
        ]


def on_gpu(picture):
    """An array of four bytes a pixel or pair as words; planes of bytes as they are."""
    tensor = torch.from_numpy(picture)
    return (tensor.view(torch.int32)[..., 0] if picture.ndim == 3 else tensor).contiguous().cuda()


def pixels_of(words):
    return words.cpu().numpy().view(np.uint8).reshape(*words.shape, 4)


class Compiled(common.Job):
    def __init__(self, function, inputs):
        self.function, self.inputs = function, inputs
        self.begin, self.end = (torch.cuda.Event(enable_timing=True) for _ in range(2))

    def run(self, frame):
        self.frame = frame
        self.result = self.function(self.inputs[frame % len(self.inputs)])
        torch.cuda.current_stream().synchronize()

    def gpu_ns(self):
        # Another frame, queued behind a delay: else the GPU would wait for Python between the two events. The frame is
        # half a round away, so that no cache holds it.
        torch.cuda._sleep(1_000_000)
        self.begin.record()
        self.function(self.inputs[(self.frame + len(self.inputs) // 2) % len(self.inputs)])
        self.end.record()
        self.end.synchronize()
        return self.begin.elapsed_time(self.end) * 1e6

    def download(self):
        return pixels_of(self.result)


class Texts(common.Shaders):
    note = "torch.compile of a new function"

    def __init__(self, peer, request):
        self.peer, self.request = peer, request
        self.source = on_gpu(request.picture(request.inputs[0]))
        torch.cuda.synchronize()

    def show(self, tint):
        torch._dynamo.reset()
        function = torch.compile(self.peer.blur(self.request, tint), dynamic=False)
        self.result = function(self.source)
        torch.cuda.synchronize()

    def download(self):
        return pixels_of(self.result)


class Torch:
    def __init__(self, request):
        if not torch.cuda.is_available():
            raise RuntimeError("torch finds no CUDA device")
        self.device = torch.cuda.get_device_name()
        self.versions = {"torch": torch.__version__}
        if request is not None:
            os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", os.path.join(request.cache, "torch"))
            os.environ.setdefault("TRITON_CACHE_DIR", os.path.join(request.cache, "triton"))

    @staticmethod
    def blur(request, tint):
        weights, width = request.weights, request.width

        def run(picture):
            columns = torch.arange(width, device="cuda")
            total = [0, 0, 0]
            for offset, weight in enumerate(weights, -4):
                parts = channels(picture[:, (columns + offset).clamp(0, width - 1)])
                total = [sum_ + weight * part for sum_, part in zip(total, parts)]
            return packed([c * factor for c, factor in zip(total, tint)])

        return run

    @staticmethod
    def conversion(request):
        width, height = request.width, request.height
        rows = common.rgb_from_yuv()

        def rgba(luma, cb, cr):
            return packed([y * luma + b * cb + r * cr + offset for y, b, r, offset in rows])

        def yuyv(picture):
            x = torch.arange(width, device="cuda")
            is_odd = (x % 2) == 1
            here = channels(picture[:, x // 2])
            following = channels(picture[:, (x // 2 + 1).clamp(max=width // 2 - 1)])
            luma = torch.where(is_odd, here[2], here[0])
            cb, cr = (torch.where(is_odd, (here[i] + following[i]) / 2, here[i]) for i in (1, 3))
            return rgba(luma, cb, cr)

        def nv12(picture):
            luma = picture[:height].float() / 255
            chroma = picture[height:].view(height // 2, width // 2, 2)
            x = torch.arange(width, device="cuda")
            y = torch.arange(height, device="cuda")
            left, right = (x // 2)[None], (x // 2 + 1).clamp(max=width // 2 - 1)[None]
            across = (x % 2).float() * 0.5
            at = y.float() * 0.5 - 0.25
            down = (at - at.floor())[:, None]
            above = at.floor().long().clamp(0, height // 2 - 1)[:, None]
            below = (at.floor().long() + 1).clamp(0, height // 2 - 1)[:, None]

            def between(row, i):
                return chroma[row, left, i].float() * (1 - across) + chroma[row, right, i].float() * across

            cb, cr = ((between(above, i) * (1 - down) + between(below, i) * down) / 255 for i in (0, 1))
            return rgba(luma, cb, cr)

        return yuyv if request.work == "yuyv" else nv12

    def job(self, request):
        inputs = [on_gpu(picture) for picture in request.pictures()]
        if request.work == "chain-passes":
            steps = [self.chain(request, [step]) for step in range(8)]

            def function(picture):
                for step in steps:
                    picture = step(picture)
                return picture

            note = "eight compiled functions"
        else:
            note = "compiled"
            if request.work == "chain-fused":
                function = self.chain(request, range(8))
            elif request.work == "blur":
                function = torch.compile(self.blur(request, request.tint), dynamic=False)
            else:
                function = torch.compile(self.conversion(request), dynamic=False)
        return common.fastest([(note, Compiled(function, inputs))])

    @staticmethod
    def chain(request, steps):
        """Some steps as one function from words to words."""
        functions = Chain(request.height, request.width).steps

        def run(picture):
            color = channels(picture)[:3]
            for step in steps:
                color = [c.clamp(0, 1) for c in functions[step](color)]
            return packed(color)

        return torch.compile(run, dynamic=False)

    def shaders(self, request):
        return Texts(self, request)

    def graph(self, request):
        raise common.Unsupported("torch has no graph of nodes")


if __name__ == "__main__":
    common.main(Torch)
