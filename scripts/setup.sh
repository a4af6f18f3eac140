# shellcheck shell=bash
# Finds out what the commands of ./x need, and installs what is missing. Sourced by ./x.
#
# Needs come in groups, so that a command asks for no more than it uses: rust, build, vulkan, dxc, test, lint, python, devices.
# A package that a command can do without (a faster assembler, a tool that some tests use) is asked for as well, but
# where it cannot be installed the command goes on.

source scripts/dxc.sh

say() { printf '\033[1m==\033[0m %s\n' "$*" >&2; }
note() { printf 'x: %s\n' "$*" >&2; }
die() {
  note "$*"
  exit 1
}
have() { command -v "$1" >/dev/null 2>&1; }
any_file() { compgen -G "$1" >/dev/null; }

# True when version $1 is at least $2.
at_least() { [[ $(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1) == "$2" ]]; }

RUST_MINIMUM=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
SHARE_DIRS=(/usr/share /usr/local/share /etc "${XDG_DATA_HOME:-$HOME/.local/share}")

# Rustup would download a toolchain that is named but absent, unasked and in silence.
rust_version() { RUSTUP_AUTO_INSTALL=0 cargo --version 2>/dev/null | awk '{ print $2 }'; }

has_rust() {
  local version
  version=$(rust_version) && [[ -n $version ]] && at_least "$version" "$RUST_MINIMUM"
}

# True when rustup's stable toolchain is recent enough where the default one is not; from here on it is used.
has_rust_as_stable() {
  have rustup || return 1
  export RUSTUP_TOOLCHAIN=stable
  has_rust
}

# Rustup leaves `cargo-clippy` on the path also when the component is missing, so look behind it.
has_lints() {
  local bin
  bin=$(rustc --print sysroot)/bin
  [[ -x $bin/cargo-clippy && -x $bin/cargo-fmt ]]
}

has_loader() { [[ $(/sbin/ldconfig -p) == *libvulkan.so.1* ]]; }

# A driver manifest counts when its device can be there: a software driver always, any other with a device node.
has_vulkan_driver() {
  local dir
  [[ -z ${VK_DRIVER_FILES:-}${VK_ICD_FILENAMES:-} ]] || return 0
  for dir in "${SHARE_DIRS[@]}"; do
    ! any_file "$dir/vulkan/icd.d/*lvp*.json" || return 0
    ! any_file "$dir/vulkan/icd.d/*.json" || ! any_file '/dev/dri/renderD*' || return 0
    ! any_file "$dir/vulkan/icd.d/nvidia*.json" || [[ ! -e /dev/nvidiactl ]] || return 0
  done
  return 1
}

has_validation() {
  local dir
  for dir in "${SHARE_DIRS[@]}"; do
    [[ ! -e $dir/vulkan/explicit_layer.d/VkLayer_khronos_validation.json ]] || return 0
  done
  [[ -n ${VK_LAYER_PATH:-} ]]
}

# Debian has the part of Python that makes environments in a package of its own.
has_venv() { python3 -c 'import ensurepip, venv' >/dev/null 2>&1; }

has_window_libraries() {
  local name libraries
  libraries=$(/sbin/ldconfig -p)
  for name in libX11-xcb.so.1 libXcursor.so.1 libXi.so.6 libxkbcommon-x11.so.0; do
    [[ $libraries == *"$name"* ]] || return 1
  done
}

has_certificates() { [[ -e /etc/ssl/certs/ca-certificates.crt || -n ${SSL_CERT_FILE:-} ]]; }

