"""Random arguments: whatever is called with whatever, there is a Python exception of an expected kind, or none."""

from __future__ import annotations

import random

import pytest

import streamlib
from streamlib import GPUContext, StreamlibError, StreamRuntime, shaders, video_effect, video_source
from streamlib._expression import Expression, Variable

numpy = pytest.importorskip("numpy")

# What says that the caller was wrong. A Rust panic is none of these.
EXPECTED = (StreamlibError, TypeError, ValueError, KeyError, AttributeError, OSError, OverflowError, ZeroDivisionError)


def things(dice: random.Random) -> object:
    gpu = GPUContext()
    makers = [
        lambda: None,
        lambda: dice.choice([True, False]),
        lambda: dice.randint(-(2**70), 2**70),
        lambda: dice.randint(-2, 40),
        lambda: dice.choice([0.0, -1.5, 1e300, float("nan"), float("inf")]),
        lambda: dice.choice(["", "video", "time * 2", "sin(", "input", "\0", "ü" * 50, "rgba8", "float4 main("]),
        lambda: [dice.random() for _ in range(dice.randint(0, 5))],
        lambda: {"input": dice.choice([None, 3, gpu.create_texture(4, 4)])},
        lambda: numpy.zeros(
            [dice.randint(0, 5) for _ in range(dice.randint(0, 4))], dice.choice(["u1", "f4", "f8", "O"])
        ),
        lambda: gpu.create_texture(dice.randint(1, 9), dice.randint(1, 9), dice.choice([*streamlib.gpu.FORMATS])),
        lambda: dice.choice([shaders.invert, shaders.blend_alpha, shaders.palette]),
        lambda: Variable("time"),
        lambda: object(),
        lambda: video_source("generate:bars"),
    ]
    return dice.choice(makers)()


@pytest.mark.parametrize("seed", range(40))
def test_shaders_at_once(seed: int) -> None:
    dice = random.Random(seed)
    gpu = GPUContext()
    for _ in range(10):
        calls = [
            lambda a, b, c: gpu.create_texture(a, b, c),
            lambda a, b, c: gpu.run_shader(a, b, strength=c),
            lambda a, b, c: gpu.run_shader(shaders.invert, gpu.create_texture(4, 4), strength=a),
            lambda a, b, c: gpu.run_shader(shaders.palette, gpu.create_texture(4, 4), colors=a),
            lambda a, b, c: gpu.run_shader(shaders.invert, gpu.create_texture(4, 4), output=a),
            lambda a, b, c: gpu.run_compute(a, b, c),
            lambda a, b, c: gpu.blend(a, b, c),
            lambda a, b, c: gpu.create_shader(a, b),
            lambda a, b, c: gpu.create_texture(4, 4).write(a),
            lambda a, b, c: gpu.ml.load_model(a),
            lambda a, b, c: gpu.copy(a),
        ]
        try:
            dice.choice(calls)(things(dice), things(dice), things(dice))
        except EXPECTED:
            pass


@pytest.mark.parametrize("seed", range(40))
def test_effects_and_connections(seed: int) -> None:
    dice = random.Random(seed)

    @video_effect(every_frame=dice.choice([True, False]))
    def effect(frame, gpu):
        texture = gpu.create_texture(frame.width, frame.height)
        calls = [
            lambda: gpu.run_shader(things(dice), things(dice)),
            lambda: gpu.run_shader(shaders.invert, frame, strength=things(dice)),
            lambda: gpu.run_shader(shaders.blend_alpha, [frame, things(dice)]),
            lambda: gpu.run_shader(shaders.invert, texture, output=things(dice)),
            lambda: gpu.previous(things(dice), things(dice)),
            lambda: gpu.create_texture(things(dice), things(dice)),
        ]
        return frame.clone_with_texture(dice.choice(calls)())

    source, runtime = video_source("generate:bars", size=(16, 9)), StreamRuntime()
    calls = [
        lambda: effect.trace(),
        lambda: effect.params.strength,
        lambda: setattr(effect.params, str(things(dice)), things(dice)),
        lambda: effect.inputs[things(dice)],
        lambda: runtime.connect(source.outputs["video"], effect.inputs["video"]),
        lambda: runtime.connect(things(dice), things(dice)),
        lambda: runtime.add_stream(things(dice)),
        lambda: runtime.graph.json,
        lambda: video_source(things(dice), size=things(dice)),
    ]
    for _ in range(10):
        try:
            dice.choice(calls)()
        except EXPECTED:
            pass


@pytest.mark.parametrize("seed", range(20))
def test_parameters_of_a_running_graph(seed: int) -> None:
    dice = random.Random(seed)

    @video_effect
    def effect(frame, gpu):
        return frame.clone_with_texture(gpu.run_shader(shaders.rotate, frame))

    source, sink, app = video_source("generate:bars", size=(16, 9)), streamlib.app_sink(), streamlib.app_source(16, 9)
    runtime = StreamRuntime()
    runtime.connect(source.outputs["video"], effect.inputs["video"])
    runtime.connect(effect.outputs["video"], sink.inputs["video"])
    runtime.connect(app.outputs["video"], streamlib.file_sink("null:").inputs["video"])
    with runtime:
        for _ in range(30):
            calls = [
                lambda: setattr(effect.params, dice.choice(["center", "degrees_turned", "x", ""]), things(dice)),
                lambda: app.push(things(dice), things(dice)),
                lambda: runtime.replace(effect, things(dice)),
                lambda: sink.read(timeout=things(dice) if dice.random() < 0.1 else 0),
            ]
            try:
                dice.choice(calls[:3] if dice.random() < 0.9 else calls[:1])()
            except EXPECTED:
                pass
        assert sink.read(timeout=60) is not None, "the graph runs on"


def test_random_expressions_are_read_by_the_core_as_python_means_them() -> None:
    dice = random.Random(7)
    names = ["sin", "floor", "fract", "abs", "sign", "round", "saturate"]

    def grow(depth: int) -> Expression:
        if depth == 0:
            return Variable("frame") + dice.choice([0.5, 3, -1.25])
        left, right = grow(depth - 1), dice.choice([grow(depth - 1), dice.choice([2, -0.75, 10])])
        kinds = [
            lambda: left + right,
            lambda: right - left,
            lambda: left * right,
            lambda: left / 7,
            lambda: left % 5,
            lambda: -left,
            lambda: getattr(streamlib.math, dice.choice(names))(left),
            lambda: streamlib.math.min(left, right),
            lambda: streamlib.math.lerp(left, right, 0.25),
        ]
        return dice.choice(kinds)()

    expressions = [grow(3) for _ in range(40)]
    gpu = GPUContext()
    picture = "float x; float4 main(float2 uv : TEXCOORD) : SV_Target { return x; }"
    for expression in expressions:
        # Any frame will do: 3, put in the place of the variable.
        text = repr(expression)
        python = eval(text, {**vars(streamlib.math), "mod": streamlib.math.mod, "frame": 3.0})
        output = gpu.create_texture(1, 1, "rgba16float")
        gpu._open().run_effect(picture, {}, {"x": text}, output=output, frame=3)
        found = float(output.numpy().astype(numpy.float64)[0, 0, 0])
        assert found == pytest.approx(python, rel=2e-3, abs=2e-3), text
