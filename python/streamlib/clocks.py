"""What time it is for the handlers of a runtime.

>>> clock = SoftwareClock(fps=50)
>>> clock.interval
0.02
"""

from __future__ import annotations

import time
from typing import NamedTuple, Protocol

__all__ = ["Clock", "SoftwareClock", "TimedTick"]


class TimedTick(NamedTuple):
    """One beat of a clock: what a processor is called with."""

    #: Seconds since the clock's start.
    timestamp: float
    #: Counts the calls of this handler, from 0.
    frame_number: int
    #: Which clock.
    clock_id: str
    #: Seconds since the tick before; 0 for the first.
    delta_time: float


class Clock(Protocol):
    """What :class:`~streamlib.StreamRuntime` takes as ``clock``."""

    @property
    def clock_id(self) -> str:
        """Its name, for ticks."""

    @property
    def fps(self) -> float:
        """Ticks a second."""

    def now(self) -> float:
        """Seconds since its start."""


class SoftwareClock:
    """The system's monotonic clock, with a rate.

    :raises ValueError: when ``fps`` is not above 0.
    """

    clock_id: str = "software"

    def __init__(self, fps: float = 30.0) -> None:
        if not 0 < fps <= 10_000:
            raise ValueError(f"a clock of {fps} ticks a second: give from above 0 to 10000")
        self.fps = float(fps)
        self._start = time.monotonic()

    @property
    def interval(self) -> float:
        """Seconds from tick to tick."""
        return 1.0 / self.fps

    def now(self) -> float:
        """Seconds since this clock was made."""
        return time.monotonic() - self._start

    def __repr__(self) -> str:
        return f"SoftwareClock(fps={self.fps:g})"


class Ticks:
    """Counts the ticks of one handler."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._count, self._last = clock, 0, 0.0

    def next(self) -> TimedTick:
        now = self._clock.now()
        delta = now - self._last if self._count else 0.0
        tick = TimedTick(now, self._count, self._clock.clock_id, delta)
        self._count, self._last = self._count + 1, now
        return tick
