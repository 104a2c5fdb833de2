#!/bin/sh
# SPDX-License-Identifier: MIT
# timeout: 600
# sanitize: no
# Plain QEMU, as an ordinary user could run it: two guests see each other through a socket, their
# agents are heard, their ends are explained; and whenever we are killed, nothing of them is left.
"$(dirname "$0")/../devtools/test-kernel" >/dev/null 2>&1 || :
. "$(dirname "$0")/../smoke/_init.sh"

need qemu-system-x86_64
. "$(dirname "$0")/_guest.sh"
[ -x "$build/e2e-vm" ] || skip "needs e2e-vm, which is built with the tests"
export RUN="$scratch/vm"
mkdir "$RUN"

e2e-vm qemu stream >out.log
cat out.log
[ "$(grep -c '^heard: hello' out.log)" = 2 ] || fail "not both guests were heard"
grep -q "^counters: unknown" out.log || fail "nobody counts at a socket"
grep -q "^ended: the guest switched itself off" out.log || fail "no reason for the first end"
grep -q "^ended: the guest wanted to boot again" out.log || fail "no reason for the second end"

qemus() {
	grep -lsz '^NFVCHAIN_ID=lab/' /proc/[0-9]*/environ | while read -r file; do
		! grep -qs '^qemu-' "${file%environ}comm" || echo "$file"
	done
}

for step in start up; do
	start held e2e-vm qemu stream "$step"
	wait_until 250 "grep -q '^done: $step' held.log"
	[ -n "$(qemus)" ] || fail "no QEMU is seen at step $step"
	kill -s KILL "$(pid_of held)"
	stop held KILL || :
	# shellcheck disable=SC2016 # evaluated again and again
	wait_until 10 '[ -z "$(qemus)" ]'
	rm held.log
	# Its files lie in the run directory, which the next owner of its lock empties.
	rm -f "$RUN"/*
done
