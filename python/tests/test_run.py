"""Graphs that run: pixels, parameters, life and end."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from typing import Any, NamedTuple

import pytest
from conftest import GREY, SIZE

import streamlib
from streamlib import (
    ClosedError,
    CompileError,
    GraphError,
    SoftwareClock,
    Stream,
    StreamRuntime,
    app_sink,
    app_source,
    file_sink,
    shaders,
    video_effect,
    video_source,
)

numpy = pytest.importorskip("numpy")

RAMP = "float4 main(float2 uv : TEXCOORD) : SV_Target { return float4(uv, 0.25, 1); }"
GAIN = "float gain = 0.5; float4 main(float2 uv : TEXCOORD) : SV_Target { return float4(gain, gain, gain, 1); }"


def chain(*handlers, fps: float = 60.0, **options):
    """A runtime with handlers that are connected one after the other."""
    runtime = StreamRuntime(fps=fps, **options)
    for before, after in zip(handlers, handlers[1:]):
        runtime.connect(before.outputs["video"], after.inputs["video"])
    return runtime


class Seen(NamedTuple):
    pixels: Any
    frame_number: int
    width: int
    height: int


def bars(**options):
    return video_source("generate:bars", size=SIZE, **options)


def next_frames(sink, count: int):
    """Copies of frames, in host memory."""
    frames = []
    until = time.monotonic() + 60
    while len(frames) < count and time.monotonic() < until:
        frame = sink.read(timeout=1)
        if frame is not None:
            frames.append(Seen(frame.numpy(), frame.frame_number, frame.width, frame.height))
    assert len(frames) == count, "the graph gave too few frames in a minute"
    return frames


def grey_of(frame) -> int:
    return int(frame.pixels[0, 0, 0])


def until_grey(sink, value: int, tries: int = 600) -> None:
    seen = []
    for _ in range(tries):
        seen.append(grey_of(next_frames(sink, 1)[0]))
        if abs(seen[-1] - value) <= 1:
            return
    raise AssertionError(f"no frame of {value}; the last ones: {seen[-10:]}")


def test_pixels_are_those_of_the_shaders() -> None:
    @video_effect
    def look(frame, gpu):
        ramp = gpu.run_shader(RAMP)
        return frame.clone_with_texture(gpu.run_shader(shaders.invert, ramp))

    sink = app_sink()
    with chain(bars(), look, sink):
        frame = next_frames(sink, 1)[0]
        pixels = frame.pixels
    width, height = SIZE
    assert pixels.shape == (height, width, 4) and pixels.dtype == numpy.uint8
    across = 1 - (numpy.arange(width) + 0.5) / width
    down = 1 - (numpy.arange(height) + 0.5) / height
    assert numpy.abs(pixels[..., 0] - 255 * across[None, :]).max() <= 1
    assert numpy.abs(pixels[..., 1] - 255 * down[:, None]).max() <= 1
    assert numpy.abs(pixels[..., 2].astype(float) - 255 * 0.75).max() <= 1
    assert (frame.width, frame.height) == SIZE


def test_a_traced_graph_runs_without_the_interpreter() -> None:
    @video_effect
    def look(frame, gpu):
        return frame.clone_with_texture(gpu.run_shader(shaders.ripple, frame, amplitude=0.01 * frame.time))

    runtime = chain(bars(), look, file_sink("null:"), fps=200)
    before = streamlib.interpreter_entries()
    report = runtime.run_blocking(frames=60)
    assert streamlib.interpreter_entries() == before
    assert report["failures"] == []


def test_parameters_act_on_the_next_frames_from_any_thread() -> None:
    @video_effect
    def level(frame, gpu):
        return frame.clone_with_texture(gpu.run_shader(GAIN))

    sink = app_sink()
    level.params.gain = 0.25
    with chain(bars(), level, sink):
        until_grey(sink, 64)
        level.params.gain = 0.75
        assert level.params.gain == 0.75
        until_grey(sink, 191)
        thread = threading.Thread(target=setattr, args=(level.params, "gain", 1.0))
        thread.start()
        thread.join()
        until_grey(sink, 255)
        with pytest.raises(AttributeError, match="gain"):
            level.params.gian = 1
        with pytest.raises(GraphError):
            level.params.gain = [1, 2, 3]
    assert level.params.gain == 1.0


def test_parameters_of_the_function_set_whatever_follows_from_them() -> None:
    @video_effect(pass_params=True)
    def level(frame, gpu, half: float = 0.1):
        return frame.clone_with_texture(gpu.run_shader(GAIN, gain=2 * half))

    sink = app_sink()
    with chain(bars(), level, sink):
        until_grey(sink, 51)
        level.params.half = 0.5
        until_grey(sink, 255)


def test_expressions_of_time_change_by_themselves() -> None:
    @video_effect
    def level(frame, gpu):
        gain = streamlib.math.clamp(frame.frame_number / 10, 0, 1)
        return frame.clone_with_texture(gpu.run_shader(GAIN, gain=gain))

    sink = app_sink()
    runtime = StreamRuntime(fps=30)
    source = bars()
    runtime.connect(source.outputs["video"], level.inputs["video"])
    runtime.connect(level.outputs["video"], sink.inputs["video"], delivery="lossless", bound=8)
    with runtime:
        frames = next_frames(sink, 12)
    for frame in frames:
        assert abs(grey_of(frame) - min(frame.frame_number / 10, 1) * 255) <= 1


def test_feedback_keeps_what_was() -> None:
    count = "float4 main(float2 uv : TEXCOORD) : SV_Target { return float4(previous.Load(int3(0, 0, 0)).rgb + 1 / 255.0, 1); }"
    text = f"Texture2D previous;\n{count}"

    @video_effect
    def counter(frame, gpu):
        return frame.clone_with_texture(gpu.run_shader(text, gpu.last_output))

    sink = app_sink()
    runtime = StreamRuntime(fps=30)
    source = bars()
    runtime.connect(source.outputs["video"], counter.inputs["video"])
    runtime.connect(counter.outputs["video"], sink.inputs["video"], delivery="lossless", bound=8)
    with runtime:
        frames = next_frames(sink, 5)
    assert [grey_of(frame) - frame.frame_number for frame in frames] == [1] * 5


def test_a_texture_made_outside_is_an_input() -> None:
    logo = streamlib.GPUContext().create_texture(4, 4)
    logo.write(numpy.full((4, 4, 4), 255, numpy.uint8))

    @video_effect
    def marked(frame, gpu):
        return frame.clone_with_texture(gpu.blend(gpu.run_shader(GREY), logo))

    sink = app_sink()
    with chain(bars(), marked, sink):
        until_grey(sink, 255)


def test_frames_of_the_program_go_in_and_come_out() -> None:
    camera, sink = app_source(*SIZE), app_sink()
    with pytest.raises(ClosedError, match="start its runtime"):
        camera.push(numpy.zeros((SIZE[1], SIZE[0], 4), numpy.uint8))
    runtime = chain(camera, sink)
    with runtime:
        picture = numpy.zeros((SIZE[1], SIZE[0], 4), numpy.uint8)
        picture[..., 1] = 200
        assert camera.push(picture)
        assert (next_frames(sink, 1)[0].pixels == picture).all()
        with pytest.raises(ValueError):
            camera.push(picture[1:])
    with pytest.raises(ClosedError):
        camera.push(picture)


def test_frames_can_be_iterated_until_the_graph_ends() -> None:
    sink = app_sink()
    runtime = StreamRuntime(fps=60)
    source = bars()
    runtime.connect(source.outputs["video"], sink.inputs["video"], delivery="lossless", bound=4)
    runtime.start(frames=7)
    assert [frame.frame_number for frame in sink] == [*range(7)]
    assert runtime.wait(30)
    runtime.stop()


def test_a_program_may_keep_frames() -> None:
    sink = app_sink()
    with chain(bars(), sink):
        kept = [sink.read(timeout=30) for _ in range(10)]
        assert all(frame is not None for frame in kept)
        assert len({frame.frame_number for frame in kept}) == 10
        assert (kept[0].copy().numpy() == kept[0].numpy()).all()
    assert kept[9].numpy().shape == (SIZE[1], SIZE[0], 4), "also when the graph has ended"


def test_a_runtime_may_stay_awake_for_frames() -> None:
    sink = app_sink()
    with chain(bars(), sink, awake=0.002):
        numbers = [frame.frame_number for frame in next_frames(sink, 5)]
    assert numbers == sorted(set(numbers))
    for wrong in [-1, 2, float("nan")]:
        with pytest.raises(ValueError, match="from 0 to 1"):
            StreamRuntime(awake=wrong)


def test_a_program_may_keep_textures_alone() -> None:
    sink = app_sink()
    with chain(bars(), sink):
        kept = []
        for _ in range(10):
            frame = sink.read(timeout=30)
            assert frame is not None, "the program has all textures that there are"
            kept.append(frame.data)
    assert all(texture.shape == (SIZE[1], SIZE[0], 4) for texture in kept)


def test_files_are_whole_when_it_has_ended(tmp_path) -> None:
    out = tmp_path / "out.y4m"
    report = chain(bars(), file_sink(out)).run_blocking(frames=5)
    data = out.read_bytes()
    assert data.startswith(b"YUV4MPEG2") and data.count(b"FRAME") == 5
    assert report["sinks"][0]["frames"] == 5


def test_it_can_be_awaited() -> None:
    sink = file_sink("null:")

    async def main():
        runtime = chain(bars(), sink)
        runtime.add_stream(Stream(sink))
        await runtime.start()
        assert runtime.is_running
        return await runtime.run(0.2)

    assert asyncio.run(main())["failures"] == []


def test_a_cancelled_task_stops_the_graph() -> None:
    async def main():
        runtime = chain(bars(), file_sink("null:"))
        task = asyncio.create_task(runtime.run())
        await asyncio.sleep(0.2)
        assert runtime.is_running
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not runtime.is_running

    asyncio.run(main())


def test_starting_and_stopping_twice_is_no_mistake() -> None:
    runtime = chain(bars(), file_sink("null:"))
    runtime.start()
    runtime.start()
    first = runtime.stop().result
    assert runtime.stop().result == first
    with pytest.raises(ClosedError, match="runtime.start"):
        StreamRuntime().wait(0)
    runtime.start()
    assert runtime.is_running
    runtime.stop()


def test_a_runtime_that_is_dropped_stops() -> None:
    runtime = chain(bars(), file_sink("null:"))
    runtime.start()
    session = runtime._session
    del runtime
    gc.collect()
    assert session is not None and session.ended.wait(30)


def test_handlers_run_in_one_runtime_at_a_time() -> None:
    source, sink = bars(), file_sink("null:")
    first = chain(source, sink)
    with first:
        with pytest.raises(GraphError, match="runs in another runtime"):
            chain(source, sink).start()
        with pytest.raises(GraphError, match="while the graph runs"):
            first.add_stream(app_sink())
    chain(source, sink).run_blocking(frames=1)


def test_a_shader_is_replaced_while_frames_run() -> None:
    @video_effect
    def level(frame, gpu):
        return frame.clone_with_texture(gpu.run_shader(GAIN))

    sink = app_sink()
    runtime = chain(bars(), level, sink)
    with runtime:
        until_grey(sink, 128)
        with pytest.raises(CompileError) as caught:
            runtime.replace(level, GAIN.replace("return", "retrun"))
        assert caught.value.diagnostics[0].line == 1
        until_grey(sink, 128)
        applied = runtime.replace(level, GAIN.replace("gain", "other").replace("0.5", "0.75"))
        assert applied.first_frame is not None
        until_grey(sink, 191)
        level.params.other = 1
        until_grey(sink, 255)
        with pytest.raises(AttributeError):
            level.params.gain = 1


def test_it_runs_on_a_software_device() -> None:
    runtime = chain(bars(), file_sink("null:"), enable_gpu=False)
    assert runtime.run_blocking(frames=2)["failures"] == []
    assert "llvmpipe" in runtime.report["device"]


def test_times_count_from_the_first_frame_also_for_who_comes_late() -> None:
    sink = app_sink()
    with chain(bars(), sink, fps=50):
        time.sleep(0.5)
        frame = sink.read(timeout=30)
        frame = sink.read(timeout=30)
        assert frame is not None and frame.frame_number > 0
        assert frame.timestamp == pytest.approx(frame.frame_number / 50, abs=0.2)


def test_a_clock_sets_the_pace() -> None:
    report = chain(bars(), file_sink("null:"), clock=SoftwareClock(fps=100)).run_blocking(frames=3)
    assert report["failures"] == []


def test_graphs_are_shown() -> None:
    runtime = chain(bars(), app_sink())
    assert "bars" in str(runtime.graph)
    assert runtime.graph._repr_svg_().lstrip().startswith("<svg")
    with runtime:
        assert runtime.graph.json["nodes"]["bars"]["source"] == "generate:bars"
        assert isinstance(runtime.stats, dict)


def test_a_source_that_is_not_there_is_told_at_the_start() -> None:
    with pytest.raises(streamlib.StreamlibError, match="nowhere.mp4"):
        chain(video_source("nowhere.mp4"), app_sink()).start()
