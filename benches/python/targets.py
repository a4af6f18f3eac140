"""What the package is to reach, and how a run says whether it did."""

from typing import NamedTuple


class Target(NamedTuple):
    """A limit for one row: of its median, in nanoseconds, or of its ratio to the case's unit."""

    text: str
    case: str
    row: str
    limit_ns: float | None = None
    limit_ratio: float | None = None
    #: Only where torch takes part on a GPU.
    needs: str = ""


TARGETS = [
    Target("`import streamlib` below 80 ms", "import", "streamlib: import", limit_ns=80e6),
    Target("decorator to running graph below 300 ms", "start", "streamlib: decorator to running graph", limit_ns=300e6),
    Target("graph from Python at the speed of Rust: within 1.02", "graph-free", "Python: a frame, mean", limit_ratio=1.02),
    Target(
        "p99.9 with eight threads spinning and garbage collected: within 1.1 of without",
        "graph-paced",
        "Python, in the way: latency p99.9",
        limit_ratio=1.1,
    ),
    Target("setting a parameter below 1 µs", "setting", "streamlib: effect.params", limit_ns=1e3),
    Target("mapped view of a 4K frame below 1 ms", "pictures", "picture: map()", limit_ns=1e6),
    Target(
        "DLPack to torch below 100 µs for a 4K frame (H100)",
        "tensors",
        "streamlib: from_dlpack(texture), in a row, done",
        limit_ns=100e3,
        needs="torch with a GPU",
    ),
]


def judged(target, results):
    """What was measured, as text, and whether the target was met; `None` where it was not measured."""
    case = results["cases"].get(target.case, {})
    row = case.get("rows", {}).get(target.row)
    if row is None:
        return f"not measured{f': needs {target.needs}' if target.needs else ''}", None
    if target.limit_ns is not None:
        return time_text(row["p50_ns"]), row["p50_ns"] < target.limit_ns
    ratio = row["ratio"]
    return ("not measured", None) if ratio is None else (f"{ratio[0]:.3f}", ratio[0] <= target.limit_ratio)


def time_text(ns):
    """A time in the unit that suits it."""
    for unit, size in (("s", 1e9), ("ms", 1e6), ("µs", 1e3)):
        if ns >= size:
            return f"{ns / size:.3g} {unit}"
    return f"{ns:.3g} ns"
