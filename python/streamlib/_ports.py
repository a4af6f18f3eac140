"""Ports: where frames and messages go into a handler and come out of it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, Union

from ._messages import DataMessage, VideoFrame
from .errors import ClosedError

if TYPE_CHECKING:
    from ._handlers import Handler

Item = TypeVar("Item")


class Port:
    """An input or an output of a handler: its name, and what goes through it."""

    #: ``"video"`` for frames, ``"data"`` for messages.
    kind: ClassVar[str]
    #: ``"input"`` or ``"output"``.
    direction: ClassVar[str]

    def __init__(self, name: str) -> None:
        #: Unique among the inputs or the outputs of its handler.
        self.name = name
        #: Whose it is, from the moment that it is put into ``inputs`` or ``outputs``.
        self.handler: Handler | None = None

    def describe(self) -> str:
        """As code names it, with its type: ``camera.outputs['video'] (video)``."""
        owner = self.handler.handler_id if self.handler else "?"
        return f"{owner}.{self.direction}s['{self.name}'] ({self.kind})"

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.describe()}>"


class InputPort(Port, Generic[Item]):
    """Where a processor reads. An item is given once: what was read is not there a second time."""

    direction = "input"

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._unread: deque[Item] = deque(maxlen=1)

    def read_latest(self) -> Item | None:
        """The newest item that was not read yet; older ones are skipped. ``None`` when nothing has come since the last read."""
        newest = None
        while self._unread:
            newest = self._unread.popleft()
        return newest

    def read_all(self) -> list[Item]:
        """Every item that was not read yet, oldest first. How many are kept depends on how the port is connected: the newest
        by default, ``bound`` of them with ``delivery="every"``."""
        items = []
        while self._unread:
            items.append(self._unread.popleft())
        return items

    def _hold(self, bound: int) -> None:
        self._unread = deque(maxlen=bound)

    def _has_room(self) -> bool:
        # With room for one only, the newest takes the place of the one before.
        return self._unread.maxlen == 1 or len(self._unread) < (self._unread.maxlen or 1)


class OutputPort(Port):
    """Where a processor writes."""

    direction = "output"

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._send: Callable[[Any], None] | None = None

    def write(self, item: Any) -> None:
        """Sends an item to whatever is connected. What has no reader is dropped.

        :raises ClosedError: when the graph does not run.
        """
        if self._send is None:
            raise ClosedError(f"{self.describe()} has nowhere to write to: its runtime does not run")
        self._send(item)


class VideoInput(InputPort[VideoFrame]):
    """Takes frames."""

    kind = "video"


class DataInput(InputPort[DataMessage]):
    """Takes messages."""

    kind = "data"


class VideoOutput(OutputPort):
    """Gives frames: a :class:`~streamlib.VideoFrame`, a texture, or an array of the shape (height, width, 4) and the type
    uint8.

    :param size: their width and height in pixels; the runtime's by default. A frame is dropped when the engine is behind.
    """

    kind = "video"

    def __init__(self, name: str, size: tuple[int, int] | None = None) -> None:
        super().__init__(name)
        self.size = size


class DataOutput(OutputPort):
    """Gives messages: a :class:`~streamlib.DataMessage`, or its ``data`` alone."""

    kind = "data"


AnyPort = TypeVar("AnyPort", bound=Port)


class Ports(MutableMapping[str, AnyPort]):
    """The inputs or the outputs of a handler, by name."""

    def __init__(self, handler: Handler, direction: str) -> None:
        self._handler, self._direction = handler, direction
        self._ports: dict[str, AnyPort] = {}

    def __getitem__(self, name: str) -> AnyPort:
        port = self._ports.get(name) or self._find(name)
        if port is None:
            known = ", ".join([*self._ports, *self._more()]) or "none"
            raise KeyError(f"`{self._handler.handler_id}` has no {self._direction} {name!r}; it has: {known}")
        return port

    def _find(self, name: str) -> AnyPort | None:
        """A port that is made when it is first asked for."""
        return None

    def _more(self) -> Sequence[str]:
        """Names that would be found."""
        return ()

    def __setitem__(self, name: str, port: AnyPort) -> None:
        if not isinstance(port, Port) or port.direction != self._direction:
            raise TypeError(f"`{self._handler.handler_id}`: {port!r} is no {self._direction} port")
        if port.handler not in (None, self._handler):
            raise ValueError(f"{port.describe()} is a port of another handler already: make a new one")
        port.name, port.handler = name, self._handler
        self._ports[name] = port

    def __delitem__(self, name: str) -> None:
        del self._ports[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._ports)

    def __len__(self) -> int:
        return len(self._ports)

    def __repr__(self) -> str:
        return f"{{{', '.join(f'{name}: {port.kind}' for name, port in self._ports.items())}}}"


PortsGiven = Union[Mapping[str, object], Sequence[object], None]


def fill(ports: Ports[AnyPort], given: PortsGiven, kinds: Mapping[str, type[AnyPort]], usual: str) -> None:
    """Makes ports of what a decorator was given: names, ``{name: port or kind}``, or ports."""
    if given is None:
        return
    pairs = given.items() if isinstance(given, Mapping) else [(_name(item), item) for item in given]
    for name, what in pairs:
        kind = usual if isinstance(what, str) and not isinstance(given, Mapping) else what
        if isinstance(kind, str) and kind in kinds:
            ports[name] = kinds[kind](name)
        elif isinstance(kind, type) and issubclass(kind, Port):
            ports[name] = kind(name)  # type: ignore[assignment]  # checked where it is put
        elif isinstance(kind, Port):
            ports[name] = kind  # type: ignore[assignment]  # checked where it is put
        else:
            known = " or ".join(repr(kind) for kind in kinds)
            raise TypeError(f"port {name!r}: give {known}, a port class or a port, not {what!r}")


def _name(item: object) -> str:
    if isinstance(item, Port):
        return item.name
    if isinstance(item, str):
        return item
    raise TypeError(f"a list of ports holds names and ports, not {item!r}")


INPUTS: dict[str, type[InputPort[Any]]] = {"video": VideoInput, "data": DataInput}
OUTPUTS: dict[str, type[OutputPort]] = {"video": VideoOutput, "data": DataOutput}
