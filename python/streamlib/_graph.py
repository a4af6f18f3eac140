"""Turns handlers and connections into a graph of the core's: plain data."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from ._effect import Effect
from ._handlers import Handler
from ._ports import InputPort, OutputPort
from ._sinks import Sink
from ._sources import Source
from ._trace import Ref, Step
from ._uris import APP
from .errors import GraphError

# A processor's output that carries objects of Python goes through the core as this port; its messages are keys.
OBJECTS = " objects"
#: Name of the port at which an `every_frame` function sees its frames.
SEEN = "video"

Link = dict[str, Any]


class Connection(NamedTuple):
    """An output, the input that it goes to, and what happens when frames come too fast."""

    output: OutputPort
    input: InputPort[Any]
    delivery: str | None
    bound: int | None

    def waiting(self) -> int:
        """How many frames or messages may wait at the input of a program's own code."""
        return (self.bound or 4) if self.delivery in ("every", "lossless") else 1


class Built(NamedTuple):
    """A graph, and what is needed to run it."""

    graph: dict[str, Any]
    #: Ports of processors, as the core wants them.
    processors: dict[str, tuple[dict[str, str], dict[str, str], bool]]
    #: Textures that stay the same, by the source that they are pushed into.
    constants: dict[str, Any]


def python_node(effect: Effect) -> str:
    """The node that calls an ``every_frame`` function."""
    return f"{effect.handler_id}:python"


def output_source(handler: Handler, port: str) -> str:
    """The source that a processor's frames are pushed into."""
    return f"{handler.handler_id}:{port}"


def build(handlers: Sequence[Handler], connections: Sequence[Connection], size: tuple[int, int], fps: float) -> Built:
    """The graph of a program.

    :raises GraphError: when an input is free.
    """
    return _Builder(handlers, connections, size, fps).build()


