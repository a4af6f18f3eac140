"""Effects that come along: the HLSL of the repository's ``effects/`` folder, by file name.

Every one is a :class:`~streamlib.Shader`, loaded when it is first asked for. Its inputs, parameters and their ranges stand in
the text (``print(shaders.vignette.hlsl)``).

>>> from streamlib import shaders
>>> shaders.gaussian_blur.name
'gaussian_blur'
>>> shaders.GRAYSCALE_SHADER is shaders.grayscale
True
>>> "vignette" in shaders.names()
True
"""

from __future__ import annotations

from pathlib import Path

from ._shader import Shader

__all__ = ["BLENDS", "blend", "names"]

_FOLDER = Path(__file__).parent / "_effects"
# Names of the proof of concept that are not the file's own.
_OLD_NAMES = {"blur": "gaussian_blur", "alpha_blend": "blend_alpha", "additive_blend": "blend_additive"}
_OLD_NAMES |= {"multiply_blend": "blend_multiply", "screen_blend": "blend_screen"}

#: Ways to lay one picture over another, for :func:`blend`.
BLENDS = ("alpha", "additive", "multiply", "screen")


def names() -> list[str]:
    """The names of all that there are."""
    return sorted(path.stem for path in _FOLDER.glob("*.hlsl"))


def blend(mode: str) -> Shader:
    """The shader that blends two pictures: ``input`` below, ``overlay`` above, with ``opacity``.

    :raises ValueError: when there is no such way.
    """
    if mode not in BLENDS:
        raise ValueError(f"there is no blend {mode!r}; there are: {', '.join(BLENDS)}")
    shader: Shader = __getattr__(f"blend_{mode}")
    return shader


def __getattr__(name: str) -> Shader:
    known = name
    if name.endswith("_SHADER") and name.isupper():
        known = name.removesuffix("_SHADER").lower()
        known = _OLD_NAMES.get(known, known)
        if known != name:
            return __getattr__(known)
    path = _FOLDER / f"{known}.hlsl"
    if name.startswith("_") or not path.is_file():
        raise AttributeError(f"there is no shader {name!r}; streamlib.shaders.names() lists those that there are")
    shader = globals().get(known) or Shader.of(path)
    globals()[known] = shader
    assert isinstance(shader, Shader)
    return shader


def __dir__() -> list[str]:
    return [*__all__, *names()]
