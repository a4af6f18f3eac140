#!/bin/sh
# install.sh FROM PREFIX: installs what `cargo build -p streamlib-c` has left in FROM (such as target/release) under PREFIX:
# lib/libstreamlib.so and .a, include/streamlib.h, and lib/pkgconfig/streamlib.pc. DESTDIR is put before PREFIX, as usual.
set -eu
[ $# -eq 2 ] || {
  sed -n '2,3s/^# //p' "$0" >&2
  exit 2
}
here=$(cd "$(dirname "$0")" && pwd)
from=$1
to=${DESTDIR:-}$2
version=$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' "$here/../../Cargo.toml")

mkdir -p "$to/lib/pkgconfig" "$to/include"
cp -f "$from/libstreamlib_c.so" "$to/lib/libstreamlib.so.$version"
# The name that programs remember, and the name that the linker looks for.
ln -sf "libstreamlib.so.$version" "$to/lib/libstreamlib.so.0"
ln -sf libstreamlib.so.0 "$to/lib/libstreamlib.so"
cp -f "$from/libstreamlib_c.a" "$to/lib/libstreamlib.a"
cp -f "$here/include/streamlib.h" "$to/include/streamlib.h"
cat >"$to/lib/pkgconfig/streamlib.pc" <<PC
prefix=\${pcfiledir}/../..
libdir=\${prefix}/lib
includedir=\${prefix}/include

Name: streamlib
Description: Surfaces of streamlib: GPU frames of other processes, without a copy
Version: $version
Libs: -L\${libdir} -lstreamlib
Libs.private: -lgcc_s -lpthread -lm -ldl -lc
Cflags: -I\${includedir}
PC
