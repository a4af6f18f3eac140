"""The parameters of an effect, as live objects."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ._expression import Expression, Number, Parameter

if TYPE_CHECKING:
    from ._effect import Effect
    from ._streamlib import Knobs, LiveGraph


class Params:
    """The parameters of an effect: ``effect.params.radius = 5``, from any thread, before the graph runs and while it does.

    A value acts on the next frame. It is a number, a flag, a list of those, or an expression as text (``"sin(time)"``). A name
    that several shaders of the effect have reaches all of them; ``effect.params["blur_vertical.radius"]`` reaches one.
    """

    __slots__ = ("_effect", "_knobs", "_live", "_own", "_values")

    if TYPE_CHECKING:
        _effect: Effect
        _knobs: Knobs | None
        _live: LiveGraph | None
        _own: dict[str, Number]
        _values: dict[tuple[str, str], Any]

    def __init__(self, effect: Effect, own: list[Parameter]) -> None:
        put = object.__setattr__
        put(self, "_effect", effect)
        # What runs: the way to set values. None before the start and after the end.
        put(self, "_knobs", None)
        put(self, "_live", None)
        # Values of the function's own parameters.
        put(self, "_own", {parameter.name: parameter.default for parameter in own})
        # Values that were set before the start, by node and parameter.
        put(self, "_values", {})

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            # What notebooks and copies look for is no parameter.
            raise AttributeError(name)
        return self._get(name)

    def _get(self, name: str) -> Any:
        if name in self._own:
            return self._own[name]
        if self._knobs is not None:
            return getattr(self._knobs, name)
        targets = self._effect.trace().parameters()
        if name not in targets:
            raise self._unknown(name)
        return self._effect.setting(*targets[name][0])

    def __setattr__(self, name: str, value: Any) -> None:
        # One comparison and one call while the graph runs: this is done for every frame by some.
        knobs = self._knobs
        if knobs is None or name in self._own:
            self._set(name, value)
        else:
            setattr(knobs, name, value)

    def __getitem__(self, name: str) -> Any:
        return self._get(name)

    def __setitem__(self, name: str, value: Any) -> None:
        setattr(self, name, value)

    def __iter__(self) -> Iterator[str]:
        yield from self._own
        yield from (name for name in self._effect.trace().parameters() if name not in self._own)

    def __contains__(self, name: object) -> bool:
        return any(known == name for known in self)

    def __dir__(self) -> list[str]:
        return [name for name in self if name.isidentifier()]

    def __repr__(self) -> str:
        pairs = ", ".join(f"{name}={self._get(name)!r}" for name in dir(self))
        return f"<parameters of {self._effect.handler_id}: {pairs}>"

    def _unknown(self, name: str) -> AttributeError:
        known = ", ".join(self) or "none"
        return AttributeError(f"`{self._effect.handler_id}` has no parameter {name!r}; it has: {known}")

    def _set(self, name: str, value: Any) -> None:
        if name in self._own:
            self._set_own(name, value)
            return
        targets = self._effect.trace().parameters().get(name)
        if targets is None:
            raise self._unknown(name)
        value = value.tolist() if hasattr(value, "tolist") else value
        self._values.update((target, value) for target in targets)

    def _set_own(self, name: str, value: Number) -> None:
        """A parameter of the function: whatever was computed from it follows, all in the same frame."""
        if not isinstance(value, (bool, int, float)):
            raise TypeError(
                f"parameter `{name}` of `{self._effect.handler_id}` is a number, not {type(value).__name__}"
            )
        self._own[name] = value
        settings = [
            (node, parameter, resolve(written, self._own))
            for node, parameter, written in self._effect.trace().settings()
            if name in own_names(written)
        ]
        for node, parameter, _ in settings:
            self._values.pop((node, parameter), None)
        if self._live is not None and settings:
            self._live.set_all(settings)

    def bind(self, live: LiveGraph | None) -> None:
        """Reaches into what runs from now on; with ``None``, no more."""
        targets = self._effect.trace().parameters() if live is not None else {}
        object.__setattr__(self, "_live", live)
        object.__setattr__(self, "_knobs", live.knobs(targets) if live is not None else None)

    def keep(self, node: str, values: dict[str, Any]) -> None:
        """Remembers the values that a node had when its graph ended."""
        for name, value in values.items():
            self._values[node, name] = value


def resolve(value: Any, own: dict[str, Number]) -> Any:
    """A value as the core takes it: expressions as text, or as numbers where the effect's own parameters decide them."""
    if isinstance(value, Expression):
        return value.value(own)
    return [resolve(item, own) for item in value] if isinstance(value, list) else value


def own_names(value: Any) -> set[str]:
    """The effect's own parameters in a value."""
    if isinstance(value, Expression):
        return {parameter.name for parameter in value.parameters()}
    return set().union(*map(own_names, value)) if isinstance(value, list) else set()
