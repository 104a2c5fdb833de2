#!/bin/sh
# SPDX-License-Identifier: MIT
# timeout: 3000
# suite: full
# sanitize: no
# nfvchain ended by SIGKILL, SIGTERM and SIGINT at each step of a chain with a virtual machine under plain
# QEMU, from the start of QEMU to the take-down: nothing is left after `nfvchain down`, which has
# nothing to do but after SIGKILL.
. "$(dirname "$0")/_guest_image.sh"
. "$(dirname "$0")/../smoke/_init.sh"

need qemu-system-x86_64
[ -n "${NFVCHAIN_GUEST_KERNEL-}" ] || nfvchain image show >show.out 2>&1 ||
	skip "needs an image of guests: $(tail -n 1 show.out)"
export NFVCHAIN_ACCEL=tcg
sed 's/^name:.*/name: kills/' "$top/chains/vm-snake-fast.yaml" >kills.yaml

pid_of_qemu() {
	for _pid in $("$top/devtools/pids-with" NFVCHAIN_ID=kills/vnf1); do
		! grep -qs '^qemu-' "/proc/$_pid/comm" || echo "$_pid"
	done
}

# Steps, as one sees them from outside.
step_locked() { [ -e "$NFVCHAIN_RUN/.nfvchain-run" ]; }
step_qemu() { [ -n "$(pid_of_qemu)" ]; }
step_agent() { [ -S "$NFVCHAIN_RUN/vnf1.agent" ]; }
# Nobody says that the guest boots, but it costs time.
step_boot() {
	_qemu=$(pid_of_qemu)
	[ -n "$_qemu" ] && [ "$(cut -d ' ' -f 14 "/proc/$_qemu/stat")" -gt 200 ]
}
step_up() { grep -q '^up; ' run.log; }
step_down() { step_up && kill -s TERM "$(pid_of run)"; }
step_measuring() { grep -q '^one trial' run.log; }

# end STEP SIGNAL COMMAND...: starts it, ends it at that step, and looks at what it left.
end() {
	step=$1 signal=$2
	shift 2
	start run "$@"
	wait_until 400 "step_$step || ! alive run"
	alive run || [ "$step" = down ] || fail "it ended at step $step: $(tail -n 1 run.log)"
	rc=0
	stop run "$signal" 30 || rc=$?
	case $step:$signal:$rc in
	# It may have been down already.
	down:*) ;;
	# That is how one ends it.
	up:TERM:0 | up:INT:0) ;;
	*:KILL:137 | *:TERM:143 | *:INT:130) ;;
	*) fail "$step, SIG$signal: status $rc" ;;
	esac
	nfvchain down --all >down.out || fail "$step: $(cat down.out)"
	[ "$signal" = KILL ] || grep -qx 'nothing of any chain is here' down.out ||
		fail "$step, SIG$signal: left: $(cat down.out)"
	mkdir -p "$NFVCHAIN_RUN"
	[ -z "$(leftovers)" ] || fail "$step, SIG$signal: left: $(leftovers)"
	echo "$step SIG$signal: $rc: $(tr '\n' ';' <down.out)"
	rm run.log
}

for step in locked qemu agent boot up down; do
	for signal in KILL TERM INT; do
		end "$step" "$signal" nfvchain up kills.yaml
	done
done
for signal in KILL TERM INT; do
	end measuring "$signal" nfvchain bench kills.yaml --rate 5kpps -d 30s -o results
done

rc=0
nfvchain bench kills.yaml --rate 5kpps -d 500ms -o results >bench.log 2>&1 || rc=$?
[ "$rc" = 0 ] || [ "$rc" = 6 ] || fail "the next run: status $rc: $(tail -n 1 bench.log)"
