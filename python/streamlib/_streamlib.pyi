"""The Rust core. Private: programs use `streamlib`, whose modules are made of this."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, final

# A parameter value as graphs write it: a number, a flag, a list of those, or (where the core knows expressions) a text
# such as "0.5 + 0.5 * sin(time)".
Value = bool | int | float | str | Sequence["Value"]
Format = Literal["rgba8", "rgba16f", "rgba32f", "r8", "r32f"]  # the names that graph files use: see core::format

class StreamlibError(Exception): ...        # base of all below
class CompileError(StreamlibError):         # HLSL that does not compile
    diagnostics: list[Diagnostic]
class GraphError(StreamlibError): ...       # a graph, link, parameter or value that is wrong; also ValueError-like
class DeviceError(StreamlibError): ...      # no usable GPU or compiler, or it failed; the message has the next step
class ClosedError(StreamlibError): ...      # used after close, stop or the end
class ForkedError(StreamlibError): ...      # used in a child made by fork

@final
class Diagnostic:
    file: str; line: int; column: int; severity: str; message: str; suggestion: str | None

@final
class Parameter:
    name: str; type: str; default: Value | None

@final
class Interface:
    """What an effect's text declares, found by reflection."""
    inputs: list[str]; parameters: list[Parameter]

@final
class Runtime:
    """One GPU and one effect compiler. Shared by all graphs of a process; made once (see `streamlib.default_runtime`)."""
    def __init__(self, device: str | int | None = None, *, validation: bool | None = None) -> None: ...
    device_name: str
    is_cpu: bool
    def compile(self, hlsl: str, name: str = "effect") -> Interface: ...
    def explain(self, graph: str, *, svg: bool = False, base: str = "") -> str: ...
    def run(self, graph: str, *, base: str = "") -> str: ...                  # offline; JSON of the report
    def start(self, graph: str, *, base: str = "", fps: float | None = None,  # None: the clock source paces
              free: bool = False, frames: int | None = None, fuse: bool = True,
              trace: str | None = None,
              processors: Mapping[str, ProcessorPorts] = ...) -> LiveGraph: ...
    def create_texture(self, width: int, height: int, format: Format = "rgba8") -> Texture: ...
    def run_effect(self, hlsl: str, inputs: Mapping[str, Texture], parameters: Mapping[str, Value] = ..., *,
                   size: tuple[int, int] | None = None, output: Texture | None = None,
                   time: float = 0.0, frame: int = 0, name: str = "effect") -> Texture: ...   # eager, waits

# inputs and outputs by name, each "video" or "data"; pictures: mapped host memory wanted beside textures
ProcessorPorts = tuple[Mapping[str, str], Mapping[str, str], bool]

@final
class LiveGraph:
    """A graph that runs. `graph` texts are JSON of the core's graph value."""
    def graph(self) -> str: ...
    def set(self, node: str, parameter: str, value: Value) -> None: ...
    def set_all(self, settings: Sequence[tuple[str, str, Value]]) -> None: ...
    def knobs(self, targets: Mapping[str, Sequence[tuple[str, str]]]) -> Knobs: ...
    def change_to(self, graph: str) -> Applied: ...
    def inlet(self, source: str) -> Inlet: ...
    def outlet(self, sink: str) -> Outlet: ...
    def end(self, processor: str) -> ProcessorEnd: ...
    def stats(self) -> dict[str, Any]: ...
    def events(self) -> list[dict[str, Any]]: ...      # {"event": "source_failed", "node": ..., "why": ..., "text": ...}
    def wait(self, seconds: float) -> bool: ...        # True: it has ended. Releases the GIL, and looks for signals.
    def stop(self) -> dict[str, Any]: ...              # the report; a second stop gives the same

@final
class Applied:
    generation: int; first_frame: int | None; compile_ms: float; kernels_ms: float; total_ms: float

@final
class Knobs:
    """Parameters by name as attributes, set in under 1 µs: `knobs.radius = 0.1`. One name may reach several nodes."""
    def __getattr__(self, name: str) -> Value: ...
    def __setattr__(self, name: str, value: Value) -> None: ...

@final
class Inlet:
    size: tuple[int, int]
    def push(self, frame: Texture | Any, captured_ns: int | None = None) -> bool: ...   # array-like of (h, w, 4) uint8; False: engine is behind

@final
class Outlet:
    closed: bool
    def take(self) -> Frame | None: ...
    def wait(self, seconds: float) -> Frame | None: ...      # GIL released, signals looked for

@final
class ProcessorEnd:
    """A processor node's ends, in the program's own hands: no thread of the core enters the interpreter."""
    closed: bool
    def take(self, port: str) -> Frame | Message | None: ...  # next (every) or newest (latest); each once
    def wait(self, seconds: float) -> bool: ...               # something is there, or it is closed
    def send(self, port: str, value: Value, captured_ns: int | None = None) -> None: ...

@final
class Frame:
    texture: Texture; sequence: int; captured_ns: int; width: int; height: int

@final
class Message:
    value: Value; captured_ns: int

@final
class Texture:
    width: int; height: int; format: str
    shape: tuple[int, int, int]                      # (height, width, channels)
    def numpy(self) -> Any: ...                       # a copy in host memory, (h, w, c)
    def map(self) -> Mapped: ...                      # host view: mapped memory, one read-back pass at most, no CPU copy
    def write(self, array: Any) -> None: ...          # (h, w, c) of the dtype of the format, C order (others are refused with advice)
    def png(self) -> bytes: ...
    def __dlpack__(self, *, stream: Any = None, max_version: Any = None, dl_device: Any = None, copy: Any = None) -> Any: ...
    def __dlpack_device__(self) -> tuple[int, int]: ...
    @property
    def __cuda_array_interface__(self) -> dict[str, Any]: ...    # AttributeError on a CPU device
    @property
    def __array_interface__(self) -> dict[str, Any]: ...         # AttributeError where device memory is not host memory: use numpy()

@final
class Mapped:
    __array_interface__: dict[str, Any]
    def __enter__(self) -> Any: ...                   # the NumPy array, read-only
    def __exit__(self, *exc: Any) -> None: ...

def interpreter_entries() -> int: ...                  # times that a thread of the core entered the interpreter
def main(arguments: Sequence[str]) -> int: ...          # the `streamlib` command; its exit code
def doctor() -> str: ...
def __version__() -> str: ...
