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
            graph, native = json.dumps(runtime.graph.json), streamlib.default_runtime()
            live = native.start(graph, free=True, frames=options.frames, trace=options.trace)
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
        pace = ["--free", "--trace", options.trace] if options.free else []
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


def intervals(trace):
    """Times between deliveries from a trace, and their mean, in nanoseconds. The first tenth is left out."""
    events = json.loads(Path(trace).read_text(encoding="utf-8"))
    events = events["traceEvents"] if isinstance(events, dict) else events
    times = {event["args"]["frame"]: event["ts"] + event["dur"] for event in events if event["name"] == "deliver"}
    frames = sorted(times)[len(times) // 10 :]
    mean = (times[frames[-1]] - times[frames[0]]) / (frames[-1] - frames[0])
    # A trace leaves events out when the disk is slow: only neighbours are an interval.
    between = [times[b] - times[a] for a, b in zip(frames, frames[1:]) if b == a + 1]
    return mean * 1e3, [interval * 1e3 for interval in between]


def measure(options):
    who = options.who
    if options.checks:
        # This start does not count: it looks at pixels, and fills caches.
        options.frames = min(options.frames, 30)
        if who == "Python":
            check(options)
    with tempfile.TemporaryDirectory() as folder:
        options.trace = str(Path(folder) / "trace.json")
        report = by_rust(options) if who == "Rust" else by_python(options, who != "Python")
        stats = report["stats"]
        if stats["frames"] != options.frames:
            raise worker.Wrong(f"{stats['frames']} frames came out of {options.frames}")
        if options.free:
            mean, between = intervals(options.trace)
            return {f"{who}: a frame, mean": [mean], f"{who}: from frame to frame": between}
    latency = stats["latency"]
    return {f"{who}: latency {name}": [latency[f"{key}_us"] * 1e3] for name, key in (("p50", "p50"), ("p99.9", "p99_9"))}


worker.main(measure)
