"""Boots the device machine and runs programs of this host in it."""

import os
import select
import shlex
import signal
import subprocess
import sys
import tempfile
import time

from host import Host

HERE = os.path.dirname(os.path.abspath(__file__))
REPOSITORY = os.path.dirname(HERE)
OUT = os.path.join(REPOSITORY, "out/devices")

# What programs find in their environment besides what they are given.
ENVIRONMENT = {
    "STREAMLIB_VALIDATION": "1",
    "RUST_BACKTRACE": "1",
    "VK_DRIVER_FILES": "/usr/share/vulkan/icd.d/lvp_icd.json",
    "LP_NUM_THREADS": "1",
    "RUST_TEST_THREADS": "1",
    "XDG_CACHE_HOME": "/tmp/cache",
    "MESA_SHADER_CACHE_DIR": "/tmp/cache/mesa",
    "XDG_RUNTIME_DIR": "/tmp",
    # One heap that grows in large steps. A thread's own grows page by page, with a call of the kernel for each, after which the
    # emulator has forgotten every translation of an address.
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_TOP_PAD_": str(8 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(1 << 30),
}

# So many programs run beside each other, with one test of each at a time: one more than there are processors, since tests wait for
# cameras and screens. More of them get less done: the emulator pays for every change between them.
BESIDE = 3

# What became of a machine whose kernel failed.
FAULT = "had a fault of its kernel"


class Program:
    """A program of the host: a path, arguments, the folder to run in, and variables."""

    def __init__(self, path, arguments, folder, variables=()):
        self.path, self.arguments, self.folder = os.path.realpath(path), arguments, folder
        self.variables = dict(variables)


def compiler():
    """The HLSL compiler where there is one, as the runtime looks for it."""
    data = os.environ.get("XDG_DATA_HOME") or os.path.join(os.environ.get("HOME", ""), ".local/share")
    path = os.environ.get("STREAMLIB_DXC") or os.path.join(data, "streamlib/dxc/libdxcompiler.so")
    return path if os.path.exists(path) else None


def shared_folders(programs):
    """What the machine reads of the host: the repository, the compiler, and programs that were built elsewhere."""
    folders = [REPOSITORY]
    files = [program.path for program in programs] + ([compiler()] if compiler() else [])
    for file in files:
        # Cargo builds tests in a folder beside the programs that they run.
        folder = os.path.dirname(file)
        folder = os.path.dirname(folder) if os.path.basename(folder) == "deps" else folder
        if not any(os.path.commonpath([folder, shared]) == shared for shared in folders):
            folders.append(folder)
    return folders


def caches(programs, folders):
    """Where tests keep what they have compiled (`CARGO_TARGET_TMPDIR`), by the folder that they were built in. What the host has
    compiled there need not be compiled again in the machine, where that takes seconds."""
    targets = {os.path.dirname(os.path.dirname(os.path.dirname(program.path))) for program in programs}
    found = [os.path.join(target, "tmp/cache") for target in sorted(targets) if os.path.isdir(os.path.join(target, "tmp"))]
    found = [cache for cache in found if any(os.path.commonpath([cache, folder]) == folder for folder in folders)]
    for cache in found:
        os.makedirs(cache, exist_ok=True)
    return found


def shares(folders):
    """The folders with the names by which the machine asks for them."""
    return [(f"host{index}", folder) for index, folder in enumerate(folders)]


def kept(image):
    """What programs of machines before have kept in their caches, compiled shaders above all. Every image has the same programs and
    drivers, until packages are fetched anew."""
    return os.path.join(os.path.dirname(image), "kept")


