"""How long an import takes: in the interpreter, and with the interpreter from the start of the process."""

import sys
import time

# Nothing is imported before it is timed that the module would import as well.
NAME = sys.argv[3].split('"')[3]  # {"module": "NAME"}
begin = time.perf_counter_ns()
is_there = True
try:
    if NAME != "none":
        __import__(NAME)
except ImportError:
    is_there = False
imported, ended = time.perf_counter_ns() - begin, time.monotonic_ns()

import worker  # noqa: E402


def measure(options):
    if not is_there:
        raise worker.Absent(f"there is no module {options.module}")
    if NAME == "none":
        return {"nothing: process": [ended - int(sys.argv[2])]}
    return {f"{NAME}: import": [imported], f"{NAME}: process": [ended - int(sys.argv[2])]}


worker.main(measure)
