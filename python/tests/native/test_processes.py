"""How processes end and multiply: signals, the end of the interpreter, fork, spawn, subinterpreters."""

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from streamlib import _streamlib as native

from .conftest import COPY, LIMIT, chain

RUNNING = f"""
    import os, sys, threading
    import numpy
    from streamlib import _streamlib as native
    runtime = native.Runtime()
    live = runtime.start('''{chain(COPY)}''', fps=200, patience=60)
    inlet, outlet = live.inlet("cam"), live.outlet("out")
"""


def after(text):
    """The program RUNNING, and then this."""
    return textwrap.dedent(RUNNING) + textwrap.dedent(text)


@pytest.mark.parametrize("round", range(20))
def test_the_interpreter_ends_with_a_graph_still_running(runtime, program, round):
    ends = [
        "",
        # Threads that wait in the core, and in Python.
        """
        threading.Thread(target=lambda: outlet.wait(1e9), daemon=True).start()
        threading.Thread(target=lambda: live.wait(1e9), daemon=True).start()
        """,
        """
        def work():
            while True:
                outlet.take()
        threading.Thread(target=work, daemon=True).start()
        """,
        """
        def work():
            while not outlet.closed:
                inlet.push(numpy.zeros((12, 16, 4), numpy.uint8))
                outlet.wait(0.001)
        threading.Thread(target=work, daemon=True).start()
        """,
        # Kept beyond the end of modules, and in circles.
        "sys.kept = [live, inlet, outlet, runtime]; sys.kept.append(sys.kept)",
        "capsule = runtime.create_texture(8, 8).__dlpack__(); array = numpy.from_dlpack(runtime.create_texture(8, 8))",
        "sys.exit(0)",
    ]
    assert program(after('print("ends")') + "\n" + textwrap.dedent(ends[round % len(ends)])) == "ends\n"


def test_an_exception_ends_the_program_and_not_more(runtime, program):
    program(after("raise SystemExit(7)"), code=7)


@pytest.mark.parametrize("wait", ["outlet.wait(1e9)", "live.wait(float('inf'))", "runtime.run(offline)"])
def test_ctrl_c_ends_what_waits(runtime, tmp_path, wait):
    text = after(f"""
    import json
    offline = json.dumps({{"nodes": {{
        "s": {{"source": "generate:bars", "size": [64, 64], "frames": 10**9}},
        "o": {{"sink": "film.y4m", "inputs": {{"input": "s"}}}}}}}})
    try:
        print("waits", flush=True)
        {wait}
    except KeyboardInterrupt:
        live.stop()
        print("interrupted")
    """)
    process = subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE, text=True, cwd=tmp_path)
    try:
        assert process.stdout.readline() == "waits\n"
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=LIMIT)
    finally:
        process.kill()
    assert (process.returncode, out) == (0, "interrupted\n")


def test_a_forked_process_is_told_to_spawn(runtime, program):
    told = program(
        after("""
        import gc, warnings
        warnings.simplefilter("ignore")
        knobs = live.knobs({})
        texture = runtime.create_texture(4, 4)
        mapped = texture.map()
        child = os.fork()
        if child == 0:
            calls = [
                lambda: native.Runtime(), lambda: live.stop(), lambda: live.wait(1), lambda: outlet.wait(1),
                lambda: outlet.take(), lambda: outlet.closed, lambda: inlet.push(None), lambda: texture.numpy(),
                lambda: texture.map(), lambda: texture.__dlpack__(), lambda: mapped.__array_interface__,
                lambda: runtime.compile(""), lambda: runtime.run_effect("", {}), lambda: live.graph(),
                lambda: setattr(knobs, "a", 1), lambda: native.doctor(), lambda: live.events(),
            ]
            for number, call in enumerate(calls):
                try:
                    call()
                except native.ForkedError as error:
                    assert "spawn" in str(error)
                else:
                    os._exit(number + 1)
            # Dropping what is the parent's does nothing to it.
            del live, inlet, outlet, runtime, texture, mapped, knobs, call, calls
            gc.collect()
            sys.exit(100)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status))
        inlet.push(numpy.full((12, 16, 4), 9, numpy.uint8))
        print((outlet.wait(30).texture.numpy()).shape)
        """)
    )
    assert told.split("\n")[:2] == ["100", "(12, 16, 4)"]


def test_spawned_processes_have_a_runtime_of_their_own(runtime, tmp_path, program):
    (tmp_path / "work.py").write_text(
        textwrap.dedent("""
        import multiprocessing
        from streamlib import _streamlib as native

        def work(number):
            texture = native.Runtime().create_texture(number, 1)
            return texture.numpy().shape

        if __name__ == "__main__":
            native.Runtime()
            with multiprocessing.get_context("spawn").Pool(2) as pool:
                print(pool.map(work, [1, 2]))
        """)
    )
    done = subprocess.run([sys.executable, tmp_path / "work.py"], capture_output=True, text=True, timeout=LIMIT)
    assert done.stdout == "[(1, 1, 4), (1, 2, 4)]\n", done.stderr


def test_a_subinterpreter_is_refused(program):
    told = program("""
        import streamlib._streamlib
        try:
            import _xxsubinterpreters as interpreters
        except ImportError:
            import _interpreters as interpreters
        text = '''try:
            import streamlib._streamlib
        except ImportError as error:
            print("refused:", error, flush=True)'''
        try:
            interpreters.run_string(interpreters.create(), text)
        except TypeError:
            interpreters.exec(interpreters.create(), text)
        """)
    assert told.startswith("refused:")


def test_the_command_comes_along(runtime):
    def command(*arguments):
        return subprocess.run([*arguments], capture_output=True, text=True, timeout=LIMIT)

    for start in ([sys.executable, "-m", "streamlib"], [os.path.join(os.path.dirname(sys.executable), "streamlib")]):
        done = command(*start, "doctor")
        assert done.returncode == 0, done.stderr
        assert "Vulkan devices" in done.stdout
        assert "libdxcompiler" in done.stdout
        done = command(*start, "effect", "check", "no such file.hlsl")
        assert done.returncode == 2
        assert "error" in done.stderr
        assert command(*start, "--version").stdout.startswith("streamlib ")
        assert command(*start, "nonsense").returncode == 2


def test_the_command_compiles_with_the_compiler_of_the_package(runtime, tmp_path):
    carried = Path(native.__file__).parent / "_dxc/libdxcompiler.so"
    if not carried.is_file():
        pytest.skip("the package carries no HLSL compiler")
    # A user who has no other one, and has compiled nothing yet.
    homes = {name: str(tmp_path) for name in ("HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME")}
    environment = {name: value for name, value in os.environ.items() if name != "STREAMLIB_DXC"} | homes
    (tmp_path / "red.hlsl").write_text("float4 main(float2 uv : TEXCOORD) : SV_Target { return float4(1, 0, 0, 1); }")
    for arguments in (["doctor"], ["play", "red.hlsl", "--size", "8x8", "--frames", "1", "-o", "red.png"]):
        command = [sys.executable, "-m", "streamlib", *arguments]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=LIMIT)
        assert done.returncode == 0, done.stderr
        assert arguments[0] != "doctor" or str(carried) in done.stdout, done.stdout
    assert (tmp_path / "red.png").is_file()
