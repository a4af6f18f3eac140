"""torch on CUDA IPC: tensors that both processes have; for each frame its place goes through a pipe.

The reader gets the tensors once, as torch.multiprocessing hands them over. It answers when it has done with one, so that none is
drawn over before.
"""

import pickle
import struct
import sys
from multiprocessing.reduction import ForkingPickler

import handoff

TENSORS = 4
FRAME = struct.Struct("<qqq")


def write(request, start):
    if not handoff.HAS_GPU:
        raise handoff.Unsupported("CUDA IPC needs torch with a GPU")
    import subprocess

    import torch
    import torch.multiprocessing  # has the pickler share tensors of a GPU

    frames = handoff.Frames(request)
    tensors = [torch.zeros(request.bytes, dtype=torch.uint8, device="cuda") for _ in range(TENSORS)]
    torch.cuda.synchronize()
    reader = start(stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    shared = bytes(ForkingPickler.dumps(tensors))
    reader.stdin.write(struct.pack("<q", len(shared)) + shared)
    reader.stdin.flush()
    reader.stdout.read(1)
    under_way = 0

    def publish(number):
        nonlocal under_way
        if under_way == TENSORS:
            reader.stdout.read(1)
            under_way -= 1
        place = number % TENSORS
        done = frames.draw(number, tensors[place])
        reader.stdin.write(FRAME.pack(place, number, done))
        reader.stdin.flush()
        under_way += 1

    count = handoff.pace(request, publish)
    reader.stdin.close()
    reader.stdout.read()
    return count


def read(request, looks):
    import torch.multiprocessing  # as above

    asked, answers = sys.stdin.buffer, sys.stdout.buffer
    (length,) = struct.unpack("<q", asked.read(8))
    tensors = pickle.loads(asked.read(length))
    answers.write(b".")
    answers.flush()
    while message := asked.read(FRAME.size):
        place, number, done = FRAME.unpack(message)
        looks.of(tensors[place], number, done)
        answers.write(b".")
        answers.flush()
    del tensors, torch


def versions():
    import torch

    return f"torch {torch.__version__}, CUDA {torch.version.cuda}"


handoff.main("torch", versions, write, read)
