# shellcheck shell=bash
# The tests that need devices, in a machine that has them: see devices/README.md. Sourced by ./x.

# device_tests: arguments of cargo that name the tests listed in devices/tests.
device_tests() { awk '!/^#/ && NF == 2 { print "-p"; print $1; print "--test"; print $2 }' devices/tests; }

# test_devices alone|with-all: builds these tests and runs them in the device machine. They are built alone, or with the whole
# workspace where that was just built: for a part of it the same crates would be built again.
test_devices() {
  local reason scope=(--workspace) messages=${CARGO_TARGET_DIR:-target}/devices.json
  if ! reason=$(devices/prepare.sh); then
    echo "SKIPPED the device tests: $reason"
    return 0
  fi
  # A test of the library for C brings the library along.
  [[ $1 == with-all ]] || mapfile -t scope < <(device_tests && printf '%s\n' -p streamlib-c --test header)
  cargo test --locked --no-run --message-format=json-render-diagnostics "${scope[@]}" >"$messages" &&
    build_c_for_tests "${messages%/*}/debug/deps" "$(realpath "${messages%/*}")/debug/c" &&
    devices/run-tests "$messages"
}

devices() {
  ensure rust build dxc devices
  say "Testing devices"
  {
    local status=0
    test_devices alone || status=$?
    echo "the device tests exited with $status"
  } | awk -f scripts/test-summary.awk
}
