"""image.py PACKAGES FOLDER: makes, in FOLDER, what the device machine starts from, of the packages that were unpacked in PACKAGES:
`kernel`, `image.cpio`, its first file system, and `system`, a folder that it reads the rest of user space from. All of that in the
first file system would be unpacked by the emulated machine at each start, which takes seconds; so does a compressed kernel."""

import lzma
import os
import re
import shutil
import struct
import subprocess
import sys

from cpio import Archive

# With what they depend on. What the kernel has built in is no module, and needs no loading.
MODULES = ["9p", "9pnet_virtio", "overlay", "vivid", "vhci_hcd", "uvcvideo", "virtio_gpu", "cirrus", "vgem"]

# How a module ends that is signed.
SIGNED = b"~Module signature appended~\n"

# The first program, which needs nothing else.
BUSYBOX = "usr/bin/busybox"

# Of user space, what a program needs that draws and computes with the software driver of Vulkan; and of GStreamer, pipelines of
# converted video.
LEFT_OUT = re.compile(
    r"usr/share/(doc|man|locale|lintian|gcc|X11|bug|gdb|drirc.d|fonts|iso-codes|xml)/|usr/bin/(?!busybox|gst-launch-1)|etc/"
    r"|usr/lib/x86_64-linux-gnu/gstreamer-1.0/(?!libgst(coreelements|videoconvertscale))"
    r"|usr/lib/x86_64-linux-gnu/lib(opus|cairo|freetype|pixman|vorbis|theora|visual|brotli|gst(?!reamer-|base-|video-|allocators-))"
    r"|usr/lib/x86_64-linux-gnu/(gconv|libvulkan_(?!lvp)|libVkLayer_(?!khronos)|libmvec)"
    r"|usr/share/vulkan/(icd.d/(?!lvp)|implicit_layer.d|explicit_layer.d/(?!VkLayer_khronos))"
)


def module_name(file):
    """The name that the kernel gives to a module's file."""
    return os.path.basename(file).split(".ko")[0].replace("-", "_")


def read_module(path):
    """A module without its signature, which the machine would take longer to check than to load the module."""
    with open(path, "rb") as file:
        data = file.read()
    data = lzma.decompress(data) if path.endswith(".xz") else data
    if data.endswith(SIGNED):
        # Before that stand the signature and a description, the last four bytes of which say how long the signature is.
        (length,) = struct.unpack(">I", data[-len(SIGNED) - 4 : -len(SIGNED)])
        data = data[: -len(SIGNED) - 12 - length]
    return data


def needs(module):
    """Names of the modules that must be loaded before this one; it says so itself."""
    (names,) = re.findall(rb"\0depends=([^\0]*)\0", module)[:1] or [b""]
    return [name.replace("-", "_") for name in names.decode().split(",") if name]


def ordered(wanted, files):
    """Names and contents of the wanted modules and of those that they need, each after what it needs."""
    modules = {}

    def load(name):
        if name in files and name not in modules:
            module = read_module(files[name])
            for needed in needs(module):
                load(needed)
            modules[name] = module

    for name in wanted:
        load(name)
    return modules


def unpacked(kernel):
    """The kernel that a boot image has within, as `Documentation/arch/x86/boot.rst` describes it, or the image where that cannot be
    unpacked: it starts, too."""
    with open(kernel, "rb") as file:
        image = file.read()
    (offset, length), setup = struct.unpack_from("<II", image, 0x248), image[0x1F1]
    start = 512 * (setup + 1) + offset
    if shutil.which("zstd") and image[start : start + 4] == b"\x28\xb5\x2f\xfd":
        # Its last four bytes are the length, unpacked.
        packed = image[start : start + length - 4]
        return subprocess.run(["zstd", "-dcq"], input=packed, stdout=subprocess.PIPE, check=True).stdout
    return image


def lay(packages, folder):
    """Makes `folder` of what the machine needs of user space, without copying; the names in it."""
    names = []
    for place, _, files in os.walk(packages):
        for file in sorted(files):
            path = os.path.join(place, file)
            name = os.path.relpath(path, packages)
            if name.startswith("usr/") and not LEFT_OUT.match(name):
                os.makedirs(os.path.dirname(os.path.join(folder, name)), exist_ok=True)
                os.link(path, os.path.join(folder, name), follow_symlinks=False)
                names.append(name)
    return sorted(names)


def main(packages, folder):
    boot = os.path.join(packages, "kernel/boot")
    (kernel,) = [name for name in os.listdir(boot) if name.startswith("vmlinuz-")]
    files = {
        module_name(name): os.path.join(place, name)
        for place, _, names in os.walk(os.path.join(packages, "kernel"))
        for name in names
        if ".ko" in name
    }
    modules = ordered(MODULES, files)
    system = lay(os.path.join(packages, "root"), os.path.join(folder, "system"))

    with open(os.path.join(folder, "image.cpio"), "wb") as out:
        archive = Archive(out)
        for name in ["proc", "sys", "dev", "tmp", "root"]:
            archive.directory(name)
        for name in ["bin", "lib", "lib64", "sbin"]:
            archive.link(name, "usr/" + name)
        archive.link("usr/sbin", "bin")
        # So that the first process can write before /dev is mounted.
        archive.device("dev/console", 5, 1)
        with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "init"), "rb") as init:
            archive.file("init", init.read(), 0o755)
        for name, data in modules.items():
            archive.file(f"modules/{name}.ko", data)
        archive.file("modules/order", "".join(f"{name}\n" for name in modules).encode())
        with open(os.path.join(packages, "root", BUSYBOX), "rb") as busybox:
            archive.file(BUSYBOX, busybox.read(), 0o755)
        for name in system:
            # Programs one by one, beside the first one's own; of others whole folders.
            linked = name if name.startswith("usr/bin/") else "/".join(name.split("/")[:2])
            archive.link(linked, f"/system/{linked}")
        archive.close()
    with open(os.path.join(folder, "kernel"), "wb") as file:
        file.write(unpacked(os.path.join(boot, kernel)))


if __name__ == "__main__":
    main(*sys.argv[1:])
