"""Traces: what a function does with a frame, written down once so that it can run without the function.

The function is given a frame whose picture is a :class:`TracedTexture` and a :class:`TracingContext`. Each shader that it runs
becomes a :class:`Step`, and a step becomes an effect node of the graph.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from numbers import Real
from typing import Any, NamedTuple, NoReturn, Union

from ._expression import Expression
from ._shader import Shader
from .errors import TraceError, explain_tracing
from .gpu import GPUContext, format_name, main_input

# Relative to the frame, or fixed.
Size = Union[float, tuple[int, int]]


class Extent:
    """A width or height of a traced picture: some factor times that of the frame, which a trace does not know."""

    __slots__ = ("axis", "factor")

    def __init__(self, axis: str, factor: float = 1.0) -> None:
        self.axis, self.factor = axis, factor

    def __mul__(self, other: object) -> Extent:
        return Extent(self.axis, self.factor * self._number(other))

    __rmul__ = __mul__

    def __truediv__(self, other: object) -> Extent:
        return Extent(self.axis, self.factor / self._number(other))

    __floordiv__ = __truediv__

    def _number(self, other: object) -> float:
        if not isinstance(other, Real):
            self._refuse()
        return float(other)

    def _refuse(self, *_: object) -> NoReturn:
        raise TraceError(
            f"`frame.{self.axis}` is not known in a traced function: the effect takes frames of every size. Make textures with "
            f"`frame.{self.axis}`, `// 2` or `* 2`, use `resolution` in the shader, or `@video_effect(every_frame=True)`"
        )

    __add__ = __radd__ = __sub__ = __rsub__ = __rtruediv__ = __rfloordiv__ = __mod__ = __lt__ = __le__ = __gt__ = (
        __ge__
    ) = _refuse
    __float__ = __int__ = __index__ = __bool__ = __array__ = _refuse


class KnownExtent(int):
    """A width or height that is known, for functions that are called for each frame; it says how it follows the frame's, too."""

    factor: float

    def __new__(cls, pixels: int, factor: float = 1.0) -> KnownExtent:
        made = super().__new__(cls, pixels)
        made.factor = factor
        return made

    def __mul__(self, other: Any) -> Any:
        product = int(self) * other
        is_whole = type(other) is int and other > 0
        return KnownExtent(product, self.factor * other) if is_whole else product

    __rmul__ = __mul__

    def __floordiv__(self, other: Any) -> Any:
        quotient = int(self) // other
        is_whole = type(other) is int and other > 0
        return KnownExtent(quotient, self.factor / other) if is_whole else quotient


class TracedTexture:
    """A picture in a traced function. It can be read and written by shaders, and by nothing else."""

    def __init__(self, width: Any, height: Any, format: str = "rgba8", *, owner: str, concrete: Any = None) -> None:
        self.width, self.height, self.format = width, height, format
        self.owner = owner
        #: The picture itself, in a function that is called for each frame.
        self.concrete = concrete

    @property
    def shape(self) -> tuple[Any, Any, int]:
        """Height, width and channels, as of an array."""
        return self.height, self.width, {"r8": 1, "rg8": 2}.get(self.format, 4)

    def size(self) -> Size:
        """How large it is, relative to the frame or fixed."""
        across, down = getattr(self.width, "factor", None), getattr(self.height, "factor", None)
        if across is not None and across == down:
            return float(across)
        if isinstance(self.width, Extent) or isinstance(self.height, Extent):
            raise TraceError(
                "a texture follows the frame in both directions by the same factor, or has a fixed size: "
                "`gpu.create_texture(frame.width // 2, frame.height // 2)`, `gpu.create_texture(640, 360)`"
            )
        return int(self.width), int(self.height)

    def _picture(self, asked: str) -> Any:
        if self.concrete is None:
            raise explain_tracing(asked)
        return self.concrete

    def numpy(self) -> Any:
        """The pixels, where the function is called for each frame and this is that frame's picture."""
        return self._picture("`texture.numpy()`").numpy()

    def map(self) -> Any:
        """As :meth:`numpy`, without a copy."""
        return self._picture("`texture.map()`").map()

    def png(self) -> bytes:
        """As :meth:`numpy`, as a PNG file."""
        data: bytes = self._picture("`texture.png()`").png()
        return data

    def write(self, array: object) -> NoReturn:
        """Textures of a trace are written by shaders."""
        raise TraceError(
            "`texture.write` in an effect: textures are written by shaders there; push pictures through an `app_source`, "
            "or make the texture outside of the effect with a `GPUContext()` of your own"
        )

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        return self._picture("NumPy, given a texture,").numpy()

    def __dlpack__(self, **kwargs: Any) -> Any:
        return self._picture("DLPack, given a texture,").__dlpack__(**kwargs)

    def __dlpack_device__(self) -> Any:
        return self._picture("DLPack, given a texture,").__dlpack_device__()


class Ref(NamedTuple):
    """Where a picture comes from: the effect's ``frame``, a ``step``, or a ``constant`` texture; now, or some frames ago."""

    kind: str
    of: int = 0
    delay: int = 0


