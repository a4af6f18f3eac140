"""The threads of Python beside a graph: one for each processor, and one for each ``every_frame`` effect."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from typing import TYPE_CHECKING, Any

from ._effects import Effect
from ._every_frame import EveryFrame
from ._graph import OBJECTS, Connection, data_port, python_node
from ._handlers import Handler, StreamHandler
from ._messages import DataMessage, VideoFrame
from ._ports import InputPort, OutputPort
from ._processors import Processor
from ._session import Objects, Session, Worker
from .clocks import Ticks
from .errors import ClosedError, HandlerError

if TYPE_CHECKING:
    from ._streamlib import ProcessorEnd

# So long a thread sleeps before it looks whether everything ends, in seconds.
_SLICE = 0.1


def make_workers(session: Session) -> list[Worker]:
    """A worker for each handler that has code to run while frames do."""
    objects: dict[OutputPort, Objects] = {}
    workers: list[Worker] = []
    for handler in session.handlers:
        if isinstance(handler, Effect) and handler.every_frame:
            workers.append(EveryFrame(session, handler, session.live.end(python_node(handler))))
        elif isinstance(handler, (Processor, StreamHandler)):
            workers.append(ProcessorWorker(session, handler, objects))
    return workers


class ProcessorWorker(Worker):
    """Hands a processor what comes in, and sends what it writes."""

    def __init__(self, session: Session, handler: Handler, objects: dict[OutputPort, Objects]) -> None:
        super().__init__(session, handler, f"streamlib {handler.handler_id}")
        is_node = handler.handler_id in session.built.processors
        self._end: ProcessorEnd | None = session.live.end(handler.handler_id) if is_node else None
        self._inputs: list[tuple[InputPort[Any], Objects | None]] = []
        self._waiting: Future[Any] | None = None
        self._newest_ns: int | None = None
        for connection in session.connections:
            if connection.input.handler is handler:
                carried = objects.setdefault(connection.output, Objects()) if connection.input.kind == "data" else None
                connection.input._hold(_bound(connection))
                self._inputs.append((connection.input, carried))
        for port in handler.outputs.values():
            readers = [connection for connection in session.connections if connection.output is port]
            port._send = self._video_out(port, readers) if port.kind == "video" else self._data_out(port, readers, objects)

    def serve(self) -> None:
        handler = self.handler
        try:
            if isinstance(handler, StreamHandler):
                self._call(handler.on_start, "in on_start")
            ticks = Ticks(self.session.clock)
            while self._await_turn():
                tick = ticks.next()
                self._call(lambda: handler.process(tick), f"at tick {tick.frame_number}")
        finally:
            if isinstance(handler, StreamHandler):
                self._call(handler.on_stop, "in on_stop", is_last=True)

    def cancel(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()

    def _await_turn(self) -> bool:
        """Waits until there is something to do; ``False`` when there never will be."""
        if not self._inputs or self._end is None:
            return self.session.sleep(1.0 / self.session.clock.fps)
        while not self.session.is_over():
            if self._refill():
                return True
            if self._end.closed:
                return False
            # Without something new, what is there is what nobody has room for.
            if self._end.wait(_SLICE) and not self._refill_would_help():
                self.session.sleep(1.0 / self.session.clock.fps)
                return True
        return False

    def _refill_would_help(self) -> bool:
        return all(port._has_room() for port, _ in self._inputs)

    def _refill(self) -> bool:
        """Moves what has come to the ports; whether that was anything."""
        assert self._end is not None
        is_new = False
        for port, objects in self._inputs:
            while port._has_room():
                item = self._end.take(port.name)
                if item is None:
                    break
                self._newest_ns = item.captured_ns if objects is None else self._newest_ns
                found = self.session.frame(item) if objects is None else objects.get(item.value)  # type: ignore[union-attr,arg-type]
                if found is not None:
                    port._unread.append(found)
                    is_new = True
                if port._unread.maxlen == 1:
                    break
        return is_new

    def _call(self, call: Callable[[], Any], doing: str, is_last: bool = False) -> None:
        """Calls code of the program, and awaits what it returns where that can be awaited."""
        try:
            result = call()
            if hasattr(result, "__await__"):
                import asyncio

                self._waiting = asyncio.run_coroutine_threadsafe(result, self.session.loop())
                self._waiting.result()
        except CancelledError:
            if not self.session.is_over():
                raise
        except ClosedError:
            if not self.session.is_over():
                raise
        except Exception as error:
            raise HandlerError(self.handler.handler_id, doing, error) from error
        finally:
            self._waiting = None

    def _data_out(
        self, port: OutputPort, readers: list[Connection], objects: dict[OutputPort, Objects]
    ) -> Callable[[Any], None]:
        to_parameters = any(isinstance(connection.input.handler, Effect) for connection in readers)
        to_processors = any(not isinstance(connection.input.handler, Effect) for connection in readers)
        carried = objects.setdefault(port, Objects())
        names = {data_port(connection) for connection in readers}
        assert self._end is not None or not names

        def send(item: Any) -> None:
            message = item if isinstance(item, DataMessage) else DataMessage(item)
            captured_ns = self._captured_ns(message.timestamp)
            if message.timestamp is None and captured_ns is not None:
                message.timestamp = (captured_ns - self.session.start_ns(captured_ns)) / 1e9
            if to_parameters and self._end is not None:
                value = message.data.tolist() if hasattr(message.data, "tolist") else message.data
                self._end.send(port.name, value, captured_ns)
            if to_processors and self._end is not None:
                self._end.send(f"{port.name}{OBJECTS}", carried.put(message), captured_ns)

        return send

    def _video_out(self, port: OutputPort, readers: list[Connection]) -> Callable[[Any], None]:
        if not readers:
            return lambda item: None
        inlet = self.session.inlet(self.handler, port.name)

        def send(item: Any) -> None:
            if isinstance(item, VideoFrame):
                inlet.push(item.data, item.metadata.get("captured_ns"))
            else:
                inlet.push(item, None)

        return send

    def _captured_ns(self, timestamp: float | None) -> int | None:
        """When what a message is about was captured: as it says, else as the newest frame that was read."""
        if timestamp is None or self.session._start_ns is None:
            return self._newest_ns
        return self.session._start_ns + round(timestamp * 1e9)


def _bound(connection: Connection) -> int:
    if connection.delivery in ("every", "lossless"):
        return connection.bound or 4
    return 1
