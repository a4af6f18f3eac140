"""What every program that measures shares: what it is asked, the loops that time, and what it answers.

A program is started as `python measure_X.py ANSWER STARTED OPTIONS`: the file to answer in, when it was started
(`time.monotonic_ns`), and JSON. It answers with rows of samples in nanoseconds, never with a verdict on times.
"""

import json
import os
import sys
import time
import traceback


class Absent(Exception):
    """What this program measures is not there on this machine."""


class Wrong(Exception):
    """The pixels are not what they should be, so there is nothing to time."""


class Options:
    """What the conductor asked."""

    def __init__(self, text):
        self.__dict__.update(json.loads(text))


def took(call):
    """How long a call took, in nanoseconds."""
    start = time.perf_counter_ns()
    call()
    return time.perf_counter_ns() - start


def timed(call, count, seconds):
    """Calls that follow two which do not count, until there are enough or the time is used up."""
    return interleaved({"": call}, count, seconds)[""]


def interleaved(calls, count, seconds):
    """Several calls in turn, forwards and backwards, so that what changes meanwhile changes for all."""
    for call in list(calls.values()) * 2:
        call()
    samples = {name: [] for name in calls}
    until = time.perf_counter() + seconds
    for number in range(count):
        order = list(calls.items())
        for name, call in order if number % 2 == 0 else reversed(order):
            samples[name].append(took(call))
        if time.perf_counter() > until:
            break
    return samples


def main(measure):
    """Runs a program as the conductor asks. `measure` takes the options, and gives rows of samples."""
    path, options = sys.argv[1], Options(sys.argv[3])
    try:
        answer = {"rows": measure(options)}
    except (Absent, ImportError) as error:
        answer = {"absent": str(error)}
    except Wrong as error:
        answer = {"wrong": str(error)}
    except Exception as error:  # the conductor prints the last line of what is said here
        traceback.print_exc()
        print(f"{type(error).__name__}: {error}".splitlines()[0], file=sys.stderr)
        os._exit(1)
    with open(path, "w", encoding="utf-8") as file:
        json.dump(answer, file)
    # Drivers that crash while they are torn down would hide an answer that is there.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
