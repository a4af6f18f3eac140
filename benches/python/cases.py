"""What is measured, and how much of it."""

from typing import Any, NamedTuple


class Case(NamedTuple):
    """One table of the page."""

    name: str
    title: str
    program: str
    #: Options of each program that is started, in order; the next round has them backwards.
    starts: list[dict[str, Any]]
    #: What rows are divided by: the one of these with the same words after the colon, else the first that is there.
    unit: tuple[str, ...]
    #: What a frame or a call is.
    about: str
    #: Process restarts, where it is not as many as asked for.
    rounds: int | None = None
    #: Starts before the first that counts: what fills caches.
    warmups: int = 0


def everything(is_cpu, quick, native):
    """All cases, for a device."""
    n = (lambda full, little: little) if quick else (lambda full, little: full)
    hd = {"width": 640, "height": 360} if is_cpu and quick else {"width": 1920, "height": 1080}
    uhd = {"width": 3840, "height": 2160}
    size = [640, 360] if is_cpu else [1920, 1080]
    words = f"{size[0]} x {size[1]}"
    program = "the `streamlib` program" if native else "the `streamlib` command of the package"
    graph = {"size": size, "native": native}
    # A GPU has room for so many frames that p99.9 is more than the slowest one.
    fps = 60 if is_cpu else 500
    free = graph | {"free": True, "fps": 1000, "frames": n(600 if is_cpu else 10_000, 60)}
    paced = graph | {"free": False, "fps": fps, "frames": n(1000 if is_cpu else 9000, 45)}
    contenders = ["streamlib", "streamlib at once", "wgpu", "moderngl"]
    arrays = hd | {"frames": n(100 if is_cpu else 500, 4), "seconds": n(3, 1)}
    large = uhd | {"frames": n(100, 4), "seconds": n(6, 1)}
    pixels = f"{hd['width']} x {hd['height']}"
    return [
        Case(
            "import",
            "Import",
            "measure_import.py",
            [{"module": name} for name in ("none", "numpy", "streamlib", "wgpu", "moderngl")],
            ("numpy: import", "nothing: process"),
            "A new process each. *import* is the import alone, *process* counts from the start of the process.",
            rounds=n(15, 2),
            warmups=1,
        ),
        Case(
            "start",
            "From a decorator to what runs",
            "measure_start.py",
            [hd | {"who": who} for who in ("streamlib", "wgpu", "moderngl")],
            ("wgpu: device to the first frame in NumPy", "streamlib: to the first frame in NumPy"),
            f"A new process each, caches on disk warm, imports not counted: the device is opened, the blur of {pixels} "
            "compiled, and a frame of it taken.",
            rounds=n(7, 2),
            warmups=1,
        ),
        Case(
            "graph-free",
            "A graph from Python and from Rust, as fast as it goes",
            "measure_graph.py",
            [free | {"who": who} for who in ("Rust", "Python")],
            ("Rust: a frame, mean", "Rust: from frame to frame"),
            f"`generate:bars`, contrast, sepia, vignette at {words}, {free['frames']} frames to a sink that counts. Python defines "
            f"the graph by decorators; Rust is {program}, which reads the same graph from a file. From delivery to delivery, "
            "by the trace that both write.",
            warmups=1,
        ),
        Case(
            "graph-paced",
            f"The same at {fps} frames a second, and with Python in the way",
            "measure_graph.py",
            [paced | {"who": who} for who in ("Rust", "Python", "Python, in the way")],
            ("Python: latency p50", "Python: latency p99.9"),
            f"{paced['frames']} frames; latency from capture to delivery. *In the way*: eight threads of Python spin, and a ninth "
            "collects garbage without a pause. No frame enters the interpreter."
            + (" With so few frames p99.9 is the slowest one." if quick or is_cpu else ""),
            warmups=1,
        ),
        Case(
            "setting",
            "Setting a parameter",
            "measure_setting.py",
            [{"who": who, "calls": n(20_000, 500)} for who in ("streamlib", "wgpu", "moderngl")],
            ("moderngl: uniform", "wgpu: write_buffer", "streamlib: effect.params"),
            "One call, by `timeit`, with a graph that runs. *of two shaders*: one name that reaches two. *knob*: without the Python "
            "class around it.",
        ),
        Case(
            "pictures",
            "A 4K frame in NumPy",
            "measure_pictures.py",
            [large],
            ("NumPy: copy of the array",),
            "*picture*: a frame of a graph that was asked for as a picture, which the graph has put into host memory for the "
            "processor that asked. *texture*: one in the GPU's memory, which each call reads back. The view of `map()` is read at two corners.",
        ),
        Case(
            "camera-numpy",
            "An array, an effect, an array",
            "measure_arrays.py",
            [arrays | {"who": who, "work": "blur"} for who in contenders],
            ("streamlib",),
            f"{pixels}: upload, a blur of nine taps with a tint as one pass, read-back, one frame at a time. *streamlib* is a graph "
            "(`app_source`, `app_sink`), *streamlib at once* `GPUContext.run_shader`.",
        ),
        Case(
            "chain-numpy",
            "An array, eight effects, an array",
            "measure_arrays.py",
            [arrays | {"who": who, "work": "chain"} for who in contenders],
            ("streamlib",),
            f"{pixels}: the chain of `./x bench peers`. A graph fuses the eight; at once they are eight passes; the others have one "
            "shader by hand that does all eight.",
        ),
        Case(
            "tensors",
            "A 4K texture as a tensor",
            "measure_tensors.py",
            [large],
            ("torch: upload of the array", "torch: copy of the array", "NumPy: copy of the array"),
            "On a GPU that torch has, each until its work on the GPU is done, and *the call* until it returns; all in turn, so that "
            "each comes after another's, but for those *in a row*, one after the other. Else host memory.",
        ),
    ]
