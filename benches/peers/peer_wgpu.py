"""wgpu: WGSL compute shaders over textures, one dispatch a pass, the fastest of four group shapes."""

import struct

import numpy as np
import wgpu

import common
import texts

SHAPES = ((8, 8), (16, 16), (32, 8), (64, 1))
SAMPLED, STORED = wgpu.TextureUsage.TEXTURE_BINDING, wgpu.TextureUsage.STORAGE_BINDING
COPY_TO, COPY_FROM = wgpu.TextureUsage.COPY_DST, wgpu.TextureUsage.COPY_SRC


def shader(body, shape, textures=("tex",)):
    """A compute shader around statements that set `c`; `at` is the pixel and `size` the picture's size."""
    bindings = [f"@group(0) @binding({i}) var {name}: texture_2d<f32>;" for i, name in enumerate(textures)]
    bindings.append(f"@group(0) @binding({len(textures)}) var output: texture_storage_2d<rgba8unorm, write>;")
    return "\n".join(bindings) + f"""
        @compute @workgroup_size({shape[0]}, {shape[1]})
        fn main(@builtin(global_invocation_id) id: vec3u) {{
            let size = textureDimensions(output);
            if (id.x >= size.x || id.y >= size.y) {{ return; }}
            let at = vec2i(id.xy);
            var c = vec3f(0.0);
            {body}
            textureStore(output, at, vec4f(c, 1.0));
        }}"""


def body_of(request, step=None, tint=None):
    if request.work in ("blur", "shader"):
        lines = ["let last = i32(size.x) - 1;"]
        for offset, weight in enumerate(request.weights, -4):
            at = f"vec2i(clamp(at.x + {offset}, 0, last), at.y)"
            lines.append(f"c += {weight:.9f} * textureLoad(tex, {at}, 0).rgb;")
        r, g, b = tint or request.tint
        return "\n".join(lines + [f"c *= vec3f({r:.9f}, {g:.9f}, {b:.9f});"])
    if request.work == "nv12":
        return (
            "let luma = textureLoad(tex, at, 0).r;"
            "let s = vec2i(size) / 2 - 1; let p = vec2f(at) * 0.5 - vec2f(0.0, 0.25);"
            "let a = clamp(vec2i(floor(p)), vec2i(0), s); let b = clamp(vec2i(floor(p)) + 1, vec2i(0), s);"
            "let f = fract(p);"
            "let above = mix(textureLoad(chroma, a, 0).rg, textureLoad(chroma, vec2i(b.x, a.y), 0).rg, f.x);"
            "let below = mix(textureLoad(chroma, vec2i(a.x, b.y), 0).rg, textureLoad(chroma, b, 0).rg, f.x);"
            "let ch = mix(above, below, f.y); let cb = ch.x; let cr = ch.y;" + texts.WGSL.rgb()
        )
    if request.work == "yuyv":
        return (
            "let pair = textureLoad(tex, vec2i(at.x / 2, at.y), 0);"
            "let next = textureLoad(tex, vec2i(min(at.x / 2 + 1, i32(size.x) / 2 - 1), at.y), 0);"
            "let odd = (at.x & 1) == 1; let luma = select(pair.r, pair.b, odd);"
            "let ch = select(pair.ga, (pair.ga + next.ga) * 0.5, odd); let cb = ch.x; let cr = ch.y;"
            + texts.WGSL.rgb()
        )
    shade = (
        "let half = vec2f(size) * 0.5;"
        "let shade = 1.0 - 0.85 * smoothstep(0.35, 1.0, length(vec2f(at) + 0.5 - half) / length(half));"
    )
    steps = texts.WGSL.chain()
    chosen = steps if step is None else [steps[step]]
    load = "c = textureLoad(tex, at, 0).rgb;"
    return "\n".join([load] + ([shade] if step is None or "shade" in steps[step] else []) + chosen)


