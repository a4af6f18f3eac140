"""Decorators, handlers, ports and their connections."""

from __future__ import annotations

import pytest

import streamlib
from streamlib import (
    ClosedError,
    DataInput,
    DataOutput,
    GraphError,
    Stream,
    StreamHandler,
    StreamRuntime,
    VideoInput,
    VideoOutput,
    app_sink,
    camera_source,
    display_sink,
    file_sink,
    shaders,
    stream_effect,
    stream_processor,
    video_effect,
    video_source,
)


def test_decorators_are_bare_or_called() -> None:
    @camera_source
    def bare(): ...

    @camera_source(device_id=2)
    def called(): ...

    @display_sink
    def window(): ...

    @display_sink(width=640, height=360, title="The picture", show_fps=True)
    def titled(): ...

    @display_sink(show_stats=True)
    def counted(): ...

    @display_sink(show_stats="looks/mine.hlsl")
    def drawn(): ...

    @video_effect
    def effect(frame, gpu): ...

    @stream_effect(handler_id="other")
    def named(frame, gpu): ...

    assert (bare.uri, called.uri) == ("camera:", "camera:/dev/video2")
    assert window.uri == "display:?title=window"
    assert titled.uri == "display:?title=The+picture&width=640&height=360&fps=on"
    assert counted.uri == "display:?title=counted&stats=on"
    assert drawn.uri == "display:?title=drawn&stats=looks%2Fmine.hlsl"
    assert [handler.handler_id for handler in (bare, effect, named)] == ["bare", "effect", "other"]


def test_any_attribute_may_be_set_on_a_handler() -> None:
    @video_effect
    def effect(frame, gpu): ...

    effect.velocity = (1, 2)
    assert effect.velocity == (1, 2)
    assert not hasattr(effect, "position")


def test_functions_of_cameras_and_windows_are_never_called() -> None:
    @camera_source(source="clip.mp4")
    def camera():
        raise AssertionError("called")

    assert camera.uri == "clip.mp4"


def test_ports_are_given_in_many_ways() -> None:
    given = {"a": "video", "b": VideoInput, "c": DataInput("c")}

    @stream_processor(inputs=given, outputs=["d", VideoOutput("e")])
    def processor(tick, inputs, outputs): ...

    assert repr(processor.inputs) == "{a: video, b: video, c: data}"
    assert repr(processor.outputs) == "{d: data, e: video}"
    assert processor.inputs["a"].read_latest() is None and processor.inputs["c"].read_all() == []
    with pytest.raises(ClosedError, match="does not run"):
        processor.outputs["d"].write(1)


@pytest.mark.parametrize("wrong", [{"a": "vidoe"}, {"a": 3}, [3], {"a": DataOutput("a")}])
def test_wrong_ports_are_refused(wrong: object) -> None:
    with pytest.raises(TypeError):
        stream_processor(inputs=wrong)(lambda tick, inputs, outputs: None)  # type: ignore[arg-type]


def test_a_port_belongs_to_one_handler() -> None:
    port = VideoInput("video")
    stream_processor(inputs=[port], handler_id="a")(lambda tick, inputs, outputs: None)
    with pytest.raises(ValueError, match="another handler"):
        stream_processor(inputs=[port], handler_id="b")(lambda tick, inputs, outputs: None)


def test_missing_ports_are_told_with_those_that_exist() -> None:
    with pytest.raises(KeyError, match="`bars` has no output 'vidoe'; it has: video"):
        video_source("generate:bars").outputs["vidoe"]


def test_parameters_of_effects_are_inputs_for_data() -> None:
    @video_effect
    def shade(frame, gpu):
        return frame.clone_with_texture(gpu.run_shader(shaders.vignette, frame))

    assert shade.inputs["strength"].kind == "data"
    with pytest.raises(KeyError, match="no input 'strong'; it has: video, strength"):
        shade.inputs["strong"]


def test_types_that_differ_are_a_type_error_that_names_both_ports() -> None:
    camera = video_source("generate:bars", handler_id="camera")

    @video_effect
    def shade(frame, gpu):
        return frame.clone_with_texture(gpu.run_shader(shaders.vignette, frame))

    said = r"cannot connect camera.outputs\['video'\] \(video\) to shade.inputs\['radius'\] \(data\)"
    with pytest.raises(TypeError, match=said):
        StreamRuntime().connect(camera.outputs["video"], shade.inputs["radius"])
    with pytest.raises(TypeError, match="an output, then an input"):
        StreamRuntime().connect(shade.inputs["video"], camera.outputs["video"])  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="takes ports"):
        StreamRuntime().connect(camera, shade)  # type: ignore[arg-type]


