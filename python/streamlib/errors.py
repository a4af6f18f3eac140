"""Every exception that this package raises on purpose.

All of them are :class:`StreamlibError`, so one ``except`` catches what is streamlib's. A message says what was asked, what
was found and what to do.

>>> issubclass(TraceError, StreamlibError) and issubclass(HandlerError, StreamlibError)
True
"""

from ._streamlib import (
    ClosedError,
    CompileError,
    DeviceError,
    ForkedError,
    GraphError,
    StreamlibError,
)

__all__ = [
    "ClosedError",
    "CompileError",
    "DeviceError",
    "EffectChanged",
    "ForkedError",
    "GraphError",
    "HandlerError",
    "StreamlibError",
    "TraceError",
]


class TraceError(StreamlibError):
    """A traced function asked for something that only a frame has, such as the number behind ``frame.time``."""


class EffectChanged(TraceError):
    """An ``every_frame`` function did other operations than in its first call; only the values may differ."""


class HandlerError(StreamlibError):
    """An exception in the program's own code: a traced function, an ``every_frame`` function or a processor.

    ``__cause__`` is the original with its traceback, ``handler_id`` names the handler.
    """

    def __init__(self, handler_id: str, doing: str, cause: BaseException) -> None:
        super().__init__(f"`{handler_id}` raised {type(cause).__name__} {doing}: {cause}")
        self.handler_id = handler_id
        self.__cause__ = cause


def explain_tracing(asked: str) -> TraceError:
    """The error for a concrete value that a trace does not have. ``asked`` is what was asked for, as code."""
    return TraceError(
        f"{asked} asks for the value of one frame, but this function is traced: it is called once, before there are frames, "
        "and runs on the GPU from then on. Compute with an expression (`frame.time * 2`, `streamlib.math.sin(frame.time)`), "
        "set `effect.params.NAME` while it runs, or have it called for each frame with `@video_effect(every_frame=True)`"
    )
