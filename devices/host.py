"""What the device machine may ask of its host while programs run in it. It writes a line to /dev/virtio-ports/host.ctl
and reads one back:

    pixels HEAD X,Y ...    the pixels that stand there on the screen of HEAD, as rrggbb; below zero counts from right or bottom
    shot NAME HEAD         `ok`; the screen's picture is the file NAME.ppm of the output folder

HEAD is `gpu0` (virtio-gpu) or `cirrus0` (cirrus). What cannot be answered is answered with `error` and why.
"""

import json
import os
import re
import socket
import threading
import time


def connected(path, alive):
    """A connection to the socket that QEMU makes at `path`."""
    while alive():
        try:
            connection = socket.socket(socket.AF_UNIX)
            connection.connect(path)
            return connection
        except OSError:
            time.sleep(0.02)
    raise ConnectionError(path)


class Monitor:
    """QEMU's own control socket."""

    def __init__(self, connection):
        self.stream = connection.makefile("rwb")
        self.stream.readline()
        self.call("qmp_capabilities")

    def call(self, name, **arguments):
        self.stream.write(json.dumps({"execute": name, "arguments": arguments}).encode() + b"\n")
        self.stream.flush()
        while True:
            answer = json.loads(self.stream.readline())
            if "error" in answer:
                raise ValueError(answer["error"]["desc"])
            if "return" in answer:
                return


class Picture:
    """A picture in the format PPM."""

    def __init__(self, path):
        with open(path, "rb") as file:
            data = file.read()
        width, height, start = re.match(rb"P6\s(\d+)\s(\d+)\s255\s()", data).groups()
        self.width, self.height = int(width), int(height)
        self.texels = data[len(data) - 3 * self.width * self.height :]

    def pixel(self, x, y):
        x, y = (x + self.width if x < 0 else x), (y + self.height if y < 0 else y)
        if not (0 <= x < self.width and 0 <= y < self.height):
            raise ValueError(f"{x},{y} lies outside a screen of {self.width}x{self.height}")
        at = 3 * (y * self.width + x)
        return self.texels[at : at + 3].hex()


class Host(threading.Thread):
    """Answers requests until the machine ends."""

    def __init__(self, control, monitor, work, out, alive):
        super().__init__(daemon=True)
        self.paths, self.work, self.out, self.alive = (control, monitor), work, out, alive

    def run(self):
        try:
            control, monitor = (connected(path, self.alive) for path in self.paths)
            monitor = Monitor(monitor)
            for line in control.makefile("rb"):
                words = line.decode(errors="replace").split()
                if words:
                    control.sendall(self.answer(monitor, words).encode() + b"\n")
        except OSError:
            pass  # The machine has ended, and its sockets with it.

    def answer(self, monitor, words):
        try:
            if words[0] == "pixels":
                path = os.path.join(self.work, "screen.ppm")
                monitor.call("screendump", filename=path, device=words[1], head=0)
                picture = Picture(path)
                places = (place.split(",") for place in words[2:])
                return " ".join(picture.pixel(int(x), int(y)) for x, y in places)
            if words[0] == "shot":
                os.makedirs(self.out, exist_ok=True)
                path = os.path.join(self.out, os.path.basename(words[1]) + ".ppm")
                monitor.call("screendump", filename=path, device=words[2], head=0)
                return "ok"
            return f"error there is no request {words[0]}"
        except (ValueError, IndexError, OSError) as error:
            return f"error {error}"
