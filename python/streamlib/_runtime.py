"""What a program holds: handlers, how they are connected, and their running."""

from __future__ import annotations

import json
import weakref
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from ._effect import Effect
from ._graph import Built, Connection, build
from ._handlers import Handler
from ._ports import InputPort, OutputPort, Port
from ._session import Session
from ._shader import Shader, ShaderLike
from .clocks import Clock, SoftwareClock
from .errors import ClosedError, GraphError
from .events import EventBus
from .gpu import GPUContext

if TYPE_CHECKING:
    from ._streamlib import Applied, Runtime

__all__ = ["GraphView", "Stream", "StreamRuntime"]

_DELIVERIES = ("latest", "every", "lossless")


class Stream:
    """A handler on its way into a runtime: ``runtime.add_stream(Stream(camera))``."""

    def __init__(self, handler: Handler) -> None:
        if not isinstance(handler, Handler):
            raise TypeError(
                f"a stream is made of a handler, which the decorators give, not of {type(handler).__name__}"
            )
        #: The handler.
        self.handler = handler


class Done:
    """Something that has happened. It can be awaited, and need not be."""

    def __init__(self, result: Any = None) -> None:
        #: What came of it.
        self.result = result

    def __await__(self) -> Generator[None, None, Any]:
        return self.result
        yield  # a generator, as awaiting wants it


class GraphView:
    """A graph as data (``json``), as text (``str``), and as a picture in a notebook."""

    def __init__(self, native: Runtime, graph: dict[str, Any]) -> None:
        self._native = native
        #: The graph as the core takes it, from JSON.
        self.json = graph

    def __str__(self) -> str:
        return self._native.explain(json.dumps(self.json))

    def svg(self) -> str:
        """What becomes of it on this device: passes, textures, what was fused."""
        return self._native.explain(json.dumps(self.json), svg=True)

    def _repr_svg_(self) -> str:
        return self.svg()


