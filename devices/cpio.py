"""Archives in the format `newc` of cpio, which the kernel unpacks as its first file system."""

import os

DIRECTORY, FILE, LINK, DEVICE = 0o040000, 0o100000, 0o120000, 0o020000


class Archive:
    """Writes one archive to `out`, a file that is open for writing bytes."""

    def __init__(self, out):
        self.out = out
        self.entries = 0
        self.names = set()

    def directory(self, name):
        if name and self._new(name):
            self._entry(name, DIRECTORY | 0o755, b"")

    def link(self, name, target):
        if self._new(name):
            self._entry(name, LINK | 0o777, target.encode())

    def file(self, name, data, mode=0o644):
        if self._new(name):
            self._entry(name, FILE | mode, data)

    def device(self, name, major, minor):
        """A character device."""
        if self._new(name):
            self._entry(name, DEVICE | 0o600, b"", (major, minor))

    def close(self):
        self._entry("TRAILER!!!", 0, b"")

    def _new(self, name):
        """Whether the archive has no such name yet; its folders are then in it."""
        if name in self.names:
            return False
        self.directory(os.path.dirname(name))
        self.names.add(name)
        return True

    def _entry(self, name, mode, data, device=(0, 0)):
        self.entries += 1
        encoded = name.encode() + b"\0"
        fields = (self.entries, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(encoded), 0)
        header = b"070701" + b"".join(b"%08X" % field for field in fields) + encoded
        for part in (header, data):
            self.out.write(part + b"\0" * (-len(part) % 4))
