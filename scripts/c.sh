# shellcheck shell=bash
# The library for programs in C, and what stands over it. Sourced by ./x.

has_gstreamer() { pkg-config --exists gstreamer-base-1.0 gstreamer-video-1.0 gstreamer-allocators-1.0 2>/dev/null; }

# install_c BUILT PREFIX: installs the library that cargo has left in BUILT, and with it GStreamer's plugin, where GStreamer can be built for.
install_c() {
  crates/streamlib-c/install.sh "$1" "$2"
  if has_gstreamer; then
    PKG_CONFIG_PATH=$2/lib/pkgconfig${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH} \
      make -s -C examples/gstreamer OUT="$2/lib/gstreamer-1.0"
  else
    note "without GStreamer's plugin: its development files are missing (Debian: libgstreamer-plugins-base1.0-dev)"
  fi
}

# build_c_for_tests BUILT PREFIX: the same, and the examples, which tests run.
build_c_for_tests() {
  have cc && have make && have pkg-config || return 0
  install_c "$1" "$2"
  PKG_CONFIG_PATH=$2/lib/pkgconfig make -s -C examples/c OUT="$2/bin"
}

# c [PREFIX]: builds the library and installs it.
c() {
  local prefix=${1:-out/c}
  [[ $prefix == /* ]] || prefix=$CALLED_FROM/$prefix
  ensure rust build
  say "Building the library for C"
  cargo build --locked --release -p streamlib-c
  install_c "${CARGO_TARGET_DIR:-target}/release" "$prefix"
  echo "It is in $prefix. To build with it: export PKG_CONFIG_PATH=$prefix/lib/pkgconfig"
}