# ensure GROUP...: returns when everything in these groups is there, and ends the script when it cannot be.
ensure() {
  local required=() optional=() group
  [[ -z ${HOME:-} || ! -d $HOME/.cargo/bin || :$PATH: == *":$HOME/.cargo/bin:"* ]] || PATH=$HOME/.cargo/bin:$PATH
  for group in "$@"; do
    case $group in
      rust) has_rust || has_rust_as_stable || have rustup || required+=(rustc-web cargo-web) ;;
      build)
        { have cc && have c++; } || required+=(g++)
        has_certificates || required+=(ca-certificates)
        have nasm || optional+=(nasm)
        ;;
      vulkan)
        has_loader || required+=(libvulkan1)
        has_vulkan_driver || required+=(mesa-vulkan-drivers)
        ;;
      python) has_venv || required+=(python3-venv) ;;
      dxc) has_dxc || ! dxc_can_be_fetched || has_pip || required+=(python3-pip) ;;
      test)
        has_validation || optional+=(vulkan-validationlayers)
        have spirv-val || optional+=(spirv-tools)
        { have ffmpeg && have ffprobe; } || optional+=(ffmpeg)
        # Windows are tested on a server of their own; what opens them loads these when it does.
        have Xvfb || optional+=(xvfb)
        have weston || optional+=(weston)
        { have sway && have grim; } || optional+=(sway grim)
        has_window_libraries || optional+=(libx11-xcb1 libxcursor1 libxi6 libxkbcommon-x11-0)
        ;;
      devices)
        have python3 || optional+=(python3)
        have qemu-system-x86_64 || optional+=(qemu-system-x86)
        # Unpacks the machine's kernel, which starts packed, too, but later.
        have zstd || optional+=(zstd)
        # Surfaces are read by GStreamer, too.
        { have make && have pkg-config; } || optional+=(make pkg-config)
        has_gstreamer || optional+=(libgstreamer-plugins-base1.0-dev)
        ;;
      lint)
        # Where Rust itself is still to come from Debian, its lints come along.
        if [[ " ${required[*]} " == *" rustc-web "* ]] || { has_rust && ! has_lints && ! have rustup; }; then
          required+=(rust-web-clippy rustfmt-web)
        fi
        ;;
    esac
  done
  install_packages
  [[ " $* " != *" rust "* ]] || finish_rust "$@"
  [[ " $* " != *" dxc "* ]] || has_dxc || fetch_dxc
}

# finish_rust GROUP...: what only rustup can install, and a last look. Who has rustup keeps using it.
finish_rust() {
  hash -r
  if have rustup && ! has_rust && ! has_rust_as_stable; then
    say "Fetching the stable Rust toolchain (cargo here: $(rust_version || true); needed: $RUST_MINIMUM)"
    rustup toolchain install stable --profile minimal --component clippy --component rustfmt
  fi
  has_rust || die "Rust $RUST_MINIMUM or later is needed, and cargo here is '$(rust_version || true)': see https://rustup.rs"
  if [[ " $* " == *" lint "* ]] && ! has_lints; then
    if have rustup; then
      rustup component add clippy rustfmt
    else
      die "clippy and rustfmt are missing beside $(command -v cargo): install them (Debian: rust-web-clippy rustfmt-web)"
    fi
  fi
}

# Installs the packages in `required` and `optional` of the calling `ensure`.
install_packages() {
  local packages=("${required[@]}" "${optional[@]}") sudo=()
  ((${#packages[@]})) || return 0
  ((EUID == 0)) || sudo=(sudo)
  local by_hand="${sudo[*]:+sudo }apt-get update && ${sudo[*]:+sudo }apt-get install -y --no-install-recommends ${packages[*]}"

  if ! have apt-get; then
    cannot_install "install what Debian calls: ${packages[*]}"
  elif ((EUID != 0)) && ! have sudo; then
    cannot_install "run as root: ${by_hand//sudo /}"
  elif [[ -t 0 && -t 2 && ${CI:-} != true ]]; then
    local answer
    read -r -p "x: missing: ${packages[*]}. Install with apt? [Y/n] " answer
    if [[ ${answer,,} == n* ]]; then cannot_install "run: $by_hand"; else apt_install; fi
  elif ((EUID == 0)) || sudo -n true 2>/dev/null; then
    apt_install
  else
    cannot_install "run: $by_hand"
  fi
}

# cannot_install WHAT_TO_DO: ends the script when a required package is missing; optional ones only get a mention.
cannot_install() {
  if ((${#required[@]})); then
    die "something needed is missing; $1"
  fi
  note "going on without ${optional[*]}; to have it, $1"
}

apt_install() {
  local apt=("${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o Dpkg::Use-Pty=0)
  say "Updating the package lists"
  "${apt[@]}" update >/dev/null || note "apt-get update failed; trying with the lists that are there"
  use_rustup_where_debian_is_too_old
  say "Installing ${packages[*]}"
  "${apt[@]}" install -y --no-install-recommends "${packages[@]}" >/dev/null ||
    die "apt-get could not install these packages; to see why, run: $by_hand"
}

# Debian 12 keeps `cargo-web` recent; later releases package rustup instead.
use_rustup_where_debian_is_too_old() {
  local candidate package kept=()
  [[ " ${packages[*]} " == *" rustc-web "* ]] || return 0
  candidate=$(apt-cache policy cargo-web | awk '/Candidate:/ { print $2 }')
  if [[ -n $candidate && $candidate != "(none)" ]] && at_least "$candidate" "$RUST_MINIMUM"; then return 0; fi
  for package in "${packages[@]}"; do
    case $package in
      rustc-web | cargo-web | rust-web-clippy | rustfmt-web) ;;
      *) kept+=("$package") ;;
    esac
  done
  packages=("${kept[@]}" rustup)
}
