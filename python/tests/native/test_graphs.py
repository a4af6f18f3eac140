"""Graphs that run live, from their inlets to their outlets."""

import gc
import json
import threading


import numpy as np
import pytest

from .conftest import COPY, GAIN, LIMIT, chain
from streamlib import _streamlib as native


def pixels(seed=0, size=(16, 12)):
    return np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 4), dtype=np.uint8)


def push(inlet, frame, captured_ns=None):
    while not inlet.push(frame, captured_ns):
        pass


def test_arrays_go_in_and_come_out_as_the_effect_makes_them(start):
    live = start(chain(GAIN, gain=0.5))
    inlet, outlet = live.inlet("cam"), live.outlet("out")
    assert inlet.size == (16, 12)
    for number in range(5):
        sent = pixels(number)
        push(inlet, sent, 1000 + number)
        frame = outlet.wait(LIMIT)
        assert (frame.width, frame.height, frame.sequence) == (16, 12, number)
        assert frame.captured_ns == 1000 + number
        got = frame.texture.numpy()
        wanted = sent.astype(float) * [0.5, 0.5, 0.5, 1]
        assert np.abs(got - wanted).max() <= 0.51
    assert outlet.take() is None
    assert native.interpreter_entries() == 0


def test_a_texture_is_pushed_as_well_as_an_array(start, runtime):
    live = start(chain(COPY))
    inlet, outlet = live.inlet("cam"), live.outlet("out")
    texture, sent = runtime.create_texture(16, 12), pixels()
    texture.write(sent)
    push(inlet, texture)
    assert np.array_equal(outlet.wait(LIMIT).texture.numpy(), sent)


def test_parameters_act_on_the_next_frame_however_they_are_set(start):
    live = start(chain(GAIN))
    inlet, outlet = live.inlet("cam"), live.outlet("out")
    sent = np.full((12, 16, 4), 200, np.uint8)

    def shown():
        push(inlet, sent)
        return outlet.wait(LIMIT).texture.numpy()[0, 0, 0]

    knobs = live.knobs({"gain": [("fx", "gain")]})
    assert knobs.gain == 1.0
    assert shown() == 200
    live.set("fx", "gain", 0.5)
    assert (shown(), knobs.gain) == (100, 0.5)
    live.set_all([("fx", "gain", 0.25)])
    assert shown() == 50
    knobs.gain = 0.75
    assert shown() == 150
    knobs.gain = "0.5 + 0 * time"
    assert (shown(), knobs.gain) == (100, "0.5 + 0 * time")
    knobs.gain = 0
    assert shown() == 0
    assert json.loads(live.graph())["nodes"]["fx"]["set"]["gain"] == 0
    assert dir(knobs) == ["gain"]


def test_values_that_do_not_fit_are_refused_with_what_would(start):
    live = start(chain(GAIN))
    knobs = live.knobs({"gain": [("fx", "gain")]})
    for wrong in ([1, 2], "sin(", 9, float("nan"), None, {}, object(), 10**30, "x" * 100_000):
        with pytest.raises(native.GraphError):
            knobs.gain = wrong
        with pytest.raises(native.GraphError):
            live.set("fx", "gain", wrong)
    nested = []
    nested.append(nested)
    with pytest.raises(native.GraphError, match="without an end"):
        knobs.gain = nested
    with pytest.raises(AttributeError, match="there are: gain"):
        knobs.gian = 1
    with pytest.raises(AttributeError, match="there are: gain"):
        print(knobs.gian)
    with pytest.raises(native.GraphError, match="gain"):
        live.knobs({"x": [("fx", "gian")]})
    with pytest.raises(native.GraphError, match="fx"):
        live.set("gx", "gain", 1)
    assert knobs.gain == 1.0


def test_a_knob_goes_on_when_the_plan_changes(start):
    live = start(chain(GAIN))
    inlet, outlet = live.inlet("cam"), live.outlet("out")
    knobs = live.knobs({"gain": [("fx", "gain")]})
    graph = json.loads(live.graph())
    graph["nodes"]["fx"]["hlsl"] = "float other = 1; " + GAIN.replace("return", "return other *")
    applied = live.change_to(json.dumps(graph))
    assert applied.generation == 2
    assert applied.total_ms > 0
    knobs.gain = 0.5
    push(inlet, np.full((12, 16, 4), 200, np.uint8))
    assert outlet.wait(LIMIT).texture.numpy()[0, 0, 0] == 100
    graph["nodes"]["fx"]["set"] = {"gain": 0.5, "other": 0.5}
    assert live.change_to(json.dumps(graph)).first_frame is None


def test_a_broken_effect_leaves_the_graph_running_and_says_where_it_is_broken(start):
    live = start(chain(COPY))
    inlet, outlet = live.inlet("cam"), live.outlet("out")
    graph = json.loads(live.graph())
    graph["nodes"]["fx"]["hlsl"] = "float4 main(float2 uv : TEXCOORD) : SV_Target {\n  return colour;\n}"
    with pytest.raises(native.CompileError) as raised:
        live.change_to(json.dumps(graph))
    diagnostic = raised.value.diagnostics[0]
    assert (diagnostic.line, diagnostic.column, diagnostic.severity) == (2, 10, "error")
    assert "colour" in diagnostic.message
    assert "fx.hlsl:2:10" in str(diagnostic)
    push(inlet, pixels())
    assert np.array_equal(outlet.wait(LIMIT).texture.numpy(), pixels())


