"""The Rust core. Private: programs use `streamlib`, whose modules are made of this.

Everything here may be called from any thread. What may wait or compute lets go of the interpreter meanwhile; waits look for
signals every 50 ms. Threads of the core never enter the interpreter.
"""

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Literal, final

# A parameter value as graphs write it: a number, a flag, an expression such as "0.5 + 0.5 * sin(time)", or a list of those.
Value = bool | int | float | str | Sequence["Value"]
# The names that graph files use (core::format).
Format = Literal["rgba8", "rgba8srgb", "bgra8", "bgra8srgb", "rgba16float", "r8", "rg8"]
# Inputs and outputs by name, each "video" or "data"; True: frames come as pictures in mapped host memory.
ProcessorPorts = tuple[dict[str, str], dict[str, str], bool]

class StreamlibError(Exception):
    """What streamlib raises; a mistake of its own is raised as this itself."""

class CompileError(StreamlibError):
    """HLSL does not compile."""

    diagnostics: list[Diagnostic]

class GraphError(StreamlibError, ValueError):
    """A graph, link, parameter or value is wrong."""

class DeviceError(StreamlibError):
    """There is no usable GPU or compiler, or it failed; the message has the next step."""

class ClosedError(StreamlibError):
    """It was used after its close, stop or end."""

class ForkedError(StreamlibError):
    """It was used in a process that fork() made."""

@final
class Diagnostic:
    """One remark about a place in a source. `str()` gives it with the line and a caret."""

    @property
    def file(self) -> str: ...
    @property
    def line(self) -> int: ...
    @property
    def column(self) -> int: ...
    @property
    def severity(self) -> str: ...
    @property
    def message(self) -> str: ...
    @property
    def suggestion(self) -> str | None: ...
    @property
    def text(self) -> str: ...

