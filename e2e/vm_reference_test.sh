#!/bin/sh
# SPDX-License-Identifier: MIT
# timeout: 900
# suite: full
# sanitize: no
# Generator and forwarder in a virtual machine each, joined by two isolated networks of libvirt's: what
# is sent comes through or is named where it was dropped, nothing is reflected or misdelivered, and
# neither domains nor networks are left.
. "$(dirname "$0")/_guest_image.sh"
. "$(dirname "$0")/../smoke/_init.sh"
. "$(dirname "$0")/_libvirtd.sh"

need python3
[ -n "${NFVCHAIN_GUEST_KERNEL-}" ] || nfvchain image show >show.out 2>&1 ||
	skip "needs an image of guests: $(tail -n 1 show.out)"

# bench RATE DURATION: one load through the chain.
bench() {
	rc=0
	nfvchain bench "$top/chains/vm-snake.yaml" --rate "$1" -d "$2" -o results >bench.log 2>&1 || rc=$?
	cat bench.log
	[ "$rc" = 0 ] || [ "$rc" = 6 ] || fail "status $rc"
	python3 - results/latest/result.json <<'END' || fail "result.json"
import json, sys

result = json.load(open(sys.argv[1]))
for trial in result["measurements"][0]["searches"][0]["trials"]:
    ledger = trial["ledger"]
    assert ledger["balanced"] and ledger["received"] > 0, ledger
    assert ledger["hops"][0]["exact"], "the forwarder in the guest was not asked"
    frames = trial["frames"]
    assert frames["reflected"] == frames["misdelivered"] == 0, frames
    print("sent", ledger["sent"], "received", ledger["received"], "missed", ledger["miss"],
          "lost", ledger["lost"])
END
	[ -z "$(virsh -q -c "$URI" list --name --all)" ] || fail "domains are left"
	! virsh -q -c "$URI" net-list --name --all | grep -q '^link-' || fail "networks are left"
}

bench 2kpps 2s
# More than emulated machines forward: what is dropped before a guest is counted there.
bench 200kpps 1s
