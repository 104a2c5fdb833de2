#!/bin/sh
# SPDX-License-Identifier: MIT
# timeout: 2400
# suite: full
# sanitize: no
# What goes wrong with a virtual machine under plain QEMU is told in a sentence, leaves nothing, and the
# next run works: kernels that panic, agents that are silent, QEMU killed or frozen, programs that die in
# the guest, a broken image, full disks.
. "$(dirname "$0")/_guest_image.sh"
. "$(dirname "$0")/../smoke/_init.sh"

need qemu-system-x86_64
. "$(dirname "$0")/_guest_overlay.sh"

export NFVCHAIN_ACCEL=tcg
sed 's/^name:.*/name: fails/' "$top/chains/vm-snake-fast.yaml" >fails.yaml

pid_of_qemu() {
	for _pid in $("$top/devtools/pids-with" NFVCHAIN_ID=fails/vnf1); do
		! grep -qs '^qemu-' "/proc/$_pid/comm" || echo "$_pid"
	done
}

# ended NAME STATUS SENTENCE: what was started as NAME ends by itself with that, and leaves nothing.
ended() {
	wait_until 400 "! alive $1"
	_rc=0
	stop "$1" || _rc=$?
	tail -n 1 "$1.log"
	[ "$_rc" = "$2" ] || fail "$1: status $_rc instead of $2"
	tail -n 1 "$1.log" | grep -Eq "$3" || fail "$1: no such sentence: $3"
	nothing_left "$1"
}

nothing_left() {
	mkdir -p "$NFVCHAIN_RUN"
	[ -z "$(leftovers)" ] || fail "$1: left: $(leftovers)"
	nfvchain ps >ps.out
	grep -q '^no chain is up' ps.out || fail "$1: $(cat ps.out)"
}

# up NAME INITRD, with that file as the guest's.
up() {
	start "$1" env NFVCHAIN_GUEST_KERNEL="$IMAGE_KERNEL" NFVCHAIN_GUEST_INITRD="$2" nfvchain up fails.yaml
}

wait_up() {
	wait_until 400 "grep -q '^up; ' $1.log || ! alive $1"
	alive "$1" || fail "$1 did not come up: $(tail -n 1 "$1.log")"
}

crash='mount -t proc proc /proc; echo c >/proc/sysrq-trigger'
overlay panic "$crash"
up panic "$scratch/panic.initrd"
ended panic 1 "VM 'vnf1' has ended: .*: Kernel panic - not syncing: sysrq triggered crash"

overlay silent 'echo nobody is here >/dev/console; while :; do sleep 100; done'
export NFVCHAIN_GUEST_PATIENCE=20s
up silent "$scratch/silent.initrd"
ended silent 1 'vnf1: its agent said nothing in 20 s'
unset NFVCHAIN_GUEST_PATIENCE

head -c 20000 base.cpio >short.initrd
up short "$scratch/short.initrd"
ended short 1 "VM 'vnf1' has ended: .*: Kernel panic - "

# shellcheck disable=SC2016 # the guest's
overlay late '(until [ -S /run/nfvchain/vnf1.ctl ]; do sleep 1; done; sleep 5; echo c >/proc/sysrq-trigger) &'
up late "$scratch/late.initrd"
ended late 1 "VM 'vnf1' has ended: .*: Kernel panic - not syncing: sysrq triggered crash"

# In the middle of a measurement: killed; and standing still, so that it answers nobody.
trial() {
	start "$1" nfvchain bench fails.yaml --rate 5kpps -d 30s -o results
	wait_until 400 "grep -q '^one trial' $1.log || ! alive $1"
	alive "$1" || fail "$1 came to no trial: $(tail -n 1 "$1.log")"
}

trial killed
kill -s KILL "$(pid_of_qemu)"
ended killed 1 "VM 'vnf1' has ended: QEMU killed by SIGKILL"
trial frozen
kill -s STOP "$(pid_of_qemu)"
ended frozen 1 'vnf1: .*no answer in time'

# The next run works.
rc=0
nfvchain bench fails.yaml --rate 5kpps -d 500ms -o results >bench.log 2>&1 || rc=$?
[ "$rc" = 0 ] || [ "$rc" = 6 ] || fail "the next run: status $rc: $(tail -n 1 bench.log)"
nothing_left "the next run"
