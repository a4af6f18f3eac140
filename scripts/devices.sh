# shellcheck shell=bash
# The tests that need devices, in a machine that has them: see devices/README.md. Sourced by ./x.

# device_tests: arguments of cargo that name the tests listed in devices/tests.
device_tests() { awk '!/^#/ && NF == 2 { print "-p"; print $1; print "--test"; print $2 }' devices/tests; }

# test_devices [--workspace]: builds these tests and runs them in the device machine. They are built alone, or as part of the
# whole workspace where that was just built: the same crates would be built again for less of them.
test_devices() {
  local reason scope=("$@")
  if ! reason=$(devices/prepare.sh); then
    echo "SKIPPED the device tests: $reason"
    return 0
  fi
  ((${#scope[@]})) || mapfile -t scope < <(device_tests)
  cargo test --locked --no-run --message-format=json-render-diagnostics "${scope[@]}" >"${CARGO_TARGET_DIR:-target}/devices.json" &&
    devices/run-tests "${CARGO_TARGET_DIR:-target}/devices.json"
}

devices() {
  ensure rust build dxc devices
  say "Testing devices"
  {
    local status=0
    test_devices || status=$?
    echo "the device tests exited with $status"
  } | awk -f scripts/test-summary.awk
}
