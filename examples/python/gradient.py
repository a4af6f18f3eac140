"""Shows a gradient that a shader draws: a source without a camera."""

from pathlib import Path

from arguments import arguments, sink_of

from streamlib import StreamRuntime, display_sink, video_source

options = arguments(__doc__)
gradient = video_source(Path(__file__).parent / "gradient.hlsl", size=tuple(options.size), fps=60)


@display_sink(title="Gradient")
def display():
    """A window."""


if __name__ == "__main__":
    sink = sink_of(options, display)
    runtime = StreamRuntime()
    runtime.connect(gradient.outputs["video"], sink.inputs["video"])
    runtime.run_blocking(frames=options.frames)
