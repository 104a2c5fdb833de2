#!/bin/sh
# SPDX-License-Identifier: MIT
# timeout: 60
# What runs is told of a chain that is up: its state once, and what its programs say, as it comes.
. "$(dirname "$0")/../smoke/_init.sh"

need python3 dpdk-testpmd

cat >chain.yaml <<'END'
version: 1
hops: [{name: vnf1}, {name: pmd, kind: testpmd}, {name: vnf2}]
END
start up nfvchain up chain.yaml
wait_until 60 "grep -q '^up; ' up.log"
nfvchain status snake >status.out || fail "status: $?"
grep -q '^gen:0 ==> vnf1 ==> pmd ==> vnf2 ==> gen:1$' status.out || fail "$(cat status.out)"
grep -q 'missing  *0 of 0 (0 %) since the start' status.out || fail "$(cat status.out)"
nfvchain start -f bench -m 1kpps -d 1 --at "ipc://$NFVCHAIN_RUN/rpc" >start.log 2>&1 ||
	fail "start: $(cat start.log)"
nfvchain status snake --json --over 200ms >status.json || fail "status --json: $?"
# A program of another make is asked by 'up', and what it cannot tell is unknown, not 0.
python3 - status.json <<'END' || fail "$(cat status.json)"
import json, sys

status = json.load(open(sys.argv[1]))
assert status["chain"] == "snake" and status["seconds"] > 0.1, status
assert [h["name"] for h in status["hops"]] == ["vnf1", "pmd", "vnf2"]
assert all(h["answers"] and h["rx_pps"] == 0 for h in status["hops"])
sent = status["ports"][0]["sent"]
assert sent >= 100 and all(h["rx"] == h["tx"] == sent for h in status["hops"])
assert [h["drops"] for h in status["hops"]] == [0, None, 0]
assert [h["held_ratio"] is None for h in status["hops"]] == [False, True, False]
END
# A hop that does not answer is not one that does nothing.
hop=$(cat /proc/"$(pid_of up)"/task/*/children | tr ' ' '\n' | while read -r pid; do
	! tr '\0' '\n' <"/proc/$pid/environ" | grep -qx 'NFVCHAIN_ID=snake/vnf2' || echo "$pid"
done)
kill -s STOP "$hop"
nfvchain status snake --json --over 100ms >status.json || fail "status --json: $?"
kill -s CONT "$hop"
python3 - status.json <<'END' || fail "$(cat status.json)"
import json, sys

first, _, second = json.load(open(sys.argv[1]))["hops"]
assert first["answers"] and not second["answers"] and second["rx"] is None
END

nfvchain logs snake >logs.out || fail "logs: $?"
grep -q '^generator: ' logs.out || fail "$(cat logs.out)"
nfvchain logs snake vnf1 >logs.out || fail "logs vnf1: $?"
! grep -q '^generator: ' logs.out || fail "$(cat logs.out)"
start follow nfvchain logs snake vnf1 -f
echo 'a line more' >>"$NFVCHAIN_RUN/vnf1.log"
printf 'and a bell \007 too\n' >>"$NFVCHAIN_RUN/vnf1.log"
wait_until 10 "grep -q 'a line more' follow.log && grep -q 'a bell ? too' follow.log"

# refused STATUS WORDS ARGUMENT...
refused() {
	_status=$1 _words=$2
	shift 2
	rc=0
	nfvchain "$@" >out.log 2>&1 || rc=$?
	[ "$rc" = "$_status" ] || fail "$*: status $rc, not $_status"
	grep -qF -- "$_words" out.log || fail "$*: $(cat out.log)"
}
refused 2 "has no 'vnf3'" logs snake vnf3
refused 2 "--over: from" status --over 1us
stop up INT || fail "up ends with an error"
wait_until 10 "! alive follow"
stop follow || fail "logs -f ends with an error"
refused 1 "is not up" logs snake
refused 1 "is not up" status snake
