"""Python beside the frames: processors, and effects that are called for each frame."""

from __future__ import annotations

import asyncio
import threading

import pytest
from conftest import SIZE
from test_run import GAIN, bars, chain, grey_of, next_frames, until_grey

from streamlib import (
    DataMessage,
    DataOutput,
    EffectChanged,
    HandlerError,
    StreamHandler,
    StreamRuntime,
    VideoInput,
    VideoOutput,
    app_sink,
    shaders,
    stream_processor,
    video_effect,
)

numpy = pytest.importorskip("numpy")


def test_an_every_frame_effect_is_called_with_times_and_its_values_act() -> None:
    seen = []

    @video_effect(every_frame=True)
    def level(frame, gpu):
        seen.append((frame.frame_number, frame.time, frame.width, frame.height))
        output = gpu.create_texture(frame.width, frame.height)
        gpu.run_shader(GAIN, output=output, gain=1.0 if frame.frame_number > 5 else 0.0)
        return frame.clone_with_texture(output)

    sink = app_sink()
    with chain(bars(), level, sink):
        until_grey(sink, 0)
        until_grey(sink, 255)
    assert seen[0] == (0, 0.0, *SIZE), "the first call is made before there are frames"
    assert seen[1][2:] == SIZE
    numbers = [number for number, *_ in seen[1:]]
    assert numbers == sorted(set(numbers))


def test_an_every_frame_effect_may_look_at_its_frame() -> None:
    means = []

    @video_effect(every_frame=True)
    def level(frame, gpu):
        mean = float(frame.numpy().mean()) / 255 if means or frame.frame_number else 0.0
        means.append(mean)
        return frame.clone_with_texture(gpu.run_shader(GAIN, gain=mean))

    sink = app_sink()
    with chain(bars(), level, sink):
        next_frames(sink, 10)
    assert len(means) > 1 and 0 < means[-1] < 1


def test_an_every_frame_effect_that_does_something_else_says_what() -> None:
    @video_effect(every_frame=True)
    def fickle(frame, gpu):
        shader = shaders.invert if frame.frame_number < 3 else shaders.sepia
        return frame.clone_with_texture(gpu.run_shader(shader, frame))

    runtime = chain(bars(), fickle, app_sink())
    with pytest.raises(EffectChanged, match="operation 1 ran `sepia`, and it was `invert` in the first call"):
        runtime.run_blocking(60)


def test_what_an_every_frame_effect_raises_stops_the_runtime_and_reaches_the_caller() -> None:
    @video_effect(every_frame=True)
    def broken(frame, gpu):
        if frame.frame_number > 2:
            raise LookupError("no lens")
        return frame.clone_with_texture(gpu.run_shader(shaders.invert, frame))

    runtime = chain(bars(), broken, app_sink())
    with pytest.raises(HandlerError, match="`broken` raised LookupError for frame") as caught:
        runtime.run_blocking(60)
    assert isinstance(caught.value.__cause__, LookupError)
    assert caught.value.__cause__.__traceback__ is not None
    assert not runtime.is_running


def test_with_bypass_the_effect_goes_on_with_its_last_parameters() -> None:
    @video_effect(every_frame=True, on_error="bypass")
    def broken(frame, gpu):
        if frame.frame_number > 2:
            raise LookupError("no lens")
        return frame.clone_with_texture(gpu.run_shader(GAIN, gain=0.25))

    sink = app_sink()
    runtime = chain(bars(), broken, sink)
    with runtime.events.subscribe("handler.failed") as events, runtime:
        event = events.get(60)
        assert event is not None and event.data["handler"] == "broken"
        assert isinstance(event.data["error"].__cause__, LookupError)
        next_frames(sink, 3)
        until_grey(sink, 64)


def test_a_bypassed_failure_that_nobody_listens_to_is_logged(caplog) -> None:
    @video_effect(every_frame=True, on_error="bypass")
    def broken(frame, gpu):
        if frame.frame_number > 2:
            raise LookupError("no lens")
        return frame.clone_with_texture(gpu.run_shader(GAIN, gain=0.25))

    chain(bars(), broken, app_sink()).run_blocking(frames=60)
    assert "no lens" in caplog.text and "broken" in caplog.text


