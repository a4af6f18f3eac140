"""A detector that is slower than the camera, beside a compositor that never waits for it.

The detector finds what moves: it compares small versions of two frames, and boxes the pixels that changed. Put a model of yours in its place
(`gpu.ml.load_model`).
"""

import time

import numpy
from arguments import arguments, sink_of, source_of

from streamlib import GPUContext, StreamRuntime, camera_source, display_sink, shaders, stream_processor, video_effect

options = arguments(__doc__)

BOX = """
float4 box = float4(0, 0, 0, 0);  // left, top, right, bottom; 0 to 1
float line_width = 3;

float4 main(float2 uv : TEXCOORD) : SV_Target {
    float4 color = tex2D(input, uv);
    float2 outside = max(box.xy - uv, uv - box.zw) * resolution;
    float distance = abs(max(outside.x, outside.y));
    bool is_line = distance < 0.5 * line_width && box.z > box.x;
    return is_line ? float4(0.2, 1, 0.4, 1) : color;
}
"""


@camera_source
def camera():
    """The first camera."""


@stream_processor(inputs=["video"], outputs=["box"])
def detector(tick, inputs, outputs):
    """What has changed since the frame before that it saw, as a box."""
    frame = inputs["video"].read_latest()
    if frame is None:
        return
    small = gpu.run_shader(shaders.grayscale, frame, size=(160, 90))
    now = small.numpy()[..., 0].astype(numpy.int16)
    before, detector.before = getattr(detector, "before", now), now
    rows, columns = numpy.nonzero(numpy.abs(now - before) > 12)
    time.sleep(0.1)  # a model would think so long
    if len(rows) > 8:
        left, right = numpy.percentile(columns, (5, 95)) / now.shape[1]
        top, bottom = numpy.percentile(rows, (5, 95)) / now.shape[0]
        outputs["box"].write([float(left), float(top), float(right), float(bottom)])


@video_effect
def compositor(frame, gpu):
    """Draws the newest box over every frame."""
    return frame.clone_with_texture(gpu.run_shader(gpu.create_shader(BOX, "box"), frame))


@display_sink(title="What moves")
def display():
    """A window."""


if __name__ == "__main__":
    gpu = GPUContext()
    source, sink = source_of(options, camera), sink_of(options, display)
    runtime = StreamRuntime()
    runtime.connect(source.outputs["video"], detector.inputs["video"])
    runtime.connect(source.outputs["video"], compositor.inputs["video"])
    runtime.connect(detector.outputs["box"], compositor.inputs["box"])
    runtime.connect(compositor.outputs["video"], sink.inputs["video"])
    report = runtime.run_blocking(frames=options.frames)
    print(f"{report['seconds']:.1f} s")
