"""Windows, on an X server of the test's own, looked at by what stands on its screen."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from streamlib import StreamRuntime, app_sink, video_source

numpy = pytest.importorskip("numpy")

EXAMPLE = Path(__file__).parents[2] / "examples" / "python" / "camera_to_display.py"
SIZE = (96, 54)
#: Nothing here takes so long on anything that works.
LIMIT = 60


class Screen:
    """The screen of an X server without one."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.file = folder / "Xvfb_screen0"

    def pixels(self):
        """Red, green and blue, from the server's memory, which has the form of an XWD file."""
        data = self.file.read_bytes()
        header = numpy.frombuffer(data, ">u4", 25)
        width, height, line, colours = (int(header[place]) for place in (4, 5, 12, 19))
        rows = numpy.frombuffer(data, numpy.uint8, height * line, int(header[0]) + 12 * colours)
        return rows.reshape(height, line // 4, 4)[:, :width, 2::-1].astype(int)


class Message(ctypes.Structure):
    """`XClientMessageEvent`, with the room of an `XEvent`."""

    _fields_ = [
        ("type", ctypes.c_int),
        ("serial", ctypes.c_ulong),
        ("send_event", ctypes.c_int),
        ("display", ctypes.c_void_p),
        ("window", ctypes.c_ulong),
        ("message_type", ctypes.c_ulong),
        ("format", ctypes.c_int),
        ("data", ctypes.c_long * 5),
        ("room", ctypes.c_long * 24),
    ]


def close_windows(screen: Screen) -> None:
    """Presses the button that closes a window, at every one."""
    x = ctypes.CDLL("libX11.so.6")
    x.XOpenDisplay.restype = ctypes.c_void_p
    x.XDefaultRootWindow.restype = x.XInternAtom.restype = ctypes.c_ulong
    display = ctypes.c_void_p(x.XOpenDisplay(screen.name.encode()))
    root, parent, children, count = ctypes.c_ulong(), ctypes.c_ulong(), ctypes.POINTER(ctypes.c_ulong)(), ctypes.c_uint()
    window = ctypes.c_ulong(x.XDefaultRootWindow(display))
    x.XQueryTree(display, window, *map(ctypes.byref, (root, parent, children, count)))
    protocols, delete = (x.XInternAtom(display, name, 0) for name in (b"WM_PROTOCOLS", b"WM_DELETE_WINDOW"))
    for child in children[: count.value]:
        message = Message(33, 0, 0, None, child, protocols, 32, (ctypes.c_long * 5)(delete))
        x.XSendEvent(display, ctypes.c_ulong(child), 0, ctypes.c_long(0), ctypes.byref(message))
    x.XCloseDisplay(display)


@pytest.fixture
def screen(tmp_path: Path) -> Iterator[Screen]:
    command = ["Xvfb", "-displayfd", "1", "-screen", "0", "640x480x24", "-nolisten", "tcp", "-noreset", "-fbdir", tmp_path]
    try:
        server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    except FileNotFoundError:
        pytest.skip("Xvfb is not installed")
    with server:
        assert server.stdout is not None
        number = server.stdout.readline().strip()
        assert number, "Xvfb does not start"
        yield Screen(f":{number}", tmp_path)
        server.terminate()


def example(display: str | None, folder: Path) -> subprocess.Popen[str]:
    """The example, on that screen or on none."""
    hidden = ("DISPLAY", "WAYLAND_DISPLAY", "WAYLAND_SOCKET")
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    if display is not None:
        environment["DISPLAY"] = display
    command = [sys.executable, EXAMPLE, "--source", "generate:bars", "--size", *map(str, SIZE)]
    return subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True)


def bars():
    """What the window has to show."""
    source, sink = video_source("generate:bars", size=SIZE), app_sink()
    runtime = StreamRuntime()
    runtime.connect(source.outputs["video"], sink.inputs["video"])
    with runtime:
        frame = sink.read(timeout=LIMIT)
        assert frame is not None
        return frame.numpy()[..., :3].astype(int)


def is_shown(picture, pixels) -> bool:
    """Whether all that stands on the screen is the picture, but for its marker and its number, which change."""
    rows, columns = (numpy.flatnonzero(pixels.any(axis=(2, axis))) for axis in (1, 0))
    if not len(rows):
        return False
    part = pixels[rows[0] : rows[0] + picture.shape[0], columns[0] : columns[0] + picture.shape[1]]
    if part.shape != picture.shape or columns[-1] - columns[0] >= picture.shape[1]:
        return False
    return (abs(part - picture) <= 2).all(axis=2).mean() > 0.9


@pytest.fixture
def shown(screen: Screen, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """The example, when the screen shows its picture."""
    picture, deadline = bars(), time.monotonic() + LIMIT
    process = example(screen.name, tmp_path)
    try:
        while not is_shown(picture, screen.pixels()):
            assert time.monotonic() < deadline, "the picture does not come"
            if process.poll() is not None:
                said = process.communicate()[1]
                if "cannot show frames in the window" in said:
                    pytest.skip(f"no windows on Xvfb with this device: {said.splitlines()[-1]}")
                raise AssertionError(said)
        yield process
    finally:
        process.kill()
        process.wait()


def test_a_display_sink_shows_the_frames_in_a_window(screen: Screen, shown: subprocess.Popen[str]) -> None:
    shown.send_signal(signal.SIGINT)
    said = shown.communicate(timeout=LIMIT)[1]
    assert shown.returncode == -signal.SIGINT or "KeyboardInterrupt" in said
    # The server clears the screen when it notices that its client has gone.
    deadline = time.monotonic() + LIMIT
    while screen.pixels().any():
        assert time.monotonic() < deadline, "the window does not go"


def test_a_graph_ends_when_its_last_window_is_closed(screen: Screen, shown: subprocess.Popen[str]) -> None:
    close_windows(screen)
    said = shown.communicate(timeout=LIMIT)[1]
    assert (shown.returncode, said) == (0, "")


def test_without_a_window_system_the_error_says_what_to_do(tmp_path: Path) -> None:
    process = example(None, tmp_path)
    said = process.communicate(timeout=LIMIT)[1]
    assert process.returncode == 1
    assert "GraphError" in said and "no window can be opened" in said and "write a file instead" in said, said
