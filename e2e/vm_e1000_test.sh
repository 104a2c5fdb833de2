#!/bin/sh
# SPDX-License-Identifier: MIT
# suite: full
# timeout: 1500
# sanitize: no
# second try: an emulated machine starves where the host is busy
# Ports that are emulated Intel cards, e1000 and e1000e, are driven by DPDK's net_e1000 through
# uio_pci_generic in both guests, and each frame through them is accounted for.
. "$(dirname "$0")/_guest_image.sh"
. "$(dirname "$0")/../smoke/_init.sh"

need qemu-system-x86_64 python3
[ -n "${NFVCHAIN_GUEST_KERNEL-}" ] || nfvchain image show >show.out 2>&1 ||
	skip "needs an image of guests: $(tail -n 1 show.out)"

cat >check.py <<'END'
import json, sys

result = json.load(open("results/latest/result.json"))
for guest in result["environment"]["guests"]:
    assert [port["driver"] for port in guest["ports"]] == 2 * ["uio_pci_generic"], guest
trials = result["measurements"][0]["searches"][0]["trials"]
assert trials, "no trials"
for trial in trials:
    ledger = trial["ledger"]
    assert ledger["balanced"] and ledger["received"] > 0, ledger
    print("sent", ledger["sent"], "received", ledger["received"], "miss", ledger["miss"], "lost", ledger["lost"])
END

for model in e1000 e1000e; do
	sed "s/model: e1000e/model: $model/" "$top/chains/vm-e1000.yaml" >$model.yaml
	rc=0
	nfvchain bench $model.yaml --rate 2kpps -d 1s -s 64,1518 -o results >bench.log 2>&1 || rc=$?
	cat bench.log
	# 6: too noisy a machine for a verdict.  5 would be frames that nobody accounts for.
	[ "$rc" = 0 ] || [ "$rc" = 6 ] || fail "$model: status $rc"
	python3 check.py || fail "$model: result.json"
done
