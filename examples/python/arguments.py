"""What every example here takes on its command line."""

from __future__ import annotations

import argparse

from streamlib import Handler, Source, file_sink, video_source


def arguments(description: str | None) -> argparse.Namespace:
    """`--source`, `--output` and `--frames`, so that an example also runs where there is no camera and no window."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--source", help="a file, or generate:scene, instead of the first camera")
    parser.add_argument("--output", help="a file to write, instead of a window: out.mp4, frame-%%04d.png")
    parser.add_argument("--frames", type=int, help="how many frames to run; until Ctrl-C by default")
    parser.add_argument("--size", type=int, nargs=2, default=(1280, 720), help="width and height of a generated source")
    return parser.parse_args()


def source_of(options: argparse.Namespace, camera: Source) -> Source:
    """The source that was asked for, else the camera."""
    if options.source is None:
        return camera
    is_generated = options.source.startswith("generate:")
    return video_source(options.source, handler_id="camera", size=tuple(options.size) if is_generated else None)


def sink_of(options: argparse.Namespace, display: Handler) -> Handler:
    """The file that was asked for, else the window."""
    return display if options.output is None else file_sink(options.output, handler_id="display")