class Passes(common.Job):
    def __init__(self, peer, request, codes, shape, inputs):
        self.peer, self.shape, self.count = peer, shape, len(inputs)
        size = (request.width, request.height)
        self.groups = tuple(-(-side // tile) for side, tile in zip(size, shape))
        self.pipelines = [peer.pipeline(code) for code in codes]
        self.outputs = [peer.texture(size) for _ in inputs]
        between = [peer.texture(size) for _ in codes[1:]]
        self.bound = []
        for sources, output in zip(inputs, self.outputs):
            chain = []
            for index, pipeline in enumerate(self.pipelines):
                is_last = index + 1 == len(codes)
                target = output if is_last else between[index]
                chain.append(peer.bind(pipeline, [*sources, target]))
                sources = [target]
            self.bound.append(chain)
        self.shown = 0
        self.stamps = None
        if peer.has_timestamps:
            device = peer.gpu
            usage = wgpu.BufferUsage.QUERY_RESOLVE | wgpu.BufferUsage.COPY_SRC
            self.stamps = device.create_query_set(type=wgpu.QueryType.timestamp, count=2)
            self.resolved = device.create_buffer(size=16, usage=usage)

    def run(self, frame):
        self.shown = frame % self.count
        encoder = self.peer.gpu.create_command_encoder()
        writes = None
        if self.stamps is not None:
            writes = {"query_set": self.stamps, "beginning_of_pass_write_index": 0, "end_of_pass_write_index": 1}
        work = encoder.begin_compute_pass(timestamp_writes=writes)
        for pipeline, group in zip(self.pipelines, self.bound[self.shown]):
            work.set_pipeline(pipeline)
            work.set_bind_group(0, group)
            work.dispatch_workgroups(*self.groups)
        work.end()
        self.peer.gpu.queue.submit([encoder.finish()])
        self.peer.wait()

    def gpu_ns(self):
        if self.stamps is None:
            return None
        # Not part of the frame's wall clock: resolved after the frame is done.
        encoder = self.peer.gpu.create_command_encoder()
        encoder.resolve_query_set(self.stamps, 0, 2, self.resolved, 0)
        self.peer.gpu.queue.submit([encoder.finish()])
        begin, end = struct.unpack("<QQ", self.peer.gpu.queue.read_buffer(self.resolved))
        return end - begin

    def download(self):
        return self.peer.download(self.outputs[self.shown])


class Texts(common.Shaders):
    note = "groups of 16 x 16"

    def __init__(self, peer, request):
        self.peer, self.request = peer, request
        pixels = request.picture(request.inputs[0])
        self.source = peer.texture((request.width, request.height), pixels=pixels)
        self.output = peer.texture((request.width, request.height))

    def show(self, tint):
        peer = self.peer
        pipeline = peer.pipeline(shader(body_of(self.request, tint=tint), (16, 16)))
        encoder = peer.gpu.create_command_encoder()
        work = encoder.begin_compute_pass()
        work.set_pipeline(pipeline)
        work.set_bind_group(0, peer.bind(pipeline, [self.source, self.output]))
        work.dispatch_workgroups(-(-self.request.width // 16), -(-self.request.height // 16))
        work.end()
        peer.gpu.queue.submit([encoder.finish()])
        peer.wait()

    def download(self):
        return self.peer.download(self.output)


class Wgpu:
    def __init__(self, request):
        wanted = getattr(request, "device", None)
        found = [a for a in wgpu.gpu.enumerate_adapters_sync() if a.info["backend_type"] == "Vulkan"]
        chosen = [a for a in found if wanted is None or a.info["device"] == wanted]
        if not chosen:
            names = ", ".join(a.info["device"] for a in found) or "none"
            raise RuntimeError(f"no Vulkan adapter called {wanted!r}; there are: {names}")
        # A real device before one that is a CPU.
        chosen.sort(key=lambda a: a.info["adapter_type"] == "CPU")
        adapter = chosen[0]
        self.device = f"{adapter.info['device']} ({adapter.info['backend_type']}, {adapter.info['description']})"
        self.has_timestamps = (
            adapter.info["adapter_type"] != "CPU" and "timestamp-query" in adapter.features
        )
        features = ["timestamp-query"] if self.has_timestamps else []
        self.gpu = adapter.request_device_sync(required_features=features)
        self.versions = {"wgpu": wgpu.__version__}

    def wait(self):
        # The blocking wait that the public promises poll for on a thread of their own; this one returns sooner.
        self.gpu._poll_wait()

    def pipeline(self, code):
        module = self.gpu.create_shader_module(code=code)
        return self.gpu.create_compute_pipeline(layout="auto", compute={"module": module, "entry_point": "main"})

    def bind(self, pipeline, textures):
        entries = [{"binding": i, "resource": t.create_view()} for i, t in enumerate(textures)]
        return self.gpu.create_bind_group(layout=pipeline.get_bind_group_layout(0), entries=entries)

    def texture(self, size, channels=4, pixels=None):
        kind = {1: "r8unorm", 2: "rg8unorm", 4: "rgba8unorm"}[channels]
        usage = SAMPLED | COPY_TO if pixels is not None else SAMPLED | STORED | COPY_FROM
        texture = self.gpu.create_texture(size=(*size, 1), format=kind, usage=usage)
        if pixels is not None:
            layout = {"bytes_per_row": size[0] * channels, "rows_per_image": size[1]}
            data = np.ascontiguousarray(pixels)
            self.gpu.queue.write_texture({"texture": texture}, data, layout, (*size, 1))
        return texture

    def download(self, texture):
        width, height, _ = texture.size
        padded = -(-width * 4 // 256) * 256
        layout = {"bytes_per_row": padded, "rows_per_image": height}
        data = self.gpu.queue.read_texture({"texture": texture}, layout, (width, height, 1))
        return np.frombuffer(data, np.uint8).reshape(height, -1, 4)[:, :width]

    def inputs(self, request):
        w, h = request.width, request.height
        for pixels in request.pictures():
            if request.work == "nv12":
                yield [self.texture((w, h), 1, pixels[:h]), self.texture((w // 2, h // 2), 2, pixels[h:])]
            elif request.work == "yuyv":
                yield [self.texture((w // 2, h), 4, pixels)]
            else:
                yield [self.texture((w, h), 4, pixels)]

    def job(self, request):
        inputs = list(self.inputs(request))
        names = ("tex", "chroma") if request.work == "nv12" else ("tex",)
        steps = range(8) if request.work == "chain-passes" else [None]

        def passes(shape):
            codes = [shader(body_of(request, step), shape, names) for step in steps]
            return Passes(self, request, codes, shape, inputs)

        return common.fastest([(f"groups of {x} x {y}", passes((x, y))) for x, y in SHAPES])

    def shaders(self, request):
        return Texts(self, request)

    def graph(self, request):
        raise common.Unsupported("wgpu has no graph")


if __name__ == "__main__":
    common.main(Wgpu)
