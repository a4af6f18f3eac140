"""Running shaders: at once, from anywhere; or recorded, inside a traced effect.

The same calls do both. A ``GPUContext()`` of your own runs them at once:

>>> from streamlib import GPUContext, shaders
>>> gpu = GPUContext()
>>> picture = gpu.create_texture(64, 32)
>>> gpu.run_shader(shaders.invert, [picture]).shape
(32, 64, 4)
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Union

from ._messages import VideoFrame
from ._shader import Shader, ShaderLike
from .errors import GraphError, TraceError
from .ml import Models

if TYPE_CHECKING:
    from ._streamlib import Runtime

__all__ = ["FORMATS", "GPUContext"]

#: Texel formats, with the names that other APIs have for them.
FORMATS = {
    "rgba8": "rgba8",
    "rgba8unorm": "rgba8",
    "rgba8srgb": "rgba8srgb",
    "bgra8": "bgra8",
    "bgra8unorm": "bgra8",
    "bgra8srgb": "bgra8srgb",
    "rgba16float": "rgba16float",
    "rgba16f": "rgba16float",
    "r8": "r8",
    "r8unorm": "r8",
    "rg8": "rg8",
    "rg8unorm": "rg8",
}

# A texture, or a frame that has one; several by name or in the order of the shader's inputs.
Textures = Union[Any, Sequence[Any], Mapping[str, Any]]


def format_name(name: str) -> str:
    """The core's name of a texel format.

    :raises ValueError: when it has no such format.
    """
    if name not in FORMATS:
        raise ValueError(f"there is no texel format {name!r}; there are: {', '.join(sorted(set(FORMATS.values())))}")
    return FORMATS[name]


class GPUContext:
    """What an effect works with: it makes textures and runs shaders on them."""

    def __init__(self, runtime: Runtime | None = None) -> None:
        self._runtime = runtime
        #: Models of ONNX Runtime or torch, on textures.
        self.ml = Models()

    def create_shader(self, hlsl: ShaderLike, name: str | None = None) -> Shader:
        """A shader from HLSL, from a file, or from another shader, compiled now so that mistakes are told here.

        :raises CompileError: when it does not compile.
        """
        shader = Shader.of(hlsl, name)
        _ = shader.interface
        return shader

    def create_compute_shader(self, hlsl: ShaderLike, name: str | None = None) -> Shader:
        """As :meth:`create_shader`: the compute form and the pixel form are both shaders."""
        return self.create_shader(hlsl, name)

    def create_compute_pipeline(self, code: ShaderLike, entry_point: str = "main", name: str | None = None) -> Shader:
        """As :meth:`create_shader`. A shader begins at ``main``; there is no other entry point.

        :raises ValueError: when ``entry_point`` is not ``main``.
        """
        if entry_point != "main":
            raise ValueError(f"a shader begins at `main`: rename {entry_point!r} in the HLSL")
        return self.create_shader(code, name)

    def create_texture(self, width: Any, height: Any, format: str = "rgba8") -> Any:
        """A texture of ``width`` by ``height`` pixels, transparent black.

        In a traced effect ``frame.width`` and ``frame.height`` (also ``// 2`` and ``* 2``) make it follow the frame, whatever
        that is, and what was written into it is there again in the next frame.
        """
        return self._open().create_texture(width, height, format_name(format))  # type: ignore[arg-type]  # checked

    def run_shader(
        self,
        shader: ShaderLike,
        textures: Textures = (),
        *,
        output: Any = None,
        size: tuple[int, int] | None = None,
        scale: float | None = None,
        format: str | None = None,
        params: Mapping[str, Any] | None = None,
        **parameters: Any,
    ) -> Any:
        """Runs a shader over textures; the texture that it wrote.

        :param textures: a texture or frame, several in the order of the shader's inputs (``input`` first), or by name.
        :param output: the texture to write; else a new one,
        :param size: of this width and height,
        :param scale: or of this factor times the size of the shader's main input, which is also the default,
        :param format: in this texel format (``"rgba8"`` by default).
        :param params: parameters whose names are arguments here; the others are given as keywords.
        :raises GraphError: when an input is missing or a name is not the shader's.
        """
        shader = Shader.of(shader)
        settings = {**parameters, **(params or {})}
        _check_names(shader, settings)
        inputs = _bind(shader, textures)
        if output is not None and (size, scale, format) != (None, None, None):
            raise ValueError("`output` has its own size and format: leave out `size`, `scale` and `format`")
        if size is not None and scale is not None:
            raise ValueError("give `size` or `scale`, not both")
        return self._run(shader, inputs, settings, output, size, scale, format and format_name(format))

    def run_compute(self, pipeline: ShaderLike, input: Textures, output: Any = None, **parameters: Any) -> Any:
        """:meth:`run_shader` with its textures by name: writes ``output``, and gives it back."""
        return self.run_shader(pipeline, input, output=output, **parameters)

    def copy(self, texture: Any) -> Any:
        """Another texture with the same pixels."""
        from ._trace import COPY

        return self.run_shader(COPY, texture, format=getattr(texture, "format", None))

    def blend(self, base: Any, overlay: Any, mode: str = "alpha", opacity: Any = 1.0) -> Any:
        """Lays ``overlay`` over ``base``: ``alpha``, ``additive``, ``multiply`` or ``screen``; see :mod:`streamlib.shaders`."""
        from . import shaders

        return self.run_shader(shaders.blend(mode), {"input": base, "overlay": overlay}, opacity=opacity)

    def previous(self, texture: Any, frames: int = 1) -> Any:
        """What a texture held that many frames ago: for feedback and for differences between frames. Opaque black before the
        first frame. Only in a traced effect."""
        raise TraceError(
            "`gpu.previous` is for traced effects: outside of one there are no frames; keep the texture yourself"
        )

    @property
    def last_output(self) -> Any:
        """The effect's own result of the frame before. Only in a traced effect."""
        raise TraceError(
            "`gpu.last_output` is for traced effects: outside of one there are no frames; keep the texture yourself"
        )

    def _open(self) -> Runtime:
        if self._runtime is None:
            from ._device import default_runtime

            self._runtime = default_runtime()
        return self._runtime

    def _run(
        self,
        shader: Shader,
        inputs: dict[str, Any],
        settings: dict[str, Any],
        output: Any,
        size: tuple[int, int] | None,
        scale: float | None,
        format: str | None,
    ) -> Any:
        main = main_input(inputs)
        if scale is not None or format is not None:
            if size is None and main is None:
                raise GraphError(f"shader `{shader.name}` has no input to take its size from: give `size`")
            width, height = size or (main.width, main.height)
            width, height = math.ceil(width * (scale or 1.0)), math.ceil(height * (scale or 1.0))
            output = self.create_texture(width, height, format or "rgba8")
            size = None
        return self._open().run_effect(shader.hlsl, inputs, settings, size=size, output=output, name=shader.name)


def main_input(inputs: Mapping[str, Any]) -> Any:
    """The texture that decides the size of the output: that of the port ``input``, else of the first port by name."""
    return inputs[min(inputs, key=lambda name: (name != "input", name))] if inputs else None


def _check_names(shader: Shader, settings: Mapping[str, Any]) -> None:
    for name in settings:
        if name not in shader.parameters:
            known = ", ".join(shader.parameters) or "none"
            raise GraphError(f"shader `{shader.name}` has no parameter `{name}`; it has: {known}")


def _bind(shader: Shader, textures: Textures) -> dict[str, Any]:
    """Textures by the name of the input that they go to."""
    wanted = shader.inputs
    if isinstance(textures, Mapping):
        given = dict(textures)
    else:
        several = list(textures) if isinstance(textures, (list, tuple)) else [textures]
        if len(several) > len(wanted):
            raise GraphError(
                f"shader `{shader.name}` takes {len(wanted)} texture(s) ({', '.join(wanted) or 'none'}), but was "
                f"given {len(several)}"
            )
        given = dict(zip(wanted, several))
    for name in given:
        if name not in wanted:
            raise GraphError(f"shader `{shader.name}` has no input `{name}`; it has: {', '.join(wanted) or 'none'}")
    missing = [name for name in wanted if name not in given]
    if missing:
        raise GraphError(f"shader `{shader.name}` needs a texture for {', '.join(f'`{name}`' for name in missing)}")
    return {name: texture.data if isinstance(texture, VideoFrame) else texture for name, texture in given.items()}
