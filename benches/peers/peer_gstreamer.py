"""GStreamer: `glshader` elements over GL memory. Pictures are uploaded before anything is timed."""

import ctypes
import os
import statistics
import threading
import time

import gi
import numpy as np

gi.require_version("Gst", "1.0")
gi.require_version("GstGL", "1.0")
gi.require_version("GstApp", "1.0")
from gi.repository import Gst, GstApp, GstGL  # noqa: E402, F401

import common  # noqa: E402
import texts  # noqa: E402

GL_MEMORY = "(memory:GLMemory)"
HEAD = """#ifdef GL_ES
precision highp float;
#endif
varying vec2 v_texcoord; uniform sampler2D tex; uniform float width; uniform float height;
"""


def fragment(body):
    return f"""{HEAD}
void main() {{
    vec2 size = vec2(width, height); vec2 uv = v_texcoord;
    vec3 c = texture2D(tex, uv).rgb;
    {body}
    gl_FragColor = vec4(c, 1.0);
}}"""


def caps(request, layout="RGBA", memory=""):
    colour = "" if layout == "RGBA" else ", colorimetry=(string)bt601, chroma-site=(string)mpeg2"
    target = ", texture-target=(string)2D" if memory else ""
    return (
        f"video/x-raw{memory}, format=(string){layout}, width={request.width}, height={request.height}, "
        f"framerate=60/1{target}{colour}"
    )


class Pipeline:
    """An application source, elements, an application sink."""

    def __init__(self, elements, source_caps, context=None):
        text = f"appsrc name=in format=time block=true ! {elements} ! appsink name=out sync=false max-buffers=2"
        self.pipeline = Gst.parse_launch(text)
        self.source, self.sink = self["in"], self["out"]
        self.source.set_property("caps", Gst.Caps.from_string(source_caps))
        bus = self.pipeline.get_bus()
        bus.set_sync_handler(self.answer, context)
        self.pipeline.set_state(Gst.State.PLAYING)

    @staticmethod
    def answer(_bus, message, context):
        if context is not None and message.type == Gst.MessageType.NEED_CONTEXT:
            kind = message.parse_context_type()[1]
            if kind == GstGL.GL_DISPLAY_CONTEXT_TYPE:
                answer = Gst.Context.new(kind, True)
                GstGL.context_set_gl_display(answer, context[0])
                message.src.set_context(answer)
            elif kind == "gst.gl.local_context":
                answer = Gst.Context.new(kind, True)
                answer.writable_structure().set_value("context", context[1])
                message.src.set_context(answer)
        return Gst.BusSyncReply.PASS

    def through(self, buffer):
        self.source.emit("push-buffer", buffer)
        sample = self.sink.emit("try-pull-sample", 60 * Gst.SECOND)
        if sample is None:
            message = self.pipeline.get_bus().pop_filtered(Gst.MessageType.ERROR)
            raise RuntimeError(message.parse_error().gerror.message if message else "no frame came out")
        return sample

    def __getitem__(self, name):
        return self.pipeline.get_by_name(name)

    def stop(self):
        self.pipeline.set_state(Gst.State.NULL)


class GlFrames:
    """Pictures in GL memory, and the way to wait for the GL thread's work."""

    def __init__(self, request, layout):
        self.request = request
        self.uploader = Pipeline("glupload name=up", caps(request, layout))
        self.buffers = []
        for path in request.inputs:
            data = open(path, "rb").read()
            # A copy: the sample's own buffer goes back to its pool when the sample goes.
            self.buffers.append(self.uploader.through(Gst.Buffer.new_wrapped(data)))
        up = self.uploader["up"]
        self.context = up.props.context
        self.display = self.context.get_display()
        self.samples, self.buffers = self.buffers, [sample.get_buffer() for sample in self.buffers]
        self.caps = self.samples[0].get_caps().to_string()
        self.gl = ctypes.CDLL("libGLESv2.so.2")
        self.gl.glGetString.restype = ctypes.c_char_p
        self.renderer = self.on_gl_thread(lambda: self.gl.glGetString(0x1F01).decode())
        self.version = self.on_gl_thread(lambda: self.gl.glGetString(0x1F02).decode())

    def on_gl_thread(self, what):
        done, box = threading.Event(), []

        def call(_context, _data=None):
            box.append(what())
            done.set()

        self.context.thread_add(call, None)
        done.wait()
        return box[0]

    def finish(self):
        self.on_gl_thread(self.gl.glFinish)

    def pipeline(self, elements):
        return Pipeline(elements, self.caps, (self.display, self.context))

    def download(self, sample):
        """The pixels of GL memory."""
        context = (self.display, self.context)
        down = Pipeline(f"gldownload ! {caps(self.request)}", sample.get_caps().to_string(), context)
        buffer = down.through(sample.get_buffer().copy()).get_buffer()
        data = buffer.extract_dup(0, buffer.get_size())
        return np.frombuffer(data, np.uint8).reshape(self.request.height, self.request.width, 4)


