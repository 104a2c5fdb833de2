#!/bin/sh
# SPDX-License-Identifier: MIT
# timeout: 180
# Eight hops in one process: each has its own books, an idle one costs little, the first frame comes
# soon, a death names them all, and nothing is left of them.
. "$(dirname "$0")/../smoke/_init.sh"

# A busy machine makes the trial inconclusive (6); the ledger balances all the same.
nfvchain bench --hops 8 --link ring --rate 20kpps -d 500ms -o results || [ $? = 6 ]
python3 - results/latest/result.json <<'EOF'
import json, sys
r = json.load(open(sys.argv[1]))
l = r["measurements"][0]["searches"][0]["trials"][0]["ledger"]
assert len(l["hops"]) == 8 and all(h["ports"][0]["rx"] == l["hops"][0]["ports"][0]["rx"] for h in l["hops"]), l
assert l["hops"][7]["ports"][1]["tx"] > 0 and l["balanced"] and l["lost"] == 0, l
EOF
[ -z "$(leftovers)" ] || fail "left behind: $(leftovers)"

# The process that has all eight.
row_pid() {
	for _environ in /proc/[0-9]*/environ; do
		grep -qsz "^NFVCHAIN_ID=snake/vnf1+vnf2+.*+vnf8$" "$_environ" &&
			echo "$_environ" | cut -d/ -f3
	done || :
}
# CPU time it took so far, in clock ticks.
ticks() {
	# shellcheck disable=SC2046
	set -- $(sed 's/.*) //' "/proc/$1/stat" | cut -d' ' -f12,13)
	echo $(($1 + $2))
}

printf 'version: 1\nhops: [nfvchain-fwd, nfvchain-fwd, nfvchain-fwd, nfvchain-fwd, nfvchain-fwd, nfvchain-fwd, nfvchain-fwd, nfvchain-fwd]\nlinks: ring\n' >eight.yaml
start up nfvchain up eight.yaml
wait_until 30 'grep -q "^up;" up.log'
pid=$(row_pid)
[ -n "$pid" ] || fail "no process has all eight hops"
nfvchain logs vnf5 >/dev/null || fail "vnf5 has no log"
# With nothing to do the eight together stay below 5 % of a CPU each.
before=$(ticks "$pid")
began=$(date +%s%N)
# shellcheck disable=SC2016
wait_until 10 '[ $(($(date +%s%N) - began)) -gt 2000000000 ]'
percent=$((($(ticks "$pid") - before) * 100 * 1000000000 / $(getconf CLK_TCK) / ($(date +%s%N) - began)))
[ "$percent" -le 40 ] || fail "eight idle hops take $percent % of a CPU"
kill -KILL "$pid"
rc=0
wait "$(pid_of up)" || rc=$?
[ "$rc" = 1 ] || fail "status $rc after the death of the hops"
grep -q "vnf1+vnf2+.*+vnf8 killed by SIGKILL" up.log || fail "nobody said who was killed"
[ -z "$(leftovers)" ] || fail "left behind: $(leftovers)"
