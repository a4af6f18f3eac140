"""Functions of numbers that also take what a traced function cannot know yet, such as ``frame.time``.

They are those of the core's parameter expressions. Given numbers, they give a number; given an expression, an expression.
Angles are in radians.

>>> import streamlib.math as smath
>>> smath.clamp(3, 0, 1)
1
>>> from streamlib._expression import Variable
>>> 0.5 + 0.5 * smath.sin(Variable("time") * 2)
0.5 + 0.5 * sin(time * 2)
"""

from __future__ import annotations

from math import pi
from typing import TypeVar, overload

from ._expression import FUNCTIONS, Call, Expression, Operand

__all__ = [
    "abs",
    "acos",
    "asin",
    "atan",
    "atan2",
    "ceil",
    "clamp",
    "cos",
    "exp",
    "floor",
    "fract",
    "lerp",
    "log",
    "max",
    "min",
    "mod",
    "pi",
    "pow",
    "round",
    "saturate",
    "sign",
    "sin",
    "smoothstep",
    "sqrt",
    "step",
    "tan",
]

T = TypeVar("T", float, Expression)


def sin(x: T) -> T:
    """The sine of an angle in radians."""
    return Call("sin", x) if isinstance(x, Expression) else FUNCTIONS["sin"](x)


def cos(x: T) -> T:
    """The cosine of an angle in radians."""
    return Call("cos", x) if isinstance(x, Expression) else FUNCTIONS["cos"](x)


def tan(x: T) -> T:
    """The tangent of an angle in radians."""
    return Call("tan", x) if isinstance(x, Expression) else FUNCTIONS["tan"](x)


def abs(x: T) -> T:
    """Without its sign."""
    return Call("abs", x) if isinstance(x, Expression) else FUNCTIONS["abs"](x)


def floor(x: T) -> T:
    """The next whole number below."""
    return Call("floor", x) if isinstance(x, Expression) else FUNCTIONS["floor"](x)


def ceil(x: T) -> T:
    """The next whole number above."""
    return Call("ceil", x) if isinstance(x, Expression) else FUNCTIONS["ceil"](x)


def fract(x: T) -> T:
    """What is left of ``x - floor(x)``: from 0 up to, not including, 1."""
    return Call("fract", x) if isinstance(x, Expression) else FUNCTIONS["fract"](x)


def sqrt(x: T) -> T:
    """The square root."""
    return Call("sqrt", x) if isinstance(x, Expression) else FUNCTIONS["sqrt"](x)


def exp(x: T) -> T:
    """e to the power of ``x``."""
    return Call("exp", x) if isinstance(x, Expression) else FUNCTIONS["exp"](x)


def log(x: T) -> T:
    """The natural logarithm."""
    return Call("log", x) if isinstance(x, Expression) else FUNCTIONS["log"](x)


def asin(x: T) -> T:
    """The angle in radians whose sine is ``x``."""
    return Call("asin", x) if isinstance(x, Expression) else FUNCTIONS["asin"](x)


def acos(x: T) -> T:
    """The angle in radians whose cosine is ``x``."""
    return Call("acos", x) if isinstance(x, Expression) else FUNCTIONS["acos"](x)


def atan(x: T) -> T:
    """The angle in radians whose tangent is ``x``."""
    return Call("atan", x) if isinstance(x, Expression) else FUNCTIONS["atan"](x)


def sign(x: T) -> T:
    """-1, 0 or 1."""
    return Call("sign", x) if isinstance(x, Expression) else FUNCTIONS["sign"](x)


def round(x: T) -> T:
    """The nearest whole number; halves go to the even one."""
    return Call("round", x) if isinstance(x, Expression) else FUNCTIONS["round"](x)


def saturate(x: T) -> T:
    """``x``, but not below 0 and not above 1."""
    return Call("saturate", x) if isinstance(x, Expression) else FUNCTIONS["saturate"](x)


@overload
def min(a: float, b: float) -> float: ...
@overload
def min(a: Operand, b: Operand) -> Expression | float: ...
def min(a: Operand, b: Operand) -> Expression | float:
    """The smaller of the two."""
    return _apply("min", a, b)


@overload
def max(a: float, b: float) -> float: ...
@overload
def max(a: Operand, b: Operand) -> Expression | float: ...
def max(a: Operand, b: Operand) -> Expression | float:
    """The greater of the two."""
    return _apply("max", a, b)


@overload
def pow(base: float, exponent: float) -> float: ...
@overload
def pow(base: Operand, exponent: Operand) -> Expression | float: ...
def pow(base: Operand, exponent: Operand) -> Expression | float:
    """``base`` to the power of ``exponent``."""
    return _apply("pow", base, exponent)


@overload
def clamp(x: float, low: float, high: float) -> float: ...
@overload
def clamp(x: Operand, low: Operand, high: Operand) -> Expression | float: ...
def clamp(x: Operand, low: Operand, high: Operand) -> Expression | float:
    """``x``, but not below ``low`` and not above ``high``."""
    return _apply("clamp", x, low, high)


@overload
def lerp(a: float, b: float, t: float) -> float: ...
@overload
def lerp(a: Operand, b: Operand, t: Operand) -> Expression | float: ...
def lerp(a: Operand, b: Operand, t: Operand) -> Expression | float:
    """From ``a`` at ``t = 0`` to ``b`` at ``t = 1``, in a straight line."""
    return _apply("lerp", a, b, t)


@overload
def step(edge: float, x: float) -> float: ...
@overload
def step(edge: Operand, x: Operand) -> Expression | float: ...
def step(edge: Operand, x: Operand) -> Expression | float:
    """1 from ``edge`` on, 0 below."""
    return _apply("step", edge, x)


@overload
def smoothstep(low: float, high: float, x: float) -> float: ...
@overload
def smoothstep(low: Operand, high: Operand, x: Operand) -> Expression | float: ...
def smoothstep(low: Operand, high: Operand, x: Operand) -> Expression | float:
    """0 below ``low``, 1 above ``high``, and a smooth curve between."""
    return _apply("smoothstep", low, high, x)


@overload
def atan2(y: float, x: float) -> float: ...
@overload
def atan2(y: Operand, x: Operand) -> Expression | float: ...
def atan2(y: Operand, x: Operand) -> Expression | float:
    """The angle in radians of the point (x, y)."""
    return _apply("atan2", y, x)


@overload
def mod(x: float, y: float) -> float: ...
@overload
def mod(x: Operand, y: Operand) -> Expression | float: ...
def mod(x: Operand, y: Operand) -> Expression | float:
    """The remainder of ``x / y`` with the sign of ``y``, as Python's ``%``."""
    return _apply("mod", x, y)


def _apply(name: str, *arguments: Operand) -> Expression | float:
    for argument in arguments:
        if isinstance(argument, Expression):
            return Call(name, *arguments)
    return FUNCTIONS[name](*arguments)
