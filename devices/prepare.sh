#!/usr/bin/env bash
# Makes what the device machine boots from, and prints the folder that it lies in. Where it is there already, nothing is done.
# Where it cannot be had, prints why and ends with 1.
#
# Kernel and user space are Debian's, taken from the mirror that this machine's own apt uses, by an apt that keeps its
# lists and packages in that folder: nothing is installed here, and no right is needed. To have newer ones, remove the folder.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

SUITE=trixie
KERNEL=linux-image-amd64
PACKAGES=(busybox-static mesa-vulkan-drivers libvulkan1 vulkan-validationlayers libstdc++6 gstreamer1.0-tools gstreamer1.0-plugins-base)
KEYRINGS=(/usr/share/keyrings/debian-archive-keyring.{gpg,pgp})

cache=${STREAMLIB_DEVICES:-${XDG_CACHE_HOME:-${HOME:?}/.cache}/streamlib/devices}

# Functions whose output is read can say why they end all the same.
exec 3>&1
say() { printf '\033[1m==\033[0m %s\n' "$*" >&2; }
cannot() {
  echo "the device machine cannot be had: $*" >&3
  exit 1
}

# The archive with Debian's releases that this machine's apt reads from.
mirror() {
  local uri
  if [[ -n ${STREAMLIB_DEBIAN_MIRROR:-} ]]; then
    echo "$STREAMLIB_DEBIAN_MIRROR"
  else
    apt-get indextargets --format "\$(REPO_URI)" 'Created-By: Packages' | grep -m 1 -E '/debian/?$' ||
      cannot "no Debian mirror stands in apt's sources here; name one in STREAMLIB_DEBIAN_MIRROR"
  fi
}

# An apt of its own: it reads of this machine's settings only how to reach the network.
private_apt() {
  local keyring uri
  command -v apt-get >/dev/null || cannot "it is made of Debian's packages, and there is no apt-get here"
  for keyring in "${KEYRINGS[@]}"; do [[ ! -e $keyring ]] || break; done
  [[ -e $keyring ]] || cannot "Debian's keys are missing; install the package debian-archive-keyring"
  uri=$(mirror) || exit 1
  mkdir -p apt/{etc/apt.conf.d,etc/preferences.d,state/lists/partial,cache/archives/partial}
  : >apt/state/status
  echo "deb [arch=amd64 signed-by=$keyring] $uri $SUITE main" >apt/etc/sources.list
  {
    apt-config dump | grep -E '^Acquire::(http|https|ftp|Retries|ForceIPv[46])' || true
    cat <<CONF
Dir::Etc "$PWD/apt/etc";
Dir::State "$PWD/apt/state";
Dir::State::status "$PWD/apt/state/status";
Dir::Cache "$PWD/apt/cache";
Acquire::Languages "none";
APT::Architecture "amd64";
APT::Architectures "amd64";
APT::Install-Recommends "false";
APT::Sandbox::User "root";
CONF
  } >apt/etc/apt.conf
  # The place of further settings is read before that file is.
  export APT_CONFIG=$PWD/apt/etc/apt.conf
  apt=(apt-get -q -o "Dir::Etc::parts=$PWD/apt/etc/apt.conf.d" -o "Dir::Etc::main=none")
}

# The packages with all that they depend on, and the kernel without: it needs nothing here.
fetch() {
  local kernel uris megabytes
  private_apt
  say "Reading the package lists of Debian $SUITE"
  # By itself apt takes a mirror that cannot be reached for one without news.
  "${apt[@]}" -o APT::Update::Error-Mode=any update >apt/log 2>&1 ||
    cannot "the lists of Debian's packages could not be read: $(grep -m 1 -E '^(E|W|Err)' apt/log)"
  kernel=$(apt-cache depends "$KERNEL" 2>&1 | awk '/Depends: linux-image-[0-9]/ { print $2; exit }') || true
  [[ -n $kernel ]] || cannot "Debian $SUITE on this mirror has no $KERNEL"
  uris=$("${apt[@]}" --print-uris -y install "${PACKAGES[@]}" | grep "^'" && "${apt[@]}" --print-uris download "$kernel" | grep "^'") ||
    cannot "apt-get does not find ${PACKAGES[*]} $kernel"
  megabytes=$(awk '{ sum += $3 } END { printf "%d", sum / 1e6 }' <<<"$uris")
  say "Fetching $(wc -l <<<"$uris") packages of Debian $SUITE ($megabytes MB: ${PACKAGES[*]} $kernel) to $cache"
  rm -rf root kernel
  if ! "${apt[@]}" -y --download-only install "${PACKAGES[@]}" >>apt/log 2>&1 ||
    ! (cd apt/cache/archives && "${apt[@]}" download "$kernel" >>../../log 2>&1); then
    cannot "apt-get could not download: $(grep -m 1 ^E: apt/log)"
  fi
  say "Unpacking them"
  mkdir root kernel
  for package in apt/cache/archives/*.deb; do
    case ${package##*/} in
      linux-image-*) dpkg-deb --fsys-tarfile "$package" | tar -x -C kernel ;;
      *) dpkg-deb --fsys-tarfile "$package" | tar -x -C root ;;
    esac
  done
  (cd apt/cache/archives && ls -- *.deb) >packages
  rm -rf apt
}

[[ $(uname -sm) == "Linux x86_64" ]] || cannot "it is an x86-64 Linux and made for a host of that kind, not for $(uname -sm)"
command -v qemu-system-x86_64 >/dev/null || cannot "qemu-system-x86_64 is missing; install the package qemu-system-x86"
mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9

packages="$SUITE $KERNEL ${PACKAGES[*]}"
if [[ $(cat "$cache/packages.made" 2>/dev/null) != "$packages" ]]; then
  rm -rf "$cache"/image-* "$cache/kept"
  (cd "$cache" && fetch)
  echo "$packages" >"$cache/packages.made"
fi
# Each of several working trees may make it in its own way.
image=$cache/image-$(cat image.py cpio.py init | sha256sum | head -c 12)
if [[ ! -e $image/made ]]; then
  say "Making the image of the device machine"
  # One that was begun is begun anew.
  rm -rf "$image"
  mkdir "$image"
  python3 image.py "$cache" "$image" >&2
  : >"$image/made"
  find "$cache" -maxdepth 1 -name 'image-*' -printf '%T@ %p\n' | sort -rn | tail -n +4 | cut -d ' ' -f 2- | xargs -r -d '\n' rm -r
fi
echo "$image"
