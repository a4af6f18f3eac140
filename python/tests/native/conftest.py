"""The native module on this machine's device, without the Python layer above it."""

import json
import subprocess
import sys
import textwrap

import pytest

from streamlib import _streamlib

# Nothing here takes so long on anything that works.
LIMIT = 60.0

COPY = "float4 main(float2 uv : TEXCOORD) : SV_Target { return tex2D(input, uv); }"
GAIN = """
float gain <min = 0; max = 4;> = 1;
float4 main(float2 uv : TEXCOORD) : SV_Target { return tex2D(input, uv) * float4(gain.xxx, 1); }
"""


def chain(hlsl, size=(16, 12), **set):
    """The graph cam (app:) → fx → out (app:), of which no frame is lost."""
    nodes = {
        "cam": {"source": "app:", "size": list(size)},
        "fx": {"hlsl": hlsl, "inputs": {"input": {"from": "cam", "delivery": "lossless"}}, "set": set},
        "out": {"sink": "app:", "inputs": {"input": {"from": "fx", "delivery": "lossless"}}},
    }
    return json.dumps({"nodes": nodes})


@pytest.fixture(scope="session")
def runtime():
    try:
        return _streamlib.Runtime()
    except _streamlib.DeviceError as error:
        pytest.skip(str(error))


@pytest.fixture
def start(runtime):
    """Starts graphs that end with the test. Only frames that the test pushes run."""
    started = []

    def start(graph, **options):
        live = runtime.start(graph, **{"patience": LIMIT, **options})
        started.append(live)
        return live

    yield start
    for live in started:
        live.stop()


@pytest.fixture
def program():
    """Runs a program of its own, and gives what it printed."""

    def program(text, *arguments, code=0, **options):
        command = [sys.executable, "-X", "faulthandler", "-c", textwrap.dedent(text), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, **options)
        assert done.returncode == code, f"{done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    return program
