"""CuPy: raw CUDA kernels over uchar4, one launch a pass, the fastest of four block shapes."""

import os
import re

import numpy as np

import common
import texts

SHAPES = ((8, 8), (16, 16), (32, 8), (64, 4))
HEAD = """
__device__ float part(unsigned char code) { return code * (1.0f / 255.0f); }
__device__ unsigned char code(float part) { return (unsigned char)__float2uint_rn(__saturatef(part) * 255.0f); }
"""


def single(text):
    """CUDA reads 0.5 as a double; a shader's author means a float."""
    return re.sub(r"(?<![\w.])(\d+\.\d+(?:e-?\d+)?)(?![\w.])", r"\1f", text)


def kernel(body):
    """A kernel around statements that set `c`; `x`, `y` is the pixel."""
    return HEAD + f"""
    extern "C" __global__ void run(const uchar4* __restrict__ input, const unsigned char* __restrict__ chroma,
                                   uchar4* __restrict__ output, int w, int h) {{
        int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y * blockDim.y + threadIdx.y;
        if (x >= w || y >= h) return;
        float3 c = make_float3(0.0f, 0.0f, 0.0f);
        {single(body)}
        output[y * w + x] = make_uchar4(code(c.x), code(c.y), code(c.z), 255);
    }}"""


DELAY = """extern "C" __global__ void delay(long long cycles) {
    for (long long begin = clock64(); clock64() - begin < cycles;) {}
}"""
LOAD = "uchar4 p = input[y * w + x]; c = make_float3(part(p.x), part(p.y), part(p.z));"


def body_of(request, step=None, tint=None):
    if request.work in ("blur", "shader"):
        lines = ["int last = w - 1; uchar4 p;"]
        for offset, weight in enumerate(request.weights, -4):
            lines.append(f"p = input[y * w + min(max(x + {offset}, 0), last)];")
            lines += [f"c.{a} += {weight:.9f} * part(p.{a});" for a in "xyz"]
        r, g, b = tint or request.tint
        return "\n".join(lines + [f"c.x *= {r:.9f}; c.y *= {g:.9f}; c.z *= {b:.9f};"])
    if request.work == "yuyv":
        return (
            "int pairs = w / 2; uchar4 p = input[y * pairs + x / 2];"
            "uchar4 n = input[y * pairs + min(x / 2 + 1, pairs - 1)]; bool odd = x & 1;"
            "float luma = part(odd ? p.z : p.x);"
            "float cb = odd ? 0.5 * (part(p.y) + part(n.y)) : part(p.y);"
            "float cr = odd ? 0.5 * (part(p.w) + part(n.w)) : part(p.w);" + texts.CUDA.rgb()
        )
    if request.work == "nv12":
        return (
            "int cw = w / 2, ch = h / 2; float at = y * 0.5 - 0.25; float fy = at - floorf(at);"
            "float fx = (x & 1) * 0.5;"
            "int y0 = max((int)floorf(at), 0), y1 = min((int)floorf(at) + 1, ch - 1);"
            "int x0 = x / 2, x1 = min(x / 2 + 1, cw - 1);"
            "const uchar2* uv = (const uchar2*)chroma;"
            "uchar2 a = uv[y0 * cw + x0], b = uv[y0 * cw + x1], d = uv[y1 * cw + x0], e = uv[y1 * cw + x1];"
            "float cb = (part(a.x) * (1.0 - fx) + part(b.x) * fx) * (1.0 - fy)"
            " + (part(d.x) * (1.0 - fx) + part(e.x) * fx) * fy;"
            "float cr = (part(a.y) * (1.0 - fx) + part(b.y) * fx) * (1.0 - fy)"
            " + (part(d.y) * (1.0 - fx) + part(e.y) * fx) * fy;"
            "float luma = part(((const unsigned char*)input)[y * w + x]);" + texts.CUDA.rgb()
        )
    shade = (
        "float hw = 0.5 * w, hh = 0.5 * h, dx = x + 0.5 - hw, dy = y + 0.5 - hh;"
        "float t = __saturatef((sqrtf((dx * dx + dy * dy) / (hw * hw + hh * hh)) - 0.35) / 0.65);"
        "float shade = 1.0 - 0.85 * t * t * (3.0 - 2.0 * t);"
    )
    steps = texts.CUDA.chain()
    chosen = steps if step is None else [steps[step]]
    return "\n".join([LOAD] + ([shade] if step is None or "shade" in steps[step] else []) + chosen)