class Pending(NamedTuple):
    """What a texture will hold at the end of the frame, some frames ago. ``None`` is the effect's result."""

    texture: TracedTexture | None
    delay: int


class Earlier:
    """A texture, some frames ago."""

    def __init__(self, texture: TracedTexture | None, delay: int) -> None:
        self.texture, self.delay = texture, delay
        self.width = texture.width if texture else Extent("width")
        self.height = texture.height if texture else Extent("height")

    @property
    def shape(self) -> tuple[Any, Any, int]:
        """Height, width and channels, as of an array."""
        return self.height, self.width, 4


class Step(NamedTuple):
    """A shader that runs."""

    shader: Shader
    inputs: dict[str, Ref]
    settings: dict[str, Any]
    size: Size
    #: Size of the main input, when that is a picture of the same frame.
    main_size: Size | None
    format: str

    def shape(self) -> tuple[Any, ...]:
        """What has to be the same in every call of a function that is called for each frame."""
        return self.shader, sorted(self.inputs.items()), sorted(self.settings), self.size, self.format


# Reads the frame only to have its size.
_BLANK = Shader("float4 main(float2 uv : TEXCOORD) : SV_Target { return tex2D(input, uv) * 0; }", "blank")
COPY = Shader("float4 main(float2 uv : TEXCOORD) : SV_Target { return tex2D(input, uv); }", "copy")


class TracingContext(GPUContext):
    """Writes down what a function does."""

    def __init__(self, owner: str, picture: TracedTexture) -> None:
        super().__init__()
        self._owner, self._picture = owner, picture
        self._steps: list[tuple[Step, dict[str, Ref | Pending]]] = []
        # Which step wrote a texture last.
        self._writers: dict[int, int] = {}
        self._textures: list[TracedTexture] = []
        self.constants: list[Any] = []

    def create_texture(self, width: Any, height: Any, format: str = "rgba8") -> TracedTexture:
        texture = TracedTexture(width, height, format_name(format), owner=self._owner)
        texture.size()  # tells what is wrong with it where it is made
        return texture

    def previous(self, texture: Any, frames: int = 1) -> Any:
        texture = getattr(texture, "data", texture)
        if not 1 <= frames <= 16:
            raise ValueError(f"{frames} frames ago: textures are kept for 1 to 16 frames")
        if isinstance(texture, Earlier):
            return Earlier(texture.texture, texture.delay + frames)
        if not isinstance(texture, TracedTexture):
            raise TypeError(f"`gpu.previous` takes a texture of this effect, not {type(texture).__name__}")
        return Earlier(texture, frames)

    @property
    def last_output(self) -> Any:
        return Earlier(None, 1)

    def _run(
        self,
        shader: Shader,
        inputs: dict[str, Any],
        settings: dict[str, Any],
        output: Any,
        size: tuple[int, int] | None,
        scale: float | None,
        format: str | None,
    ) -> TracedTexture:
        refs = {name: self._ref(texture) for name, texture in inputs.items()}
        main = main_input(inputs)
        main_size = main.size() if isinstance(main, TracedTexture) and isinstance(main_input(refs), Ref) else None
        if output is None:
            if size is not None:
                width, height = size
            else:
                width = _scaled(main.width if main is not None else Extent("width"), scale)
                height = _scaled(main.height if main is not None else Extent("height"), scale)
            output = self.create_texture(width, height, format or "rgba8")
        elif not isinstance(output, TracedTexture) or output is self._picture:
            raise TraceError(
                "an effect writes textures that it made itself: `output=gpu.create_texture(frame.width, frame.height)`"
            )
        checked = {name: _setting(shader, name, value) for name, value in settings.items()}
        self._writers[id(output)] = len(self._steps)
        self._textures.append(output)  # keeps the id from being used again
        self._steps.append((Step(shader, {}, checked, output.size(), main_size, output.format), refs))
        return output  # type: ignore[no-any-return]

    def _ref(self, texture: Any) -> Ref | Pending:
        """Where what a texture holds now comes from."""
        if isinstance(texture, Earlier):
            if texture.texture is self._picture:
                return Ref("frame", delay=texture.delay)
            return Pending(texture.texture, texture.delay)
        if texture is self._picture:
            return Ref("frame")
        if isinstance(texture, TracedTexture):
            if texture.owner != self._owner:
                raise TraceError(f"`{self._owner}` reads a texture of `{texture.owner}`: connect their ports instead")
            writer = self._writers.get(id(texture))
            # Read before it is written: what was written into it in the frame before.
            return Ref("step", writer) if writer is not None else Pending(texture, 1)
        if hasattr(texture, "__dlpack__") and hasattr(texture, "format"):
            if not any(constant is texture for constant in self.constants):
                self.constants.append(texture)
            return Ref("constant", next(i for i, constant in enumerate(self.constants) if constant is texture))
        raise TypeError(f"a shader takes textures and frames, not {type(texture).__name__}")

    def finish(self, returned: Any) -> Trace:
        """The trace, of what the function returned.

        :raises TypeError: when that is no frame.
        """
        texture = getattr(returned, "data", returned)
        if not isinstance(texture, (TracedTexture, Earlier)):
            raise TypeError(
                f"`{self._owner}` returned {type(returned).__name__}; an effect returns a frame: "
                "`return frame.clone_with_texture(texture)`"
            )
        result = self._ref(texture)
        is_fed_back = any(
            isinstance(ref, Pending) and ref.texture is None for _, refs in self._steps for ref in refs.values()
        )
        if isinstance(result, Pending) or result.delay or (result.kind == "frame" and is_fed_back):
            self._steps.append((Step(COPY, {}, {}, 1.0, None, "rgba8"), {"input": result}))
            result = Ref("step", len(self._steps) - 1)
        blanks: dict[int, Ref] = {}
        steps = [step._replace(inputs=self._resolved(refs, result, blanks)) for step, refs in self._steps]
        for blank, ref in sorted(blanks.items(), key=lambda item: item[1].of):
            size = next(texture.size() for texture in self._held() if id(texture) == blank)
            steps.append(Step(_BLANK, {"input": Ref("frame")}, {}, size, 1.0, "rgba8"))
            assert ref.of == len(steps) - 1
        return Trace(self._owner, steps, result, list(self.constants))

    def _held(self) -> Iterator[TracedTexture]:
        for _, refs in self._steps:
            yield from (ref.texture for ref in refs.values() if isinstance(ref, Pending) and ref.texture)

    def _resolved(self, refs: Mapping[str, Ref | Pending], result: Ref, blanks: dict[int, Ref]) -> dict[str, Ref]:
        found: dict[str, Ref] = {}
        for name, ref in refs.items():
            if isinstance(ref, Ref):
                found[name] = ref
            elif ref.texture is None:
                found[name] = result._replace(delay=result.delay + ref.delay)
            elif (writer := self._writers.get(id(ref.texture))) is not None:
                found[name] = Ref("step", writer, ref.delay)
            else:
                found[name] = blanks.setdefault(id(ref.texture), Ref("step", len(self._steps) + len(blanks)))
        return found


