#!/bin/sh
# SPDX-License-Identifier: MIT
# timeout: 600
# sanitize: no
# second try: an emulated machine starves where the host is busy
# A chain with a virtual machine comes up and goes down again and again: nothing is left each time, and
# the memory of nfvchain stays what it was.  Its figures are in the last lines.
#   vm_cycles_test.sh [CYCLES]
. "$(dirname "$0")/_guest_image.sh"
. "$(dirname "$0")/../smoke/_init.sh"

need qemu-system-x86_64
[ -n "${NFVCHAIN_GUEST_KERNEL-}" ] || nfvchain image show >show.out 2>&1 ||
	skip "needs an image of guests: $(tail -n 1 show.out)"
n=${1:-3}
export NFVCHAIN_ACCEL=tcg
sed 's/^name:.*/name: cycles/' "$top/chains/vm-snake-fast.yaml" >cycles.yaml

# Peak memory of process $1 in kB.
peak_kb() {
	sed -n 's/^VmHWM:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$1/status"
}

i=0
while [ "$i" -lt "$n" ]; do
	i=$((i + 1))
	t0=$(_now)
	start up nfvchain up cycles.yaml
	wait_until 400 "grep -q '^up; ' up.log || ! alive up"
	alive up || fail "cycle $i: $(tail -n 1 up.log)"
	t1=$(_now)
	kb=$(peak_kb "$(pid_of up)")
	nfvchain down cycles >down.out
	t2=$(_now)
	stop up || fail "cycle $i: up ended with a status"
	mkdir -p "$NFVCHAIN_RUN"
	[ -z "$(leftovers)" ] || fail "cycle $i: left: $(leftovers)"
	nfvchain ps >ps.out
	grep -q '^no chain is up' ps.out || fail "cycle $i: $(cat ps.out)"
	echo "$i $((t1 - t0)) $((t2 - t1)) $kb" | tee -a cycles.txt
	rm up.log
done
awk '{ up += $2; down += $3; if (NR == 1 || $2 < min) min = $2; if ($2 > max) max = $2
	if (NR == 1) first = $4; if ($4 > most) most = $4 }
END { printf "cycles=%d up_s=%.1f (%.1f to %.1f) down_s=%.1f left=0 memory_kb=%d at first, %d at most\n",
	NR, up / NR / 100, min / 100, max / 100, down / NR / 100, first, most
	# A page here and there is the allocator'"'"'s; what grows with each cycle is more.
	exit most > first * 1.1 }' cycles.txt || fail "memory grows"