class Passes(common.Job):
    def __init__(self, peer, request, kernels, shape, inputs):
        cp = self.cp = peer.cp
        self.kernels, self.block, self.inputs = kernels, shape, inputs
        self.size = (request.width, request.height)
        self.grid = tuple(-(-side // tile) for side, tile in zip(self.size, shape))
        empty = lambda: cp.empty((request.height, request.width, 4), cp.uint8)  # noqa: E731
        self.outputs = [empty() for _ in inputs]
        self.between = [empty() for _ in kernels[1:]]
        self.begin, self.end = cp.cuda.Event(), cp.cuda.Event()
        self.delay = cp.RawKernel(DELAY, "delay")
        self.shown = 0

    def enqueue(self, slot):
        source, chroma = self.inputs[slot]
        sizes = tuple(np.int32(side) for side in self.size)
        for index, run in enumerate(self.kernels):
            is_last = index + 1 == len(self.kernels)
            target = self.outputs[slot] if is_last else self.between[index]
            run(self.grid, self.block, (source, chroma, target, *sizes))
            source = target

    def run(self, frame):
        self.shown = frame % len(self.inputs)
        self.enqueue(self.shown)
        self.cp.cuda.get_current_stream().synchronize()

    def gpu_ns(self):
        # Another frame, queued behind a delay: else the GPU would wait for Python between the two events. The frame is
        # half a round away, so that no cache holds it.
        self.delay((1,), (1,), (np.int64(500_000),))
        self.begin.record()
        self.enqueue((self.shown + len(self.inputs) // 2) % len(self.inputs))
        self.end.record()
        self.end.synchronize()
        return self.cp.cuda.get_elapsed_time(self.begin, self.end) * 1e6

    def download(self):
        return self.outputs[self.shown].get()


class Texts(common.Shaders):
    note = "NVRTC"

    def __init__(self, peer, request):
        self.peer, self.request = peer, request
        self.source = peer.cp.asarray(request.picture(request.inputs[0]))
        self.result = peer.cp.empty_like(self.source)
        peer.cp.cuda.Device().synchronize()

    def show(self, tint):
        run = self.peer.compiled(kernel(body_of(self.request, tint=tint)))
        w, h = self.request.width, self.request.height
        sizes = (np.int32(w), np.int32(h))
        run((-(-w // 16), -(-h // 16)), (16, 16), (self.source, self.source, self.result, *sizes))
        self.peer.cp.cuda.Device().synchronize()

    def download(self):
        return self.result.get()


class CuPy:
    def __init__(self, request):
        if request is not None:
            os.environ.setdefault("CUPY_CACHE_DIR", os.path.join(request.cache, "cupy"))
        import cupy

        self.cp = cupy
        self.device = cupy.cuda.runtime.getDeviceProperties(0)["name"].decode()
        self.versions = {"cupy": cupy.__version__, "CUDA": str(cupy.cuda.runtime.runtimeGetVersion())}

    def compiled(self, text):
        return self.cp.RawKernel(text, "run", options=("--use_fast_math",))

    def job(self, request):
        inputs = []
        for picture in request.pictures():
            luma = picture[: request.height] if request.work == "nv12" else picture
            chroma = picture[request.height :] if request.work == "nv12" else picture[:1]
            inputs.append((self.cp.asarray(np.ascontiguousarray(luma)), self.cp.asarray(np.ascontiguousarray(chroma))))
        steps = range(8) if request.work == "chain-passes" else [None]
        kernels = [self.compiled(kernel(body_of(request, step))) for step in steps]
        candidates = [(f"blocks of {x} x {y}", Passes(self, request, kernels, (x, y), inputs)) for x, y in SHAPES]
        return common.fastest(candidates, rounds=10)

    def shaders(self, request):
        return Texts(self, request)

    def graph(self, request):
        raise common.Unsupported("CuPy has no graph of nodes")


if __name__ == "__main__":
    common.main(CuPy)
