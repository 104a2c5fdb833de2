#!/bin/sh
# SPDX-License-Identifier: MIT
# timeout: 180
# Supervised hops that are killed under load are started again, nobody else dies or is touched, what
# each kill blocked is in the result, and nothing is left.
# pids are words; conditions expand when they are polled:
# shellcheck disable=SC2013,SC2016,SC2034
. "$(dirname "$0")/../smoke/_init.sh"

need python3

cp "$top/e2e/heal.yaml" .

# ---- what cannot be promised is refused ----

sed 's/^links.*/links: memif/' heal.yaml >memif.yaml
rc=0
nfvchain plan memif.yaml >out.log 2>&1 || rc=$?
[ "$rc" = 2 ] || fail "plan: status $rc"
grep -q "is memif, whose driver can crash the neighbour" out.log || fail "$(cat out.log)"

# ---- up: the same processes, but for the dead one ----

# pids: "NAME PID" of the chain's processes, sorted.
pids() {
	for _pid in $(cat /proc/"$(pid_of up)"/task/*/children); do
		tr '\0' '\n' <"/proc/$_pid/environ" 2>/dev/null |
			sed -n "s,^NFVCHAIN_ID=heal/\(.*\),\1 $_pid,p"
	done | sort
}

# received: frames that came out of the chain so far.
received() {
	nfvchain status heal --json --over 100ms |
		python3 -c 'import json, sys; print(json.load(sys.stdin)["ports"][1]["received"])'
}

start up nfvchain up heal.yaml
wait_until 60 "grep -q '^up; ' up.log"
start traffic nfvchain start -f bench -t size=64 -m 10kpps --at "ipc://$NFVCHAIN_RUN/rpc"
wait_until 30 '[ "$(received)" -gt 1000 ]'
pids >before
kill -s KILL "$(sed -n 's/^vnf2 //p' before)"
wait_until 30 "grep -q 'vnf2 forwards again' up.log"
pids >after
[ "$(wc -l <after)" = 4 ] || fail "$(cat after)"
[ "$(comm -12 before after | cut -d' ' -f1 | tr '\n' ' ')" = 'generator vnf1 vnf3 ' ] ||
	fail "$(cat before after)"
seen=$(received)
wait_until 30 '[ "$(received)" -gt $((seen + 1000)) ]'
nfvchain status heal >status.out
grep -q '^gen:0 ==> vnf1 ==> vnf2 ==> vnf3 ==> gen:1$' status.out || fail "$(cat status.out)"
stop traffic INT >/dev/null || true
stop up INT || fail "up ends with an error"

# ---- bench: what a kill costs ----

"$top/e2e/_kills.sh" heal.yaml 6 7
