# shellcheck shell=bash
# The HLSL compiler (libdxcompiler.so): where it is looked for, and how it is fetched. Sourced by setup.sh.
#
# No Rust crate and no Debian package carries it. The Python package gs-madrona does (MIT; the compiler itself is under
# the University of Illinois/NCSA licence), so pip fetches that package's archive and the one file is taken out of it.

DXC_PACKAGE=gs-madrona==0.0.11
DXC_ARCHIVE_SHA256=81f11414117ec129428adb4145224f2f4b83a67481a0a0ad5a3d4b59e22f49c1
DXC_LIBRARY_SHA256=8aa1c1d89108b2116a19a1b33b42113e74356165ddb8d72bcbaa6fbf92ad99e3
DXC_DIR=${XDG_DATA_HOME:-${HOME:-}/.local/share}/streamlib/dxc

# The same places, in the same order, as the runtime looks.
has_dxc() {
  if [[ -n ${STREAMLIB_DXC:-} ]]; then
    [[ -e $STREAMLIB_DXC ]] || die "STREAMLIB_DXC says $STREAMLIB_DXC, and nothing is there: correct it, or unset it"
    return 0
  fi
  [[ -e target/release/libdxcompiler.so || -e $DXC_DIR/libdxcompiler.so ]]
}

dxc_can_be_fetched() { [[ $(uname -sm) == "Linux x86_64" ]]; }

has_pip() { python3 -m pip --version >/dev/null 2>&1; }

fetch_dxc() {
  dxc_can_be_fetched ||
    die "no HLSL compiler is published for $(uname -sm): build DirectXShaderCompiler and set STREAMLIB_DXC to its library"
  say "Fetching the HLSL compiler (39 MB) to $DXC_DIR"
  mkdir -p "$DXC_DIR"
  local work
  work=$(mktemp -d "$DXC_DIR/.fetch.XXXXXX")
  # In a subshell, so that the trap removes the work directory however this ends.
  (
    trap 'rm -rf "$work"' EXIT
    python3 -m pip download -q --disable-pip-version-check --no-deps --only-binary=:all: --python-version 3.11 \
      --implementation cp --platform manylinux_2_28_x86_64 --dest "$work" "$DXC_PACKAGE" ||
      die "pip could not fetch $DXC_PACKAGE: try again, or set STREAMLIB_DXC to a libdxcompiler.so (1.7.2212 or later)"
    mv "$work"/*.whl "$work/archive"
    same_sha256 "$work/archive" "$DXC_ARCHIVE_SHA256"
    extract "$work/archive" gs_madrona/libdxcompiler.so "$work/libdxcompiler.so"
    same_sha256 "$work/libdxcompiler.so" "$DXC_LIBRARY_SHA256"
    extract "$work/archive" gs_madrona-0.0.11.dist-info/licenses/LICENSE "$work/gs-madrona"
    {
      echo "libdxcompiler.so is Microsoft's DirectX Shader Compiler (https://github.com/microsoft/DirectXShaderCompiler),"
      echo "under the University of Illinois/NCSA Open Source License. It was taken from $DXC_PACKAGE, whose licence is:"
      echo
      cat "$work/gs-madrona"
    } >"$work/LICENSE.txt"
    mv "$work/LICENSE.txt" "$DXC_DIR/LICENSE.txt"
    mv "$work/libdxcompiler.so" "$DXC_DIR/libdxcompiler.so"
  )
}

same_sha256() {
  echo "$2  $1" | sha256sum --check --status ||
    die "what was fetched is not what was expected (sha256 of $(basename "$1")): nothing was installed"
}

# extract ARCHIVE MEMBER TO
extract() {
  python3 -c 'import shutil, sys, zipfile
archive, member, to = sys.argv[1:]
with zipfile.ZipFile(archive).open(member) as source, open(to, "wb") as target: shutil.copyfileobj(source, target)' "$@"
}
