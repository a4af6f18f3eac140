"""How a program ends while a graph runs, each in a process of its own."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

START = """
import os, signal, sys, threading, time
from streamlib import *
source = video_source("generate:bars", size=(64, 36))
out = file_sink("out.y4m")
runtime = StreamRuntime(fps=60)

@video_effect(every_frame=True)
def look(frame, gpu):
    return frame.clone_with_texture(gpu.run_shader(shaders.brightness, frame, amount=frame.time / 100))

@stream_processor(inputs=["video"])
async def meter(tick, inputs, outputs):
    inputs["video"].read_latest()

runtime.connect(source.outputs["video"], look.inputs["video"])
runtime.connect(source.outputs["video"], meter.inputs["video"])
runtime.connect(look.outputs["video"], out.inputs["video"])
"""


def python(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", START + textwrap.dedent(code)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)


def frames_in(folder: Path) -> int:
    return (folder / "out.y4m").read_bytes().count(b"FRAME\n")


@pytest.mark.parametrize("end", ["", "sys.exit(0)", "del runtime", "runtime.stop()"])
def test_a_program_that_ends_leaves_whole_files_and_does_not_hang(end: str, tmp_path: Path) -> None:
    for _ in range(3):
        result = python(f"runtime.start()\ntime.sleep(0.3)\n{end}", tmp_path)
        assert (result.returncode, result.stderr) == (0, "")
        assert frames_in(tmp_path) > 0


def test_ctrl_c_stops_a_program_and_closes_its_files(tmp_path: Path) -> None:
    code = """
    threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
    try:
        runtime.run_blocking()
    except KeyboardInterrupt:
        print("interrupted", runtime.is_running, runtime.report["failures"])
    """
    result = python(code, tmp_path)
    assert (result.stdout, result.returncode, result.stderr) == ("interrupted False []\n", 0, "")
    assert frames_in(tmp_path) > 0


def test_ctrl_c_stops_an_asyncio_program_and_closes_its_files(tmp_path: Path) -> None:
    code = """
    import asyncio
    threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
    asyncio.run(runtime.run())
    """
    result = python(code, tmp_path)
    assert result.returncode == -signal.SIGINT or "KeyboardInterrupt" in result.stderr
    assert frames_in(tmp_path) > 0


def test_an_exception_of_the_program_is_not_hidden_by_the_end_of_the_graph(tmp_path: Path) -> None:
    result = python("with runtime:\n    time.sleep(0.2)\n    raise LookupError('lost')", tmp_path)
    assert result.returncode == 1 and result.stderr.rstrip().endswith("LookupError: lost")
    assert frames_in(tmp_path) > 0


def test_what_a_handler_raises_ends_the_program_with_its_traceback(tmp_path: Path) -> None:
    code = """
    @stream_processor(inputs=["video"])
    def broken(tick, inputs, outputs):
        raise LookupError("no model")
    runtime.connect(source.outputs["video"], broken.inputs["video"])
    runtime.run_blocking()
    """
    result = python(code, tmp_path)
    assert result.returncode == 1
    assert "LookupError: no model" in result.stderr and "in broken" in result.stderr
    assert "HandlerError: `broken` raised LookupError at tick 0: no model" in result.stderr


def test_importing_needs_no_numpy_and_no_asyncio(tmp_path: Path) -> None:
    code = "import sys, streamlib; print([name for name in ('numpy', 'asyncio', 'inspect', 'logging') if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert result.stdout == "[]\n", result.stderr
