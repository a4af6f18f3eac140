"""Where frames go."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, overload

from ._handlers import Handler
from ._loans import Loans
from ._messages import VideoFrame
from ._ports import VideoInput
from ._uris import APP, display_uri, name_of, path_uri, surface_uri
from .errors import ClosedError

if TYPE_CHECKING:
    from ._streamlib import Outlet

Function = Callable[..., Any]


class Sink(Handler):
    """Takes frames. It has one input, ``video``."""

    def __init__(self, handler_id: str, uri: str) -> None:
        super().__init__(handler_id)
        #: Where they go.
        self.uri = uri
        self.inputs["video"] = VideoInput("video")


class AppSink(Sink):
    """Frames that the program takes out: ``for frame in sink``, or :meth:`read`."""

    def __init__(self, handler_id: str) -> None:
        super().__init__(handler_id, APP)
        self._outlet: Outlet | None = None
        self._loans: Loans | None = None

    def read(self, timeout: float = 0.0) -> VideoFrame | None:
        """The next frame, which is the newest unless it is connected with another ``delivery``. Waits up to ``timeout``
        seconds.

        :raises ClosedError: when its runtime was not started.
        """
        if self._outlet is None or self._loans is None:
            raise ClosedError(f"`{self.handler_id}` has no frames: start its runtime first")
        native = self._outlet.wait(timeout) if timeout > 0 else self._outlet.take()
        return None if native is None else self._loans.lend(native)

    def __iter__(self) -> Iterator[VideoFrame]:
        """Frames as they come, until the graph ends."""
        while True:
            frame = self.read(0.2)
            if frame is not None:
                yield frame
            elif self._outlet is None or self._outlet.closed:
                return


@overload
def display_sink(function: Function) -> Sink: ...
@overload
def display_sink(
    *,
    width: int | None = None,
    height: int | None = None,
    title: str | None = None,
    show_fps: bool = False,
    show_stats: bool | str | os.PathLike[str] = False,
    handler_id: str | None = None,
) -> Callable[[Function], Sink]: ...
def display_sink(
    function: Function | None = None,
    *,
    width: int | None = None,
    height: int | None = None,
    title: str | None = None,
    show_fps: bool = False,
    show_stats: bool | str | os.PathLike[str] = False,
    handler_id: str | None = None,
) -> Sink | Callable[[Function], Sink]:
    """Makes a window of a function, which gives it its name and is never called. It has one input, ``video``.

    :param width: of the window, in pixels; that of the frames by default. As ``height``.
    :param title: what stands in its title; the function's name by default.
    :param show_fps: whether its title tells how many frames a second it shows.
    :param show_stats: whether rate, latency and drops are drawn over the frames; or the file of an effect that draws them.

    It needs a window system (Wayland or X11) when the graph starts: :class:`GraphError` says so where there is none. The graph ends
    when its only sinks were windows and their user has closed them.
    """

    def decorate(function: Function) -> Sink:
        name = handler_id or function.__name__
        return Sink(name, display_uri(title or name, width, height, show_fps, show_stats))

    return decorate if function is None else decorate(function)


def file_sink(path: str | os.PathLike[str], *, handler_id: str | None = None) -> Sink:
    """Writes frames to a file (MP4 with H.264, Y4M), or as pictures (``frame-%04d.png``); ``null:`` only counts them.

    A file appears under its name when the graph has ended, whole.

    >>> file_sink("out.mp4").inputs
    {video: video}
    """
    uri = path_uri(path)
    return Sink(handler_id or f"{name_of(uri)} file", uri)


def surface_sink(
    name: str,
    *,
    access: str | None = None,
    buffers: int | None = None,
    memory: str | None = None,
    handler_id: str | None = None,
) -> Sink:
    """Publishes frames as a surface: other processes of this machine read them where they lie, without a copy.

    :param name: of the surface, for :func:`surface_source`, ``streamlib watch NAME`` and the like.
    :param access: who may open it: ``"user"`` (programs of the same user, the default), ``"group:NUMBER"`` or ``"everyone"``.
    :param buffers: how many frames readers may hold together, 2 to 48; 8 by default.
    :param memory: ``"device"`` (for programs on the same GPU, the default), or ``"dma-buf"`` and ``"dma-buf-linear"``, which other
        drivers and GStreamer import.

    >>> surface_sink("robot/edges", buffers=12).uri
    'surface:robot/edges?buffers=12'
    """
    return Sink(handler_id or f"{name_of(name)} surface", surface_uri(name, access=access, buffers=buffers, memory=memory))


def app_sink(*, handler_id: str = "frames") -> AppSink:
    """Frames that the program takes out itself."""
    return AppSink(handler_id)