def test_ends_are_taken_once_and_unknown_ones_are_named(start):
    live = start(chain(COPY))
    live.inlet("cam")
    with pytest.raises(native.GraphError, match="taken before"):
        live.inlet("cam")
    with pytest.raises(native.GraphError, match="there are: cam"):
        live.inlet("came")
    with pytest.raises(native.GraphError, match="there are: out"):
        live.outlet("cam")
    with pytest.raises(native.GraphError, match="there is no processor"):
        live.end("fx")


def test_a_graph_ends_after_its_frames_and_everything_says_so(start):
    live = start(chain(COPY), frames=2)
    inlet, outlet = live.inlet("cam"), live.outlet("out")
    assert live.wait(0) is False
    for number in range(2):
        push(inlet, pixels(number))
        assert outlet.wait(LIMIT) is not None
    assert live.wait(LIMIT) is True
    assert outlet.wait(LIMIT) is None
    assert outlet.closed
    knobs = live.knobs({"gain": []})
    stats = live.stats()
    report = live.stop()
    assert report["stats"]["frames"] == stats["frames"]
    assert report == live.stop()
    assert live.stats() == report["stats"]
    assert live.events() == []
    assert live.wait(0) is True
    assert json.loads(live.graph())["nodes"]["fx"]
    with pytest.raises(native.ClosedError):
        live.set("fx", "gain", 1)
    with pytest.raises(native.ClosedError):
        live.outlet("out")
    with pytest.raises(native.ClosedError):
        inlet.push(pixels())
    with pytest.raises(native.ClosedError):
        knobs.gain = 1


def test_frames_outlive_their_graph(start):
    live = start(chain(COPY))
    inlet, outlet = live.inlet("cam"), live.outlet("out")
    push(inlet, pixels(7))
    frame = outlet.wait(LIMIT)
    live.stop()
    del live, inlet, outlet
    gc.collect()
    assert np.array_equal(frame.texture.numpy(), pixels(7))


def test_a_graph_that_nobody_holds_any_more_stops(runtime):
    live = runtime.start(chain(COPY), patience=LIMIT)
    outlet = live.outlet("out")
    assert not outlet.closed
    del live
    gc.collect()
    assert outlet.closed
    assert outlet.wait(LIMIT) is None


def test_waits_let_other_threads_run(start):
    live = start(chain(COPY))
    inlet, outlet = live.inlet("cam"), live.outlet("out")
    got = []
    thread = threading.Thread(target=lambda: got.append(outlet.wait(LIMIT)))
    thread.start()
    # Other calls on the same end are not held up for ever either.
    assert outlet.take() is None
    push(inlet, pixels())
    thread.join()
    assert got[0] is not None


def test_times_to_wait_may_be_any_number(start):
    outlet = start(chain(COPY)).outlet("out")
    assert outlet.wait(0) is None
    assert outlet.wait(-1) is None
    with pytest.raises(native.GraphError, match="NaN"):
        outlet.wait(float("nan"))


def test_bad_graphs_are_refused_and_leave_nothing(runtime):
    for wrong in ("", "{", "{}", "[]", '{"nodes": {"a": {"sourse": "app:"}}}', "nodes = 3", "\0"):
        with pytest.raises(native.GraphError):
            runtime.start(wrong)
    with pytest.raises(native.GraphError, match="not both"):
        runtime.start(chain(COPY), fps=30, free=True)
    for wrong in (0, -1, float("inf"), float("nan")):
        with pytest.raises(native.GraphError, match="fps"):
            runtime.start(chain(COPY), fps=wrong)
    with pytest.raises(native.GraphError, match="patience"):
        runtime.start(chain(COPY), patience=-1)
    with pytest.raises(native.GraphError, match="no processor `detect`"):
        nodes = {"p": {"processor": "detect", "inputs": {}}}
        runtime.start(json.dumps({"nodes": nodes}))


def processing(kind, **link):
    nodes = json.loads(chain(GAIN))["nodes"]
    nodes["see"] = {"processor": kind, "inputs": {"input": {"from": "cam", **link}}}
    nodes["fx"]["inputs"]["gain"] = "see.gain"
    return json.dumps({"nodes": nodes})