@final
class Parameter:
    """A parameter of an effect, such as a `float2`, or a buffer (`buffer of float4`, without a default)."""

    @property
    def name(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def default(self) -> Value | None: ...

@final
class Interface:
    """What an effect's text declares, found by reflection."""

    @property
    def inputs(self) -> list[str]: ...
    @property
    def parameters(self) -> list[Parameter]: ...

@final
class Runtime:
    """One GPU and one effect compiler. Shared by all graphs of a process; made once (see `streamlib.default_runtime`).

    `device` is a number, or a part of a name; `validation` is as STREAMLIB_VALIDATION says when not stated.
    """

    def __new__(cls, device: str | int | None = None, *, validation: bool | None = None) -> Runtime: ...
    @property
    def device_name(self) -> str: ...
    @property
    def is_cpu(self) -> bool: ...
    def compile(self, hlsl: str, name: str = "effect") -> Interface: ...
    def explain(self, graph: str, *, svg: bool = False, base: str = "") -> str: ...
    def run(self, graph: str, *, base: str = "") -> str:
        """From beginning to end, as fast as it goes; the answer is JSON of the report. Ctrl-C finishes the files."""

    def start(
        self,
        graph: str,
        *,
        base: str = "",
        fps: float | None = None,
        free: bool = False,
        frames: int | None = None,
        fuse: bool = True,
        trace: str | None = None,
        processors: Mapping[str, ProcessorPorts] | None = None,
        patience: float = 1.0,
        awake: float = 0.0,
    ) -> LiveGraph:
        """Live. Without `fps` the clock source sets the pace, and at any pace the graph ends with it; with `free`, each picture of
        a file runs once. A source that gives nothing for `patience` seconds has stalled, and time sets the pace then. Frames are
        looked for without sleeping from `awake` seconds before one is expected until as long after."""

    def create_texture(self, width: int, height: int, format: Format = "rgba8") -> Texture:
        """A texture of zeros."""

    def run_effect(
        self,
        hlsl: str,
        inputs: Mapping[str, Texture],
        parameters: Mapping[str, Value] | None = None,
        *,
        size: tuple[int, int] | None = None,
        output: Texture | None = None,
        time: float = 0.0,
        frame: int = 0,
        name: str = "effect",
    ) -> Texture:
        """At once, and waits. The result is `output`, else a new texture of `size` (else the first input's), `rgba8`."""

@final
class LiveGraph:
    """A graph that runs; dropped, it stops. `graph` texts are JSON of the core's graph value (TOML is read, too)."""

    def graph(self) -> str: ...
    def set(self, node: str, parameter: str, value: Value) -> None: ...
    def set_all(self, settings: Sequence[tuple[str, str, Value]]) -> None: ...
    def knobs(self, targets: Mapping[str, Sequence[tuple[str, str]]]) -> Knobs: ...
    def change_to(self, graph: str) -> Applied: ...
    def inlet(self, source: str) -> Inlet: ...
    def outlet(self, sink: str) -> Outlet: ...
    def end(self, processor: str) -> ProcessorEnd: ...
    def stats(self) -> dict[str, Any]: ...
    def events(self) -> list[dict[str, Any]]:
        """Since this was last asked: `{"event": "source_failed", "node": ..., "why": ..., "text": ...}`."""

    def wait(self, seconds: float) -> bool:
        """True: it has ended."""

    def stop(self) -> dict[str, Any]:
        """The report. A second stop gives the same."""

@final
class Applied:
    """What a change came to. `first_frame` is None where only parameters changed."""

    @property
    def generation(self) -> int: ...
    @property
    def first_frame(self) -> int | None: ...
    @property
    def compile_ms(self) -> float: ...
    @property
    def kernels_ms(self) -> float: ...
    @property
    def total_ms(self) -> float: ...

@final
class Knobs:
    """Parameters by name as attributes, set in under 1 µs: `knobs.radius = 0.1`. One name may reach several nodes."""

    def __getattr__(self, name: str, /) -> Any: ...
    def __setattr__(self, name: str, value: Any, /) -> None: ...

@final
class Inlet:
    """Where the program pushes frames in: the end of a source `app:`."""

    @property
    def size(self) -> tuple[int, int]: ...
    def push(self, frame: Texture | Any, captured_ns: int | None = None) -> bool:
        """A texture, or an array of (height, width, 4) uint8. `captured_ns` is of `time.monotonic_ns`. False: the engine is
        behind, and the frame was not taken."""

@final
class Outlet:
    """Where the program takes frames out: the end of a sink `app:`."""

    @property
    def closed(self) -> bool: ...
    def take(self) -> Frame | None: ...
    def wait(self, seconds: float) -> Frame | None: ...

@final
class ProcessorEnd:
    """A processor node's ends, in the program's own hands."""

    @property
    def closed(self) -> bool: ...
    def take(self, port: str) -> Frame | Message | None:
        """The next (every, lossless) or newest (latest); each once."""

    def wait(self, seconds: float) -> bool:
        """True: something is there, or it is closed."""

    def send(self, port: str, value: Value, captured_ns: int | None = None) -> None: ...

@final
class Frame:
    """A finished frame. Whoever holds its texture keeps that from being written again."""

    @property
    def texture(self) -> Texture: ...
    @property
    def sequence(self) -> int: ...
    @property
    def captured_ns(self) -> int: ...
    @property
    def width(self) -> int: ...
    @property
    def height(self) -> int: ...

@final
class Message:
    """A value that a processor sent."""

    @property
    def value(self) -> Any: ...
    @property
    def captured_ns(self) -> int: ...

@final
class Texture:
    """A picture in GPU memory; a frame's that was asked for as a picture is in mapped host memory."""

    @property
    def width(self) -> int: ...
    @property
    def height(self) -> int: ...
    @property
    def format(self) -> str: ...
    @property
    def shape(self) -> tuple[int, int, int]:
        """(height, width, channels)"""

    def numpy(self) -> Any:
        """A copy, (height, width, channels)."""

    def map(self) -> Mapped:
        """A view of mapped host memory: one read-back pass at most, and no copy by the CPU."""

    def write(self, array: Any) -> None:
        """From an array of `shape`, the dtype of the format, C order; others are refused with advice."""

    def png(self) -> bytes: ...
    def _repr_png_(self) -> bytes: ...
    def __dlpack__(
        self,
        *,
        stream: Any = None,
        max_version: tuple[int, int] | None = None,
        dl_device: tuple[int, int] | None = None,
        copy: bool | None = None,
    ) -> Any: ...
    def __dlpack_device__(self) -> tuple[int, int]: ...
    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        """Memory of CUDA's that shows the texture, for CuPy, Numba and torch.as_tensor; AttributeError where it is in host memory.

        The texture keeps the memory, and fills it when this is asked for: a frame's once, that of a texture which can be written
        each time, also for arrays that were made of it before. DLPack gives each consumer memory of its own."""
    @property
    def __array_interface__(self) -> dict[str, Any]:
        """Of a picture; a texture in GPU memory raises AttributeError."""

@final
class Mapped:
    """Texels in mapped host memory, read-only. Arrays made of it keep the memory for as long as they live."""

    @property
    def __array_interface__(self) -> dict[str, Any]: ...
    def __enter__(self) -> Any:
        """The NumPy array."""

    def __exit__(
        self,
        kind: type[BaseException] | None = None,
        value: BaseException | None = None,
        traceback: TracebackType | None = None,
        /,
    ) -> None: ...

def interpreter_entries() -> int:
    """How often a thread of the core was seen in the interpreter."""

def main(arguments: Sequence[str]) -> int:
    """The `streamlib` command; its exit code. The first argument is its name."""

def doctor() -> str: ...
def __version__() -> str: ...