class _Builder:
    def __init__(
        self, handlers: Sequence[Handler], connections: Sequence[Connection], size: tuple[int, int], fps: float
    ) -> None:
        self.handlers, self.connections, self.size, self.fps = handlers, connections, size, fps
        self.nodes: dict[str, dict[str, Any]] = {}
        self.processors: dict[str, tuple[dict[str, str], dict[str, str], bool]] = {}
        self.constants: dict[str, Any] = {}

    def build(self) -> Built:
        for handler in self.handlers:
            if isinstance(handler, Effect) and handler.every_frame:
                handler.expect(self._frame_size(self._incoming(handler.inputs["video"])))
        for handler in self.handlers:
            if isinstance(handler, Source):
                self.nodes[handler.handler_id] = handler.node(self.size, self.fps)
            elif isinstance(handler, Effect):
                self._effect(handler)
            elif isinstance(handler, Sink):
                link = self._link(self._incoming(handler.inputs["video"]))
                self.nodes[handler.handler_id] = {"sink": handler.uri, "inputs": {"input": link}}
            else:
                self._processor(handler)
        # Shaders that were connected to by parameter come last, when all nodes are there.
        for connection in self.connections:
            if isinstance(connection.input.handler, Effect) and connection.input.kind == "data":
                for node, parameter in connection.input.handler.targets(connection.input.name):
                    self.nodes[node].setdefault("inputs", {})[parameter] = self._origin(connection.output)
        return Built({"nodes": self.nodes}, self.processors, self.constants)

    def _incoming(self, port: InputPort[Any]) -> Connection:
        found = next((connection for connection in self.connections if connection.input is port), None)
        if found is None:
            name = port.handler.handler_id if port.handler else "?"
            raise GraphError(
                f"nothing is connected to {port.describe()}: "
                f"`runtime.connect(camera.outputs['video'], {name}.inputs['{port.name}'])`"
            )
        return found

    def _origin(self, output: OutputPort, seen: tuple[Handler, ...] = ()) -> str:
        """Where frames or messages come from, as graphs name it."""
        handler = output.handler
        assert handler is not None
        if isinstance(handler, Effect):
            trace = handler.trace()
            if handler in seen:
                raise GraphError(f"the effects {', '.join(h.handler_id for h in seen)} wait for each other")
            if trace.result.kind == "step":
                return trace.nodes[trace.result.of]
            if trace.result.kind == "constant":
                return self._constant(handler, trace.result.of)
            # It gives its input on.
            return self._origin(self._incoming(handler.inputs["video"]).output, (*seen, handler))
        if isinstance(handler, Source):
            return handler.handler_id
        if output.kind == "video":
            return output_source(handler, output.name)
        return f"{handler.handler_id}.{output.name}"

    def _link(self, connection: Connection, delay: int = 0) -> Any:
        origin = self._origin(connection.output)
        extra = {"delay": delay or None, "delivery": connection.delivery, "bound": connection.bound}
        extra = {name: value for name, value in extra.items() if value is not None}
        return {"from": origin, **extra} if extra else origin

    def _effect(self, effect: Effect) -> None:
        trace = effect.trace()
        settings = effect.start_settings()
        frame = self._incoming(effect.inputs["video"])
        for step, node in zip(trace.steps, trace.nodes):
            inputs = {name: self._ref(effect, ref, frame) for name, ref in step.inputs.items()}
            made: dict[str, Any] = {"hlsl": step.shader.hlsl, "inputs": inputs, "set": settings[node]}
            made |= self._size(effect, step, frame)
            if step.format != "rgba8":
                made["format"] = step.format
            self.nodes[node] = made
        if effect.every_frame:
            node = python_node(effect)
            link = {"from": self._origin(frame.output), "delivery": "latest"}
            self.nodes[node] = {"processor": node, "inputs": {SEEN: link}}
            self.processors[node] = ({SEEN: "video"}, {}, False)

    def _ref(self, effect: Effect, ref: Ref, frame: Connection) -> Any:
        if ref.kind == "frame":
            return self._link(frame, ref.delay)
        if ref.kind == "constant":
            return self._constant(effect, ref.of)
        node = effect.trace().nodes[ref.of]
        return {"from": node, "delay": ref.delay} if ref.delay else node

    def _constant(self, effect: Effect, index: int) -> str:
        texture = effect.trace().constants[index]
        node = f"{effect.handler_id}:texture_{index + 1}"
        self.constants[node] = texture
        self.nodes[node] = {"source": APP, "size": [texture.width, texture.height]}
        return node

    def _size(self, effect: Effect, step: Step, frame: Connection) -> dict[str, Any]:
        if isinstance(step.size, tuple):
            return {"size": list(step.size)}
        if isinstance(step.main_size, float):
            scale = step.size / step.main_size
            return {} if scale == 1 else {"scale": scale}
        if step.main_size is None:
            # No picture of this frame to be as large as.
            width, height = self._frame_size(frame)
            return {"size": [math.ceil(width * step.size), math.ceil(height * step.size)]}
        raise GraphError(
            f"`{effect.handler_id}`: shader `{step.shader.name}` reads a texture of a fixed size and writes one that "
            "follows the frame: give both a fixed size, or neither"
        )

    def _frame_size(self, frame: Connection) -> tuple[int, int]:
        """How large the frames of a connection are: as the source says, else as the runtime does."""
        handler = frame.output.handler
        if isinstance(handler, Effect):
            trace = handler.trace()
            before = self._frame_size(self._incoming(handler.inputs["video"]))
            size = trace.steps[trace.result.of].size if trace.result.kind == "step" else 1.0
            return size if isinstance(size, tuple) else (math.ceil(before[0] * size), math.ceil(before[1] * size))
        return (handler.size if isinstance(handler, Source) else None) or self.size

    def _processor(self, handler: Handler) -> None:
        incoming = [connection for connection in self.connections if connection.input.handler is handler]
        outgoing = [connection for connection in self.connections if connection.output.handler is handler]
        inputs: dict[str, Any] = {}
        for connection in incoming:
            link = self._link(connection)
            if connection.input.kind == "data":
                link = (
                    {"from": f"{link}{OBJECTS}"}
                    if isinstance(link, str)
                    else {**link, "from": f"{link['from']}{OBJECTS}"}
                )
            inputs[connection.input.name] = link
        kinds = {connection.input.name: connection.input.kind for connection in incoming}
        outputs = {data_port(connection): "data" for connection in outgoing if connection.output.kind == "data"}
        for port in _video_outputs(outgoing):
            size = getattr(port, "size", None) or self.size
            self.nodes[output_source(handler, port.name)] = {"source": APP, "size": list(size)}
        if inputs or outputs:
            self.nodes[handler.handler_id] = {"processor": handler.handler_id, "inputs": inputs}
            self.processors[handler.handler_id] = (kinds, outputs, False)


def data_port(connection: Connection) -> str:
    """The core's name of the output of a data connection: parameters take values, processors take objects."""
    name = connection.output.name
    return name if isinstance(connection.input.handler, Effect) else f"{name}{OBJECTS}"


def _video_outputs(outgoing: Iterable[Connection]) -> list[OutputPort]:
    found = {connection.output.name: connection.output for connection in outgoing if connection.output.kind == "video"}
    return list(found.values())
