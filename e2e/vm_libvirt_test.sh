#!/bin/sh
# SPDX-License-Identifier: MIT
# timeout: 600
# sanitize: no
# libvirt, one of our own: two guests see each other through an isolated network, are heard through
# libvirt's stream, and their ends are explained; killed at any step we leave nothing but a network,
# which the next start finds and removes; what is not ours stays.
"$(dirname "$0")/../devtools/test-kernel" >/dev/null 2>&1 || :
. "$(dirname "$0")/../smoke/_init.sh"
. "$(dirname "$0")/_guest.sh"
. "$(dirname "$0")/_libvirtd.sh"

[ -x "$build/e2e-vm" ] || skip "needs e2e-vm, which is built with the tests"
export RUN="$scratch/vm"
mkdir "$RUN"

v() {
	virsh -q -c "$URI" "$@"
}

devices() {
	ip -br link | grep nfvlab || :
}

# Somebody else's, which must be there to the end.
cat >other.xml <<END
<network><name>other</name><bridge name='otherbr'/><dns enable='no'/></network>
END
v net-create other.xml >/dev/null

e2e-vm libvirt network >out.log || { cat out.log; fail "e2e-vm"; }
cat out.log
[ "$(grep -c '^heard: hello' out.log)" = 2 ] || fail "not both guests were heard"
grep -Eq "^counters: rx=[1-9][0-9]* tx=[1-9][0-9]*" out.log || fail "frames are not counted"
grep -q "^ended: the guest switched itself off" out.log || fail "no reason for the first end"
[ "$(grep -c '^ended: ' out.log)" = 2 ] || fail "not both ends were told"
[ -z "$(v list --all --name)" ] || fail "domains are left: $(v list --all --name)"
[ -z "$(devices)" ] || fail "devices are left: $(devices)"
[ "$(v net-list --all --name | tr -d ' \n')" = other ] || fail "networks: $(v net-list --all)"

# What step leaves how many things: a domain ends with our connection, a network does not.
for step in clean:0 net:1 start:1 up:1; do
	start held e2e-vm libvirt network "${step%:*}"
	wait_until 250 "grep -q '^done: ${step%:*}\$' held.log"
	# Nobody but the guests speaks on the wire: no neighbour discovery of this machine's.
	for device in $(devices | sed 's/[ @].*//'); do
		[ "$(cat "/proc/sys/net/ipv6/conf/$device/disable_ipv6")" = 1 ] ||
			fail "${step%:*}: $device has IPv6"
	done
	kill -s KILL "$(pid_of held)"
	stop held KILL || :
	# shellcheck disable=SC2016 # evaluated again and again
	wait_until 20 '[ -z "$(v list --all --name)" ]'
	e2e-vm libvirt clean >removed.out
	grep -qx "removed: ${step#*:}" removed.out || fail "${step%:*}: $(cat removed.out)"
	[ -z "$(devices)" ] || fail "${step%:*}: devices are left: $(devices)"
	[ "$(v net-list --all --name | tr -d ' \n')" = other ] || fail "$(v net-list --all)"
	rm held.log
done

# The name of a network that somebody else has.
sed 's/other</link-0</; s/otherbr/ownbr0/' other.xml >taken.xml
v net-create taken.xml >/dev/null
if e2e-vm libvirt network >out.log 2>&1; then fail "it took somebody else's network"; fi
grep -q "network 'link-0': libvirt has a network of that name that is not ours" out.log ||
	fail "$(cat out.log)"
v net-info link-0 | grep -q '^Active: *yes' || fail "somebody else's network is down"
v net-destroy link-0 >/dev/null
v net-destroy other >/dev/null
stop libvirtd