@pytest.mark.parametrize("pictures", [True, False])
def test_a_processor_in_the_programs_hands_sees_frames_and_turns_a_knob(start, pictures):
    ports = ({"input": "video"}, {"gain": "data"}, pictures)
    live = start(processing("look", delivery="lossless"), processors={"look": ports})
    inlet, outlet, end = live.inlet("cam"), live.outlet("out"), live.end("see")
    assert end.take("input") is None
    assert end.wait(0) is False
    sent = np.full((12, 16, 4), 200, np.uint8)
    push(inlet, sent)
    assert outlet.wait(LIMIT).texture.numpy()[0, 0, 0] == 200
    assert end.wait(LIMIT)
    seen = end.take("input")
    assert np.array_equal(seen.texture.numpy(), sent)
    assert end.take("input") is None
    end.send("gain", 0.5)
    push(inlet, sent)
    assert outlet.wait(LIMIT).texture.numpy()[0, 0, 0] == 100
    with pytest.raises(native.GraphError, match="registered with: input"):
        end.take("video")
    with pytest.raises(native.GraphError, match="registered with: gain"):
        end.send("gian", 1)
    end.send("gain", [1, 2])
    assert any(event["event"] == "data_refused" for event in live.events())
    report = live.stop()
    assert end.closed is False, "a frame still waits"
    assert end.take("input") is not None
    assert end.closed
    assert end.wait(LIMIT)
    with pytest.raises(native.ClosedError):
        end.send("gain", 1)
    counts = next(node for node in report["stats"]["nodes"] if node["name"] == "see")
    assert counts["frames_in"] == 2


def test_processors_send_messages_to_each_other(start):
    nodes = json.loads(chain(COPY))["nodes"]
    nodes["a"] = {"processor": "a"}
    nodes["b"] = {"processor": "b", "inputs": {"said": "a.says"}}
    kinds = {"a": ({}, {"says": "data"}, False), "b": ({"said": "data"}, {}, False)}
    live = start(json.dumps({"nodes": nodes}), processors=kinds)
    a, b = live.end("a"), live.end("b")
    for value in (1, 2.5, True, [1, [2.0, False]]):
        a.send("says", value, 77)
        assert b.wait(LIMIT)
        message = b.take("said")
        assert (message.value, message.captured_ns) == (value, 77)
        assert type(message.value) is type(value)
    assert b.take("said") is None
    assert not a.closed
    live.stop()
    assert a.closed
    assert b.closed


def test_offline_runs_and_explanations(runtime, tmp_path):
    nodes = {
        "src": {"source": "generate:bars", "size": [64, 36], "frames": 3},
        "fx": {"hlsl": GAIN, "inputs": {"input": "src"}},
        "out": {"sink": "frame-%03d.png", "inputs": {"input": "fx"}},
    }
    graph = json.dumps({"nodes": nodes})
    report = json.loads(runtime.run(graph, base=str(tmp_path)))
    assert report["frames_out"] == 3
    assert len(list(tmp_path.glob("*.png"))) == 3
    assert "Passes of a frame" in runtime.explain(graph)
    assert runtime.explain(graph, svg=True).startswith("<svg")
    with pytest.raises(native.CompileError):
        nodes["fx"]["hlsl"] = "float4 main() : SV_Target { return x; }"
        runtime.run(json.dumps({"nodes": nodes}), base=str(tmp_path))


def test_effects_are_reflected(runtime):
    hlsl = """
    Texture2D<float4> mask; StructuredBuffer<float4> palette; float2 shift = float2(1, 2); bool flip = true; int n = 3;
    float4 main(float2 uv : TEXCOORD) : SV_Target {
        return tex2D(input, uv + shift * n * flip) * mask.SampleLevel(linear_clamp, uv, 0) + palette[0]; }
    """
    try:
        found = runtime.compile(hlsl.replace("mask.SampleLevel(linear_clamp, uv, 0)", "mask.Load(int3(0, 0, 0))"))
    except native.CompileError as error:
        pytest.fail(str(error))
    assert sorted(found.inputs) == ["input", "mask"]
    told = {parameter.name: (parameter.type, parameter.default) for parameter in found.parameters}
    assert told == {
        "shift": ("float2", [1.0, 2.0]),
        "flip": ("bool", True),
        "n": ("int", 3),
        "palette": ("buffer of float4", None),
    }


def test_ten_graphs_at_once_from_ten_threads(runtime):
    failures = []

    def run(number):
        try:
            live = runtime.start(chain(GAIN, gain=1), patience=LIMIT)
            inlet, outlet = live.inlet("cam"), live.outlet("out")
            for step in range(3):
                sent = pixels(number * 10 + step)
                push(inlet, sent)
                assert np.array_equal(outlet.wait(LIMIT).texture.numpy(), sent)
            live.stop()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert native.interpreter_entries() == 0


def test_knobs_are_turned_from_many_threads_while_plans_change(start):
    live = start(chain(GAIN), fps=200)
    knobs = live.knobs({"gain": [("fx", "gain")]})
    is_over = threading.Event()

    def turn(number):
        while not is_over.is_set():
            knobs.gain = number / 10

    threads = [threading.Thread(target=turn, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    graph = json.loads(live.graph())
    for number in range(5):
        graph["nodes"]["fx"]["hlsl"] = GAIN + "\n" * number
        live.change_to(json.dumps(graph))
    is_over.set()
    for thread in threads:
        thread.join()
    knobs.gain = 0.125
    assert json.loads(live.graph())["nodes"]["fx"]["set"]["gain"] == 0.125