def test_mistakes_in_connections_are_told() -> None:
    a, b, out = video_source("generate:bars"), video_source("generate:scene"), app_sink()
    runtime = StreamRuntime()
    runtime.connect(a.outputs["video"], out.inputs["video"])
    with pytest.raises(GraphError, match="is connected to bars"):
        runtime.connect(b.outputs["video"], out.inputs["video"])
    with pytest.raises(GraphError, match="two handlers called `scene`"):
        runtime.add_stream(b)
        runtime.add_stream(Stream(file_sink("x.mp4", handler_id="scene")))
    with pytest.raises(ValueError, match="latest, every, lossless"):
        runtime.connect(a.outputs["video"], file_sink("y.mp4").inputs["video"], delivery="all")
    with pytest.raises(ValueError, match="`bound` goes with"):
        runtime.connect(a.outputs["video"], file_sink("y.mp4").inputs["video"], bound=3)


def test_an_input_without_a_connection_is_told_as_code() -> None:
    runtime = StreamRuntime()
    runtime.add_stream(Stream(app_sink(handler_id="out")))
    with pytest.raises(GraphError, match=r"runtime.connect\(camera.outputs\['video'\], out.inputs\['video'\]\)"):
        runtime.start()


def test_names_with_points_are_refused() -> None:
    with pytest.raises(GraphError, match="handler_id="):
        video_source("x.mp4", handler_id="a.b")


def test_deliveries_are_in_the_graph() -> None:
    source, sink = video_source("generate:bars", size=(8, 8)), file_sink("null:", handler_id="none")
    runtime = StreamRuntime(fps=25)
    runtime.connect(source.outputs["video"], sink.inputs["video"], delivery="every", bound=3)
    assert runtime.graph.json["nodes"] == {
        "bars": {"source": "generate:bars", "size": [8, 8], "fps": 25},
        "none": {"sink": "null:", "inputs": {"input": {"from": "bars", "delivery": "every", "bound": 3}}},
    }


def test_a_processor_is_a_node_with_what_is_connected() -> None:
    source = video_source("generate:bars", size=(8, 8))

    @stream_processor(inputs=["video", "unused"], outputs=["strength", "other"])
    def detector(tick, inputs, outputs): ...

    @stream_processor(inputs={"seen": "data"})
    def logger(tick, inputs, outputs): ...

    @video_effect
    def shade(frame, gpu):
        return frame.clone_with_texture(gpu.run_shader(shaders.vignette, frame))

    runtime = StreamRuntime()
    runtime.connect(source.outputs["video"], detector.inputs["video"])
    runtime.connect(source.outputs["video"], shade.inputs["video"])
    runtime.connect(detector.outputs["strength"], shade.inputs["strength"])
    runtime.connect(detector.outputs["strength"], logger.inputs["seen"])
    runtime.connect(shade.outputs["video"], app_sink().inputs["video"])
    nodes = runtime.graph.json["nodes"]
    assert nodes["detector"] == {"processor": "detector", "inputs": {"video": "bars"}}
    assert nodes["shade"]["inputs"] == {"input": "bars", "strength": "detector.strength"}
    assert nodes["logger"]["inputs"] == {"seen": {"from": "detector.strength objects"}}


def test_a_handler_class_is_added_as_any_other() -> None:
    class Meter(StreamHandler):
        def __init__(self) -> None:
            super().__init__()
            self.inputs["video"] = VideoInput("video")

    meter = Meter()
    assert meter.handler_id == "Meter"
    with pytest.raises(TypeError, match="no output port"):
        meter.outputs["x"] = VideoInput("x")  # type: ignore[assignment]


@pytest.mark.parametrize("fps", [0, -1, float("nan"), 1e9])
def test_impossible_rates_are_refused(fps: float) -> None:
    with pytest.raises(ValueError):
        StreamRuntime(fps=fps)


def test_audio_is_not_there_yet_and_says_so() -> None:
    with pytest.raises(AttributeError, match="no audio yet"):
        streamlib.audio_source  # noqa: B018
    assert not any("audio" in name.lower() for name in streamlib.__all__)


def test_every_public_name_is_there_and_documented() -> None:
    for name in streamlib.__all__:
        assert getattr(streamlib, name).__doc__, name