class Filter(common.Job):
    def __init__(self, peer, frames, elements):
        self.frames = frames
        peer.device, peer.versions["OpenGL"] = frames.renderer, frames.version
        self.pipeline = frames.pipeline(elements)

    def run(self, frame):
        self.sample = None
        buffers = self.frames.buffers
        # A shallow copy shares the GL memory; the pipeline may stamp the copy as it likes.
        self.sample = self.pipeline.through(buffers[frame % len(buffers)].copy())
        self.frames.finish()

    def download(self):
        return self.frames.download(self.sample)


class Texts(common.Shaders):
    note = "the text of a running glshader is replaced"

    def __init__(self, peer, request):
        self.request = request
        self.filter = Filter(peer, GlFrames(request, "RGBA"), "glshader name=shader")
        self.shader = self.filter.pipeline["shader"]
        self.shader.connect("create-shader", self.create)
        self.text = ""

    def create(self, _element):
        context = self.filter.frames.context
        shader = GstGL.GLShader.new(context)
        es, fragment_kind = GstGL.GLSLProfile.ES, 0x8B30
        shader.compile_attach_stage(GstGL.GLSLStage.new_default_vertex(context))
        stage = GstGL.GLSLStage.new_with_string(
            context, fragment_kind, GstGL.GLSLVersion(100), es, self.text
        )
        shader.compile_attach_stage(stage)
        shader.link()
        return shader

    def show(self, tint):
        self.text = fragment(texts.glsl_body(self.request, tint=tint))
        self.shader.set_property("update-shader", True)
        self.filter.run(0)

    def download(self):
        return self.filter.download()


class GStreamer:
    def __init__(self, _request):
        os.environ.setdefault("GST_GL_PLATFORM", "egl")
        os.environ.setdefault("GST_GL_API", "gles2")
        Gst.init(None)
        self.versions = {"GStreamer": Gst.version_string().removeprefix("GStreamer ")}
        self.device = "OpenGL ES"
        if Gst.ElementFactory.find("glshader") is None:
            raise RuntimeError("the element glshader is missing: install gstreamer1.0-gl")

    def job(self, request):
        if request.work in ("yuyv", "nv12"):
            layout = {"yuyv": "YUY2", "nv12": "NV12"}[request.work]
            frames = GlFrames(request, layout)
            job = Filter(self, frames, f"glcolorconvert ! {caps(request, memory=GL_MEMORY)}")
            job.note = "glcolorconvert"
            return job
        frames = GlFrames(request, "RGBA")
        steps = range(8) if request.work == "chain-passes" else [None]
        names = [f"shader{index}" for index in range(len(steps))]
        job = Filter(self, frames, " ! ".join(f"glshader name={name}" for name in names))
        for name, step in zip(names, steps):
            job.pipeline[name].set_property("fragment", fragment(texts.glsl_body(request, step)))
        job.note = "glshader" if len(names) == 1 else f"{len(names)} glshader elements"
        return job

    def shaders(self, request):
        return Texts(self, request)

    def graph(self, request):
        """Buffers through pass-through elements on one thread, as GStreamer runs a pipeline without queues."""
        self.device = "CPU"

        def times(elements):
            pipeline = Pipeline(" ! ".join(["identity silent=true"] * elements), "application/x-frame")
            taken = []
            for _ in range(request.warmup + request.frames):
                start = time.perf_counter_ns()
                pipeline.through(Gst.Buffer.new())
                taken.append(time.perf_counter_ns() - start)
            pipeline.stop()
            return taken[request.warmup :]

        # What the source, the sink and Python cost is not the elements' cost.
        ends = statistics.median(times(1))
        wall = [int(max(taken - ends, 0) / request.nodes) for taken in times(1 + request.nodes)]
        return {"wall_ns": wall, "gpu_ns": [], "note": "identity elements, one thread, end elements taken off"}


if __name__ == "__main__":
    common.main(GStreamer)
