#!/bin/sh
# SPDX-License-Identifier: MIT
# timeout: 180
# Ours, Open vSwitch with DPDK, ours: each frame is accounted for, what Open vSwitch does not tell is
# unknown; it is started for the chain alone, and nothing of it is left, however the chain ends.
. "$(dirname "$0")/../smoke/_init.sh"
need ip ovs-vsctl python3
[ -x /usr/lib/openvswitch-switch-dpdk/ovs-vswitchd-dpdk ] || skip "needs openvswitch-switch-dpdk"

# Files of the machine's own Open vSwitch.
files_of_machine() {
	find /etc/openvswitch /var/run/openvswitch /var/lib/openvswitch -type f -newer "$scratch/began" 2>/dev/null || :
}
: >"$scratch/began"

# A busy machine makes the trials inconclusive (6); the ledger balances all the same.
nfvchain bench "$top/chains/ovs.yaml" --rate 5kpps -d 500ms -s 64,1518 -o results || [ $? = 6 ]
python3 - results/latest/result.json <<'EOF'
import json, sys

for m in json.load(open(sys.argv[1]))["measurements"]:
    trial = m["searches"][0]["trials"][0]
    ledger = trial["ledger"]
    assert ledger["balanced"] and ledger["lost"] == 0, ledger
    first, ovs, last = ledger["hops"]
    assert trial["frames"]["ok"] > 0 and ovs["ports"][0]["rx"] == first["ports"][1]["tx"], ledger
    assert ovs["ports"][1]["tx"] == last["ports"][0]["rx"], ledger
    assert not ovs["exact"] and ovs["created"] is ovs["in_flight"] is None, ovs
    assert sorted(ovs["drops"]) == ["tx_full", "upcall_failed"], ovs
    assert sum(ovs["drops"].values()) <= ledger["inside"] <= ledger["drops"], ledger
EOF
[ -z "$(leftovers)" ] || fail "left behind: $(leftovers)"

pids() {
	for _environ in /proc/[0-9]*/environ; do
		grep -qsz '^NFVCHAIN_ID=ovs/' "$_environ" && echo "$_environ" | cut -d/ -f3
	done || :
}
switch() {
	for _pid in $(pids); do
		# shellcheck disable=SC2015
		[ "$(cat "/proc/$_pid/comm")" = ovs-vswitchd-dp ] && echo "$_pid" || :
	done 2>/dev/null
}
start up nfvchain up "$top/chains/ovs.yaml"
wait_until 60 "grep -q '^up; ' up.log"
! ip -o link | grep -E 'ovs|br0' || fail "an interface is among the machine's"
kill -KILL "$(switch)"
rc=0
stop up CONT 20 || rc=$?
[ "$rc" = 1 ] || fail "status $rc after Open vSwitch was killed"
grep -q 'ovs killed by SIGKILL' up.log || fail "nobody said that Open vSwitch was killed"
# shellcheck disable=SC2016
wait_until 10 '[ -z "$(pids)" ]'
[ -z "$(leftovers)" ] || fail "left: $(leftovers)"

start again nfvchain up "$top/chains/ovs.yaml"
wait_until 60 "grep -q '^up; ' again.log"
stop again KILL || :
# shellcheck disable=SC2016
wait_until 10 '[ -z "$(pids)" ]'
nfvchain down ovs || fail "down: $?"
[ -z "$(leftovers)" ] || fail "left after a kill: $(leftovers)"
[ -z "$(files_of_machine)" ] || fail "the machine's Open vSwitch was touched: $(files_of_machine)"

# What it does not take it says, before anybody waits for long.
printf 'version: 1\nname: odd\nhops: [{kind: ovs-dpdk, args: ["dpdk-extra=--no-such-option"]}]\n' >odd.yaml
rc=0
nfvchain up odd.yaml >odd.log 2>&1 || rc=$?
[ "$rc" = 1 ] || fail "an option that EAL does not know: status $rc"
grep -q 'error: vnf1' odd.log || fail "$(tail -n 3 odd.log)"
