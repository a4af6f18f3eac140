"""Shows the camera in a window."""

import asyncio

from arguments import arguments, sink_of, source_of

from streamlib import Stream, StreamRuntime, camera_source, display_sink

options = arguments(__doc__)


@camera_source(device_id=None)
def camera():
    """The first camera. The function only gives it its name."""


@display_sink(title="Camera")
def display():
    """A window."""


async def main() -> None:
    source, sink = source_of(options, camera), sink_of(options, display)
    runtime = StreamRuntime(fps=30)
    runtime.add_stream(Stream(source))
    runtime.add_stream(Stream(sink))
    runtime.connect(source.outputs["video"], sink.inputs["video"])
    await runtime.run(frames=options.frames)


if __name__ == "__main__":
    asyncio.run(main())
