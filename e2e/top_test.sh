#!/bin/sh
# SPDX-License-Identifier: MIT
# timeout: 120
# The live views, on a terminal of 80 by 24: what they show is what the hops and ports have counted,
# keys change the traffic, a smaller terminal is filled and no more, and what was on it comes back.
. "$(dirname "$0")/../smoke/_init.sh"
. "$(dirname "$0")/_tmux.sh"

need python3

start up nfvchain up --hops 2 --trex-ports
wait_until 60 "grep -q '^up; ' up.log"

# number ROW COLUMN: of a table of the screen; numbers have spaces in them, columns more than one.
number() {
	sed -n "s/^$1  *//p" screen | sed 's/   */\t/g' | cut -f "$2" | tr -d ' '
}

# ---- top ----

echo before >shown.first
terminal a 80 24 "cat shown.first; nfvchain top snake; echo ended \$?; cat"
shows 'gen:0 ==> vnf1 ==> vnf2 ==> gen:1'
shows 'port 0 idle'
keys ':'
shows '^: *$'
keys 'start -f bench -m 20kpps -p 0' Enter
shows 'port 0 sending'
shows 'vnf2 .*[1-9][.0-9]* kpps'
keys '+'
shows 'rate changed by 10%'
keys ' '
shows 'port 0 paused'
keys ' '
shows 'port 0 sending'
keys 's'
shows 'port 0 ready'
shows 'missing +0 of [1-9]'
sent=$(number sent 1) received=$(number received 2)
{ [ "${sent:-0}" -ge 1000 ] && [ "$sent" = "$received" ]; } || fail "$sent, $received: $(cat screen)"
nfvchain top snake --json-stream -n 1 >sample.json
python3 - sample.json "$sent" <<'END' || fail "$(cat sample.json)"
import json, sys

sample, sent = json.load(open(sys.argv[1])), int(sys.argv[2])
assert [h["name"] for h in sample["hops"]] == ["vnf1", "vnf2"]
assert all(h["rx"] == h["tx"] == sent for h in sample["hops"])
assert sample["ports"][0]["sent"] == sample["ports"][1]["received"] == sent
END
keys 'c'
shows 'missing +0 of 0'
$tmux resize-window -t 0 -x 50 -y 12
shows '^q quit'
[ "$(grep -c . screen)" -le 12 ] || fail "$(cat screen)"
$tmux resize-window -t 0 -x 80 -y 24
keys 'q'
shows 'ended 0'
grep -q '^before' screen || fail "what was there is gone: $(cat screen)"
! grep -q 'q quit' screen || fail "it is still there: $(cat screen)"
keys 'echoed'
shows '^echoed'
$tmux kill-server

# A signal leaves the terminal as it was too.
terminal b 80 24 'sh -c "echo \$\$ >top.pid; exec nfvchain top snake"; echo ended $?; cat'
shows 'q quit'
kill "$(cat top.pid)"
shows 'ended 143'
keys 'echoed'
shows '^echoed'
$tmux kill-server

# ---- tui ----

terminal c 80 24 'exec nfvchain console 2>&1'
shows 'nfvchain>'
keys 'start -f bench -m 10kpps -p 0' Enter 'tui' Enter
shows 'port 0 sending'
keys C-c
shows 'nfvchain>'
keys 'tui' Enter
shows 'q quit'
keys 'q' 'stop' Enter
shows 'port 0: stopped'
keys 'quit' Enter
wait_until 10 "! $tmux has-session 2>/dev/null"

# A signal ends the console, not only the screen.
terminal d 80 24 'sh -c "echo \$\$ >console.pid; exec nfvchain console"; echo ended $?; cat'
shows 'nfvchain>'
keys 'tui' Enter
shows 'q quit'
kill "$(cat console.pid)"
shows 'ended 143'
keys 'echoed'
shows '^echoed'
$tmux kill-server

# ---- without a terminal ----

rc=0
nfvchain top snake >out.log 2>&1 </dev/null || rc=$?
{ [ "$rc" = 2 ] && grep -q 'needs a terminal' out.log; } || fail "$rc: $(cat out.log)"
stop up INT || fail "up ends with an error"
rc=0
nfvchain top snake --json-stream >out.log 2>&1 || rc=$?
{ [ "$rc" = 1 ] && grep -q "chain 'snake' is not up" out.log; } || fail "$rc: $(cat out.log)"
