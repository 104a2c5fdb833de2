#!/bin/sh
# SPDX-License-Identifier: MIT
# timeout: 180
# second try: it measures
# Each fault on purpose has its effect, is undone, and stands in the result's timeline; what a chain
# cannot bear is refused.
# pids are words; conditions expand when they are polled:
# shellcheck disable=SC2013,SC2016,SC2034
. "$(dirname "$0")/../smoke/_init.sh"
. "$(dirname "$0")/_refused.sh"

need python3

# ---- in a trial: what each does to the rates and the ledger ----

cat >faults.yaml <<'END'
version: 1
name: faults
hops: [nfvchain-fwd, nfvchain-fwd]
links: {kind: vhost-user, ring: 256}
END
rc=0
nfvchain bench faults.yaml --rate 20kpps --duration 9s -o results -q \
	--fault 'stop vnf1 at 1s for 700ms' --fault 'drop vnf2 by 50% at 2.5s for 1s' \
	--fault 'flap vnf2 at 4.5s for 600ms' --fault 'slow vnf1 by 4m at 6s for 1s' \
	--fault 'hog vnf1 at 7.8s for 300ms' >bench.log 2>&1 || rc=$?
[ "$rc" = 0 ] || [ "$rc" = 6 ] || fail "status $rc: $(cat bench.log)"
grep -q 'stop vnf1 for 700 ms$' bench.log || fail "$(cat bench.log)"
python3 - results/latest/result.json <<'END' || fail "$(cat bench.log)"
import json, sys

trial = json.load(open(sys.argv[1]))["measurements"][0]["searches"][-1]["trials"][-1]
timeline = trial["timeline"]
events = timeline["events"]
assert [e["kind"] for e in events] == ["stop", "drop", "flap", "slow", "hog"], events
# A ring of 256 holds 13 ms of this load: the rest of each is lost.  A generator that has no CPU
# itself offers nothing that could be.
busy = trial["slots"]["late"] > trial["slots"]["intended"] / 3
for e, least_s in zip(events, [0.05, 0.05, 0.05, 0.05, 0]):
    assert e["blocked_s"] >= (0 if busy else least_s), e
    assert e["blocked_s"] is not None and e["until_s"] > e["at_s"], e
drops = {h["name"]: h["drops"] for h in trial["ledger"]["hops"]}
assert drops["vnf2"]["fault"] >= (1 if busy else 1000), drops
# Nothing comes while the first hop stands still.
inside = [r for t, r in zip(timeline["at_s"], timeline["received_pps"])
          if events[0]["at_s"] + 0.25 < t < events[0]["until_s"]]
assert inside and min(inside) == 0 or busy, inside
assert timeline["received_pps"][-1] > 0
assert trial["disturbed"] and trial["verdict"] != "pass"
END
grep -q '<section id="timeline"' results/latest/report.html || fail "the page has no timeline"

# ---- against a chain that is up ----

start up nfvchain up faults.yaml
wait_until 60 "grep -q '^up; ' up.log"
# state NAME: of its process, as /proc has it.
state() {
	for _pid in $(cat /proc/"$(pid_of up)"/task/*/children); do
		! tr '\0' '\n' <"/proc/$_pid/environ" 2>/dev/null | grep -qx "NFVCHAIN_ID=faults/$1" ||
			sed -n 's/^State:\t\(.\).*/\1/p' "/proc/$_pid/status"
	done
}
# Whoever does it has died: it is undone all the same, and at once.
start stopper nfvchain fault faults vnf1 stop --for 60s
wait_until 10 '[ "$(state vnf1)" = T ]'
stop stopper KILL >/dev/null || true
wait_until 10 '[ "$(state vnf1)" != T ]'
# busy TICKS: is there a helper that runs, and has run for so long?
busy() {
	awk -v least="$1" '$2 == "(nfvchain-fault)" && $3 != "Z" && $14 >= least' \
		/proc/[0-9]*/stat 2>/dev/null | grep -q .
}
start hog nfvchain fault faults vnf1 hog --for 60s
wait_until 20 'busy 3'
stop hog INT >/dev/null 2>&1 || true
! busy 0 || fail "a helper is left"
nfvchain fault faults vnf2 flap --for 100ms || fail "flap: $?"
nfvchain fault faults vnf2 drop --by 2% --for 100ms || fail "drop: $?"

refused 2 "which hop?" fault faults kill
refused 2 "has no hop 'vnf3'" fault faults vnf3 kill
refused 2 "there is no fault 'explode'" fault faults vnf1 explode
refused 2 "takes no amount" fault faults vnf1 stop --by 3
refused 1 "is not up" fault other vnf1 kill
refused 2 "give it a --rate" bench faults.yaml --fault 'kill vnf1 at 1s'
refused 2 "has no hop 'vnf9'" bench faults.yaml --rate 1kpps --fault 'kill vnf9 at 1s'
refused 2 "not in the trial of 5 s" bench faults.yaml --rate 1kpps --fault 'kill vnf1 at 6s'
refused 2 "is memif" bench --link memif --rate 1kpps --fault 'kill vnf1 at 1s'
# One that nobody supervises ends its chain.
nfvchain fault faults vnf1 kill | grep -q 'it is not supervised, so its chain ends' || fail "kill"
wait_until 20 '! alive up'
rc=0
stop up || rc=$?
[ "$rc" = 1 ] || fail "up ended with $rc"
grep -q 'vnf1 killed by SIGKILL' up.log || fail "$(cat up.log)"
