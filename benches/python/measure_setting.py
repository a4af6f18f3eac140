"""Setting a parameter of what runs, by each contender; the time of one call."""

import timeit

import reference
import worker


def streamlib_calls(options):
    import graphs

    runtime = graphs.runtime((64, 36), 30)
    runtime.start()
    options.keeps = runtime
    params = graphs.graded.params
    for name, value in (("amount", 1.25), ("strength", 0.25)):
        setattr(params, name, value)
        if getattr(params, name) != value:
            raise worker.Wrong(f"parameter {name} is {getattr(params, name)}")

    def one():
        params.amount = 0.5

    def two():
        params.strength = 0.5

    knobs = params._knobs

    def knob():
        knobs.amount = 0.5

    return {
        "streamlib: effect.params": one,
        "streamlib: effect.params, of two shaders": two,
        "streamlib: knob": knob,
    }


def wgpu_calls(options):
    import struct

    import peer_wgpu

    peer = options.keeps = peer_wgpu.Wgpu(options)
    usage = peer_wgpu.wgpu.BufferUsage.UNIFORM | peer_wgpu.wgpu.BufferUsage.COPY_DST
    buffer = peer.gpu.create_buffer(size=16, usage=usage)
    return {"wgpu: write_buffer": lambda: peer.gpu.queue.write_buffer(buffer, 0, struct.pack("<f", 0.5))}


def moderngl_calls(options):
    import peer_moderngl

    peer = options.keeps = peer_moderngl.ModernGl(options)
    program, _ = peer.program(peer_moderngl.fragment("c *= strength;", "uniform sampler2D tex; uniform float strength;"), (64, 36))

    def uniform():
        program["strength"] = 0.5

    return {"moderngl: uniform": uniform}


def measure(options):
    calls = globals()[f"{options.who}_calls"](options)
    rows = {}
    for name, call in calls.items():
        repeats = timeit.repeat(call, number=options.calls, repeat=5)
        rows[name] = [seconds * 1e9 / options.calls for seconds in repeats]
    return rows


assert reference  # it is what finds the peers
worker.main(measure)
