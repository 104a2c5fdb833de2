#!/bin/sh
# SPDX-License-Identifier: MIT
# _kills.sh CHAIN N SEED: kills N random hops of three under load in one trial, each once the one
# before is up again; prints what each blocked in ms, and fails when somebody else died or something
# is missing in the result; with 75 when the machine was too busy for it to begin.
set -eu

rm -rf kills
eval set -- "$1" "$2" "$(awk -v n="$2" -v seed="$3" 'BEGIN {
	srand(seed)
	for (i = 0; i < n; i++)
		printf "--fault '\''kill vnf%d at %.3fs'\'' ", 1 + int(3 * rand()), 1 + 1.5 * i + rand() / 2
	printf "--duration %ds", 1.5 * n + 3
}')"
chain=$1 n=$2
shift 2
rc=0
nfvchain bench "$chain" --rate 20kpps "$@" -o kills -q >kills.log 2>&1 || rc=$?
# 6: the generator was late too often on this machine; what a kill costs is told all the same.
if [ "$rc" = 1 ] && grep -q 'error: self-test: .* no answer' kills.log; then
	exit 75
fi
[ "$rc" = 0 ] || [ "$rc" = 6 ] || { cat kills.log; exit 1; }
python3 - kills/latest/result.json "$n" <<'END'
import json, sys

m = json.load(open(sys.argv[1]))["measurements"][0]
trial = m["searches"][-1]["trials"][-1]
timeline, n = trial["timeline"], int(sys.argv[2])
events = timeline["events"]
assert trial["disturbed"] and not trial["interrupted"], trial["reason"]
assert [e["kind"] for e in events] == n * ["kill"], events
assert all(e["until_s"] is not None for e in events), "one was never healed: %s" % events
assert all(e["blocked_s"] is not None for e in events)
# A kill costs something, and the chain goes on after the last one.
assert sum(e["lost"] for e in events) > 0, events
assert timeline["received_pps"][-1] > 0, timeline["received_pps"][-5:]
assert len(timeline["at_s"]) >= n, len(timeline["at_s"])
for e in events:
    print("%s blocked %.0f ms, healed after %.0f ms" % (
        e["hop"], 1e3 * e["blocked_s"], 1e3 * (e["until_s"] - e["at_s"])))
END
