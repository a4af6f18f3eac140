"""How the core is told where frames come from and where they go."""

from __future__ import annotations

import os

APP = "app:"


def camera_uri(device_id: str | int | None) -> str:
    """A camera: the first one, one by number, or one by path."""
    if device_id is None:
        return "camera:"
    device = str(device_id)
    return f"camera:/dev/video{device}" if device.isdigit() else f"camera:{device}"


def display_uri(
    title: str, width: int | None, height: int | None, shows_fps: bool, stats: bool | str | os.PathLike[str]
) -> str:
    """A window."""
    from urllib.parse import urlencode

    drawn = ("on" if stats else None) if isinstance(stats, bool) else os.fspath(stats)
    asked = {"title": title, "width": width, "height": height, "fps": "on" if shows_fps else None, "stats": drawn}
    return "display:?" + urlencode({name: value for name, value in asked.items() if value is not None})


def surface_uri(name: str, **wishes: object) -> str:
    """A surface, with those wishes that are not ``None``."""
    from urllib.parse import urlencode

    asked = urlencode({wish: value for wish, value in wishes.items() if value is not None}, safe=":")
    return f"surface:{name}?{asked}" if asked else f"surface:{name}"


def path_uri(path: str | os.PathLike[str]) -> str:
    """A file, or what has a scheme already."""
    return os.fspath(path)


def is_generated(uri: str) -> bool:
    """Whether a source is drawn by a program, which has the size and the rate that it is given."""
    return uri.startswith("generate:") or (uri.endswith(".hlsl") and not uri.startswith("camera:"))


def name_of(uri: str) -> str:
    """A name for a source or sink that was given none: ``clips/cat.mp4`` is ``cat``."""
    stem = os.path.basename(uri.rpartition(":")[2]).partition(".")[0]
    return stem.strip("%0123456789d-_ ") or "video"
