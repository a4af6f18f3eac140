# shellcheck shell=bash
# The Python package: its wheel, its tests, and its benchmark. Sourced by ./x.

PYTHON_TOOLS=(maturin==1.16.0 pytest==9.2.0 "numpy>=1.26,<3" pillow==12.3.0 opencv-python-headless==5.0.0.93 mypy==2.4.1)

# An environment of its own, so that nothing is installed into the system's Python.
# python_environment PYTHON: sets `environment`.
python_environment() {
  local python=$1 version stamp
  version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
  environment=target/python/$version
  stamp="$("$python" --version) ${PYTHON_TOOLS[*]}"
  [[ $(cat "$environment/tools" 2>/dev/null) != "$stamp" ]] || return 0
  say "Making an environment for Python $version in $environment"
  rm -rf "$environment"
  "$python" -m venv "$environment" &&
    "$environment/bin/python" -m pip install -q --disable-pip-version-check "${PYTHON_TOOLS[@]}" &&
    echo "$stamp" >"$environment/tools"
}

# build_wheel PROFILE: the one wheel in target/wheels, with the compiler and its licence where they were fetched.
build_wheel() {
  local profile=$1 carried=python/streamlib/_dxc
  mkdir -p "$carried"
  if [[ -e $DXC_DIR/libdxcompiler.so ]]; then
    cp -u "$DXC_DIR/libdxcompiler.so" "$DXC_DIR/LICENSE.txt" "$carried/"
  else
    rm -f "$carried"/*
    note "the wheel carries no HLSL compiler, since it was not fetched: whoever installs it needs STREAMLIB_DXC"
  fi
  say "Building the wheel ($profile)"
  rm -f target/wheels/streamlib-*.whl
  "$environment/bin/maturin" build -q --locked --profile "$profile" --out target/wheels -m python/Cargo.toml
}

# What builds the documentation site, into `environment`; whether it could be had.
site_tools() {
  "$environment/bin/python" -m pip install -q --disable-pip-version-check -r docs/site/requirements.txt
}

# install_wheel: the one in target/wheels, into `environment`.
install_wheel() {
  "$environment/bin/python" -m pip install -q --disable-pip-version-check --no-deps --force-reinstall target/wheels/streamlib-*.whl
}

# The documentation site, with pictures that the package makes.
docs() {
  ensure rust build vulkan dxc python
  python_environment python3
  build_wheel dev
  install_wheel
  site_tools
  "$environment/bin/python" docs/site/build.py target/site
  echo "target/site/index.html"
}

# The released package, for others to install.
wheel() {
  ensure rust build vulkan dxc python
  python_environment python3
  build_wheel release
  ls -l target/wheels/streamlib-*.whl
}

# Tests the wheel with every Python that it is for and that is there; ends with the worst exit status.
test_python() {
  local python worst=0 status seen=
  python_environment python3 && build_wheel dev || return 1
  site_tools || note "the documentation site is not built: what builds it cannot be installed (docs/site/requirements.txt)"
  for python in python3 python3.{10..13}; do
    "$python" --version >/dev/null 2>&1 || continue
    python_environment "$python" || return 1
    [[ $seen != *" $environment "* ]] || continue
    seen+=" $environment "
    install_wheel || return 1
    say "Testing the package with $("$environment/bin/python" --version)"
    status=0
    # Without the validation layer: Debian's corrupts the heap now and then while several threads record and destroy, as the
    # live tests of the facade have found, too.
    STREAMLIB_VALIDATION=0 "$environment/bin/python" -m pytest -q -rs -p no:cacheprovider -c python/pyproject.toml python/tests || status=$?
    echo "pytest exited with $status"
    ((worst >= status)) || worst=$status
  done
  return "$worst"
}

# bench_python [--wheel FILE] ARGS: the benchmark of the package, of the wheel that is built now unless one is given.
bench_python() {
  local wheel='' native=() rest=() installed=target/python/bench
  if [[ " $* " == *" --help "* || " $* " == *" -h "* ]]; then
    exec python3 benches/python/bench.py --help
  fi
  while (($#)); do
    case $1 in
      --wheel) wheel=${2:?--wheel needs a file} && shift 2 ;;
      *) rest+=("$1") && shift ;;
    esac
  done
  ensure python
  ensure_peers
  [[ -x $PEERS_VENV/bin/python ]] || die "there is no Python in $PEERS_VENV: run benches/python/bench.py with one of your own"
  if [[ -z $wheel ]]; then
    python_environment python3
    build_wheel release
    wheel=$(echo target/wheels/streamlib-*.whl)
    # The graph from Rust is run by a program that has no interpreter.
    build_command
    native=(--native target/release/streamlib)
  elif [[ $wheel != /* ]]; then
    wheel=$CALLED_FROM/$wheel
  fi
  # Beside the peers and not among them, so that their environment stays what `./x bench peers` made.
  rm -rf "$installed"
  "$PEERS_VENV/bin/python" -m pip install -q --disable-pip-version-check --no-deps --target "$installed" "$wheel"
  exec env "PYTHONPATH=$PWD/$installed" "$PEERS_VENV/bin/python" benches/python/bench.py "${native[@]}" "${rest[@]}"
}