def test_what_a_parameter_cannot_take_is_told(caplog) -> None:
    @stream_processor(inputs=["video"], outputs=["level"])
    def meter(tick, inputs, outputs):
        inputs["video"].read_latest()
        outputs["level"].write([1, 2, 3])

    @video_effect
    def level(frame, gpu):
        return frame.clone_with_texture(gpu.run_shader(GAIN))

    source, sink = bars(), app_sink()
    runtime = chain(source, level, sink)
    runtime.connect(source.outputs["video"], meter.inputs["video"])
    runtime.connect(meter.outputs["level"], level.inputs["gain"])
    with runtime.events.subscribe("graph.data_refused") as events, runtime:
        event = events.get(60)
        assert event is not None and event.data["node"] == "meter" and "gain" in event.data["text"]
    runtime.run_blocking(frames=20)
    assert "gain" in caplog.text, "nobody listened"


@pytest.mark.parametrize("is_async", [True, False])
def test_a_processor_sets_a_parameter(is_async: bool) -> None:
    ports = {"inputs": ["video"], "outputs": ["level"], "handler_id": "meter"}

    def measure(tick, inputs, outputs):
        frame = inputs["video"].read_latest()
        assert frame is not None and inputs["video"].read_latest() is None, "each frame is there once"
        assert frame.numpy().shape == (SIZE[1], SIZE[0], 4)
        outputs["level"].write(0.75)

    @stream_processor(**ports)
    async def waits(tick, inputs, outputs):
        await asyncio.sleep(0)
        measure(tick, inputs, outputs)

    meter = waits if is_async else stream_processor(**ports)(measure)

    @video_effect
    def level(frame, gpu):
        return frame.clone_with_texture(gpu.run_shader(GAIN))

    source, sink = bars(), app_sink()
    runtime = chain(source, level, sink)
    runtime.connect(source.outputs["video"], meter.inputs["video"])
    runtime.connect(meter.outputs["level"], level.inputs["gain"])
    with runtime:
        until_grey(sink, 191)


def test_frames_do_not_wait_for_a_processor() -> None:
    gate, calls = threading.Event(), []

    @stream_processor(inputs=["video"])
    def slow(tick, inputs, outputs):
        calls.append(inputs["video"].read_latest().frame_number)
        gate.wait(30)

    source, sink = bars(), app_sink()
    runtime = chain(source, sink)
    runtime.connect(source.outputs["video"], slow.inputs["video"])
    with runtime:
        numbers = [frame.frame_number for frame in next_frames(sink, 20)]
        gate.set()
    assert numbers[-1] - numbers[0] >= 19
    assert len(calls) < 20


def test_objects_go_from_processor_to_processor_with_the_time_of_their_frame() -> None:
    got = []
    enough = threading.Event()

    @stream_processor(inputs=["video"], outputs=["found"])
    def detector(tick, inputs, outputs):
        frame = inputs["video"].read_latest()
        outputs["found"].write({"number": frame.frame_number, "time": frame.timestamp, "name": "cat"})

    @stream_processor(inputs={"found": "data"})
    async def reader(tick, inputs, outputs):
        for message in inputs["found"].read_all():
            got.append(message)
            if len(got) == 5:
                enough.set()

    source = bars()
    runtime = StreamRuntime(fps=60)
    runtime.connect(source.outputs["video"], detector.inputs["video"])
    runtime.connect(detector.outputs["found"], reader.inputs["found"], delivery="every", bound=8)
    with runtime:
        assert enough.wait(60)
    assert all(message.data["name"] == "cat" for message in got)
    assert all(message.timestamp == pytest.approx(message.data["time"]) for message in got)
    numbers = [message.data["number"] for message in got]
    assert numbers == sorted(set(numbers))


def test_messages_reach_every_reader() -> None:
    first, second = [], []
    enough = threading.Event()

    @stream_processor(outputs=["count"])
    def counter(tick, inputs, outputs):
        outputs["count"].write(DataMessage(tick.frame_number, data_type="count"))

    @stream_processor(inputs={"count": "data"})
    def one(tick, inputs, outputs):
        first.extend(message.data for message in inputs["count"].read_all())

    @stream_processor(inputs={"count": "data"})
    def two(tick, inputs, outputs):
        second.extend(message.data for message in inputs["count"].read_all())
        if len(second) >= 5 and len(first) >= 5:
            enough.set()

    source = bars()
    runtime = chain(source, app_sink())
    runtime.connect(counter.outputs["count"], one.inputs["count"], delivery="lossless", bound=8)
    runtime.connect(counter.outputs["count"], two.inputs["count"], delivery="lossless", bound=8)
    with runtime:
        assert enough.wait(60)
    for got in (first, second):
        assert got == list(range(got[0], got[0] + len(got)))


