"""Handlers: the parts of a program that are connected by their ports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._ports import InputPort, OutputPort, Ports
from .clocks import TimedTick
from .errors import GraphError

if TYPE_CHECKING:
    from ._session import Session


class Handler:
    """A part of a program: a source, an effect, a processor or a sink. What a decorator returns is one.

    Any attribute may be set on it.
    """

    inputs: Ports[InputPort[Any]]
    outputs: Ports[OutputPort]

    def __init__(self, handler_id: str) -> None:
        if not handler_id or "." in handler_id:
            raise GraphError(
                f"{handler_id!r} is no name for a handler: it is not empty and has no point; give `handler_id=`"
            )
        #: Its name in graphs, errors and statistics.
        self.handler_id = handler_id
        self.inputs = Ports(self, "input")
        self.outputs = Ports(self, "output")
        #: What runs it, while it runs.
        self._session: Session | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.handler_id}>"

    # Programs keep their own state on handlers (`bouncing_ball.velocity = ...`).
    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...

        def __setattr__(self, name: str, value: Any) -> None: ...


class StreamHandler(Handler):
    """Code that runs beside the frames, as a class: put ports into ``inputs`` and ``outputs``, and write :meth:`process`.

    >>> class Meter(StreamHandler):
    ...     def __init__(self) -> None:
    ...         super().__init__("meter")
    ...         self.inputs["video"] = VideoInput("video")
    ...         self.outputs["brightness"] = DataOutput("brightness")
    ...
    ...     async def process(self, tick: TimedTick) -> None:
    ...         frame = self.inputs["video"].read_latest()
    ...         if frame is not None:
    ...             self.outputs["brightness"].write(float(frame.numpy().mean()) / 255)
    >>> Meter().inputs
    {video: video}
    """

    #: What happens when its code raises: ``"stop"`` the runtime, or ``"bypass"``: this handler ends, the others go on.
    on_error: str = "stop"

    def __init__(self, handler_id: str | None = None) -> None:
        super().__init__(handler_id or type(self).__name__)

    async def process(self, tick: TimedTick) -> None:
        """Called when an input has something new; at the runtime's rate when there are no inputs. Takes as long as it likes:
        frames never wait for it."""
        raise NotImplementedError(f"`{self.handler_id}`: write `async def process(self, tick)`")

    async def on_start(self) -> None:
        """Called once, before the first :meth:`process`."""

    async def on_stop(self) -> None:
        """Called once, after the last :meth:`process`, also when that raised."""


def name_of_function(function: object) -> str:
    """What a handler is called that has no name of its own."""
    return str(getattr(function, "__name__", type(function).__name__))


def check_policy(on_error: str) -> str:
    """``on_error`` as decorators take it.

    :raises ValueError: when it is another word.
    """
    if on_error not in ("stop", "bypass"):
        raise ValueError(f'`on_error` is "stop" or "bypass", not {on_error!r}')
    return on_error
