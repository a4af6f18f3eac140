"""A ball that bounces over the camera. Its state lives in Python; the frames do not wait for it."""

import asyncio

from arguments import arguments, sink_of, source_of

from streamlib import StreamRuntime, camera_source, display_sink, video_effect

options = arguments(__doc__)

BALL = """
Texture2D<float4> input;
RWTexture2D<float4> output;
float2 ball;
float radius;

[numthreads(8, 8, 1)]
void main(uint3 id : SV_DispatchThreadID) {
    float2 from_ball = id.xy + 0.5 - ball;
    float inside = saturate(radius - length(from_ball) + 0.5);
    float3 light = lerp(float3(1.0, 0.35, 0.2), 1.0, saturate(0.5 - length(from_ball + 0.35 * radius) / radius));
    float4 camera = input[id.xy];
    output[id.xy] = float4(lerp(camera.rgb, light, inside), camera.a);
}
"""


class Ball:
    """A ball under gravity. Lengths are in heights of the picture, times in seconds."""

    radius = 0.1

    def __init__(self) -> None:
        self.x, self.y = 0.3, 0.3
        self.vx, self.vy = 0.5, 0.0
        self.time = 0.0

    def move(self, time: float, width: float) -> None:
        step, self.time = min(time - self.time, 0.1), time
        self.vy += 1.5 * step
        self.x += self.vx * step
        self.y += self.vy * step
        if not self.radius <= self.x <= width - self.radius:
            self.x, self.vx = min(max(self.x, self.radius), width - self.radius), -self.vx
        if self.y > 1 - self.radius:
            self.y, self.vy = 1 - self.radius, -0.95 * abs(self.vy)


@camera_source
def camera():
    """The first camera."""


@video_effect(every_frame=True)
def bouncing_ball(frame, gpu):
    """Draws the ball where it is at the time of the frame."""
    if not hasattr(bouncing_ball, "ball"):
        bouncing_ball.ball = Ball()
        bouncing_ball.pipeline = gpu.create_compute_pipeline(BALL, name="ball")
    ball, height = bouncing_ball.ball, frame.height
    ball.move(frame.time, frame.width / height)
    output = gpu.create_texture(frame.width, frame.height)
    where = {"ball": (ball.x * height, ball.y * height), "radius": ball.radius * height}
    gpu.run_compute(bouncing_ball.pipeline, input=frame.data, output=output, **where)
    return frame.clone_with_texture(output)


@display_sink(title="Bouncing ball", show_fps=True)
def display():
    """A window."""


async def main() -> None:
    source, sink = source_of(options, camera), sink_of(options, display)
    runtime = StreamRuntime(fps=60)
    runtime.connect(source.outputs["video"], bouncing_ball.inputs["video"])
    runtime.connect(bouncing_ball.outputs["video"], sink.inputs["video"])
    await runtime.run(frames=options.frames)


if __name__ == "__main__":
    asyncio.run(main())
