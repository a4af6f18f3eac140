"""One run of a graph: the native graph, the threads of Python beside it, and how both end.

A session does not know the :class:`~streamlib.StreamRuntime` that started it, so that one which is dropped can stop it.
"""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ._effect import Effect
from ._graph import Built, Connection, output_source
from ._handlers import Handler
from ._loans import Loans
from ._messages import DataMessage, VideoFrame
from ._sinks import AppSink
from ._sources import AppSource
from .clocks import Clock
from .errors import ClosedError, HandlerError, StreamlibError
from .events import EventBus
from .gpu import GPUContext

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

    from ._streamlib import Frame, LiveGraph, Runtime

# The watcher looks this often, in seconds.
_WATCH = 0.05
# Code of the program has so long to return when the graph has ended by itself, and when somebody stops it.
_PATIENCE_AT_END = 5.0
_PATIENCE_AT_STOP = 0.5


class Worker:
    """A thread of Python that serves one handler."""

    def __init__(self, session: Session, handler: Handler, name: str) -> None:
        self.session, self.handler = session, handler
        self.thread = threading.Thread(target=self._run, name=name, daemon=True)

    def serve(self) -> None:
        """Until the graph has ended."""
        raise NotImplementedError

    def cancel(self) -> None:
        """Asks code that waits to give up."""

    def release(self) -> None:
        """Lets go of the ends, so that the graph does not wait for what nobody will read."""

    def _run(self) -> None:
        try:
            self.serve()
        except HandlerError as error:
            self.session.handler_failed(self.handler, error)
        except StreamlibError as error:
            # What the program asked of a graph that is at its end is not its fault.
            if not (isinstance(error, ClosedError) and self.session.has_ended(within=2)):
                self.session.handler_failed(self.handler, error)
        finally:
            self.release()


