"""A detector that is slower than the camera, beside a compositor that never waits for it.

The detector boxes what is green: it looks at a small version of the newest frame. Put a model of yours in its place
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
    """Where the green pixels are, as a box."""
    frame = inputs["video"].read_latest()
    if frame is None:
        return
    small = gpu.run_shader(shaders.box_blur, frame, size=(240, 135), radius=1).numpy().astype(int)
    red, green, blue = small[..., 0], small[..., 1], small[..., 2]
    rows, columns = numpy.nonzero(green - numpy.maximum(red, blue) > 20)
    time.sleep(0.1)  # a model would think so long
    if len(rows) > 8:
        (left, right), (top, bottom) = numpy.percentile(columns, (2, 98)), numpy.percentile(rows, (2, 98))
        height, width = green.shape
        outputs["box"].write([left / width, top / height, (right + 1) / width, (bottom + 1) / height])


@video_effect
def compositor(frame, gpu):
    """Draws the newest box over every frame."""
    return frame.clone_with_texture(gpu.run_shader(gpu.create_shader(BOX, "box"), frame))


@display_sink(title="What is green")
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
