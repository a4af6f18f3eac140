"""torch: plain tensor code, compiled into fused kernels; as passes, one compiled function a step."""

import os

import numpy as np
import torch

import common


def stored(color):
    return (color.clamp(0, 1) * 255).round().to(torch.uint8)


class Chain:
    """The eight operations as functions of floats of height x width x 3."""

    def __init__(self, height, width, dtype):
        make = lambda rows: torch.tensor(np.asarray(rows), dtype=dtype, device="cuda")  # noqa: E731
        hue, sepia, tint = make(common.hue_matrix()), make(common.SEPIA), make(common.TINT)
        luma = make(common.LUMA)

        def mixed(c, rows):
            # A matrix product of three columns would not be fused with its neighbours.
            return torch.stack([sum(rows[i, j] * c[..., j] for j in range(3)) for i in range(3)], -1)

        def shade():
            y = torch.arange(height, dtype=torch.float32, device="cuda")[:, None] + 0.5
            x = torch.arange(width, dtype=torch.float32, device="cuda")[None, :] + 0.5
            away = torch.sqrt((x - width / 2) ** 2 + (y - height / 2) ** 2) / np.hypot(width / 2, height / 2)
            t = ((away - 0.35) / 0.65).clamp(0, 1)
            return (1 - 0.85 * t * t * (3 - 2 * t))[..., None].to(dtype)

        def saturated(c):
            grey = (c * luma).sum(-1, keepdim=True)
            return grey + common.SATURATION * (c - grey)

        self.steps = [
            lambda c: c + 0.15,
            lambda c: (c - 0.5) * 1.5 + 0.5,
            saturated,
            lambda c: mixed(c, hue),
            lambda c: c ** (1 / 1.8),
            lambda c: mixed(c, sepia),
            lambda c: c * shade(),
            lambda c: c * tint,
        ]


class Compiled(common.Job):
    def __init__(self, function, inputs):
        self.function, self.inputs = function, inputs
        self.begin, self.end = (torch.cuda.Event(enable_timing=True) for _ in range(2))

    def run(self, frame):
        self.begin.record()
        self.result = self.function(*self.inputs[frame % len(self.inputs)])
        self.end.record()
        self.end.synchronize()

    def gpu_ns(self):
        return self.begin.elapsed_time(self.end) * 1e6

    def download(self):
        return self.result.cpu().numpy()


class Texts(common.Shaders):
    note = "torch.compile of a new function"

    def __init__(self, peer, request):
        self.peer, self.request = peer, request
        self.source = torch.from_numpy(request.picture(request.inputs[0])).cuda()
        torch.cuda.synchronize()

    def show(self, tint):
        torch._dynamo.reset()
        function = torch.compile(self.peer.blur(self.request, tint), dynamic=False)
        self.result = function(self.source)
        torch.cuda.synchronize()

    def download(self):
        return self.result.cpu().numpy()


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
        factors = [*tint, 1.0]

        def run(picture):
            columns = torch.arange(width, device="cuda")
            parts = (
                w * picture[:, (columns + o).clamp(0, width - 1)].float() / 255
                for o, w in enumerate(weights, -4)
            )
            total = sum(parts)
            return stored(torch.stack([total[..., i] * factors[i] for i in range(4)], -1))

        return run

    @staticmethod
    def conversion(request):
        rows, width, height = common.rgb_from_yuv(), request.width, request.height

        def rgba(luma, cb, cr):
            parts = [y * luma + b * cb + r * cr + offset for y, b, r, offset in rows]
            return stored(torch.stack([*parts, torch.ones_like(luma)], -1))

        def yuyv(picture):
            x = torch.arange(width, device="cuda")
            pair, following = x // 2, (x // 2 + 1).clamp(max=width // 2 - 1)
            odd = (x % 2).float() * 0.5
            plane = picture.float() / 255
            luma = torch.where((x % 2) == 0, plane[:, pair, 0], plane[:, pair, 2])
            cb, cr = (plane[:, pair, i] * (1 - odd) + plane[:, following, i] * odd for i in (1, 3))
            return rgba(luma, cb, cr)

        def nv12(picture):
            luma = picture[:height].float() / 255
            chroma = picture[height:].view(height // 2, width // 2, 2)
            x = torch.arange(width, device="cuda")
            y = torch.arange(height, device="cuda")
            left, right = x // 2, (x // 2 + 1).clamp(max=width // 2 - 1)
            across = (x % 2).float() * 0.5
            at = y.float() * 0.5 - 0.25
            down = (at - at.floor())[:, None]
            above = at.floor().long().clamp(0, height // 2 - 1)[:, None]
            below = (at.floor().long() + 1).clamp(0, height // 2 - 1)[:, None]

            def plane(i):
                rows_of = lambda row: (  # noqa: E731
                    chroma[row, left[None], i].float() * (1 - across) + chroma[row, right[None], i].float() * across
                )
                return (rows_of(above) * (1 - down) + rows_of(below) * down) / 255

            return rgba(luma, plane(0), plane(1))

        return yuyv if request.work == "yuyv" else nv12

    def job(self, request):
        inputs = [[torch.from_numpy(picture).cuda()] for picture in request.pictures()]
        compiled = lambda function: torch.compile(function, dynamic=False)  # noqa: E731
        if request.work == "blur":
            candidates = [("compiled", compiled(self.blur(request, request.tint)))]
        elif request.work in ("yuyv", "nv12"):
            candidates = [("compiled", compiled(self.conversion(request)))]
        else:
            candidates = self.chain(request, compiled)
        return common.fastest([(name, Compiled(function, inputs)) for name, function in candidates], rounds=10)

    @staticmethod
    def chain(request, compiled):
        def fused_in(dtype):
            steps = Chain(request.height, request.width, dtype).steps

            def run(picture):
                color = picture[..., :3].to(dtype) / 255
                for step in steps:
                    color = step(color).clamp(0, 1)
                return torch.cat([stored(color), picture[..., 3:]], -1)

            return compiled(run)

        if request.work == "chain-fused":
            return [("compiled, fp32", fused_in(torch.float32)), ("compiled, fp16", fused_in(torch.float16))]

        # One compiled function a step, each from bytes to bytes: as passes in another program would be.
        def step_of(step):
            def run(picture):
                return torch.cat([stored(step(picture[..., :3].float() / 255)), picture[..., 3:]], -1)

            return compiled(run)

        steps = [step_of(step) for step in Chain(request.height, request.width, torch.float32).steps]

        def run(picture):
            for step in steps:
                picture = step(picture)
            return picture

        return [("eight compiled functions", run)]

    def shaders(self, request):
        return Texts(self, request)

    def graph(self, request):
        raise common.Unsupported("torch has no graph of nodes")


if __name__ == "__main__":
    common.main(Torch)
