#!/bin/sh
# SPDX-License-Identifier: MIT
# timeout: 1500
# suite: full
# sanitize: no
# TRex's own Python library on this machine drives nfvchain-gen in a virtual machine, through the two
# ports that --trex-ports forwards: what port 0 sends in the guest arrives at its port 1. And with a
# release in NFVCHAIN_TREX_DIR a real TRex in that machine is the generator.
. "$(dirname "$0")/_guest_image.sh"
. "$(dirname "$0")/../smoke/_init.sh"

need qemu-system-x86_64 python3
[ -n "${NFVCHAIN_TREX_DIR-}" ] || skip "needs a TRex release: NFVCHAIN_TREX_DIR is not set"
library=$NFVCHAIN_TREX_DIR/automation/trex_control_plane/interactive
[ -d "$library" ] || skip "no Python library in $NFVCHAIN_TREX_DIR"
[ -n "${NFVCHAIN_GUEST_KERNEL-}" ] || nfvchain image show >show.out 2>&1 ||
	skip "needs an image of guests: $(tail -n 1 show.out)"

cat >ours.yaml <<END
version: 1
name: vmtc
generator: {place: vm}
hops: [{name: vnf1, place: vm}]
links: stream
END
sed "s|{place: vm}$|{kind: trex, dir: \"$NFVCHAIN_TREX_DIR\", place: vm}|;s|vmtc|vmtrex|" ours.yaml >trex.yaml

cat >client.py <<'END'
import os, sys, time, warnings

warnings.simplefilter("ignore")
os.chdir(sys.argv[1])
sys.path.insert(0, "automation/trex_control_plane/interactive")
from trex.stl.api import *

frame = Ether() / IP(src="16.0.0.1", dst="48.0.0.1") / UDP(dport=12, sport=1025) / ("x" * 18)
client = STLClient(server="127.0.0.1")
client.connect()
client.reset(ports=[0, 1])
stream = STLStream(packet=STLPktBuilder(pkt=frame), mode=STLTXSingleBurst(total_pkts=500, pps=500))
client.add_streams(stream, ports=[0])
client.clear_stats()
client.start(ports=[0])
client.wait_on_traffic(ports=[0], timeout=60)
for _ in range(50):
    stats = client.get_stats()
    if stats[1]["ipackets"] >= stats[0]["opackets"] > 0:
        break
    time.sleep(0.2)
print("sent", stats[0]["opackets"], "received", stats[1]["ipackets"])
client.disconnect()
assert 0 < stats[0]["opackets"] <= 500, stats[0]
assert stats[1]["ipackets"] == stats[0]["opackets"], stats[1]
assert stats[0]["ipackets"] == 0, stats[0]
END

start up nfvchain up ours.yaml --trex-ports
wait_until 400 "grep -q '^up; ' up.log"
timeout 120 python3 -W ignore client.py "$NFVCHAIN_TREX_DIR" || fail "TRex's client"
stop up INT 30

rc=0
nfvchain bench trex.yaml --rate 1kpps -d 2s -o results >bench.log 2>&1 || rc=$?
cat bench.log
[ "$rc" = 0 ] || [ "$rc" = 6 ] || fail "a TRex in a guest: status $rc"
python3 - results/latest/result.json <<'END' || fail "result.json"
import json, sys

trials = json.load(open(sys.argv[1]))["measurements"][0]["searches"][0]["trials"]
assert trials, "no trials"
for trial in trials:
    ledger = trial["ledger"]
    assert ledger["balanced"] and ledger["received"] > 0 and ledger["lost"] == 0, ledger
    assert trial["slots"]["late"] is None, trial["slots"]
END
[ ! -e "$NFVCHAIN_RUN" ] || fail "left: $(find "$NFVCHAIN_RUN")"
