"""image.py PACKAGES FOLDER: makes, in FOLDER, `image.cpio`, the first file system of the device machine, of the packages that
were unpacked in PACKAGES, and copies their kernel there."""

import lzma
import os
import re
import shutil
import sys

from cpio import Archive

# With what they depend on. What the kernel has built in is no module, and needs no loading.
MODULES = ["9p", "9pnet_virtio", "overlay", "vivid", "vhci_hcd", "uvcvideo", "virtio_gpu", "cirrus", "vgem"]

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
    with open(path, "rb") as file:
        data = file.read()
    return lzma.decompress(data) if path.endswith(".xz") else data


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
        archive.tree(os.path.join(packages, "root"), lambda name: not LEFT_OUT.match(name))
        archive.close()
    shutil.copyfile(os.path.join(boot, kernel), os.path.join(folder, "vmlinuz"))


if __name__ == "__main__":
    main(*sys.argv[1:])
