"""A graph that Python defined, run by Python, by Python with threads that are in its way, and by the `streamlib` command."""

import gc
import json
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import graphs
import reference
import streamlib
import worker

SPINNING = 8


def by_python(options, gets_in_the_way=False):
    """The report of a run."""
    runtime = graphs.runtime(tuple(options.size), options.fps)
    stop = threading.Event()

    def spin():
        count = 0
        while not stop.is_set():
            count += 1

    threads = [threading.Thread(target=spin, daemon=True) for _ in range(SPINNING if gets_in_the_way else 0)]
    entered = streamlib.interpreter_entries()
    for thread in threads:
        thread.start()
    try:
        if options.free:
            live = streamlib.default_runtime().start(json.dumps(runtime.graph.json), free=True, frames=options.frames)
            live.wait(600)
            report = live.stop()
        elif gets_in_the_way:
            runtime.start(frames=options.frames)
            while not runtime.wait(0):
                gc.collect()
            report = runtime.stop().result
        else:
            report = runtime.run_blocking(frames=options.frames)
    finally:
        stop.set()
    if streamlib.interpreter_entries() != entered:
        raise worker.Wrong("frames of the graph entered the interpreter")
    return report


def command(options, graph, folder, *arguments):
    """Runs a graph with the `streamlib` command: the program that is named, else the one of the package."""
    file = Path(folder) / "graph.toml"
    file.write_text(graphs.toml(graph), encoding="utf-8")
    program = [options.native] if options.native else [sys.executable, "-m", "streamlib"]
    done = subprocess.run([*program, "run", str(file), *arguments, "--json"], capture_output=True, text=True, timeout=600)
    if done.returncode != 0:
        raise RuntimeError(f"streamlib run: {done.stderr.strip().splitlines()[-1:]}")
    return json.loads(done.stdout)


def by_rust(options):
    graph = graphs.runtime(tuple(options.size), options.fps).graph.json
    with tempfile.TemporaryDirectory() as folder:
        pace = ["--free"] if options.free else []
        return command(options, graph, folder, "--live", *pace, "--frames", str(options.frames))


def check(options):
    """That Python and the command draw the same picture, and the right one."""
    size = tuple(options.size)
    result, plain = (streamlib.app_sink(handler_id=name) for name in ("result", "plain"))
    runtime = graphs.runtime(size, options.fps, result, plain)
    runtime.start(frames=1)
    pictures = [sink.read(60).numpy() for sink in (result, plain)]
    runtime.stop()
    reference.check(pictures[0], reference.chain(pictures[1], graphs.STEPS), "the graph")
    with tempfile.TemporaryDirectory() as folder:
        sink = str(Path(folder) / "%d.png")
        for number, who in enumerate(("python", "rust")):
            graph = graphs.runtime(size, options.fps, streamlib.file_sink(sink.replace("%d", f"{who}-%d"), handler_id="out"))
            if number == 0:
                graph.run_blocking(frames=1)
            else:
                command(options, graph.graph.json, folder, "--frames", "1")
        files = sorted(Path(folder).glob("*.png"))
        if len(files) != 2 or files[0].read_bytes() != files[1].read_bytes():
            raise worker.Wrong(f"Python and Rust do not draw the same frame: {[file.name for file in files]}")


def measure(options):
    if options.checks:
        check(options)
    who = options.who
    report = by_rust(options) if who == "Rust" else by_python(options, who != "Python")
    stats = report["stats"]
    if stats["frames"] != options.frames:
        raise worker.Wrong(f"{stats['frames']} frames came out of {options.frames}")
    if options.free:
        return {f"{who}: a frame": [report["seconds"] * 1e9 / options.frames]}
    latency = stats["latency"]
    return {f"{who}: latency {name}": [latency[f"{key}_us"] * 1e3] for name, key in (("p50", "p50"), ("p99.9", "p99_9"))}


worker.main(measure)
