"""The same work as shader text in GLSL, WGSL and CUDA, from one list of steps."""

from common import LUMA, SATURATION, SEPIA, hue_matrix, rgb_from_yuv


def _row(weights, color):
    """A dot product, written so that all three languages take it."""
    return " + ".join(f"{w:.9f} * {color}.{axis}" for w, axis in zip(weights, "xyz"))


class Language:
    """How one language spells what the steps need."""

    def __init__(self, vec3, scalar, clamp):
        self.vec3, self.scalar, self.clamp = vec3, scalar, clamp

    def made(self, x, y, z):
        return f"{self.vec3}({x}, {y}, {z})"

    def clamped(self, x, y, z):
        return self.made(*(self.clamp.format(part) for part in (x, y, z)))

    def each(self, expression):
        """The same expression, with {} for the channel, for all three channels."""
        return self.clamped(*(expression.format(f"c.{axis}") for axis in "xyz"))

    def matrix(self, rows):
        return self.clamped(*(_row(row, "c") for row in rows))

    def chain(self):
        """Statements that change `c`; `shade` holds the vignette's factor for this pixel."""
        luma = _row(LUMA, "c")
        saturated = [f"l + {SATURATION} * (c.{axis} - l)" for axis in "xyz"]
        return [
            f"c = {self.each('{} + 0.15')};",
            f"c = {self.each('({} - 0.5) * 1.5 + 0.5')};",
            f"{{ {self.scalar('l')} = {luma}; c = {self.clamped(*saturated)}; }}",
            f"c = {self.matrix(hue_matrix())};",
            f"c = {self.made(*(self.power(f'c.{axis}') for axis in 'xyz'))};",
            f"c = {self.matrix(SEPIA)};",
            f"c = {self.made('c.x * shade', 'c.y * shade', 'c.z * shade')};",
            f"c = {self.clamped('c.x', 'c.y * 0.72', 'c.z * 0.45')};",
        ]

    def power(self, value):
        return f"pow({value}, {1 / 1.8:.9f})"

    def rgb(self):
        """`c` from `luma`, `cb` and `cr`."""
        rows = rgb_from_yuv()
        return "c = " + self.clamped(
            *(f"{y:.9f} * luma + {cb:.9f} * cb + {cr:.9f} * cr + {offset:.9f}" for y, cb, cr, offset in rows)
        ) + ";"


GLSL = Language("vec3", lambda name: f"float {name}", "clamp({}, 0.0, 1.0)")
WGSL = Language("vec3f", lambda name: f"let {name}", "clamp({}, 0.0, 1.0)")
CUDA = Language("make_float3", lambda name: f"const float {name}", "__saturatef({})")
CUDA.power = lambda value: f"__powf({value}, {1 / 1.8:.9f}f)"


def glsl_body(request, step=None, tint=None):
    """Statements over `c` (rgb), with `size` in pixels, `uv`, and the texture `tex`; alpha is set by the caller."""
    if request.work in ("blur", "shader"):
        lines = ["c = vec3(0.0);"]
        for offset, weight in enumerate(request.weights, -4):
            lines.append(f"c += {weight:.9f} * texture2D(tex, uv + vec2({offset}.0 / size.x, 0.0)).rgb;")
        r, g, b = tint or request.tint
        return "\n".join(lines + [f"c *= vec3({r:.9f}, {g:.9f}, {b:.9f});"])
    shade = (
        "float shade = 1.0 - 0.85 * smoothstep(0.35, 1.0, length((uv - 0.5) * size) / length(0.5 * size));"
    )
    steps = GLSL.chain()
    chosen = steps if step is None else [steps[step]]
    needs_shade = step is None or "shade" in steps[step]
    return "\n".join(([shade] if needs_shade else []) + chosen)
