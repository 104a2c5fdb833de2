#!/bin/sh
# SPDX-License-Identifier: MIT
# timeout: 1500
# suite: full
# sanitize: no
# Our forwarder and testpmd in a virtual machine each take turns: both are measured, every frame of each
# slice is accounted for, the machines of one do not take those of the other for leftovers, and nothing
# is left.
. "$(dirname "$0")/_guest_image.sh"
. "$(dirname "$0")/../smoke/_init.sh"

need qemu-system-x86_64 python3
[ -n "${NFVCHAIN_GUEST_KERNEL-}" ] || nfvchain image show >show.out 2>&1 ||
	skip "needs an image of guests: $(tail -n 1 show.out)"

rc=0
nfvchain bench "$top/chains/vm-snake-fast.yaml" --peer testpmd --time 30s -o results >bench.log 2>&1 || rc=$?
cat bench.log
# 4: it was found slower; 6: too noisy a machine for a verdict.
case $rc in
0 | 4 | 6) ;;
*) fail "status $rc" ;;
esac
python3 - <<'END' || fail "result.json"
import json

comparison = json.load(open("results/latest/result.json"))["comparison"]
slices = comparison["slices"]
for arm in "ab":
    own = [s for s in slices if s["arm"] == arm]
    assert own and all(s["sent"] > 0 and s["balanced"] for s in own), own
    assert any(s["value"] for s in own), own
END

qemus() {
	grep -lsz '^NFVCHAIN_ID=vm-snake-fast-' /proc/[0-9]*/environ || :
}
[ -z "$(qemus)" ] || fail "left running: $(qemus)"
! find . -maxdepth 1 -type d -name 'run-*' | grep . || fail "run directories are left"
