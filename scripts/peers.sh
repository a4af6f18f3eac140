# shellcheck shell=bash
# Gets the programs that `./x bench peers` compares with. Sourced by ./x, after setup.sh.
#
# Python packages come at the versions of benches/peers/requirements.txt, into a virtual environment below target/; the
# rest are Debian packages. Who lacks one of them still gets a comparison, without that peer.

PEERS_VENV=target/peers

# A stamp holds the list that the environment was made from, so that a new list makes a new one.
has_peers_venv() { cmp -s benches/peers/requirements.txt "$PEERS_VENV/installed.txt"; }

ensure_peers() {
  # shellcheck disable=SC2034  # install_packages reads both
  local required=() optional=() package
  has_peers_venv || python3 -c 'import ensurepip, venv' 2>/dev/null || optional+=(python3-venv)
  have xvfb-run || optional+=(xvfb xauth)
  for package in gstreamer1.0-plugins-base gstreamer1.0-gl gir1.2-gst-plugins-base-1.0 python3-gi python3-numpy \
    libegl1 libgles2 libgl1-mesa-dri; do
    has_debian_package "$package" || optional+=("$package")
  done
  install_packages
  has_peers_venv || make_peers_venv
}

has_debian_package() { have dpkg-query && [[ $(dpkg-query -W -f '${db:Status-Abbrev}' "$1" 2>/dev/null) == ii* ]]; }

make_peers_venv() {
  say "Installing the peers' Python packages into $PEERS_VENV"
  rm -rf "$PEERS_VENV"
  if python3 -m venv "$PEERS_VENV" &&
    "$PEERS_VENV/bin/python" -m pip install -q --disable-pip-version-check -r benches/peers/requirements.txt; then
    cp benches/peers/requirements.txt "$PEERS_VENV/installed.txt"
  else
    note "some peers could not be installed; the comparison goes on without them"
  fi
}

# bench_peers ARGS: the comparison. Who names a Python of their own has the packages there.
bench_peers() {
  local python=()
  if [[ " $* " != *" --peers-python"* && " $* " != *" --help "* ]]; then
    ensure_peers
    python=(--peers-python "$PEERS_VENV/bin/python")
  fi
  exec cargo run --locked --release -p streamlib-bench -- peers "${python[@]}" "$@"
}

# bench_share ARGS: frames from one process to another, and the same by others. Who names a Python of their own has the packages there.
bench_share() {
  local python=()
  if [[ " $* " != *" --peers-python"* && " $* " != *" --help "* ]]; then
    ensure_peers
    [[ ! -x $PEERS_VENV/bin/python ]] || python=(--peers-python "$PEERS_VENV/bin/python")
  fi
  exec cargo run --locked --release -p streamlib-bench -- share "${python[@]}" "$@"
}
