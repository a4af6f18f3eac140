"""A NumPy array in, an effect, a NumPy array out: what a camera of the program costs, one frame at a time."""

import peers
import reference
import worker


def measure(options):
    pictures = reference.pictures(options.width, options.height)
    run = peers.load(options.who)(options.work, options.width, options.height)
    wanted = reference.blur if options.work == "blur" else reference.chain
    passes = 8 if options.who == "streamlib at once" and options.work == "chain" else 1
    for picture in pictures:
        reference.check(run(picture), wanted(picture), options.who, passes)
    frame = 0

    def one():
        nonlocal frame
        run(pictures[frame % len(pictures)])
        frame += 1

    return {options.who: worker.timed(one, options.frames, options.seconds)}


worker.main(measure)