def test_what_a_processor_raises_stops_the_runtime_and_reaches_the_caller() -> None:
    @stream_processor(inputs=["video"])
    async def broken(tick, inputs, outputs):
        raise LookupError("no model")

    source = bars()
    runtime = chain(source, app_sink())
    runtime.connect(source.outputs["video"], broken.inputs["video"])

    async def main():
        await runtime.run(60)

    with pytest.raises(HandlerError, match="`broken` raised LookupError at tick 0: no model") as caught:
        asyncio.run(main())
    assert isinstance(caught.value.__cause__, LookupError)


def test_with_bypass_a_processor_ends_alone() -> None:
    @stream_processor(inputs=["video"], on_error="bypass")
    def broken(tick, inputs, outputs):
        raise LookupError("no model")

    source, sink = bars(), app_sink()
    runtime = chain(source, sink)
    runtime.connect(source.outputs["video"], broken.inputs["video"])
    with runtime.events.subscribe("handler.*") as events, runtime:
        event = events.get(60)
        assert event is not None and event.data["policy"] == "bypass"
        next_frames(sink, 5)


def test_a_processor_may_keep_frames() -> None:
    kept = []
    enough = threading.Event()

    @stream_processor(inputs=["video"])
    def hoarder(tick, inputs, outputs):
        kept.append(inputs["video"].read_latest())
        if len(kept) == 10:
            enough.set()

    source = bars()
    runtime = StreamRuntime(fps=60)
    runtime.connect(source.outputs["video"], hoarder.inputs["video"])
    with runtime:
        assert enough.wait(60)
    assert len({frame.frame_number for frame in kept}) == len(kept)


def test_a_processor_that_ends_does_not_hold_up_a_graph_that_would_wait_for_it() -> None:
    @stream_processor(inputs=["video"], on_error="bypass")
    def broken(tick, inputs, outputs):
        raise LookupError("no model")

    source, sink = bars(), app_sink()
    runtime = chain(source, sink)
    runtime.connect(source.outputs["video"], broken.inputs["video"], delivery="lossless", bound=2)
    with runtime.events.subscribe("handler.failed"), runtime:
        next_frames(sink, 20)


def test_a_handler_class_starts_runs_and_stops() -> None:
    class Meter(StreamHandler):
        def __init__(self) -> None:
            super().__init__("meter")
            self.inputs["video"] = VideoInput("video")
            self.outputs["level"] = DataOutput("level")
            self.said: list[str] = []

        async def on_start(self) -> None:
            self.said.append("start")

        async def process(self, tick) -> None:
            self.said.append("tick")
            frame = self.inputs["video"].read_latest()
            if frame is not None:
                self.outputs["level"].write(1.0)

        async def on_stop(self) -> None:
            self.said.append("stop")

    @video_effect
    def level(frame, gpu):
        return frame.clone_with_texture(gpu.run_shader(GAIN))

    meter, source, sink = Meter(), bars(), app_sink()
    runtime = chain(source, level, sink)
    runtime.connect(source.outputs["video"], meter.inputs["video"])
    runtime.connect(meter.outputs["level"], level.inputs["gain"])
    with runtime:
        until_grey(sink, 255)
    assert meter.said[0] == "start" and meter.said[-1] == "stop" and "tick" in meter.said


def test_a_processor_gives_frames() -> None:
    @stream_processor(outputs={"video": VideoOutput("video", size=SIZE)})
    def painter(tick, inputs, outputs):
        picture = numpy.full((SIZE[1], SIZE[0], 4), 77, numpy.uint8)
        outputs["video"].write(picture)

    sink = app_sink()
    runtime = StreamRuntime(fps=60)
    runtime.connect(painter.outputs["video"], sink.inputs["video"])
    with runtime:
        assert grey_of(next_frames(sink, 1)[0]) == 77


def test_a_processor_that_waits_is_cancelled_when_the_graph_stops() -> None:
    outcome = []

    @stream_processor(inputs=["video"])
    async def waits(tick, inputs, outputs):
        inputs["video"].read_latest()
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            outcome.append("cancelled")
            raise

    source, sink = bars(), app_sink()
    runtime = chain(source, sink)
    runtime.connect(source.outputs["video"], waits.inputs["video"])
    with runtime:
        next_frames(sink, 3)
    assert outcome == ["cancelled"]