class Session:
    """A graph that runs."""

    def __init__(
        self,
        native: Runtime,
        handlers: Sequence[Handler],
        connections: Sequence[Connection],
        built: Built,
        clock: Clock,
        events: EventBus,
    ) -> None:
        self.native, self.handlers, self.connections = native, handlers, connections
        #: Runs shaders at once on the same device.
        self.gpu = GPUContext(native)
        self.built, self.clock, self.events = built, clock, events
        self.live: LiveGraph
        self.workers: list[Worker] = []
        #: Set when everything is at rest.
        self.ended = threading.Event()
        #: The native report, when it has ended.
        self.report: dict[str, Any] = {}
        #: Why it was stopped, if code of the program or the GPU failed.
        self.failure: StreamlibError | None = None
        self._stopping = threading.Event()
        self._closing = threading.Lock()
        self._when_ended: list[Callable[[], None]] = []
        # When the graph was started, and when its first frame was captured.
        self._started_ns = 0
        self._start_ns: int | None = None
        self._loop: AbstractEventLoop | None = None
        self._loop_thread: threading.Thread | None = None
        self._lock = threading.Lock()
        # Failures that somebody was told of, as text.
        self._told: set[str] = set()
        # Sinks whose window was closed by its user.
        self._closed_windows: set[str] = set()

    def start(self, fps: float | None, frames: int | None, awake: float) -> None:
        """Starts the graph and what runs beside it."""
        from ._workers import make_workers

        graph = json.dumps(self.built.graph)
        self._started_ns = time.monotonic_ns()
        self.live = self.native.start(graph, fps=fps, frames=frames, processors=self.built.processors, awake=awake)
        try:
            for handler in self.handlers:
                self._bind(handler)
            for node, texture in self.built.constants.items():
                self.live.inlet(node).push(texture)
            self.workers = make_workers(self)
        except BaseException:
            self._stopping.set()
            self.live.stop()
            self._end_loop()
            self._unbind()
            self.ended.set()
            raise
        for worker in self.workers:
            worker.thread.start()
        threading.Thread(target=self._watch, name="streamlib watch", daemon=True).start()

    def _bind(self, handler: Handler) -> None:
        handler._session = self
        if isinstance(handler, Effect):
            handler.params.bind(self.live)
        elif isinstance(handler, AppSource):
            handler._inlet = self.live.inlet(handler.handler_id)
        elif isinstance(handler, AppSink):
            handler._outlet = self.live.outlet(handler.handler_id)
            incoming = next(connection for connection in self.connections if connection.input.handler is handler)
            handler._loans = Loans(self, incoming.waiting())

    def _unbind(self) -> None:
        for handler in self.handlers:
            if isinstance(handler, Effect):
                handler.params.bind(None)
            if isinstance(handler, AppSource):
                handler._inlet = None
            for port in handler.outputs.values():
                port._send = None
            # A sink keeps its end: frames that came before the end can still be taken.
            handler._session = None

    # Times

    def seconds(self, captured_ns: int) -> float:
        """Seconds since the graph's first frame; since its start, where nobody here has seen that frame."""
        return (captured_ns - (self._start_ns or self._started_ns)) / 1e9

    def captured_ns(self, seconds: float) -> int:
        """The other way round."""
        return (self._start_ns or self._started_ns) + round(seconds * 1e9)

    def frame(self, frame: Frame) -> VideoFrame:
        """A frame of the core's, for Python."""
        if frame.sequence == 0 and self._start_ns is None:
            self._start_ns = frame.captured_ns
        return VideoFrame.of(frame, self.seconds(frame.captured_ns))

    # Failure and end

    def is_over(self) -> bool:
        """Whether it is about to end, or has."""
        return self._stopping.is_set()

    def has_ended(self, within: float = 0) -> bool:
        """Whether the graph has ended, by itself or not, or does so in that many seconds."""
        try:
            return self._stopping.is_set() or self.live.wait(within)
        except ClosedError:
            return True

    def sleep(self, seconds: float) -> bool:
        """Waits so long; ``False`` when the session is about to end."""
        return not self._stopping.wait(seconds)

    def handler_failed(self, handler: Handler, error: StreamlibError) -> None:
        """Code of the program raised: its policy says what comes of it."""
        policy = "bypass" if getattr(handler, "on_error", "stop") == "bypass" else "stop"
        readers = self.events.publish("handler.failed", handler=handler.handler_id, error=error, policy=policy)
        if policy == "stop":
            with self._lock:
                self.failure = self.failure or error
            self._stopping.set()
        elif readers == 0:
            # Nobody listens, and nobody will raise it: it must not go unseen.
            _log(f"{error}; it does not run any more, the others go on", error)

    def _watch(self) -> None:
        has_ended = False
        while not self._stopping.is_set():
            try:
                has_ended = self.live.wait(_WATCH)
            except ClosedError:
                has_ended = True
            self._tell_events()
            if has_ended or self._is_unseen():
                break
        self.close(by_itself=has_ended and not self._stopping.is_set())

    def _is_unseen(self) -> bool:
        """Whether all that the graph ran for was windows, and they are closed."""
        sinks = {name for name, node in self.built.graph["nodes"].items() if "sink" in node}
        return bool(sinks) and sinks <= self._closed_windows

    def _tell_events(self) -> None:
        try:
            events = self.live.events()
        except ClosedError:
            return
        for event in events:
            kind, text = str(event.pop("event", "event")), str(event.pop("text", ""))
            if kind == "window_closed":
                self._closed_windows.add(str(event["node"]))
            if kind.endswith("_failed") or kind == "data_refused":
                self._tell(f"graph.{kind}", text, event)
            else:
                self.events.publish(f"graph.{kind}", text=text, **event)

    def _tell(self, topic: str, text: str, data: dict[str, Any]) -> None:
        """Says that something failed: to the log, where nobody listens."""
        self._told.add(text)
        if self.events.publish(topic, text=text, **data) == 0:
            _log(text, None)

    def when_ended(self, call: Callable[[], None]) -> None:
        """Calls a function, from some thread, when everything is at rest; at once when it is."""
        with self._lock:
            if not self.ended.is_set():
                self._when_ended.append(call)
                return
        call()

    def close(self, by_itself: bool = False) -> None:
        """Stops everything and waits until it is at rest. A second time there is nothing to do."""
        with self._closing:
            if self.ended.is_set():
                return
            try:
                self._stop(by_itself)
            finally:
                with self._lock:
                    self.ended.set()
                    waiting, self._when_ended = self._when_ended, []
                for call in waiting:
                    call()

    def _stop(self, by_itself: bool) -> None:
        # A graph that has ended by itself has closed its ends: what reads them comes to its end with the last frame.
        if by_itself:
            self._join(_PATIENCE_AT_END)
        self._stopping.set()
        self._keep_parameters()
        self._tell_events()
        try:
            self.report = self.live.stop()
        except StreamlibError as error:
            with self._lock:
                self.failure = self.failure or error
        self._join(_PATIENCE_AT_STOP / 2)
        for worker in self.workers:
            worker.cancel()
        self._join(_PATIENCE_AT_STOP / 2)
        for worker in self.workers:
            if worker.thread.is_alive() and threading.current_thread() not in (worker.thread, self._loop_thread):
                if not self.events.publish("handler.stuck", handler=worker.handler.handler_id):
                    _log(f"`{worker.handler.handler_id}` has not returned; its thread is left behind", None)
        self._unbind()
        self._end_loop()
        for failure in self.report.get("failures", []):
            if failure not in self._told:
                self._tell("graph.failed", failure, {})

    def _join(self, patience: float) -> None:
        until = time.monotonic() + patience
        for worker in self.workers:
            if threading.current_thread() not in (worker.thread, self._loop_thread):
                worker.thread.join(max(0.0, until - time.monotonic()))

    def _keep_parameters(self) -> None:
        """Effects keep the values that they had, for the next start."""
        try:
            nodes = json.loads(self.live.graph())["nodes"]
        except StreamlibError:
            return
        for handler in self.handlers:
            if isinstance(handler, Effect):
                for node in handler.trace().nodes:
                    handler.params.keep(node, nodes.get(node, {}).get("set", {}))

    # What workers need

    def loop(self) -> AbstractEventLoop:
        """The event loop of `async` processors, on a thread of its own."""
        with self._lock:
            if self._loop is None:
                import asyncio

                loop = asyncio.new_event_loop()

                def run() -> None:
                    asyncio.set_event_loop(loop)
                    loop.run_forever()
                    # Whoever still waits is told, and may tidy up.
                    tasks = asyncio.all_tasks(loop)
                    for task in tasks:
                        task.cancel()
                    loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
                    loop.close()

                thread = threading.Thread(target=run, name="streamlib asyncio", daemon=True)
                try:
                    thread.start()
                except RuntimeError as error:
                    loop.close()
                    raise ClosedError("no event loop can be started while the interpreter ends") from error
                self._loop, self._loop_thread = loop, thread
            return self._loop

    def _end_loop(self) -> None:
        if self._loop is not None and self._loop_thread is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
            if self._loop_thread is not threading.current_thread():
                self._loop_thread.join(_PATIENCE_AT_STOP)

    def inlet(self, handler: Handler, port: str) -> Any:
        """Where a processor's frames go in."""
        return self.live.inlet(output_source(handler, port))


class Objects:
    """Objects on their way from a processor to others: the core carries their keys. The newest are kept."""

    def __init__(self, kept: int = 256) -> None:
        self._kept: deque[tuple[int, DataMessage]] = deque(maxlen=kept)
        self._next = 0

    def put(self, message: DataMessage) -> int:
        """Keeps an object; its key."""
        key, self._next = self._next, self._next + 1
        self._kept.append((key, message))
        return key

    def get(self, key: int) -> DataMessage | None:
        """The object of a key; ``None`` when it is too old."""
        return next((message for at, message in reversed(list(self._kept)) if at == key), None)


def _log(text: str, error: BaseException | None) -> None:
    from logging import getLogger

    getLogger("streamlib").error(text, exc_info=error)
