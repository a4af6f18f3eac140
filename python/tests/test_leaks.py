"""Programs that build, run and drop graphs all day."""

from __future__ import annotations

import gc
import importlib.util
import subprocess
import sys
import threading
import weakref
from collections import Counter
from pathlib import Path
from types import ModuleType

import pytest

from streamlib import StreamRuntime, app_sink, file_sink

pytest.importorskip("numpy")

ENDURANCE = Path(__file__).parents[2] / "benches" / "python" / "endurance.py"


def _endurance() -> ModuleType:
    spec = importlib.util.spec_from_file_location("endurance", ENDURANCE)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


program = _endurance().program


def kinds() -> Counter[str]:
    gc.collect()
    return Counter(type(thing).__name__ for thing in gc.get_objects())


def grown(before: Counter[str], after: Counter[str], by: int) -> dict[str, int]:
    return {kind: count - before[kind] for kind, count in after.items() if count - before[kind] >= by}


def test_graphs_that_are_built_and_dropped_leave_nothing() -> None:
    def build() -> None:
        assert program(app_sink())._build().graph["nodes"]

    build()
    before = kinds()
    for _ in range(300):
        build()
    assert grown(before, kinds(), by=300) == {}


def test_graphs_that_ran_leave_no_object_and_no_thread() -> None:
    def run() -> weakref.ref[StreamRuntime]:
        runtime = program(file_sink("null:"))
        runtime.run_blocking(frames=5)
        return weakref.ref(runtime)

    run()
    before, threads = kinds(), threading.active_count()
    gone = [run() for _ in range(30)]
    gc.collect()
    assert [runtime() for runtime in gone] == [None] * 30
    del gone
    assert threading.active_count() <= threads
    assert grown(before, kinds(), by=30) == {}


@pytest.mark.parametrize(("what", "count"), [("graphs", 300), ("runs", 30), ("exits", 8)])
def test_the_endurance_program_finds_nothing(what: str, count: int) -> None:
    command = [sys.executable, str(ENDURANCE), what, str(count)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert (result.returncode, result.stderr) == (0, ""), result.stdout + result.stderr
