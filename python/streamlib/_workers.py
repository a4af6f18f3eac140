"""The threads of Python beside a graph: one for each processor, and one for each ``every_frame`` effect."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from typing import TYPE_CHECKING, Any

from ._effect import Effect
from ._every_frame import EveryFrame
from ._graph import OBJECTS, Connection, python_node
from ._handlers import Handler, StreamHandler
from ._loans import Loans
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

# The ends of a graph that ends close a moment before it has ended. So long that is waited for, in seconds.
_ENDING = 2.0


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
        self._inputs: list[tuple[InputPort[Any], Loans | Objects]] = []
        self._due = 0.0
        self._waiting: Future[Any] | None = None
        self._newest_ns: int | None = None
        for connection in session.connections:
            if connection.input.handler is handler:
                waiting, is_data = connection.waiting(), connection.input.kind == "data"
                connection.input._hold(waiting)
                found = objects.setdefault(connection.output, Objects()) if is_data else Loans(session, waiting)
                self._inputs.append((connection.input, found))
        # Now, since a program that is about to end starts no threads any more.
        if isinstance(handler, StreamHandler) or (isinstance(handler, Processor) and handler.is_async):
            session.loop()
        for port in handler.outputs.values():
            readers = [connection for connection in session.connections if connection.output is port]
            port._send = (
                self._video_out(port, readers) if port.kind == "video" else self._data_out(port, readers, objects)
            )

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
                self._call(handler.on_stop, "in on_stop")

    def cancel(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()

    def release(self) -> None:
        self._end = None

    def _await_turn(self) -> bool:
        """Waits until there is something to do; ``False`` when there never will be."""
        if not self._inputs or self._end is None:
            return self._await_beat()
        while not self.session.is_over():
            if self._refill():
                return True
            if self._end.closed:
                return False
            if self._end.wait(_SLICE) and not all(port._has_room() for port, _ in self._inputs):
                # Something has come that there is no room for, since the code has not read what came before.
                return self._await_beat()
        return False

    def _await_beat(self) -> bool:
        """Waits for the runtime's rate."""
        self._due = max(self._due + 1.0 / self.session.clock.fps, time.monotonic())
        return self.session.sleep(self._due - time.monotonic())

    def _refill(self) -> bool:
        """Moves what has come to the ports; whether that was anything."""
        is_new = False
        for port, source in self._inputs:
            while port._has_room() and self._end is not None:
                native: Any = self._end.take(port.name)
                if native is None:
                    break
                self._newest_ns = native.captured_ns
                if isinstance(source, Loans):
                    item: Any = source.lend(native)
                else:
                    item = source.get(native.value)
                if item is not None:
                    port._unread.append(item)
                    is_new = True
                if port._unread.maxlen == 1:
                    break
        return is_new

    def _call(self, call: Callable[[], Any], doing: str) -> None:
        """Calls code of the program, and awaits what it returns where that can be awaited."""
        try:
            result = call()
            if hasattr(result, "__await__"):
                import asyncio

                try:
                    self._waiting = asyncio.run_coroutine_threadsafe(result, self.session.loop())
                except (ClosedError, RuntimeError):
                    # The loop has ended meanwhile.
                    result.close()
                    return
                self._waiting.result()
        except CancelledError:
            if not self.session.is_over():
                raise
        except ClosedError:
            if not self.session.has_ended(within=_ENDING):
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

        def send(item: Any) -> None:
            message = item if isinstance(item, DataMessage) else DataMessage(item)
            captured_ns = self._captured_ns(message.timestamp)
            if message.timestamp is None and captured_ns is not None:
                message.timestamp = self.session.seconds(captured_ns)
            if to_parameters:
                value = message.data.tolist() if hasattr(message.data, "tolist") else message.data
                self._send(port.name, value, captured_ns)
            if to_processors:
                self._send(f"{port.name}{OBJECTS}", carried.put(message), captured_ns)

        return send

    def _send(self, port: str, value: Any, captured_ns: int | None) -> None:
        if self._end is None:
            return
        try:
            self._end.send(port, value, captured_ns)
        except ClosedError:
            # Nobody will read it, as with an output that is not connected.
            if not self.session.has_ended(within=_ENDING):
                raise

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
        return self._newest_ns if timestamp is None else self.session.captured_ns(timestamp)