def plan(programs, folders, seconds):
    """The shell script that the machine runs."""
    variables = dict(ENVIRONMENT)
    variables.update((name, value) for name, value in os.environ.items() if name.startswith(("STREAMLIB_", "RUST_")))
    if compiler():
        variables["STREAMLIB_DXC"] = compiler()
    lines = [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
    lines += [f"share {tag} {shlex.quote(folder)}" for tag, folder in shares(folders)]
    lines += [f"writable {shlex.quote(cache)}" for cache in caches(programs, folders)]
    # Alone, a program is seen at work.
    way = "run" if len(programs) == 1 else "beside"
    lines += [f"places {BESIDE} {seconds - 30}"] if way == "beside" else []
    for number, program in enumerate(programs):
        words = ["env", *(f"{name}={value}" for name, value in program.variables.items()), program.path, *program.arguments]
        lines.append(shlex.join([way, str(number), os.path.basename(program.path), program.folder, *words]))
    return "\n".join(lines) + "\n"


def command(image, work, folders):
    """How QEMU is started. Nothing but its name is taken from the host's hardware: it runs everywhere, slowly. The processor is one
    without vectors of 256 bits, which drivers would compile for and which cost more to emulate. The kernel starts on one of two
    processors: where it changes its own code while the other one runs it, some versions of QEMU fail (`Oops: int3`). After any fault
    of its own it ends, rather than go on and leave programs waiting for ever. It does not change its locks for one processor and back,
    nor clear memory that it takes for itself, nor count memory by groups, nor ask security modules. There is room for all code that is
    translated: all tests come to 900 MB of it, and where it is full QEMU begins anew, which made them a sixth slower."""
    words = ["qemu-system-x86_64", "-M", "q35", "-cpu", "Nehalem", "-smp", "2", "-m", "2560"]
    words += ["-accel", "tcg,thread=multi,tb-size=1536", "-nodefaults", "-no-reboot", "-display", "none", "-vga", "none"]
    words += ["-kernel", f"{image}/kernel", "-initrd", f"{image}/image.cpio"]
    words += ["-append", "console=hvc0 quiet loglevel=4 panic=-1 mitigations=off audit=0 nokaslr maxcpus=1 noreplace-smp oops=panic"
              " init_on_alloc=0 cgroup_disable=memory lsm= cryptomgr.notests initcall_blacklist=jent_mod_init rodata=off"
              " rcupdate.rcu_expedited=1 rdinit=/init"]
    words += ["-device", "virtio-serial-pci"]
    words += ["-chardev", f"file,id=log,path={work}/console", "-device", "virtconsole,chardev=log"]
    words += ["-chardev", "stdio,id=out,signal=off", "-device", "virtserialport,chardev=out,name=host.out"]
    words += ["-chardev", f"file,id=ended,path={work}/ended", "-device", "virtserialport,chardev=ended,name=host.ended"]
    words += ["-chardev", f"socket,id=ctl,path={work}/ctl,server=on,wait=off"]
    words += ["-device", "virtserialport,chardev=ctl,name=host.ctl"]
    words += ["-qmp", f"unix:{work}/qmp,server=on,wait=off"]
    words += ["-device", "virtio-gpu-pci,id=gpu0", "-device", "cirrus-vga,id=cirrus0"]
    read_only = [("system", f"{image}/system", "on"), ("plan", f"{work}/plan", "on"), *((*share, "on") for share in shares(folders))]
    for tag, folder, is_read_only in [*read_only, ("kept", kept(image), "off")]:
        # A comma ends a path, and two of them are one in it.
        path = folder.replace(",", ",,")
        words += ["-virtfs", f"local,path={path},mount_tag={tag},security_model=none,readonly={is_read_only},multidevs=remap"]
    return words


def relay(process, seconds):
    """Prints what the programs print until the machine ends; `False` when it did not in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if select.select([process.stdout], [], [], 1)[0]:
            data = os.read(process.stdout.fileno(), 1 << 16)
            if not data:
                return True
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
    return False


def boot(image, programs, seconds):
    """Runs the programs in a machine; the status of each that has ended, by its place, and why others have not: `None` where all
    have, else what became of the machine."""
    folders = shared_folders(programs)
    with tempfile.TemporaryDirectory(prefix="streamlib-devices-") as work:
        os.mkdir(f"{work}/plan")
        # Where QEMU does not even start, it writes neither.
        for name in ("ended", "console"):
            open(f"{work}/{name}", "w").close()
        with open(f"{work}/plan/script", "w") as script:
            script.write(plan(programs, folders, seconds))
        words = command(image, work, folders)
        # The port takes nothing once QEMU's own input has ended, so that stays open.
        process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            host = Host(f"{work}/ctl", f"{work}/qmp", work, OUT, lambda: process.poll() is None)
            host.start()
            in_time = relay(process, seconds)
            status = process.wait() if in_time else None
        finally:
            process.kill()
            process.wait()
        host.join(5)
        with open(f"{work}/ended") as lines:
            ended = dict(map(int, line.split()) for line in lines)
        if len(ended) == len(programs):
            return ended, None
        with open(f"{work}/console", errors="replace") as console:
            written = console.read().splitlines()
    if not in_time:
        what = f"was ended after {seconds} s"
    elif any("Kernel panic" in line for line in written):
        what = FAULT
    else:
        what = f"ended with {status}"
    print(f"\nThe device machine {what}; its console:", *written[-80:], sep="\n  ", flush=True)
    return ended, what


def run(programs, seconds):
    """Runs the programs in a machine, `seconds` at most, beginning with the first; the last status that was not 0, or 0.

    Whatever a program does, the kernel must not fail at it: where it does, in the emulator or in a driver, nothing is known about the
    programs that ran then and those that had yet to. They run once more, in another machine."""
    prepared = subprocess.run([f"{HERE}/prepare.sh"], stdout=subprocess.PIPE)
    # So that the machine is ended, too, when this is.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    image = prepared.stdout.decode().strip()
    if prepared.returncode != 0:
        sys.exit(image)
    os.makedirs(kept(image), exist_ok=True)
    ended, what = boot(image, programs, seconds)
    statuses = list(ended.values())
    if what == FAULT:
        rest = [program for number, program in enumerate(programs) if number not in ended]
        names = ", ".join(os.path.basename(program.path) for program in rest)
        print(f"That is no fault of a test. Once more, in another machine: {names}", flush=True)
        ended, what = boot(image, rest, seconds)
        statuses += ended.values()
    return 1 if what else next((status for status in reversed(statuses) if status), 0)
