"""A NumPy array in, an effect, a NumPy array out: what a camera of the program costs, one frame at a time."""

import peers
import reference
import worker


def measure(options):
    pictures = reference.pictures(options.width, options.height)
    run = peers.load(options.who)(options.work, options.width, options.height)
    wanted = reference.blur if options.work == "blur" else reference.chain
    passes = 8 if options.who == "streamlib at once" and options.work == "chain" else 1
    # All frames first: a graph whose program pushes nothing for a second goes on by time, and repeats the last picture.
    drawn = [run(picture) for picture in pictures]
    for picture, pixels in zip(pictures, drawn):
        reference.check(pixels, wanted(picture), options.who, passes)
    frame = 0

    def one():
        nonlocal frame
        run(pictures[frame % len(pictures)])
        frame += 1

    return {options.who: worker.timed(one, options.frames, options.seconds)}


worker.main(measure)
