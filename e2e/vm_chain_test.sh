#!/bin/sh
# SPDX-License-Identifier: MIT
# timeout: 1500
# suite: full
# sanitize: no
# A forwarder in a virtual machine, with the image of these sources: each frame through it is accounted
# for, the result says how the machine ran, and nothing is left; killed in the middle, neither.
. "$(dirname "$0")/_guest_image.sh"
. "$(dirname "$0")/../smoke/_init.sh"

need qemu-system-x86_64 python3
[ -n "${NFVCHAIN_GUEST_KERNEL-}" ] || nfvchain image show >show.out 2>&1 ||
	skip "needs an image of guests: $(tail -n 1 show.out)"

rc=0
nfvchain bench "$top/chains/vm-snake-fast.yaml" --rate 20kpps -d 1s -o results >bench.log 2>&1 || rc=$?
cat bench.log
# 6: too noisy a machine for a verdict.  5 would be frames that nobody accounts for.
[ "$rc" = 0 ] || [ "$rc" = 6 ] || fail "status $rc"
python3 - results/latest/result.json <<'END' || fail "result.json"
import json, sys

result = json.load(open(sys.argv[1]))
accelerator = result["environment"]["accelerator"]
assert accelerator["used"] in ("kvm", "tcg") and accelerator["reason"], accelerator
trials = result["measurements"][0]["searches"][0]["trials"]
assert trials, "no trials"
for trial in trials:
    ledger = trial["ledger"]
    assert ledger["balanced"] and ledger["received"] > 0 and ledger["lost"] == 0, ledger
    assert ledger["hops"][0]["exact"], "the forwarder in the guest was not asked"
END

qemus() {
	grep -lsz '^NFVCHAIN_ID=vm-snake-fast/' /proc/[0-9]*/environ || :
}
[ -z "$(qemus)" ] || fail "left running: $(qemus)"
[ ! -e "$NFVCHAIN_RUN" ] || fail "left: $(find "$NFVCHAIN_RUN")"

start up nfvchain up "$top/chains/vm-snake-fast.yaml"
wait_until 400 "grep -q '^up; ' up.log"
[ -n "$(qemus)" ] || fail "no VM is seen"
kill -s KILL "$(pid_of up)"
stop up KILL || :
# shellcheck disable=SC2016 # evaluated again and again
wait_until 20 '[ -z "$(qemus)" ]'
