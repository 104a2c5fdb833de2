#!/bin/sh
# SPDX-License-Identifier: MIT
# timeout: 90
# Traffic profiles through a chain: every frame that a profile says is sent, and every one arrives.
. "$(dirname "$0")/../smoke/_init.sh"

need python3
start up nfvchain up --trex-ports
wait_until 20 'grep -q "Ctrl-C takes it down" up.log'

# sent WHAT ARGUMENT...: runs a profile; its result must fulfil the Python expression WHAT, in which tx
# and rx are frames and bytes of port 0 and port 1, and flow the statistics of flow 7.
sent() {
	what=$1
	shift
	echo "start $*"
	nfvchain start --quiet --json "$@" >result.json
	WHAT=$what python3 - <<'EOF'
import json, os
r = json.load(open("result.json"))
tx, rx = r["ports"][0], r["ports"][1]
flow = (r["flows"].get("flow_stats") or {}).get("7")
assert tx["opackets"] == rx["ipackets"] and tx["obytes"] == rx["ibytes"], r
assert tx["ipackets"] == 0 and rx["opackets"] == 0, r
assert eval(os.environ["WHAT"]), (os.environ["WHAT"], r)
EOF
}

sent 'tx["opackets"] == 1000 and tx["obytes"] == 64000' -f udp_1pkt_simple -m 1kpps -d 1
sent 'tx["opackets"] == 510 and tx["obytes"] == 500 * 64 + 10 * 1518' -f burst
sent 'tx["opackets"] == 4' -f pcap
sent 'tx["opackets"] == 12' -f pcap -t loops=3
sent '4700 <= tx["opackets"] <= 4900' -f stl/imix.py -m 100 -d 1
sent 'flow["tp"]["0"] == flow["rp"]["1"] == 1000' -f flow_stats -d 1
sent 'flow["tp"]["0"] == flow["rp"]["1"] == 2000' -f bench -t vm=tuple -t flow=fs -m 2kpps -d 1
sent 'tx["opackets"] == 1000 and 64 < tx["obytes"] / 1000 < 1518' -f bench -t vm=size -m 1kpps -d 1
sent 'tx["opackets"] == 100' -f vlan -m 100pps -d 1
sent 'tx["opackets"] == 500' -f syn_attack -m 500pps -d 1
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
start sender nfvchain start --quiet --json -f imix -m 1kpps
wait_until 20 'nfvchain start -f imix 2>&1 | grep -q "already"'
stop sender INT || fail "Ctrl-C is how one ends it"
grep -q '"opackets"' sender.log || fail "nothing is said of what was sent"
stop up INT || fail "up ends with an error"
