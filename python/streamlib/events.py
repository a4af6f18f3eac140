"""What happens in a runtime besides frames, for whoever wants to know.

Every subscriber has a queue of its own: readers never take events from one another.

>>> bus = EventBus()
>>> events = bus.subscribe("ball.*")
>>> bus.publish("ball.bounced", speed=0.3), bus.publish("camera.opened")
(1, 0)
>>> [(event.topic, event.data["speed"]) for event in events.drain()]
[('ball.bounced', 0.3)]
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, NamedTuple

__all__ = ["Event", "EventBus", "Subscription"]


class Event(NamedTuple):
    """Something that happened."""

    #: What, in words with points between them, such as ``handler.failed``.
    topic: str
    #: What else there is to say.
    data: dict[str, Any]
    #: ``time.monotonic()`` when it was published, seconds.
    timestamp: float


class Subscription:
    """One reader's queue. Read it by :meth:`get`, :meth:`drain`, ``for`` or ``async for``; close it, or use ``with``."""

    def __init__(self, bus: EventBus, pattern: str, bound: int) -> None:
        self._bus, self._pattern = bus, pattern
        self._events: deque[Event] = deque()
        self._bound = bound
        self._changed = threading.Condition()
        self._wakers: list[Callable[[], None]] = []
        self._is_closed = False
        #: Events that were lost because nobody took them in time: the oldest go first.
        self.missed = 0

    def _matches(self, topic: str) -> bool:
        if self._pattern.endswith("*"):
            return topic.startswith(self._pattern[:-1])
        return topic == self._pattern

    def _put(self, event: Event) -> None:
        with self._changed:
            if len(self._events) == self._bound:
                self._events.popleft()
                self.missed += 1
            self._events.append(event)
            self._wake()

    def _wake(self) -> None:
        self._changed.notify_all()
        wakers, self._wakers = self._wakers, []
        for waker in wakers:
            waker()

    def get(self, timeout: float | None = None) -> Event | None:
        """The next event. Waits up to ``timeout`` seconds, or for ever; ``None`` when there is none then, or it is closed."""
        until = None if timeout is None else time.monotonic() + timeout
        with self._changed:
            while not self._events and not self._is_closed:
                left = None if until is None else until - time.monotonic()
                if left is not None and left <= 0:
                    return None
                self._changed.wait(left)
            return self._events.popleft() if self._events else None

    def drain(self) -> list[Event]:
        """All events that are there, oldest first, without waiting."""
        with self._changed:
            events, self._events = list(self._events), deque()
            return events

    def close(self) -> None:
        """No more events come. What is there can still be read."""
        self._bus._forget(self)
        with self._changed:
            self._is_closed = True
            self._wake()

    def __iter__(self) -> Iterator[Event]:
        """Events as they come, until it is closed."""
        while (event := self.get()) is not None:
            yield event

    async def __aiter__(self) -> AsyncIterator[Event]:
        import asyncio

        loop = asyncio.get_running_loop()
        while True:
            woken = asyncio.Event()
            with self._changed:
                event = self._events.popleft() if self._events else None
                if event is None and self._is_closed:
                    return
                if event is None:
                    self._wakers.append(lambda woken=woken: _call(loop, woken.set))  # type: ignore[misc]
            if event is None:
                await woken.wait()
            else:
                yield event

    def __enter__(self) -> Subscription:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


class EventBus:
    """Hands events to all who subscribed. Safe from every thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._subscriptions: list[Subscription] = []

    def subscribe(self, topic: str = "*", *, bound: int = 1000) -> Subscription:
        """A queue of the events of a topic, from now on. ``handler.*`` is every topic that begins so, ``*`` all.

        :param bound: how many may wait; beyond it the oldest are lost and counted in ``missed``.
        """
        if bound < 1:
            raise ValueError(f"a queue of {bound} events: give at least 1")
        subscription = Subscription(self, topic, bound)
        with self._lock:
            self._subscriptions.append(subscription)
        return subscription

    def publish(self, topic: str, /, **data: Any) -> int:
        """Tells all who subscribed to the topic; how many they are."""
        event = Event(topic, data, time.monotonic())
        with self._lock:
            readers = [reader for reader in self._subscriptions if reader._matches(topic)]
        for reader in readers:
            reader._put(event)
        return len(readers)

    def _forget(self, subscription: Subscription) -> None:
        with self._lock:
            if subscription in self._subscriptions:
                self._subscriptions.remove(subscription)


def _call(loop: Any, function: Callable[[], None]) -> None:
    """Calls a function in a loop, unless that has ended meanwhile."""
    try:
        loop.call_soon_threadsafe(function)
    except RuntimeError:
        pass  # the loop is closed, and with it whoever waited
