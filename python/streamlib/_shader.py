"""HLSL programs as values."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Union

if TYPE_CHECKING:
    from ._streamlib import Interface

ShaderLike = Union["Shader", str, "os.PathLike[str]"]


class Shader:
    """An HLSL program: a text with a name. Two with the same text are equal.

    It is compiled at first need, once for each text.
    """

    __slots__ = ("_interface", "hlsl", "name")

    def __init__(self, hlsl: str, name: str = "shader") -> None:
        #: The text.
        self.hlsl = hlsl
        #: What people call it: graphs and errors do.
        self.name = name
        self._interface: Interface | None = None

    @classmethod
    def of(cls, shader: ShaderLike, name: str | None = None) -> Shader:
        """A shader as it is, the HLSL itself, or where the file is: a path, or a text that ends in ``.hlsl``.

        :raises FileNotFoundError: when there is no such file.
        """
        if isinstance(shader, Shader):
            return shader if name is None or name == shader.name else cls(shader.hlsl, name)
        if isinstance(shader, str) and ("\n" in shader or not shader.endswith(".hlsl")):
            return cls(shader, name or "shader")
        if isinstance(shader, (str, os.PathLike)):
            path = Path(shader)
            return cls(path.read_text(encoding="utf-8"), name or path.stem)
        raise TypeError(f"a shader is HLSL text, a path or a Shader, not {type(shader).__name__}")

    @property
    def interface(self) -> Interface:
        """Its inputs and parameters.

        :raises CompileError: when it does not compile; ``diagnostics`` has every place with line and column.
        """
        if self._interface is None:
            from ._device import any_runtime

            self._interface = any_runtime().compile(self.hlsl, self.name)
        return self._interface

    @property
    def inputs(self) -> list[str]:
        """The names of its textures: ``input`` first where it has one."""
        return sorted(self.interface.inputs, key=lambda name: name != "input")

    @property
    def parameters(self) -> list[str]:
        """The names of its parameters and buffers, in source order."""
        return [parameter.name for parameter in self.interface.parameters]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Shader) and self.hlsl == other.hlsl

    def __hash__(self) -> int:
        return hash(self.hlsl)

    def __repr__(self) -> str:
        return f"Shader({self.name!r}, {len(self.hlsl.splitlines())} lines)"

    def _repr_html_(self) -> str:
        from html import escape

        return f"<details><summary>Shader <b>{escape(self.name)}</b></summary><pre>{escape(self.hlsl)}</pre></details>"
