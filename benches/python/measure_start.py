"""From nothing but imported modules to what runs: a decorated function for us, a device and a shader for the others."""

import time

import peers
import reference
import worker


def ours(options, picture):
    import streamlib
    from streamlib import StreamRuntime, app_sink, app_source, video_effect

    begin = time.perf_counter_ns()

    @video_effect
    def blurred(frame, gpu):
        return frame.clone_with_texture(gpu.run_shader(peers.BLUR, frame))

    source, sink = app_source(options.width, options.height), app_sink()
    runtime = StreamRuntime()
    runtime.connect(source.outputs["video"], blurred.inputs["video"])
    runtime.connect(blurred.outputs["video"], sink.inputs["video"])
    runtime.start()
    started = time.perf_counter_ns() - begin
    source.push(picture)
    pixels = sink.read(60).numpy()
    first = time.perf_counter_ns() - begin
    runtime.stop()
    return {"streamlib: decorator to running graph": [started], "streamlib: to the first frame in NumPy": [first]}, pixels


def measure(options):
    picture = reference.pictures(options.width, options.height, 1)[0]
    if options.who == "streamlib":
        rows, pixels = ours(options, picture)
    else:
        make = peers.load(options.who, tunes=False)
        begin = time.perf_counter_ns()
        pixels = make("blur", options.width, options.height)(picture)
        rows = {f"{options.who}: device to the first frame in NumPy": [time.perf_counter_ns() - begin]}
    reference.check(pixels, reference.blur(picture), options.who)
    return rows


worker.main(measure)
