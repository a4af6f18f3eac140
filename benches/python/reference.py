"""What the pixels should be: the works in NumPy, in double precision, that no contender had a part in."""

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "peers"))

import common  # noqa: E402  # of the peers: the constants of the chain
from worker import Wrong  # noqa: E402

_BELL = np.exp(-(np.arange(-4, 5) ** 2) / 8.0)
#: Nine weights of a Gaussian with a standard deviation of two pixels.
WEIGHTS = (_BELL / _BELL.sum()).tolist()
TINT = common.TINT
#: The chain, by the names of our effects.
CHAIN = ("brightness", "contrast", "saturation", "hue_shift", "gamma", "sepia", "vignette", "tint")


def pictures(width, height, count=2):
    """Opaque pictures of noise beside gradients, always the same."""
    random = np.random.default_rng(7)
    made = []
    for number in range(count):
        picture = np.full((height, width, 4), 255, np.uint8)
        picture[..., :3] = random.integers(0, 256, (height, width, 3), np.uint8)
        ramp = np.linspace(0, 255, width // 2).astype(np.uint8)
        picture[:, : width // 2, number % 3] = ramp
        made.append(picture)
    return made


def blur(picture):
    """The blur and the tint, 0 to 1."""
    color = picture[..., :3] / 255.0
    padded = np.pad(color, ((0, 0), (4, 4), (0, 0)), mode="edge")
    width = color.shape[1]
    total = sum(weight * padded[:, at : at + width] for at, weight in enumerate(WEIGHTS))
    return np.clip(total * TINT, 0, 1)


def _shade(shape):
    height, width = shape[:2]
    y, x = np.mgrid[0:height, 0:width] + 0.5
    away = np.hypot(x - width / 2, y - height / 2) / np.hypot(width / 2, height / 2)
    t = np.clip((away - 0.35) / 0.65, 0, 1)
    return (1 - 0.85 * t * t * (3 - 2 * t))[..., None]


STEPS = {
    "brightness": lambda c: c + 0.15,
    "contrast": lambda c: (c - 0.5) * 1.5 + 0.5,
    "saturation": lambda c: c @ common.saturation_matrix().T,
    "hue_shift": lambda c: c @ common.hue_matrix().T,
    "gamma": lambda c: c ** (1 / 1.8),
    "sepia": lambda c: c @ np.array(common.SEPIA).T,
    "vignette": lambda c: c * _shade(c.shape),
    "tint": lambda c: c * common.TINT,
}


def chain(picture, steps=CHAIN):
    """Some of the steps, without rounding between, 0 to 1."""
    color = picture[..., :3] / 255.0
    for step in steps:
        color = np.clip(STEPS[step](color), 0, 1)
    return color


def check(pixels, wanted, who, passes=1):
    """Refuses pixels that are further off than rounding explains.

    :raises Wrong: when one is off by more than two codes of 255, or they are by three quarters of one on average. Where each
        of several passes rounds, two values in a thousand may be further off: gamma makes eleven codes of one near black.
    """
    off = np.abs(np.asarray(pixels)[..., :3].astype(np.float64) - wanted * 255)
    share = (off > 2).mean()
    if share > (0.002 if passes > 1 else 0) or off.mean() > 0.75:
        raise Wrong(f"{who}: {off.max():.1f} codes off at most, {off.mean():.2f} on average, {share:.2%} by more than two")


def check_same(pixels, wanted, who):
    """Refuses pixels that are not exactly those.

    :raises Wrong: when one is not.
    """
    pixels = np.asarray(pixels)
    if pixels.shape != wanted.shape or not (pixels == wanted).all():
        raise Wrong(f"{who}: not the pixels that were to come out")
