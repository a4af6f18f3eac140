"""Where frames come from."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, overload

from ._handlers import Handler
from ._messages import VideoFrame
from ._ports import VideoOutput
from ._uris import APP, camera_uri, is_generated, name_of, path_uri, surface_uri
from .errors import ClosedError

Function = Callable[..., Any]


class Source(Handler):
    """Gives frames. It has one output, ``video``."""

    def __init__(
        self,
        handler_id: str,
        uri: str,
        *,
        size: tuple[int, int] | None = None,
        fps: float | None = None,
        frames: int | None = None,
    ) -> None:
        super().__init__(handler_id)
        #: What it reads: a file, ``camera:``, ``generate:scene``.
        self.uri = uri
        self.size, self.fps, self.frames = size, fps, frames
        self.outputs["video"] = VideoOutput("video")

    def node(self, size: tuple[int, int], fps: float) -> dict[str, Any]:
        """As a node of a graph; a generated source has these where it has none of its own."""
        if is_generated(self.uri):
            size, rate = self.size or size, self.fps or fps
            asked = {"size": list(size), "fps": rate, "frames": self.frames}
        else:
            asked = {"size": list(self.size) if self.size else None, "fps": self.fps, "frames": self.frames}
        return {"source": self.uri} | {name: value for name, value in asked.items() if value is not None}


class AppSource(Source):
    """Frames that the program pushes in."""

    def __init__(self, handler_id: str, size: tuple[int, int], fps: float | None) -> None:
        super().__init__(handler_id, APP, size=size, fps=fps)
        self._inlet: Any = None

    def push(self, picture: Any, timestamp_ns: int | None = None) -> bool:
        """Pushes a frame: a texture, or an array of the shape (height, width, 4) and the type uint8.

        :param timestamp_ns: when it was captured (``time.monotonic_ns()``), nanoseconds; now by default.
        :return: ``False`` when the engine is behind and may not lose a frame: push it again later.
        :raises ClosedError: when the graph does not run.
        :raises ValueError: when size or type do not fit.
        """
        if self._inlet is None:
            raise ClosedError(f"`{self.handler_id}` has nowhere to push to: start its runtime first")
        picture = picture.data if isinstance(picture, VideoFrame) else picture
        is_taken: bool = self._inlet.push(picture, timestamp_ns)
        return is_taken


@overload
def camera_source(function: Function) -> Source: ...
@overload
def camera_source(
    *, device_id: str | int | None = None, source: str | os.PathLike[str] | None = None, handler_id: str | None = None
) -> Callable[[Function], Source]: ...
def camera_source(
    function: Function | None = None,
    *,
    device_id: str | int | None = None,
    source: str | os.PathLike[str] | None = None,
    handler_id: str | None = None,
) -> Source | Callable[[Function], Source]:
    """Makes a camera of a function, which gives it its name and is never called. It has one output, ``video``.

    :param device_id: which camera: a number, or a path such as ``/dev/video2``; the first one by default.
    :param source: what to read in the camera's place: a file, ``generate:scene``, ``generate:bars``.

    >>> @camera_source(source="generate:bars")
    ... def camera():
    ...     '''Colour bars, where there is no camera.'''
    >>> camera.outputs
    {video: video}
    """

    def decorate(function: Function) -> Source:
        uri = camera_uri(device_id) if source is None else path_uri(source)
        return Source(handler_id or function.__name__, uri)

    return decorate if function is None else decorate(function)


def video_source(
    source: str | os.PathLike[str],
    *,
    handler_id: str | None = None,
    size: tuple[int, int] | None = None,
    fps: float | None = None,
    frames: int | None = None,
) -> Source:
    """Frames from a file, a sequence of pictures (``frame-%04d.png``), ``camera:``, ``generate:scene`` or an HLSL file.

    :param size: width and height in pixels, of a generated source; the runtime's by default.
    :param fps: frames a second, of a generated source; the runtime's by default.
    :param frames: how many to take at most.

    >>> video_source("clips/cat.mp4").handler_id
    'cat'
    """
    uri = path_uri(source)
    return Source(handler_id or name_of(uri), uri, size=size, fps=fps, frames=frames)


def app_source(width: int, height: int, *, fps: float | None = None, handler_id: str = "app") -> AppSource:
    """Frames that the program pushes in with :meth:`AppSource.push`, of this size in pixels.

    :param fps: how many a second are expected, for what is written to files.
    """
    return AppSource(handler_id, (width, height), fps)


def surface_source(
    name: str, *, wait: float | None = None, frames: int | None = None, handler_id: str | None = None
) -> Source:
    """Frames of a surface that another process of this machine publishes (:func:`surface_sink`, ``-o surface:NAME``), without a copy.

    Its publisher may end and come back: frames go on when it does, in the size that they had first.

    :param name: of the surface, as ``streamlib surfaces`` lists it.
    :param wait: how long the start waits for the surface and its first frame, seconds, 0 to 86400; 5 by default.
    :param frames: how many to take at most.

    >>> surface_source("robot/front").uri
    'surface:robot/front'
    """
    return Source(handler_id or f"{name_of(name)} surface", surface_uri(name, wait=wait), frames=frames)
