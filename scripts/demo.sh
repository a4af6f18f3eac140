# shellcheck shell=bash
# `./x demo [VIDEO] [--out DIR]`: a graph of several effects over a video, a camera or a generated scene. Sourced by ./x.

demo() {
  local video='' out=out/demo streamlib=target/release/streamlib
  while (($#)); do
    case $1 in
      --out)
        [[ -n ${2:-} ]] || die 'demo: --out takes a folder'
        out=$(from_caller "$2")
        shift 2
        ;;
      -*) die "demo: there is no option '$1'; try ./x demo [VIDEO] [--out DIR]" ;;
      *)
        [[ -z $video ]] || die 'demo: one video at a time'
        video=$(from_caller "$1")
        shift
        ;;
    esac
  done
  ensure rust build vulkan dxc
  build_command
  mkdir -p "$out"
  if [[ -n $video ]]; then
    say "Running effects/graphs/demo.toml over $video"
    demo_run "$video"
  elif [[ $("$streamlib" doctor --json 2>/dev/null) == *'"/dev/video'* ]] && say 'Running effects/graphs/demo.toml over the camera' &&
    demo_run camera: --frames 150; then
    :
  else
    say 'Running effects/graphs/demo.toml over a generated scene; ./x demo VIDEO takes a file of yours'
    demo_run generate:scene --frames 120
  fi
  "$streamlib" sheet "$out/demo.mp4" --output "$out/demo.png"
  say "Look at $out/demo.mp4 and $out/demo.png. Left of the line is the picture as it came in."
}

# Uses demo's own `streamlib` and `out`.
demo_run() {
  local source=$1
  shift
  "$streamlib" run effects/graphs/demo.toml --source "camera=$source" --sink "out=$out/demo.mp4" "$@"
}

# A path as the caller of ./x wrote it, from the root of the file system. A source that is no file (camera:/dev/video0)
# stays as it is.
from_caller() {
  if [[ $1 == *:* ]]; then echo "$1"; else (cd "$CALLED_FROM" && realpath -m -- "$1"); fi
}
