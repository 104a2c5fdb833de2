#!/bin/sh
# SPDX-License-Identifier: MIT
# timeout: 2400
# suite: full
# sanitize: no
# A chain under libvirt, one of our own: killed at any step of its start, or in the middle of a trial,
# `nfvchain ps` tells what is left and `nfvchain down` removes it; a libvirtd that is started anew under it is told in a sentence;
# nothing is left of domains, networks, bridges, taps and firewall chains, and what is not ours stays.
. "$(dirname "$0")/_guest_image.sh"
. "$(dirname "$0")/../smoke/_init.sh"
. "$(dirname "$0")/_libvirtd.sh"

[ -n "${NFVCHAIN_GUEST_KERNEL-}" ] || nfvchain image show >show.out 2>&1 ||
	skip "needs an image of guests: $(tail -n 1 show.out)"
export NFVCHAIN_ACCEL=tcg
sed 's/^name:.*/name: virt/' "$top/chains/vm-snake.yaml" >virt.yaml
# Somebody else's, which must be there to the end.
cat >other.xml <<END
<network><name>other</name><bridge name='otherbr'/><dns enable='no'/></network>
END

v() {
	virsh -q -c "$URI" "$@"
}

# Everything of the host's that libvirt makes, sorted: names, devices, rules.
host_state() {
	v list --all --name
	v net-list --all --name
	ip -br link | sed 's/[@ ].*//'
	iptables-save 2>/dev/null | grep -v '^#' | sed 's/\[[0-9:]*\]//'
	ip6tables-save 2>/dev/null | grep -v '^#' | sed 's/\[[0-9:]*\]//'
}

v net-create other.xml >/dev/null
host_state >before.txt

nothing_left() {
	mkdir -p "$NFVCHAIN_RUN"
	host_state >after.txt
	diff before.txt after.txt >diff.txt || fail "$1: $(cat diff.txt)"
	_left=$(leftovers | grep -v libvirtd) || :
	[ -z "$_left" ] || fail "$1: left: $_left"
	nfvchain ps >ps.out
	grep -q '^no chain is up' ps.out || fail "$1: $(cat ps.out)"
}

# Steps, as one sees them from outside.
step_net() { [ "$(v net-list --name | grep -c link-)" = 1 ] || [ "$(v net-list --name | grep -c link-)" = 2 ]; }
step_first() { [ -n "$(v list --name)" ]; }
step_second() { [ "$(v list --name | grep -c virt-)" = 2 ]; }
step_up() { grep -q '^up; ' up.log; }
step_trial() { grep -q '^one trial' up.log; }

for step in net first second up trial; do
	for signal in KILL TERM INT; do
		set -- up virt.yaml
		[ "$step" != trial ] || set -- bench virt.yaml --rate 2kpps -d 30s -o results
		start up nfvchain "$@"
		wait_until 400 "step_$step || ! alive up"
		alive up || fail "it ended at step $step: $(tail -n 1 up.log)"
		rc=0
		stop up "$signal" 40 || rc=$?
		if [ "$signal" = KILL ]; then
			nfvchain ps >ps.out
			grep -q '^virt  *left' ps.out || fail "$step: ps: $(cat ps.out)"
			nfvchain down virt >down.out || fail "$step: down: $(cat down.out)"
			grep -q '^virt: removed network link-0$' down.out || fail "$step: $(cat down.out)"
		fi
		nothing_left "$step, SIG$signal"
		echo "$step SIG$signal: $rc"
		rm up.log
	done
done

# The chain is up when libvirtd is started anew, or dies and comes again.
for signal in TERM KILL; do
	start up nfvchain up virt.yaml
	wait_until 400 "step_up || ! alive up"
	alive up || fail "it did not come up: $(tail -n 1 up.log)"
	stop libvirtd "$signal" 30 || :
	start_libvirtd
	wait_until 60 "! alive up"
	rc=0
	stop up || rc=$?
	tail -n 1 up.log
	[ "$rc" = 1 ] || fail "libvirtd started anew: status $rc"
	grep -q "libvirtd has ended, or was started anew" up.log || fail "no such sentence"
	nfvchain down virt >down.out || fail "down: $(cat down.out)"
	cat down.out
	nothing_left "libvirtd started anew after SIG$signal"
	rm up.log
done

# And dies for good: what it had is told, and goes when there is one again.
start up nfvchain up virt.yaml
wait_until 400 "step_up || ! alive up"
alive up || fail "it did not come up: $(tail -n 1 up.log)"
stop libvirtd KILL || :
wait_until 60 "! alive up"
rc=0
stop up || rc=$?
[ "$rc" = 1 ] || fail "without libvirtd: status $rc"
grep -q "network 'link-0' may be left: libvirt at .* does not answer any more" up.log || fail "$(cat up.log)"
start_libvirtd
nfvchain down virt >down.out || fail "down: $(cat down.out)"
cat down.out
grep -q '^virt: removed network link-0$' down.out || fail "$(cat down.out)"
nothing_left "libvirtd died"

# The next start works, and another ends it.
rm up.log
start up nfvchain up virt.yaml
wait_until 400 "step_up || ! alive up"
alive up || fail "the next start: $(tail -n 1 up.log)"
nfvchain down virt >down.out || fail "down: $(cat down.out)"
grep -q "^virt: ended nfvchain up (pid $(pid_of up))" down.out || fail "$(cat down.out)"
stop up || fail "up ended with a status"
nothing_left "the next start"
v net-destroy other >/dev/null
stop libvirtd
