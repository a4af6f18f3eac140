"""A large frame seen from NumPy: mapped and copied, a frame that was asked for as a picture and a texture of the GPU's."""

import json

import numpy as np
import reference
import streamlib
import worker


class Picture:
    """A frame of a running graph that was asked for as a picture, as `stream_processor` would hold it."""

    def __init__(self, array):
        height, width = array.shape[:2]
        graph = {
            "nodes": {
                "in": {"source": "app:", "size": [width, height]},
                "look": {"processor": "look", "inputs": {"video": "in"}},
            }
        }
        ports = {"look": ({"video": "video"}, {}, True)}
        self.live = streamlib.default_runtime().start(json.dumps(graph), processors=ports)
        self.live.inlet("in").push(array)
        end = self.live.end("look")
        if not end.wait(60):
            raise RuntimeError("no frame came to the processor")
        self.texture = end.take("video").texture


def mapped_sum(texture):
    """The view, and that it can be read: its corners."""
    with texture.map() as view:
        return view[0, 0, 0] + view[-1, -1, 0]


def measure(options):
    array = reference.pictures(options.width, options.height, 1)[0]
    picture = Picture(array)
    texture = streamlib.GPUContext().create_texture(options.width, options.height)
    texture.write(array)
    for name, found in (("the picture", picture.texture), ("the texture", texture)):
        reference.check_same(found.numpy(), array, name)
        with found.map() as view:
            reference.check_same(view, array, f"{name}, mapped")
    calls = {
        "NumPy: copy of the array": lambda: np.array(array),
        "picture: map()": lambda: mapped_sum(picture.texture),
        "picture: numpy()": picture.texture.numpy,
        "texture: map()": lambda: mapped_sum(texture),
        "texture: numpy()": texture.numpy,
    }
    return worker.interleaved(calls, options.frames, options.seconds)


worker.main(measure)
