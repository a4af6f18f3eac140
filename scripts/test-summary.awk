# Reads the output of `cargo test -- --show-output` and a line with cargo's exit status, then that of `pytest -q -rs` and lines
# with its exit status, where there are any, and the same of the device tests, which speak as cargo's do. Leaves out what passing
# tests printed, and ends with one line: "N passed, N failed, N skipped". A test that finds the machine lacking prints
# a line "SKIPPED: reason" and passes: here it counts as skipped, as an ignored one does, unless the device machine has run it
# then. Exits 1 unless all is well.

# A program that began its tests and gave no result died on the way.
function close_program() {
  if (running) { died++; print "FAILED: a test program ended without a result" }
  running = 0
}

/^running [0-9]+ tests?$/ { close_program(); running = 1; in_successes = 0; programs++ }

/^test result: / {
  running = 0; in_successes = 0
  for (i = 1; i < NF; i++) {
    if ($(i + 1) == "passed;") passed += $i
    if ($(i + 1) == "failed;") failed += $i
    if ($(i + 1) == "ignored;") ignored += $i
  }
}

# What pytest says last: "3 failed, 41 passed, 2 skipped in 12.34s".
/^=*[ ]*[0-9]+ (passed|failed|skipped|deselected|error|errors|warning|warnings)[ ,].*in [0-9.]+s/ {
  for (i = 1; i < NF; i++) {
    if ($(i + 1) ~ /^passed,?$/) passed += $i
    if ($(i + 1) ~ /^failed,?$/) failed += $i
    if ($(i + 1) ~ /^errors?,?$/) failed += $i
    if ($(i + 1) ~ /^skipped,?$/) ignored += $i
  }
}
/^SKIPPED \[[0-9]+\] / { skips[++listed] = substr($0, index($0, "] ") + 2); next }
/^(pytest|the Python tests) exited with [0-9]+$/ {
  if ($NF != 0 && failed + died == 0) { died++; print "FAILED: the Python tests did not run to their end; see above" }
  next
}

/^SKIPPED the device tests: / { ignored++; skips[++listed] = substr($0, 9); next }

/^(cargo test|the device tests) exited with [0-9]+$/ {
  close_program()
  if ($NF != 0 && failed + died == 0) { died++; print "FAILED: not everything ran to its end; see the errors above" }
  next
}

# Only the device machine names its programs here; cargo does so elsewhere.
/^     Running / { in_machine = 1 }
in_machine && /^test .* \.\.\. ok$/ { ran[$2] = 1 }

# Between these two lines stands what passing tests printed.
$0 == "successes:" { in_successes = 1; next }
$0 == "failures:" { in_successes = 0 }

in_successes && /^---- .* stdout ----$/ { test = substr($0, 6, length($0) - 17); next }
in_successes && /^SKIPPED: / {
  key = programs SUBSEP test
  if (!(key in seen)) { seen[key] = 1; skipped++; skips[++listed] = test ": " substr($0, 10); test_of[listed] = test }
  if (in_machine) delete ran[test]
}
in_successes { next }

# Programs and tests that have nothing to say.
/^running 0 tests$/ || /^test result: ok. 0 passed; 0 failed; 0 ignored/ || /^test .* \.\.\. ok$/ { next }
/^$/ { blank = 1; next }
{ if (blank) print ""; blank = 0; print; fflush() }

END {
  for (i = 1; i <= listed; i++) {
    if (test_of[i] in ran) { elsewhere++; continue }
    if (!told++) print "\nSkipped here:"
    print "  " skips[i]
  }
  printf "\n%d passed, %d failed, %d skipped\n", passed - skipped, failed + died, skipped - elsewhere + ignored
  exit failed + died > 0
}
