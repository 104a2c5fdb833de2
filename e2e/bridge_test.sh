#!/bin/sh
# SPDX-License-Identifier: MIT
# timeout: 120
# Bridges of the kernel's forward for two neighbours, each frame accounted for, what they do not tell
# unknown; they are part of a chain that is up like any other hop, and nothing of them is left.
. "$(dirname "$0")/../smoke/_init.sh"
need ip python3

# A busy machine makes the trial inconclusive (6); the ledger balances all the same.
nfvchain bench "$top/chains/bridge.yaml" --rate 5kpps -d 500ms -s 64,1518,9000 -o results || [ $? = 6 ]
python3 - results/latest/result.json <<'EOF'
import json, sys

result = json.load(open(sys.argv[1]))
for m in result["measurements"]:
    trial = m["searches"][0]["trials"][0]
    ledger = trial["ledger"]
    assert ledger["balanced"] and ledger["lost"] == 0 and ledger["inside"] == 0, ledger
    left, right, ours = ledger["hops"]
    for bridge in left, right:
        assert bridge["ports"][0]["rx"] == ledger["sent"] > 0, ledger
        assert bridge["ports"][1]["rx"] == 0, "something came back: %s" % bridge
        assert not bridge["exact"], bridge
        assert bridge["drops"] is bridge["created"] is bridge["in_flight"] is None, bridge
    assert ours["exact"] and ours["drops"] is not None, ours
EOF
[ -z "$(leftovers)" ] || fail "left behind: $(leftovers)"

# What is sent faster than the last ring takes is a miss at its end, and of nobody else.
printf 'version: 1\nname: over\nhops: [linux-bridge]\nlinks: {kind: veth, ring: 256}\n' >over.yaml
nfvchain bench over.yaml --rate 100% -d 300ms -s 64 -o results || [ $? = 6 ]
python3 - results/latest/result.json <<'EOF'
import json, sys

trial = json.load(open(sys.argv[1]))["measurements"][0]["searches"][0]["trials"][0]
ledger = trial["ledger"]
assert ledger["residual"] == ledger["disagreement"] == 0 and ledger["balanced"], ledger
EOF

pids() {
	for _environ in /proc/[0-9]*/environ; do
		grep -qsz '^NFVCHAIN_ID=bridge/' "$_environ" && echo "$_environ" | cut -d/ -f3
	done || :
}
start up nfvchain up "$top/chains/bridge.yaml"
wait_until 60 "grep -q '^up; ' up.log"
! ip -o link | grep -E 'bridge|nfv' || fail "an interface is among the machine's"
nfvchain status bridge --json --over 200ms >status.json || fail "status: $?"
python3 - status.json <<'EOF' || fail "$(cat status.json)"
import json, sys

left, right, ours = json.load(open(sys.argv[1]))["hops"]
assert left["answers"] and right["answers"] and left["rx"] == 0, left
EOF
nfvchain logs bridge >logs.out || fail "logs: $?"
stop up KILL || :
# shellcheck disable=SC2016
wait_until 10 '[ -z "$(pids)" ]'
nfvchain down bridge || fail "down: $?"
[ -z "$(leftovers)" ] || fail "left after a kill: $(leftovers)"

# refused WORDS TEXT
refused() {
	printf 'version: 1\n%s\n' "$2" >bad.yaml
	rc=0
	nfvchain plan bad.yaml >out.log 2>&1 || rc=$?
	[ "$rc" = 2 ] || fail "$2: status $rc"
	grep -q "$1" out.log || fail "$2: $(cat out.log)"
}
refused "link 0 (vhost-user) cannot end in the linux-bridge 'vnf1'" 'hops: [linux-bridge]'
refused "it has no process" 'hops: [{kind: linux-bridge, lcores: 2}]'
