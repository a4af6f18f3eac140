"""Events and clocks."""

from __future__ import annotations

import asyncio
import threading

import pytest

from streamlib import EventBus, SoftwareClock
from streamlib.clocks import Ticks


def test_readers_do_not_take_events_from_one_another() -> None:
    bus = EventBus()
    first, second = bus.subscribe(), bus.subscribe("a.*")
    assert bus.publish("a.b", value=1) == 2 and bus.publish("c") == 1
    assert [event.topic for event in first.drain()] == ["a.b", "c"]
    assert [event.topic for event in second.drain()] == ["a.b"]
    assert first.drain() == []


def test_what_nobody_takes_is_lost_oldest_first_and_counted() -> None:
    bus = EventBus()
    reader = bus.subscribe(bound=2)
    for number in range(5):
        bus.publish("n", number=number)
    assert [event.data["number"] for event in reader.drain()] == [3, 4]
    assert reader.missed == 3


def test_a_reader_waits_for_events_of_other_threads() -> None:
    bus = EventBus()
    reader = bus.subscribe("go")
    thread = threading.Thread(target=lambda: bus.publish("go", speed=3))
    thread.start()
    event = reader.get(timeout=30)
    thread.join()
    assert event is not None and event.data == {"speed": 3}
    assert reader.get(timeout=0) is None


def test_a_closed_subscription_ends() -> None:
    bus = EventBus()
    with bus.subscribe() as reader:
        bus.publish("one")
    assert [event.topic for event in reader] == ["one"]
    assert bus.publish("two") == 0


def test_events_can_be_awaited() -> None:
    bus = EventBus()

    async def read() -> list[str]:
        topics = []
        with bus.subscribe() as reader:
            threading.Thread(target=lambda: [bus.publish(topic) for topic in ("a", "b", "end")]).start()
            async for event in reader:
                topics.append(event.topic)
                if event.topic == "end":
                    return topics
        return topics

    assert asyncio.run(read()) == ["a", "b", "end"]


def test_ticks_count_and_measure() -> None:
    ticks = Ticks(SoftwareClock(fps=100))
    first, second = ticks.next(), ticks.next()
    assert (first.frame_number, second.frame_number) == (0, 1)
    assert first.delta_time == 0 and second.delta_time == second.timestamp - first.timestamp
    assert first.clock_id == "software"


@pytest.mark.parametrize("fps", [0, -1, float("nan")])
def test_a_clock_has_a_rate(fps: float) -> None:
    with pytest.raises(ValueError):
        SoftwareClock(fps)
