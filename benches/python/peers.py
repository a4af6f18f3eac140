"""From an array to an array, with an effect between: by each contender, as a function.

The others do it with what they have of their own, by the shaders of `benches/peers`: upload, one compute or fragment pass
that does all the arithmetic, read-back.
"""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import reference

#: Our effect of the blur; a path, as a user would give it.
BLUR = Path(__file__).resolve().parents[1] / "effects" / "blur_tint.hlsl"


def load(who, tunes=True):
    """The contender's modules are imported here. `load(who)(work, width, height)` opens its device.

    :param tunes: whether wgpu tries four group shapes and goes on with the fastest, which takes its time.
    """
    if who == "wgpu":
        import peer_wgpu

        return _wgpu(peer_wgpu, peer_wgpu.SHAPES if tunes else ((16, 16),))
    if who == "moderngl":
        import peer_moderngl

        return _moderngl(peer_moderngl)
    import streamlib

    return {"streamlib": _live, "streamlib at once": _at_once}[who](streamlib)


def _request(work, width, height):
    blank = np.zeros((height, width, 4), np.uint8)
    kind = {"blur": "blur", "chain": "chain-fused"}[work]
    return SimpleNamespace(
        work=kind, width=width, height=height, weights=reference.WEIGHTS, tint=reference.TINT, pictures=lambda: [blank]
    )


def _wgpu(module, shapes):
    class Peer(module.Wgpu):
        def inputs(self, request):
            self.sources = list(super().inputs(request))
            return self.sources

    def make(work, width, height):
        request = _request(work, width, height)
        peer = Peer(request)
        inputs, body = peer.inputs(request), module.body_of(request)

        def passes(shape):
            return module.Passes(peer, request, [module.shader(body, shape)], shape, inputs)

        candidates = [(str(shape), passes(shape)) for shape in shapes]
        job = module.common.fastest(candidates) if len(shapes) > 1 else candidates[0][1]
        target, layout = {"texture": peer.sources[0][0]}, {"bytes_per_row": width * 4, "rows_per_image": height}

        def run(picture):
            peer.gpu.queue.write_texture(target, picture, layout, (width, height, 1))
            job.run(0)
            return job.download()

        return run

    return make


def _moderngl(module):
    def make(work, width, height):
        request = _request(work, width, height)
        peer = module.ModernGl(request)
        source = peer.texture(request.pictures()[0], 4)
        body = module.fragment(module.texts.glsl_body(request))
        job = module.Passes(peer, request, [body], [[source]])

        def run(picture):
            source.write(picture)
            job.run(0)
            return job.download()

        return run

    return make


def _shaders(streamlib, work):
    return [BLUR] if work == "blur" else [getattr(streamlib.shaders, name) for name in reference.CHAIN]


def _live(streamlib):
    def make(work, width, height):
        @streamlib.video_effect
        def effect(frame, gpu):
            picture = frame
            for shader in _shaders(streamlib, work):
                picture = gpu.run_shader(shader, picture)
            return frame.clone_with_texture(picture)

        source, sink = streamlib.app_source(width, height), streamlib.app_sink()
        runtime = streamlib.StreamRuntime()
        runtime.connect(source.outputs["video"], effect.inputs["video"], delivery="lossless", bound=4)
        runtime.connect(effect.outputs["video"], sink.inputs["video"], delivery="lossless", bound=4)
        runtime.start()

        def run(picture):
            # What the graph repeated while nothing was pushed is not this picture.
            while sink.read() is not None:
                pass
            while not source.push(picture):
                pass
            return sink.read(60).numpy()

        # What runs ends with the function.
        run.runtime = runtime
        return run

    return make


def _at_once(streamlib):
    def make(work, width, height):
        gpu = streamlib.GPUContext()
        made = [gpu.create_shader(shader) for shader in _shaders(streamlib, work)]
        textures = [gpu.create_texture(width, height) for _ in range(len(made) + 1)]

        def run(picture):
            textures[0].write(picture)
            for shader, source, target in zip(made, textures, textures[1:]):
                gpu.run_shader(shader, source, output=target)
            return textures[-1].numpy()

        return run

    return make
