"""What a traced function becomes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from conftest import GREY, SIZE

import streamlib
from streamlib import GraphError, HandlerError, TraceError, shaders, video_effect

Nodes = Callable[[streamlib.Effect], dict[str, Any]]


def test_a_function_is_called_once_and_its_shaders_become_nodes(nodes_of: Nodes) -> None:
    calls = []

    @video_effect
    def look(frame, gpu):
        calls.append(frame)
        brown = gpu.run_shader(shaders.sepia, [frame], strength=0.5)
        return frame.clone_with_texture(gpu.run_shader(shaders.vignette, brown, radius=frame.time / 10))

    nodes = nodes_of(look)
    assert nodes["look:sepia"] == {"hlsl": shaders.sepia.hlsl, "inputs": {"input": "source"}, "set": {"strength": 0.5}}
    assert nodes["look"]["inputs"] == {"input": "look:sepia"}
    assert nodes["look"]["set"] == {"radius": "time / 10"}
    assert nodes["sink"] == {"sink": "app:", "inputs": {"input": "look"}}
    assert len(calls) == 1


def test_programs_of_the_proof_of_concept_are_traced_as_they_are(nodes_of: Nodes) -> None:
    @video_effect
    def old(frame, gpu):
        if not hasattr(old, "pipeline"):
            old.pipeline = gpu.create_compute_pipeline(shaders.GRAYSCALE_SHADER)
        output = gpu.create_texture(frame.width, frame.height)
        gpu.run_compute(old.pipeline, input=frame.data, output=output)
        return frame.clone_with_texture(output)

    node = nodes_of(old)["old"]
    assert node == {"hlsl": shaders.grayscale.hlsl, "inputs": {"input": "source"}, "set": {}}


def test_the_same_shader_twice_has_two_names(nodes_of: Nodes) -> None:
    @video_effect(handler_id="soft")
    def blurred(frame, gpu):
        once = gpu.run_shader(shaders.box_blur, frame)
        twice = gpu.run_shader(shaders.box_blur, once)
        return frame.clone_with_texture(gpu.run_shader(shaders.box_blur, twice))

    assert [*nodes_of(blurred)] == ["source", "soft:box_blur", "soft:box_blur_2", "soft", "sink"]


def test_sizes_follow_the_frame(nodes_of: Nodes) -> None:
    @video_effect
    def glow(frame, gpu):
        half = gpu.create_texture(frame.width // 2, frame.height // 2, "rgba16f")
        gpu.run_shader(shaders.bright_pass, [frame], output=half)
        rows = gpu.run_shader(shaders.blur_horizontal, [half], format="rgba16float")
        columns = gpu.run_shader(shaders.blur_vertical, [rows], scale=0.5)
        return frame.clone_with_texture(gpu.run_shader(shaders.bloom_combine, [frame, columns]))

    nodes = nodes_of(glow)
    assert nodes["glow:bright_pass"] | {"hlsl": ""} == {
        "hlsl": "",
        "inputs": {"input": "source"},
        "set": {},
        "scale": 0.5,
        "format": "rgba16float",
    }
    assert "scale" not in nodes["glow:blur_horizontal"]
    assert nodes["glow:blur_vertical"]["scale"] == 0.5
    assert "scale" not in nodes["glow"]


def test_shaders_without_inputs_are_as_large_as_the_frame(nodes_of: Nodes) -> None:
    @video_effect
    def plain(frame, gpu):
        return frame.clone_with_texture(gpu.run_shader(GREY))

    assert nodes_of(plain)["plain"]["size"] == list(SIZE)


def test_fixed_sizes_are_fixed(nodes_of: Nodes) -> None:
    @video_effect
    def small(frame, gpu):
        return frame.clone_with_texture(gpu.run_shader(shaders.invert, frame, size=(16, 8)))

    assert nodes_of(small)["small"]["size"] == [16, 8]


def test_its_own_last_output_is_a_link_with_a_delay(nodes_of: Nodes) -> None:
    @video_effect
    def trails(frame, gpu):
        return frame.clone_with_texture(gpu.run_shader(shaders.trails, [frame, gpu.last_output]))

    assert nodes_of(trails)["trails"]["inputs"] == {"input": "source", "previous": {"from": "trails", "delay": 1}}


def test_a_texture_that_is_read_before_it_is_written_holds_the_frame_before(nodes_of: Nodes) -> None:
    @video_effect
    def trails(frame, gpu):
        state = gpu.create_texture(frame.width, frame.height, "rgba16float")
        gpu.run_shader(shaders.trails, {"input": frame, "previous": state}, output=state)
        return frame.clone_with_texture(gpu.run_shader(shaders.invert, state))

    nodes = nodes_of(trails)
    assert nodes["trails:trails"]["inputs"]["previous"] == {"from": "trails:trails", "delay": 1}
    assert nodes["trails"]["inputs"] == {"input": "trails:trails"}


def test_earlier_frames_can_be_asked_for(nodes_of: Nodes) -> None:
    @video_effect
    def moved(frame, gpu):
        return frame.clone_with_texture(gpu.run_shader(shaders.frame_difference, [frame, gpu.previous(frame, 3)]))

    assert nodes_of(moved)["moved"]["inputs"]["previous"] == {"from": "source", "delay": 3}


def test_a_texture_that_is_never_written_is_blank(nodes_of: Nodes) -> None:
    @video_effect
    def over(frame, gpu):
        return frame.clone_with_texture(gpu.blend(frame, gpu.create_texture(frame.width, frame.height)))

    nodes = nodes_of(over)
    assert nodes["over"]["inputs"] == {"input": "source", "overlay": "over:blank"}


def test_an_effect_that_does_nothing_is_no_node(nodes_of: Nodes) -> None:
    @video_effect
    def nothing(frame, gpu):
        return frame

    nodes = nodes_of(nothing)
    assert [*nodes] == ["source", "sink"]
    assert nodes["sink"]["inputs"] == {"input": "source"}


def test_effects_can_be_made_of_effects(nodes_of: Nodes) -> None:
    @video_effect
    def warm(frame, gpu):
        return frame.clone_with_texture(gpu.run_shader(shaders.sepia, frame))

    @video_effect
    def both(frame, gpu):
        warmed = warm(frame, gpu)
        return warmed.clone_with_texture(gpu.run_shader(shaders.vignette, warmed))

    assert [*nodes_of(both)] == ["source", "both:sepia", "both", "sink"]


def test_lists_arrays_and_expressions_are_values(nodes_of: Nodes) -> None:
    numpy = pytest.importorskip("numpy")

    @video_effect
    def tinted(frame, gpu):
        colour = numpy.array([1.0, 0.5, 0.25], dtype=numpy.float32)
        warm = gpu.run_shader(shaders.tint, frame, color=colour, strength=numpy.float32(0.5))
        return frame.clone_with_texture(gpu.run_shader(shaders.tint, warm, color=(1, 1, frame.time)))

    nodes = nodes_of(tinted)
    assert nodes["tinted:tint"]["set"] == {"color": [1.0, 0.5, 0.25], "strength": 0.5}
    assert nodes["tinted"]["set"] == {"color": [1, 1, "time"]}


def test_parameters_of_the_function_are_parameters_of_the_effect(nodes_of: Nodes) -> None:
    @video_effect(pass_params=True)
    def soft(frame, gpu, sigma: float = 2.0):
        return frame.clone_with_texture(gpu.run_shader(shaders.gaussian_blur, frame, sigma=sigma, radius=sigma * 3))

    assert soft.params.sigma == 2.0
    assert nodes_of(soft)["soft"]["set"] == {"sigma": 2.0, "radius": 6.0}
    soft.params.sigma = 3
    assert nodes_of(soft)["soft"]["set"] == {"sigma": 3, "radius": 9}


def test_parameters_are_set_before_the_start(nodes_of: Nodes) -> None:
    @video_effect
    def twice(frame, gpu):
        once = gpu.run_shader(shaders.brightness, frame, amount=0.1)
        return frame.clone_with_texture(gpu.run_shader(shaders.contrast, once))

    assert twice.params.pivot == 0.5
    assert twice.params["brightness.amount"] == 0.1
    twice.params["contrast.amount"] = 2
    assert nodes_of(twice)["twice"]["set"] == {"amount": 2}
    twice.params.amount = 0.3
    nodes = nodes_of(twice)
    assert nodes["twice"]["set"] == nodes["twice:brightness"]["set"] == {"amount": 0.3}
    with pytest.raises(AttributeError, match="`twice` has no parameter 'amuont'; it has: amount, .*pivot"):
        twice.params.amuont = 1
    with pytest.raises(AttributeError, match="no parameter 'x'"):
        _ = twice.params.x


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda frame, gpu: float(frame.time), "float"),
        (lambda frame, gpu: frame.frame_number > 3, "comparing `frame`"),
        (lambda frame, gpu: frame.data.numpy(), "texture.numpy"),
        (lambda frame, gpu: frame.numpy(), "texture.numpy"),
        (lambda frame, gpu: frame.width > 3, "`frame.width` is not known"),
        (lambda frame, gpu: int(frame.height), "`frame.height` is not known"),
        (lambda frame, gpu: gpu.create_texture(frame.width // 2, frame.height), "by the same factor"),
        (lambda frame, gpu: gpu.run_shader(shaders.scale, frame, factor=frame.width), "`frame.width` is not known"),
        (lambda frame, gpu: frame.data.write(b""), "app_source"),
        (lambda frame, gpu: gpu.run_shader(shaders.invert, frame, output=frame.data), "textures that it made itself"),
    ],
)
def test_what_a_trace_cannot_know_is_told(ask: Callable[..., object], said: str) -> None:
    @video_effect
    def asks(frame, gpu):
        ask(frame, gpu)

    with pytest.raises(TraceError, match=said):
        asks.trace()


@pytest.mark.parametrize(
    ("run", "said"),
    [
        (
            lambda frame, gpu: gpu.run_shader(shaders.invert, frame, strenght=1),
            "has no parameter `strenght`; it has: strength",
        ),
        (lambda frame, gpu: gpu.run_shader(shaders.invert, {"inptu": frame}), "has no input `inptu`; it has: input"),
        (lambda frame, gpu: gpu.run_shader(shaders.blend_alpha, frame), "needs a texture for `overlay`"),
        (lambda frame, gpu: gpu.run_shader(shaders.invert, [frame, frame]), "takes 1 texture"),
    ],
)
def test_mistakes_in_calls_are_told(run: Callable[..., object], said: str) -> None:
    @video_effect
    def wrong(frame, gpu):
        return run(frame, gpu)

    with pytest.raises(GraphError, match=said):
        wrong.trace()


def test_exceptions_of_the_function_come_with_its_name_and_their_cause() -> None:
    @video_effect
    def broken(frame, gpu):
        raise LookupError("no lens")

    with pytest.raises(HandlerError, match="`broken` raised LookupError in its first call.*no lens") as caught:
        broken.trace()
    assert isinstance(caught.value.__cause__, LookupError)
    assert caught.value.handler_id == "broken"


def test_its_own_parameters_are_not_known_while_it_is_traced() -> None:
    @video_effect
    def curious(frame, gpu):
        return frame.clone_with_texture(gpu.run_shader(shaders.invert, frame, strength=curious.params.strength))

    with pytest.raises(TraceError, match="pass_params=True"):
        curious.trace()
    with pytest.raises(TraceError, match="pass_params=True"):
        curious.trace()


@pytest.mark.parametrize("returned", [None, 3, "frame"])
def test_an_effect_returns_a_frame(returned: object) -> None:
    @video_effect
    def lost(frame, gpu):
        return returned

    with pytest.raises(HandlerError, match="frame.clone_with_texture"):
        lost.trace()


def test_textures_of_other_effects_are_refused() -> None:
    kept = []

    @video_effect
    def first(frame, gpu):
        kept.append(gpu.run_shader(shaders.invert, frame))
        return frame

    @video_effect
    def second(frame, gpu):
        return frame.clone_with_texture(gpu.run_shader(shaders.invert, kept[0]))

    first.trace()
    with pytest.raises(TraceError, match="`second` reads a texture of `first`"):
        second.trace()
