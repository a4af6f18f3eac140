"""Processors: the program's own code beside the frames, which never wait for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ._handlers import Handler, check_policy, name_of_function
from ._ports import INPUTS, OUTPUTS, PortsGiven, fill

Function = Callable[..., Any]


class Processor(Handler):
    """What :func:`stream_processor` makes of a function."""

    def __init__(self, function: Function, handler_id: str | None, on_error: str) -> None:
        super().__init__(handler_id or name_of_function(function))
        self.__doc__ = function.__doc__
        #: The function.
        self.function = function
        #: ``"stop"`` or ``"bypass"``: what happens when it raises.
        self.on_error = check_policy(on_error)

    @property
    def is_async(self) -> bool:
        """Whether the function is ``async``."""
        from inspect import iscoroutinefunction

        return iscoroutinefunction(self.function)

    def process(self, tick: Any) -> Any:
        """Calls the function; what it returns is awaited where it can be."""
        return self.function(tick, self.inputs, self.outputs)


def stream_processor(
    *,
    inputs: PortsGiven = None,
    outputs: PortsGiven = None,
    handler_id: str | None = None,
    on_error: str = "stop",
) -> Callable[[Function], Processor]:
    """Makes a processor of ``f(tick, inputs, outputs)``, with ``async`` or without.

    It is called when an input has something new, at the runtime's rate when it has no inputs, and never again before it has
    returned. It takes as long as it likes: frames do not wait. An ``async`` function runs in an event loop of the runtime, on a
    thread of its own; a plain function on a thread of its own.

    :param inputs: ports by name: ``{"video": "video", "boxes": "data"}``, ports (``VideoInput("video")``), or names alone,
        which take video.
    :param outputs: likewise; names alone give data.
    :param on_error: ``"stop"``: when it raises, the runtime stops, and ``run`` or ``stop`` raises
        :class:`~streamlib.HandlerError`; ``"bypass"``: it ends, the others go on, and the runtime's ``events`` say so.

    >>> @stream_processor(inputs=["video"], outputs=["brightness"])
    ... def meter(tick, inputs, outputs):
    ...     frame = inputs["video"].read_latest()
    ...     if frame is not None:
    ...         outputs["brightness"].write(float(frame.numpy().mean()) / 255)
    >>> meter.inputs, meter.outputs
    ({video: video}, {brightness: data})
    """

    def decorate(function: Function) -> Processor:
        processor = Processor(function, handler_id, on_error)
        fill(processor.inputs, inputs, INPUTS, "video")
        fill(processor.outputs, outputs, OUTPUTS, "data")
        return processor

    return decorate
