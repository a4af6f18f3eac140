"""Numbers that a traced function computes with."""

from __future__ import annotations

import math

import pytest

import streamlib.math as smath
from streamlib import TraceError
from streamlib._expression import FUNCTIONS, Parameter, Variable

time, frame = Variable("time"), Variable("frame")


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        (time + 1, "time + 1"),
        (1 - time, "1 - time"),
        (2 * (time + 1), "2 * (time + 1)"),
        (time - (frame - 1), "time - (frame - 1)"),
        (time - frame - 1, "time - frame - 1"),
        (time / (frame * 2), "time / (frame * 2)"),
        (-time * 2, "(-time) * 2"),
        (-(time + 1), "-(time + 1)"),
        (time * -0.5, "time * (-0.5)"),
        (time**2, "pow(time, 2)"),
        (2**time, "pow(2, time)"),
        (time // 2, "floor(time / 2)"),
        (frame % 30, "mod(frame, 30)"),
        (abs(time), "abs(time)"),
        (+time, "time"),
        (round(time * 2), "round(time * 2)"),
        (math.floor(time), "floor(time)"),
        (0.5 + 0.5 * smath.sin(time * 2), "0.5 + 0.5 * sin(time * 2)"),
        (smath.clamp(time, 0, 1), "clamp(time, 0, 1)"),
        (smath.smoothstep(0, smath.pi, time), f"smoothstep(0, {math.pi!r}, time)"),
    ],
)
def test_expressions_are_written_as_the_core_reads_them(expression: object, text: str) -> None:
    assert repr(expression) == text


def test_functions_of_numbers_are_numbers() -> None:
    assert smath.sin(0.0) == 0.0
    assert smath.lerp(2, 4, 0.5) == 3
    assert smath.fract(-0.25) == 0.75
    assert smath.step(1, 1) == 1 and smath.step(1, 0.5) == 0
    assert smath.smoothstep(0, 2, 1) == 0.5
    assert [smath.sign(x) for x in (-3, 0, 0.5)] == [-1, 0, 1]
    assert [smath.round(x) for x in (0.5, 1.5, -0.5)] == [0, 2, 0]
    assert smath.mod(-1, 3) == 2 == -1 % 3
    assert smath.saturate(7) == 1 and smath.atan2(1, 0) == smath.pi / 2


def test_every_function_of_the_core_is_there() -> None:
    names = set(smath.__all__) - {"pi"}
    assert names == set(FUNCTIONS)
    assert all(getattr(smath, name).__doc__ for name in names)


def test_a_parameter_of_the_effect_is_replaced_by_its_number() -> None:
    sigma = Parameter("sigma", 2.0)
    assert (sigma * 3).value({"sigma": 4.0}) == 12.0
    assert (sigma * 3).value({}) == 6.0
    assert (sigma * time).value({"sigma": 4.0}) == "4.0 * time"
    assert {parameter.name for parameter in (sigma + time).parameters()} == {"sigma"}


@pytest.mark.parametrize(
    "use",
    [
        float,
        int,
        bool,
        lambda e: round(e, 2),
        len,
        range,
        lambda e: e == 1,
        lambda e: e != 1,
        lambda e: e < 1,
        lambda e: e >= 1,
        lambda e: [1, 2, 3][e],
        lambda e: max(e, 1),
        lambda e: math.sin(e),
        lambda e: e in [1, 2],
    ],
)
def test_asking_for_the_number_says_what_to_do_instead(use: object) -> None:
    with pytest.raises(TraceError, match="this function is traced.*effect.params.*every_frame=True"):
        use(time + 1)  # type: ignore[operator]


def test_numpy_is_refused_and_its_numbers_are_taken() -> None:
    numpy = pytest.importorskip("numpy")
    with pytest.raises(TraceError, match="NumPy"):
        numpy.array(time)
    assert repr(numpy.float32(0.5) * time) == "0.5 * time"


@pytest.mark.parametrize("number", [math.inf, -math.inf, math.nan])
def test_numbers_without_an_end_are_refused(number: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        time + number


@pytest.mark.parametrize("thing", ["1", None, [1], object()])
def test_what_is_no_number_is_refused(thing: object) -> None:
    with pytest.raises(TypeError, match="numbers and expressions"):
        time + thing  # type: ignore[operator]
