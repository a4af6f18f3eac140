"""What goes through ports: frames and messages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._streamlib import Frame, Texture


class VideoFrame:
    """A picture in GPU memory, and when it was taken.

    ``data`` is a :class:`~streamlib.Texture`; ``width`` and ``height`` are in pixels, and its own where they are not given.
    ``timestamp`` is in seconds and counts from the first frame of the graph, as ``time`` does in shaders.
    """

    __slots__ = ("__weakref__", "data", "frame_number", "height", "metadata", "timestamp", "width")

    def __init__(
        self,
        data: Any,
        timestamp: float = 0.0,
        frame_number: int = 0,
        width: int | None = None,
        height: int | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        #: The texture, or an array of the shape (height, width, 4).
        self.data = data
        #: Seconds since the graph's first frame.
        self.timestamp = timestamp
        #: The frame's number in its source, from 0.
        self.frame_number = frame_number
        if width is None or height is None:
            height, width = data.shape[0], data.shape[1]
        #: Pixels per row.
        self.width = width
        #: Rows.
        self.height = height
        #: What else is known; ``captured_ns`` is the time of capture on the system's monotonic clock.
        self.metadata: dict[str, Any] = dict(metadata or {})

    @classmethod
    def of(cls, frame: Frame, seconds: float) -> VideoFrame:
        """A frame of the core's, captured so long after the graph's first one."""
        metadata = {"captured_ns": frame.captured_ns}
        return cls(frame.texture, seconds, frame.sequence, frame.width, frame.height, metadata)

    @property
    def texture(self) -> Texture:
        """``data``, by its other name."""
        texture: Texture = self.data
        return texture

    @property
    def time(self) -> float:
        """``timestamp``, as shaders call it."""
        return self.timestamp

    def clone_with_texture(self, texture: Any) -> VideoFrame:
        """This frame with another picture: its times, number and metadata stay."""
        return VideoFrame(texture, self.timestamp, self.frame_number, metadata=self.metadata)

    def copy(self) -> VideoFrame:
        """This frame with a texture of its own, to be kept."""
        from .gpu import GPUContext

        return self.clone_with_texture(GPUContext().copy(self.data))

    def numpy(self) -> Any:
        """A copy in host memory: a NumPy array of the shape (height, width, channels)."""
        return self.data.numpy()

    def __repr__(self) -> str:
        return f"VideoFrame({self.width}x{self.height}, number {self.frame_number}, {self.timestamp:.3f} s)"

    def _repr_png_(self) -> bytes:
        png: bytes = self.data.png()
        return png


class DataMessage:
    """A value from a processor, and the time of what it is about.

    Between processors ``data`` may be any object. To a parameter of an effect go numbers, flags, and lists of them.
    """

    __slots__ = ("data", "data_type", "metadata", "timestamp")

    def __init__(
        self,
        data: Any,
        timestamp: float | None = None,
        data_type: str = "",
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        #: The value.
        self.data = data
        #: Seconds since the graph's first frame, of the frame that it is about.
        self.timestamp = timestamp
        #: What kind of value it is, for whoever reads it.
        self.data_type = data_type
        #: What else is known.
        self.metadata: dict[str, Any] = dict(metadata or {})

    def __repr__(self) -> str:
        when = "" if self.timestamp is None else f", {self.timestamp:.3f} s"
        return f"DataMessage({self.data!r}{when})"