class Trace:
    """What a function does: steps, and which of them gives the result."""

    def __init__(self, owner: str, steps: list[Step], result: Ref, constants: list[Any]) -> None:
        self.steps, self.result, self.constants = steps, result, constants
        #: The names of the steps' nodes, and by which they are told apart within the effect.
        self.nodes, self.labels = _names(owner, steps, result)

    def shape(self) -> tuple[Any, ...]:
        """What has to be the same in every call of a function that is called for each frame."""
        return tuple(step.shape() for step in self.steps), self.result

    def parameters(self) -> dict[str, list[tuple[str, str]]]:
        """The parameters of all shaders: by name, and each by ``label.name`` too; with the nodes that they reach."""
        found: dict[str, list[tuple[str, str]]] = {}
        for step, node, label in zip(self.steps, self.nodes, self.labels):
            for name in step.shader.parameters:
                found.setdefault(name, []).append((node, name))
                found.setdefault(f"{label}.{name}", []).append((node, name))
        return found

    def settings(self) -> Iterator[tuple[str, str, Any]]:
        """Every value that the function passed: node, parameter, value."""
        for step, node in zip(self.steps, self.nodes):
            for name, value in step.settings.items():
                yield node, name, value


def _names(owner: str, steps: list[Step], result: Ref) -> tuple[list[str], list[str]]:
    """The step that gives the result is called as the effect is; the others by their shader as well."""
    seen: dict[str, int] = {}
    labels = []
    for step in steps:
        label = step.shader.name.replace(".", "_")
        seen[label] = seen.get(label, 0) + 1
        labels.append(label if seen[label] == 1 else f"{label}_{seen[label]}")
    is_result = [result.kind == "step" and result.of == index for index in range(len(steps))]
    return [owner if last else f"{owner}:{label}" for last, label in zip(is_result, labels)], labels


def _scaled(extent: Any, factor: float | None) -> Any:
    """A width or height times a factor, rounded up, as the core does it."""
    if factor is None or factor == 1:
        return extent
    if isinstance(extent, Extent):
        return extent * factor
    pixels = math.ceil(extent * factor)
    return KnownExtent(pixels, extent.factor * factor) if isinstance(extent, KnownExtent) else pixels


def _setting(shader: Shader, name: str, value: Any) -> Any:
    """A parameter's value, with lists for whatever holds several."""
    if isinstance(value, (bool, int, float, str, Expression)) and not isinstance(value, Extent):
        return float(value) if isinstance(value, float) else value
    if isinstance(value, Extent):
        value._refuse()
    if isinstance(value, Real):
        return float(value)
    if hasattr(value, "tolist"):
        value = value.tolist()
        return value if isinstance(value, (bool, int, float)) else _setting(shader, name, value)
    if isinstance(value, (list, tuple)):
        return [_setting(shader, name, item) for item in value]
    raise TypeError(
        f"parameter `{name}` of shader `{shader.name}` takes numbers, flags, expressions and lists of them, "
        f"not {type(value).__name__}"
    )
