"""OpenCV on the CPU, in uint8 as its users write it: three channels, saturating after every operation."""

import cv2
import numpy as np

import common


def table(curve):
    codes = np.arange(256) / 255
    return np.clip(np.rint(curve(codes) * 255), 0, 255).astype(np.uint8)


class Blur(common.Job):
    def __init__(self, request, pictures, separable):
        self.pictures, self.separable = pictures, separable
        self.row = np.array(request.weights, np.float32)
        codes = np.arange(256)[:, None] * np.array(request.tint)
        self.tint = np.clip(np.rint(codes), 0, 255).astype(np.uint8).reshape(256, 1, 3)
        self.buffers = [np.empty_like(pictures[0]) for _ in range(2)]

    def run(self, frame):
        picture, (blurred, result) = self.pictures[frame % len(self.pictures)], self.buffers
        if self.separable:
            one = np.ones(1, np.float32)
            cv2.sepFilter2D(picture, -1, self.row, one, blurred, borderType=cv2.BORDER_REPLICATE)
        else:
            cv2.filter2D(picture, -1, self.row[None, :], blurred, borderType=cv2.BORDER_REPLICATE)
        cv2.LUT(blurred, self.tint, result)

    def download(self):
        return self.buffers[1]


class Chain(common.Job):
    judged_as = "chain-passes"

    def __init__(self, request, pictures):
        self.pictures = pictures
        self.brightness = table(lambda c: c + 0.15)
        self.contrast = table(lambda c: (c - 0.5) * 1.5 + 0.5)
        self.gamma = table(lambda c: c ** (1 / 1.8))
        self.saturation = common.saturation_matrix().astype(np.float32)
        self.hue = common.hue_matrix().astype(np.float32)
        self.sepia = np.array(common.SEPIA, np.float32)
        w, h = request.width, request.height
        y, x = np.mgrid[0:h, 0:w] + 0.5
        away = np.hypot(x - w / 2, y - h / 2) / np.hypot(w / 2, h / 2)
        t = np.clip((away - 0.35) / 0.65, 0, 1)
        shade = np.rint((1 - 0.85 * t * t * (3 - 2 * t)) * 255).astype(np.uint8)
        self.shade = np.dstack([shade] * 3)
        self.tint = table(lambda c: c)[:, None] * np.array(common.TINT)
        self.tint = np.rint(self.tint).astype(np.uint8).reshape(256, 1, 3)
        self.one, self.two = np.empty_like(pictures[0]), np.empty_like(pictures[0])

    def run(self, frame):
        one, two = self.one, self.two
        cv2.LUT(self.pictures[frame % len(self.pictures)], self.brightness, one)
        cv2.LUT(one, self.contrast, two)
        cv2.transform(two, self.saturation, one)
        cv2.transform(one, self.hue, two)
        cv2.LUT(two, self.gamma, one)
        cv2.transform(one, self.sepia, two)
        cv2.multiply(two, self.shade, one, 1 / 255)
        cv2.LUT(one, self.tint, two)

    def download(self):
        return self.two


class Convert(common.Job):
    note = "chroma is repeated, not interpolated"

    def __init__(self, request):
        self.code, self.pictures = cv2.COLOR_YUV2RGBA_NV12, request.pictures()
        if request.work == "yuyv":
            self.code = cv2.COLOR_YUV2RGBA_YUY2
            self.pictures = [p.reshape(request.height, request.width, 2) for p in self.pictures]
        self.result = np.empty((request.height, request.width, 4), np.uint8)

    def run(self, frame):
        cv2.cvtColor(self.pictures[frame % len(self.pictures)], self.code, self.result)

    def download(self):
        return self.result


class OpenCv:
    def __init__(self, _request):
        self.versions = {"opencv": cv2.__version__, "numpy": np.__version__}
        self.device = f"CPU, {cv2.getNumThreads()} threads"

    def job(self, request):
        if request.work in ("yuyv", "nv12"):
            return common.fastest([(Convert.note, Convert(request))])
        pictures = [np.ascontiguousarray(p[..., :3]) for p in request.pictures()]
        if request.work == "blur":
            kinds = (("sepFilter2D, LUT", True), ("filter2D, LUT", False))
            return common.fastest([(name, Blur(request, pictures, kind)) for name, kind in kinds])
        return common.fastest([("eight operations on bytes", Chain(request, pictures))])

    def shaders(self, _request):
        raise common.Unsupported("OpenCV has no shader text")

    def graph(self, _request):
        raise common.Unsupported("OpenCV has no graph that runs")


if __name__ == "__main__":
    common.main(OpenCv)
