"""Two substances that react and spread, fed by the edges of the camera: an effect that reads its own last result.

Gray-Scott model: J. E. Pearson, "Complex patterns in a simple system", 1993.
"""

from arguments import arguments, sink_of, source_of

from streamlib import StreamRuntime, camera_source, display_sink, shaders, video_effect

options = arguments(__doc__)

REACT = """
// One step: u in red, v in green. Bright pixels of `input` drop v in.
Texture2D state;
float feed <min = 0; max = 0.1;> = 0.037;
float kill <min = 0; max = 0.1;> = 0.06;

float2 at(int2 pixel, int2 size) { return state.Load(int3(clamp(pixel, 0, size - 1), 0)).rg; }

float4 main(float2 uv : TEXCOORD) : SV_Target {
    int2 size = int2(resolution), p = int2(uv * resolution);
    float2 here = frame_number == 0 ? float2(1, 0) : at(p, size);
    float2 sides = at(p + int2(1, 0), size) + at(p - int2(1, 0), size) + at(p + int2(0, 1), size) + at(p - int2(0, 1), size);
    float2 corners = at(p + int2(1, 1), size) + at(p - int2(1, 1), size)
        + at(p + int2(1, -1), size) + at(p - int2(1, -1), size);
    float2 spread = frame_number == 0 ? 0 : 0.2 * sides + 0.05 * corners - here;
    float reaction = here.r * here.g * here.g;
    float u = here.r + 1.0 * spread.r - reaction + feed * (1 - here.r);
    float v = here.g + 0.5 * spread.g + reaction - (feed + kill) * here.g;
    v = max(v, 0.5 * step(0.6, tex2D(input, uv).r) * step(frac(time), 0.1));
    return float4(saturate(u), saturate(v), 0, 1);
}
"""
SHOW = """
// Dark where there is none of v, and through blue and orange to white.
Texture2D state;
float4 main(float2 uv : TEXCOORD) : SV_Target {
    float v = saturate(2.5 * tex2D(state, uv).g);
    float3 color = lerp(float3(0.02, 0.02, 0.08), float3(0.1, 0.3, 0.8), smoothstep(0, 0.4, v));
    color = lerp(color, float3(1, 0.5, 0.15), smoothstep(0.3, 0.7, v));
    return float4(lerp(color, 1, smoothstep(0.7, 1, v)), 1);
}
"""


@camera_source
def camera():
    """The first camera."""


@video_effect
def reaction(frame, gpu):
    """Eight steps a frame. `state` is read before it is written, so it holds what the frame before left in it."""
    edges = gpu.run_shader(shaders.edge_detect, frame)
    state = gpu.create_texture(frame.width, frame.height, "rgba16float")
    step = gpu.create_shader(REACT, "react")
    now = state
    for _ in range(7):
        now = gpu.run_shader(step, {"input": edges, "state": now}, format="rgba16float")
    gpu.run_shader(step, {"input": edges, "state": now}, output=state)
    return frame.clone_with_texture(gpu.run_shader(gpu.create_shader(SHOW, "show"), state))


@display_sink(title="Reaction and diffusion")
def display():
    """A window."""


if __name__ == "__main__":
    source, sink = source_of(options, camera), sink_of(options, display)
    reaction.params.feed = 0.035
    runtime = StreamRuntime()
    runtime.connect(source.outputs["video"], reaction.inputs["video"])
    runtime.connect(reaction.outputs["video"], sink.inputs["video"])
    runtime.run_blocking(frames=options.frames)
