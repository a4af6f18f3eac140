"""Numbers that a traced function computes with before they are known: the frame's time and number, parameters of the effect.

An expression is a tree. The core takes it as text (``"0.5 + 0.5 * sin(time * 2)"``) and evaluates it for each frame.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from numbers import Real
from typing import NoReturn, Union

from .errors import explain_tracing

Number = Union[int, float]

# How strongly an operation holds its operands together.
_SUM, _PRODUCT, _SIGN, _ATOM = range(1, 5)


def _fract(x: float) -> float:
    return x - math.floor(x)


def _clamp(x: float, low: float, high: float) -> float:
    return min(max(x, low), high)


def _lerp(a: float, b: float, t: float) -> float:
    return a + (b - a) * t


def _step(edge: float, x: float) -> float:
    return 1.0 if x >= edge else 0.0


def _smoothstep(low: float, high: float, x: float) -> float:
    t = _clamp((x - low) / (high - low), 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)


# What the core's expressions know, as functions of numbers.
FUNCTIONS: dict[str, Callable[..., float]] = {
    "sin": math.sin,
    "cos": math.cos,
    "tan": math.tan,
    "asin": math.asin,
    "acos": math.acos,
    "atan": math.atan,
    "atan2": math.atan2,
    "abs": abs,
    "sign": lambda x: float((x > 0) - (x < 0)),
    "min": min,
    "max": max,
    "floor": lambda x: float(math.floor(x)),
    "ceil": lambda x: float(math.ceil(x)),
    "round": lambda x: float(round(x)),
    "fract": _fract,
    "sqrt": math.sqrt,
    "exp": math.exp,
    "log": math.log,
    "pow": pow,
    # Python's remainder: it has the sign of the divisor. The core's own `%` is HLSL's.
    "mod": lambda x, y: x - y * math.floor(x / y),
    "clamp": _clamp,
    "lerp": _lerp,
    "step": _step,
    "smoothstep": _smoothstep,
    "saturate": lambda x: _clamp(x, 0.0, 1.0),
}
_INFIX: dict[str, tuple[int, Callable[[float, float], float]]] = {
    "+": (_SUM, lambda a, b: a + b),
    "-": (_SUM, lambda a, b: a - b),
    "*": (_PRODUCT, lambda a, b: a * b),
    "/": (_PRODUCT, lambda a, b: a / b),
}


class Expression:
    """A number that each frame gives a value to.

    Arithmetic (``+ - * / // % **``, ``abs``) and the functions of :mod:`streamlib.math` make larger expressions. Whatever needs
    the number now (``float``, ``int``, ``if``, comparisons, NumPy) raises :class:`~streamlib.TraceError`.

    >>> from streamlib._expression import Variable
    >>> (Variable("time") + 1) * 2
    (time + 1) * 2
    """

    __slots__ = ()
    # NumPy leaves binary operators to this class.
    __array_ufunc__ = None

    def children(self) -> tuple[Expression, ...]:
        """The expressions that this one is made of."""
        return ()

    def value(self, parameters: Mapping[str, Number]) -> Number | str:
        """The number, where parameters alone decide it, else the text for the core."""
        known = self._number(parameters)
        return self._text(parameters)[0] if known is None else known

    def _number(self, parameters: Mapping[str, Number]) -> Number | None:
        raise NotImplementedError

    def _text(self, parameters: Mapping[str, Number]) -> tuple[str, int]:
        raise NotImplementedError

    def parameters(self) -> Iterator[Parameter]:
        """The parameters of the effect in it."""
        if isinstance(self, Parameter):
            yield self
        for child in self.children():
            yield from child.parameters()

    def __repr__(self) -> str:
        return self._text({})[0]

    def __add__(self, other: Operand) -> Expression:
        return Infix("+", self, other)

    def __radd__(self, other: Operand) -> Expression:
        return Infix("+", other, self)

    def __sub__(self, other: Operand) -> Expression:
        return Infix("-", self, other)

    def __rsub__(self, other: Operand) -> Expression:
        return Infix("-", other, self)

    def __mul__(self, other: Operand) -> Expression:
        return Infix("*", self, other)

    def __rmul__(self, other: Operand) -> Expression:
        return Infix("*", other, self)

    def __truediv__(self, other: Operand) -> Expression:
        return Infix("/", self, other)

    def __rtruediv__(self, other: Operand) -> Expression:
        return Infix("/", other, self)

    def __mod__(self, other: Operand) -> Expression:
        return Call("mod", self, other)

    def __rmod__(self, other: Operand) -> Expression:
        return Call("mod", other, self)

    def __floordiv__(self, other: Operand) -> Expression:
        return Call("floor", Infix("/", self, other))

    def __rfloordiv__(self, other: Operand) -> Expression:
        return Call("floor", Infix("/", other, self))

    def __pow__(self, other: Operand) -> Expression:
        return Call("pow", self, other)

    def __rpow__(self, other: Operand) -> Expression:
        return Call("pow", other, self)

    def __neg__(self) -> Expression:
        return Negative(self)

    def __pos__(self) -> Expression:
        return self

    def __abs__(self) -> Expression:
        return Call("abs", self)

    def __floor__(self) -> Expression:
        return Call("floor", self)

    def __ceil__(self) -> Expression:
        return Call("ceil", self)

    def _refuse(self, asked: str) -> NoReturn:
        raise explain_tracing(asked)

    def __bool__(self) -> bool:
        self._refuse(f"the truth of `{self}`, as in `if`, `and` or `while`,")

    def __float__(self) -> float:
        self._refuse(f"`float({self})`, or a function of `math`,")

    def __int__(self) -> int:
        self._refuse(f"`int({self})`")

    def __index__(self) -> int:
        self._refuse(f"`{self}` as an index, or in `range`,")

    def __round__(self, digits: int | None = None) -> Expression:
        if digits is not None:
            self._refuse(f"`round({self}, {digits})`")
        return Call("round", self)

    def __len__(self) -> int:
        self._refuse(f"`len({self})`")

    def __eq__(self, other: object) -> bool:
        self._refuse(f"comparing `{self}`")

    def __ne__(self, other: object) -> bool:
        self._refuse(f"comparing `{self}`")

    def __lt__(self, other: object) -> bool:
        self._refuse(f"comparing `{self}`")

    __le__ = __gt__ = __ge__ = __lt__
    __hash__ = None  # type: ignore[assignment]  # what cannot be compared cannot be looked up

    def __array__(self, *args: object, **kwargs: object) -> NoReturn:
        self._refuse(f"NumPy, given `{self}`,")


Operand = Union[int, float, Expression]


class Variable(Expression):
    """What the core knows by name: ``time`` and ``delta`` in seconds, ``frame`` as a count."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def _number(self, parameters: Mapping[str, Number]) -> None:
        return None

    def _text(self, parameters: Mapping[str, Number]) -> tuple[str, int]:
        return self.name, _ATOM


class Parameter(Expression):
    """A parameter of the effect's own function. The core does not know it: its number is put in its place."""

    __slots__ = ("default", "name")

    def __init__(self, name: str, default: Number) -> None:
        self.name, self.default = name, default

    def _number(self, parameters: Mapping[str, Number]) -> Number:
        return parameters.get(self.name, self.default)

    def _text(self, parameters: Mapping[str, Number]) -> tuple[str, int]:
        return _constant(parameters[self.name]) if self.name in parameters else (self.name, _ATOM)


class Constant(Expression):
    """A number in an expression."""

    __slots__ = ("number",)

    def __init__(self, number: Number) -> None:
        if not math.isfinite(number):
            raise ValueError(f"{number} cannot be part of an expression: it has to be finite")
        self.number = number

    def _number(self, parameters: Mapping[str, Number]) -> Number:
        return self.number

    def _text(self, parameters: Mapping[str, Number]) -> tuple[str, int]:
        return _constant(self.number)


class Negative(Expression):
    """Minus something."""

    __slots__ = ("operand",)

    def __init__(self, operand: Expression) -> None:
        self.operand = operand

    def children(self) -> tuple[Expression, ...]:
        return (self.operand,)

    def _number(self, parameters: Mapping[str, Number]) -> Number | None:
        number = self.operand._number(parameters)
        return None if number is None else -number

    def _text(self, parameters: Mapping[str, Number]) -> tuple[str, int]:
        return f"-{_bracketed(self.operand, parameters, _ATOM)}", _SIGN


class Infix(Expression):
    """Two operands with an operator between them."""

    __slots__ = ("left", "operator", "right")

    def __init__(self, operator: str, left: Operand, right: Operand) -> None:
        self.operator, self.left, self.right = operator, expression(left), expression(right)

    def children(self) -> tuple[Expression, ...]:
        return (self.left, self.right)

    def _number(self, parameters: Mapping[str, Number]) -> Number | None:
        left, right = self.left._number(parameters), self.right._number(parameters)
        return None if left is None or right is None else _INFIX[self.operator][1](left, right)

    def _text(self, parameters: Mapping[str, Number]) -> tuple[str, int]:
        strength, _ = _INFIX[self.operator]
        left = _bracketed(self.left, parameters, strength)
        # The right operand in brackets also where its operator is as strong: numbers are not associative.
        right = _bracketed(self.right, parameters, strength + 1)
        return f"{left} {self.operator} {right}", strength


class Call(Expression):
    """A function of the core's."""

    __slots__ = ("arguments", "function")

    def __init__(self, function: str, *arguments: Operand) -> None:
        self.function, self.arguments = function, tuple(expression(argument) for argument in arguments)

    def children(self) -> tuple[Expression, ...]:
        return self.arguments

    def _number(self, parameters: Mapping[str, Number]) -> Number | None:
        numbers = [argument._number(parameters) for argument in self.arguments]
        known = [number for number in numbers if number is not None]
        return FUNCTIONS[self.function](*known) if len(known) == len(numbers) else None

    def _text(self, parameters: Mapping[str, Number]) -> tuple[str, int]:
        texts = [argument._text(parameters)[0] for argument in self.arguments]
        return f"{self.function}({', '.join(texts)})", _ATOM


def expression(operand: object) -> Expression:
    """A number as an expression; an expression as it is.

    :raises TypeError: for anything else.
    """
    if isinstance(operand, Expression):
        return operand
    if isinstance(operand, Real):
        return Constant(operand if isinstance(operand, int) else float(operand))
    raise TypeError(f"an expression is made of numbers and expressions, not of {type(operand).__name__}")


def _constant(number: Number) -> tuple[str, int]:
    text = repr(int(number)) if isinstance(number, int) else repr(float(number))
    return text, _SIGN if text.startswith("-") else _ATOM


def _bracketed(part: Expression, parameters: Mapping[str, Number], strength: int) -> str:
    text, found = part._text(parameters)
    # A sign in the middle of an expression reads better in brackets.
    return text if found >= strength and found != _SIGN else f"({text})"
