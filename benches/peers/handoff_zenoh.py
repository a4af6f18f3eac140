"""Zenoh with shared memory: the frame is copied into a buffer of its provider's, and its reader gets that.

Zenoh's Python takes bytes and gives bytes, so there is a copy more on either side than its Rust has.
"""

import threading
import time
from importlib import metadata

import handoff
import numpy as np
import zenoh
import zenoh.shm


def session(request):
    config = zenoh.Config()
    config.insert_json5("transport/shared_memory/enabled", "true")
    config.insert_json5("scouting/multicast/enabled", "false")
    config.insert_json5("mode", '"peer"')
    return config


def write(request, start):
    config = session(request)
    config.insert_json5("listen/endpoints", f'["tcp/127.0.0.1:{request.port}"]')
    with zenoh.open(config) as opened:
        size = request.bytes + handoff.TRAILER
        provider = zenoh.shm.ShmProvider.default_backend(4 * size)
        policy = zenoh.shm.BlockOn(zenoh.shm.GarbageCollect())
        publisher = opened.declare_publisher("streamlib/bench", congestion_control=zenoh.CongestionControl.BLOCK)
        frames = handoff.Frames(request)
        message = bytearray(size)
        memory = np.frombuffer(message, np.uint8)
        start()
        until = time.monotonic() + handoff.PATIENCE
        while not publisher.matching_status.matching:
            if time.monotonic() > until:
                raise RuntimeError("no reader came")
            time.sleep(0.01)
        time.sleep(0.5)

        def publish(number):
            done = frames.draw(number)
            buffer = provider.alloc(size, policy=policy)
            frames.copy_to(memory[: request.bytes])
            memory[request.bytes :].view(np.int64)[:] = (number, done)
            buffer[:] = message
            publisher.put(buffer)

        count = handoff.pace(request, publish)
        # What is under way arrives before the session ends.
        time.sleep(1)
    return count


def read(request, looks):
    config = session(request)
    config.insert_json5("connect/endpoints", f'["tcp/127.0.0.1:{request.port}"]')
    last, done, failed = int(request.fps * request.seconds) - 1, threading.Event(), []

    def take(sample):
        try:
            shared = sample.payload.as_shm()
            if shared is None:
                raise RuntimeError("the frame did not come through shared memory")
            memory = np.frombuffer(bytes(shared), np.uint8)
            number, when = memory[request.bytes :].view(np.int64)
            looks.of_host(memory[: request.bytes], int(number), int(when))
        except Exception as error:
            failed.append(error)
        if failed or looks.last >= last:
            done.set()

    with zenoh.open(config) as opened:
        subscriber = opened.declare_subscriber("streamlib/bench", take)
        is_done = done.wait(request.seconds + 3 * handoff.PATIENCE)
        subscriber.undeclare()
    if failed:
        raise failed[0]
    if not is_done:
        raise RuntimeError("not all frames came")


handoff.main("Zenoh", lambda: f"zenoh {metadata.version('eclipse-zenoh')}", write, read)
