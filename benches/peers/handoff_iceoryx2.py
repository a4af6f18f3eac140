"""iceoryx2: the frame is copied into a loaned slice of shared memory; an event wakes the reader, which uses it from there."""

import ctypes
import time
from importlib import metadata

import handoff
import iceoryx2 as iox2
import numpy as np

iox2.set_log_level(iox2.LogLevel.Error)


def services(request):
    node = iox2.NodeBuilder.new().create(iox2.ServiceType.Ipc)
    # Node and names live as long as the ports.
    name = f"streamlib-bench/{request.width}x{request.height}/{request.token}"
    frames = node.service_builder(iox2.ServiceName.new(name)).publish_subscribe(iox2.Slice[ctypes.c_uint8]).open_or_create()
    events = node.service_builder(iox2.ServiceName.new(name + "/event")).event().open_or_create()
    return node, frames, events


def write(request, start):
    node, service, events = services(request)
    size = request.bytes + handoff.TRAILER
    publisher = service.publisher_builder().initial_max_slice_len(size).create()
    notifier = events.notifier_builder().create()
    frames = handoff.Frames(request)
    start()
    await_reader(service)

    def publish(number):
        done = frames.draw(number)
        sample = publisher.loan_slice_uninit(size)
        memory = np.frombuffer(sample.payload().as_memory_view(), np.uint8)
        frames.copy_to(memory[: request.bytes])
        memory[request.bytes :].view(np.int64)[:] = (number, done)
        sample.assume_init().send()
        notifier.notify()

    count = handoff.pace(request, publish)
    del node
    return count


def await_reader(service):
    until = time.monotonic() + handoff.PATIENCE
    while service.dynamic_config.number_of_subscribers == 0:
        if time.monotonic() > until:
            raise RuntimeError("no reader came")
        time.sleep(0.01)
    time.sleep(0.5)


def read(request, looks):
    node, service, events = services(request)
    listener = events.listener_builder().create()
    subscriber = service.subscriber_builder().create()
    last = int(request.fps * request.seconds) - 1
    while looks.last < last:
        if not list(listener.timed_wait(iox2.Duration.from_secs(handoff.PATIENCE))):
            raise RuntimeError("no frame came")
        while (sample := subscriber.receive()) is not None:
            memory = np.frombuffer(sample.payload().as_memory_view(), np.uint8)
            number, done = memory[request.bytes :].view(np.int64)
            looks.of_host(memory[: request.bytes], int(number), int(done))
            sample.delete()
    del node


handoff.main("iceoryx2", lambda: f"iceoryx2 {metadata.version('iceoryx2')}", write, read)
