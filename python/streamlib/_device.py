"""The GPU and the compiler of this process."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._streamlib import Runtime

# Mesa's software device, which every Linux distribution has.
_SOFTWARE = "llvmpipe"
_lock = threading.Lock()
_runtimes: dict[bool, Runtime] = {}


def default_runtime(*, enable_gpu: bool = True) -> Runtime:
    """The :class:`~streamlib.Runtime` that everything here uses unless it is given another: opened once, at first need.

    :param enable_gpu: ``False`` for a software device, which is another runtime.
    :raises DeviceError: when there is no usable Vulkan device or no HLSL compiler; the message says how to get it.
    """
    with _lock:
        if enable_gpu not in _runtimes:
            from ._streamlib import Runtime

            _runtimes[enable_gpu] = Runtime() if enable_gpu else Runtime(_SOFTWARE)
        return _runtimes[enable_gpu]


def any_runtime() -> Runtime:
    """A runtime that is open, else the default one: for what does not depend on the device."""
    with _lock:
        opened = next(iter(_runtimes.values()), None)
    return opened or default_runtime()
