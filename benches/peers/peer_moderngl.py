"""moderngl: fragment shaders over textures, one framebuffer a pass, `finish` after each frame."""


import moderngl
import numpy as np

import common
import texts

VERTEX = "#version 330\nin vec2 at; out vec2 uv; void main() { uv = at * 0.5 + 0.5; gl_Position = vec4(at, 0.0, 1.0); }"
HEAD = "#version 330\n#define texture2D texture\nuniform vec2 size; in vec2 uv; out vec4 color;\n"


def fragment(body, samplers="uniform sampler2D tex;", start="vec3 c = texture(tex, uv).rgb;"):
    return f"{HEAD}{samplers}\nvoid main() {{ {start}\n{body}\ncolor = vec4(c, 1.0); }}"


class Passes(common.Job):
    """Passes one after the other; the first reads the frame's input, each other what the one before wrote."""

    def __init__(self, peer, request, bodies, inputs):
        self.peer, self.inputs = peer, inputs
        ctx, size = peer.ctx, (request.width, request.height)
        self.programs = [peer.program(body, size) for body in bodies]
        count = len(inputs)
        self.last = [peer.target(size) for _ in range(count)]
        self.between = [peer.target(size) for _ in bodies[1:]]
        self.query = ctx.query(time=True)
        self.shown = 0

    def run(self, frame):
        self.shown = frame % len(self.inputs)
        sources = self.inputs[self.shown]
        with self.query:
            for index, (program, array) in enumerate(self.programs):
                is_last = index + 1 == len(self.programs)
                texture, framebuffer = self.last[self.shown] if is_last else self.between[index]
                for unit, source in enumerate(sources):
                    source.use(unit)
                framebuffer.use()
                array.render(moderngl.TRIANGLE_STRIP)
                sources = [texture]
        self.peer.ctx.finish()

    def gpu_ns(self):
        return None if self.peer.is_software else self.query.elapsed

    def download(self):
        texture = self.last[self.shown][0]
        return np.frombuffer(texture.read(), np.uint8).reshape(texture.height, texture.width, 4)


class Texts(common.Shaders):
    def __init__(self, peer, request):
        self.peer, self.request = peer, request
        size = (request.width, request.height)
        self.source = peer.texture(request.picture(request.inputs[0]), 4)
        self.target = peer.target(size)

    def show(self, tint):
        size = (self.request.width, self.request.height)
        _, array = self.peer.program(fragment(texts.glsl_body(self.request, tint=tint)), size)
        self.source.use(0)
        self.target[1].use()
        array.render(moderngl.TRIANGLE_STRIP)
        self.peer.ctx.finish()

    def download(self):
        return np.frombuffer(self.target[0].read(), np.uint8).reshape(self.request.height, -1, 4)


class ModernGl:
    def __init__(self, request):
        self.ctx = moderngl.create_context(standalone=True, backend="egl")
        info = self.ctx.info
        self.device = info["GL_RENDERER"]
        self.is_software = "llvmpipe" in self.device
        self.versions = {"moderngl": moderngl.__version__, "OpenGL": info["GL_VERSION"]}
        self.corners = self.ctx.buffer(np.array([-1, -1, 1, -1, -1, 1, 1, 1], np.float32).tobytes())

    def program(self, text, size):
        program = self.ctx.program(vertex_shader=VERTEX, fragment_shader=text)
        if "size" in program:
            program["size"] = size
        for unit, name in enumerate(("tex", "chroma")):
            if name in program:
                program[name] = unit
        return program, self.ctx.vertex_array(program, [(self.corners, "2f", "at")])

    def target(self, size):
        texture = self.ctx.texture(size, 4)
        texture.repeat_x = texture.repeat_y = False
        return texture, self.ctx.framebuffer([texture])

    def texture(self, pixels, channels):
        height, width = pixels.shape[:2]
        texture = self.ctx.texture((width, height), channels, np.ascontiguousarray(pixels).tobytes(), alignment=1)
        texture.repeat_x = texture.repeat_y = False
        return texture

    def job(self, request):
        if request.work in ("yuyv", "nv12"):
            return self.conversion(request)
        inputs = []
        for pixels in request.pictures():
            texture = self.texture(pixels, 4)
            texture.filter = (moderngl.NEAREST, moderngl.NEAREST)
            inputs.append([texture])
        steps = range(8) if request.work == "chain-passes" else [None]
        bodies = [fragment(texts.glsl_body(request, step)) for step in steps]
        return common.fastest([("fragment shader", Passes(self, request, bodies, inputs))])

    def conversion(self, request):
        inputs = []
        if request.work == "nv12":
            # The sampler interpolates chroma: across, its texel centres lie on the left luma samples.
            body = (
                "float luma = texture(tex, uv).r;"
                "vec2 shift = vec2(0.5 / size.x, 0.0); vec2 ch = texture(chroma, uv + shift).rg;"
                "float cb = ch.x; float cr = ch.y;" + texts.GLSL.rgb()
            )
            for pixels in request.pictures():
                luma = self.texture(pixels[: request.height], 1)
                luma.filter = (moderngl.NEAREST, moderngl.NEAREST)
                inputs.append([luma, self.texture(pixels[request.height :].reshape(request.height // 2, -1, 2), 2)])
        else:
            body = (
                "ivec2 p = ivec2(gl_FragCoord.xy); vec4 pair = texelFetch(tex, ivec2(p.x / 2, p.y), 0);"
                "float luma = (p.x & 1) == 0 ? pair.r : pair.b;"
                "vec2 ch = texture(tex, uv + vec2(0.5 / size.x, 0.0)).ga;"
                "float cb = ch.x; float cr = ch.y;" + texts.GLSL.rgb()
            )
            inputs = [[self.texture(pixels, 4)] for pixels in request.pictures()]
        text = fragment(body, "uniform sampler2D tex; uniform sampler2D chroma;", "vec3 c;")
        return common.fastest([("fragment shader", Passes(self, request, [text], inputs))])

    def shaders(self, request):
        return Texts(self, request)

    def graph(self, request):
        raise common.Unsupported("moderngl has no graph")


if __name__ == "__main__":
    common.main(ModernGl)
