#!/bin/sh
# SPDX-License-Identifier: MIT
# timeout: 1500
# sanitize: no
# second try: an emulated machine starves where the host is busy
# A forwarder in a virtual machine, ours or testpmd, with the image of these sources: each frame through
# it is accounted for, the result says how the machine ran and what is in it, and nothing is left;
# killed in the middle, neither.
. "$(dirname "$0")/_guest_image.sh"
. "$(dirname "$0")/../smoke/_init.sh"

need qemu-system-x86_64 python3
[ -n "${NFVCHAIN_GUEST_KERNEL-}" ] || nfvchain image show >show.out 2>&1 ||
	skip "needs an image of guests: $(tail -n 1 show.out)"

cat >check.py <<'END'
import json, sys

program = sys.argv[1]
result = json.load(open("results/latest/result.json"))
accelerator = result["environment"]["accelerator"]
assert accelerator["used"] in ("kvm", "tcg") and accelerator["reason"], accelerator
guest, = result["environment"]["guests"]
assert guest["program"] == program and guest["dpdk_version"].startswith("DPDK 25.11"), guest
assert [port["driver"] for port in guest["ports"]] == 2 * ["uio_pci_generic"], guest
# testpmd takes all frames unless it is told not to.
assert [port["promiscuous"] for port in guest["ports"]] == 2 * [program == "dpdk-testpmd"], guest
trials = result["measurements"][0]["searches"][0]["trials"]
assert trials, "no trials"
for trial in trials:
    ledger = trial["ledger"]
    assert ledger["balanced"] and ledger["received"] > 0 and ledger["lost"] == 0, ledger
    # What is not ours can be read, but not asked to come to rest.
    assert ledger["hops"][0]["exact"] == (program == "nfvchain-fwd"), ledger
    assert ledger["hops"][0]["ports"][1]["tx"] == ledger["sent"], ledger
END

# bench CHAIN PROGRAM
bench() {
	rc=0
	nfvchain bench "$1" --rate 20kpps -d 1s -o results >bench.log 2>&1 || rc=$?
	cat bench.log
	# 6: too noisy a machine for a verdict.  5 would be frames that nobody accounts for.
	[ "$rc" = 0 ] || [ "$rc" = 6 ] || fail "status $rc"
	python3 check.py "$2" || fail "result.json of $2"
}

sed 's/kind: nfvchain-fwd, engine: poll/kind: testpmd/' "$top/chains/vm-snake-fast.yaml" >testpmd.yaml
bench testpmd.yaml dpdk-testpmd
bench "$top/chains/vm-snake-fast.yaml" nfvchain-fwd

qemus() {
	grep -lsz '^NFVCHAIN_ID=vm-snake-fast/' /proc/[0-9]*/environ || :
}
[ -z "$(qemus)" ] || fail "left running: $(qemus)"
[ ! -e "$NFVCHAIN_RUN" ] || fail "left: $(find "$NFVCHAIN_RUN")"

start up nfvchain up "$top/chains/vm-snake-fast.yaml"
wait_until 400 "grep -q '^up; ' up.log"
[ -n "$(qemus)" ] || fail "no VM is seen"
# Only 'up' may ask the agent, so those who look on ask it: a hop in a machine is one like others.
nfvchain start -f bench -m 200pps -d 1 --at "ipc://$NFVCHAIN_RUN/rpc" >start.log 2>&1 ||
	fail "start: $(cat start.log)"
asked() {
	nfvchain status vm-snake-fast --json --over 100ms >status.json &&
		python3 -c 'import json; h, = json.load(open("status.json"))["hops"]
assert h["answers"]'
}
wait_until 60 asked
python3 - <<'END' || fail "$(cat status.json)"
import json

status = json.load(open("status.json"))
hop, = status["hops"]
assert status["ports"][0]["sent"] >= 20, status
assert hop["rx"] == hop["tx"] == status["ports"][0]["sent"] and hop["drops"] == 0, hop
assert hop["lcores"], hop
END
kill -s KILL "$(pid_of up)"
stop up KILL || :
# shellcheck disable=SC2016 # evaluated again and again
wait_until 20 '[ -z "$(qemus)" ]'