class StreamRuntime:
    """Runs handlers: add them, connect their ports, start.

    With asyncio: ``await runtime.run()``. Without: ``runtime.run_blocking(seconds)``, or ``with runtime:`` around what is done
    while it runs. :meth:`start` and :meth:`stop` do what they say when they are called; awaiting them is not needed and does no harm.
    A runtime that is dropped stops.

    :param fps: frames a second of generated sources that state none, and of processors without inputs. Cameras and files have
        their own rate, which sets the pace.
    :param clock: sets the pace of everything in the sources' place: :class:`~streamlib.SoftwareClock`, or your own.
    :param enable_gpu: ``False`` for a software device.
    :param width: pixels of generated sources that state none, and of frames from processors; as ``height``.
    :param awake: how long before and after a frame is expected it is looked for without sleeping, seconds, such as 0.002. It saves
        the core waking up, some tens of microseconds a frame, and costs processors that share of the time.

    >>> from streamlib import app_sink, video_source
    >>> bars, frames = video_source("generate:bars", size=(64, 36)), app_sink()
    >>> runtime = StreamRuntime(fps=60)
    >>> runtime.connect(bars.outputs["video"], frames.inputs["video"])
    >>> with runtime:
    ...     frames.read(timeout=10).numpy().shape
    (36, 64, 4)
    """

    def __init__(
        self,
        fps: float = 30.0,
        clock: Clock | None = None,
        enable_gpu: bool = True,
        width: int = 1920,
        height: int = 1080,
        awake: float = 0.0,
    ) -> None:
        if not 0 <= awake <= 1:
            raise ValueError(f"{awake} seconds awake: give from 0 to 1")
        if not 0 < fps <= 10_000:
            raise ValueError(f"{fps} frames a second: give from above 0 to 10000")
        self.fps, self.clock, self.enable_gpu = fps, clock, enable_gpu
        self.width, self.height, self.awake = width, height, awake
        #: What happens besides frames: ``graph.…`` from the core, ``handler.…`` from code of the program.
        self.events = EventBus()
        self._handlers: list[Handler] = []
        self._connections: list[Connection] = []
        self._session: Session | None = None
        self._finalizer: weakref.finalize[Any, Any] | None = None

    # What there is to run

    def add_stream(self, stream: Stream | Handler) -> Handler:
        """Adds a handler, which is given back. Connecting adds handlers, too.

        :raises GraphError: when another handler has its name, or the graph runs.
        """
        handler = stream.handler if isinstance(stream, Stream) else Stream(stream).handler
        self._refuse_while_running("add_stream")
        if any(known is handler for known in self._handlers):
            return handler
        if any(known.handler_id == handler.handler_id for known in self._handlers):
            raise GraphError(
                f"there are two handlers called `{handler.handler_id}`: give one of them another `handler_id=`"
            )
        self._handlers.append(handler)
        return handler

    def connect(
        self, output: OutputPort, input: InputPort[Any], *, delivery: str | None = None, bound: int | None = None
    ) -> None:
        """Connects an output to an input of the same type. An output may go to several inputs, an input has one output.

        :param delivery: what happens when frames come too fast: ``"latest"``: the newest replaces the one before; ``"every"``: the
            oldest of more than ``bound`` is dropped; ``"lossless"``: the graph waits. The default is what suits the two ends.
        :param bound: how many may wait (1 to 64).
        :raises TypeError: when the types differ, or these are not an output and an input.
        :raises GraphError: when the input is connected already.
        """
        for port, direction in ((output, "output"), (input, "input")):
            if not isinstance(port, Port) or port.handler is None:
                raise TypeError(f"`connect` takes ports of handlers, `camera.{direction}s['video']`, not {port!r}")
            if port.direction != direction:
                raise TypeError(f"`connect` takes an output, then an input; {port.describe()} is an {port.direction}")
        if output.kind != input.kind:
            raise TypeError(
                f"cannot connect {output.describe()} to {input.describe()}: one is {output.kind}, the other {input.kind}"
            )
        if delivery is not None and delivery not in _DELIVERIES:
            raise ValueError(f"`delivery` is one of {', '.join(_DELIVERIES)}, not {delivery!r}")
        if bound is not None and delivery not in ("every", "lossless"):
            raise ValueError('`bound` goes with `delivery="every"` or `"lossless"`')
        self._refuse_while_running("connect")
        for known in self._connections:
            if known.input is input:
                raise GraphError(f"{input.describe()} is connected to {known.output.describe()} already")
        assert output.handler is not None and input.handler is not None
        self.add_stream(output.handler)
        self.add_stream(input.handler)
        self._connections.append(Connection(output, input, delivery, bound))

    def _refuse_while_running(self, what: str) -> None:
        if self.is_running:
            raise GraphError(f"`{what}` while the graph runs: stop it first, or `replace` a shader")

    # Running

    @property
    def is_running(self) -> bool:
        """Whether frames run."""
        return self._session is not None and not self._session.ended.is_set()

    def start(self, *, frames: int | None = None) -> Done:
        """Starts, and returns when the graph runs; what runs already goes on. It can be awaited.

        :param frames: how many frames to run; without end by default.
        :raises CompileError: when a shader does not compile.
        :raises GraphError: when the graph cannot run.
        :raises HandlerError: when a traced function raises.
        :raises DeviceError: when there is no GPU to run it on.
        """
        if self.is_running:
            return Done()
        for handler in self._handlers:
            other = handler._session
            if other is not None and not other.ended.is_set():
                raise GraphError(f"`{handler.handler_id}` runs in another runtime: stop that first")
        built = self._build()
        clock = self.clock or SoftwareClock(self.fps)
        session = Session(self._native(), list(self._handlers), list(self._connections), built, clock, self.events)
        session.start(self.clock.fps if self.clock else None, frames, self.awake)
        self._session = session
        # Also at the interpreter's exit: files are closed then.
        self._finalizer = weakref.finalize(self, session.close)
        return Done()

    def _build(self) -> Built:
        return build(self._handlers, self._connections, (self.width, self.height), self.fps)

    def _native(self) -> Runtime:
        from ._device import default_runtime

        return default_runtime(enable_gpu=self.enable_gpu)

    async def run(self, seconds: float | None = None, *, frames: int | None = None) -> dict[str, Any]:
        """Runs until the graph ends by itself, so many frames or seconds have passed, or the task is cancelled; then stops.

        :return: the report of :meth:`stop`.
        :raises HandlerError: when code of the program raised, with its exception as ``__cause__``.
        """
        import asyncio

        self.start(frames=frames)
        session = self._running()
        loop = asyncio.get_running_loop()
        ended = asyncio.Event()

        def tell() -> None:
            try:
                loop.call_soon_threadsafe(ended.set)
            except RuntimeError:
                pass  # the loop is closed, and nobody waits any more

        session.when_ended(tell)
        try:
            await asyncio.wait_for(ended.wait(), seconds)
        except asyncio.TimeoutError:
            pass
        finally:
            report = await asyncio.shield(loop.run_in_executor(None, self._close))
        return report

    def run_blocking(self, seconds: float | None = None, *, frames: int | None = None) -> dict[str, Any]:
        """As :meth:`run`, for programs without asyncio. Ctrl-C stops the graph and closes its files; it is raised then."""
        self.start(frames=frames)
        try:
            self.wait(seconds)
        finally:
            report = self._close()
        return report

    def wait(self, seconds: float | None = None) -> bool:
        """Waits until the graph has ended; ``False`` when it still runs after so many seconds."""
        return self._running().ended.wait(seconds)

    def stop(self) -> Done:
        """Stops: frames under way are delivered, files are closed. It can be awaited for the report.

        :raises HandlerError: when code of the program raised, with its exception as ``__cause__``.
        :raises DeviceError: when the GPU failed.
        """
        return Done(self._close())

    def _close(self) -> dict[str, Any]:
        session = self._session
        if session is None:
            return {}
        session.close()
        if self._finalizer is not None:
            self._finalizer.detach()
        failure, session.failure = session.failure, None
        if failure is not None:
            raise failure
        return session.report

    def __enter__(self) -> StreamRuntime:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def _running(self) -> Session:
        if self._session is None:
            raise ClosedError("this runtime was not started: `runtime.start()`")
        return self._session

    # What runs

    @property
    def report(self) -> dict[str, Any]:
        """The account of the last run, when it has ended: frames, times, files, failures."""
        return self._session.report if self._session else {}

    @property
    def stats(self) -> dict[str, Any]:
        """The account of all frames so far: rates, latencies, drops and why.

        :raises ClosedError: when it was not started.
        """
        session = self._running()
        stats: dict[str, Any] = session.report["stats"] if session.report else session.live.stats()
        return stats

    @property
    def graph(self) -> GraphView:
        """The graph: as it runs, or as it would."""
        if self._session is not None and self.is_running:
            return GraphView(self._session.native, json.loads(self._session.live.graph()))
        return GraphView(self._native(), self._build().graph)

    @property
    def gpu_context(self) -> GPUContext:
        """Runs shaders at once, on this runtime's device."""
        return GPUContext(self._native())

    def replace(self, effect: Effect, shader: ShaderLike, *, label: str | None = None) -> Applied:
        """Puts another shader in the place of one that runs, between two frames.

        :param shader: HLSL, a path or a shader.
        :param label: which of the effect's shaders, by its name (``effect.trace().labels``); needed where it has several.
        :return: how long it took, and the first frame with it.
        :raises CompileError: when it does not compile. The old one runs on then, and no frame is lost.
        :raises GraphError: when it needs other inputs than the old one.
        """
        session = self._running()
        trace = effect.trace()
        if label is None and len(trace.labels) == 1:
            label = trace.labels[0]
        if label not in trace.labels:
            raise GraphError(f"`{effect.handler_id}` has the shaders {', '.join(trace.labels)}: name one with `label=`")
        index = trace.labels.index(label)
        made = Shader.of(shader)
        known = made.parameters
        graph = json.loads(session.live.graph())
        node = graph["nodes"][trace.nodes[index]]
        node["hlsl"] = made.hlsl
        node["set"] = {name: value for name, value in node.get("set", {}).items() if name in known}
        applied = session.live.change_to(json.dumps(graph))
        step = trace.steps[index]
        settings = {name: value for name, value in step.settings.items() if name in known}
        trace.steps[index] = step._replace(shader=made, settings=settings)
        effect.params.bind(session.live)
        return applied
