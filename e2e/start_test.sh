#!/bin/sh
# SPDX-License-Identifier: MIT
# timeout: 90
# Traffic profiles through a chain: every frame that a profile says is sent, and every one arrives.
. "$(dirname "$0")/../smoke/_init.sh"

need python3
start up nfvchain up --trex-ports
wait_until 20 'grep -q "Ctrl-C takes it down" up.log'

# sent WHAT ARGUMENT...: runs a profile; its result must fulfil the Python expression WHAT, in which
# slots are frames that the profile says, tx and rx frames and bytes of port 0 and port 1, and flow the
# statistics of flow 7.  What a busy machine did not let the generator send is told, not missing.
sent() {
	what=$1
	shift
	echo "start $*"
	nfvchain start --quiet --json "$@" >result.json
	WHAT=$what python3 - <<'EOF'
import json, os
r = json.load(open("result.json"))
tx, rx, all_slots = r["ports"][0], r["ports"][1], r["slots"]
slots = all_slots["intended"]
flow = (r["flows"].get("flow_stats") or {}).get("7")
assert tx["opackets"] == rx["ipackets"] and tx["obytes"] == rx["ibytes"], r
assert tx["ipackets"] == 0 and rx["opackets"] == 0, r
assert tx["opackets"] + all_slots["refused"] + all_slots["late"] == slots, r
assert eval(os.environ["WHAT"]), (os.environ["WHAT"], r)
EOF
}

sent 'slots == 1000 and tx["obytes"] == 64 * tx["opackets"]' -f udp_1pkt_simple -m 1kpps -d 1
sent '[s["intended"] for s in all_slots["streams"]].count(10) == 1 and slots == 510' -f burst
sent 'slots == 4' -f pcap
sent 'slots == 12' -f pcap -t loops=3
sent '4700 <= slots <= 4900' -f stl/imix.py -m 100 -d 1
sent 'slots == 1000 and flow["tp"]["0"] == flow["rp"]["1"] == tx["opackets"]' -f flow_stats -d 1
sent 'slots == 2000 and flow["tp"]["0"] == flow["rp"]["1"] == tx["opackets"]' -f bench -t vm=tuple -t flow=fs -m 2kpps -d 1
sent 'slots == 1000 and 64 * tx["opackets"] < tx["obytes"] < 1518 * tx["opackets"]' -f bench -t vm=size -m 1kpps -d 1
sent 'slots == 100' -f vlan -m 100pps -d 1
sent 'slots == 500' -f syn_attack -m 500pps -d 1
sent 'r["flows"]["latency"]["7"]["lat"]["average"] > 0' -f flow_stats_latency -d 1

# refused STATUS PART ARGUMENT...
refused() {
	want=$1 part=$2 rc=0
	shift 2
	nfvchain start "$@" >out.log 2>&1 || rc=$?
	[ "$rc" = "$want" ] || fail "'start $*' ends with $rc, not $want"
	grep -qF -- "$part" out.log || fail "'start $*' does not say '$part'"
}
refused 2 'which profile?'
refused 2 "no profile 'nothing'" -f nothing
refused 2 'tunables are size, rate' -f udp_1pkt_simple -t sise=64
refused 2 'has 2 ports' -f imix -p 5
refused 1 'exceeds port line rate' -f imix -m 200%

# Ctrl-C ends what has no end, and says what was sent.
start sender nfvchain start --json -f imix -m 1kpps
wait_until 20 'grep -q "Ctrl-C ends it" sender.log'
refused 1 'already' -f imix
stop sender INT || fail "Ctrl-C is how one ends it"
grep -q '"opackets"' sender.log || fail "nothing is said of what was sent"
stop up INT || fail "up ends with an error"
