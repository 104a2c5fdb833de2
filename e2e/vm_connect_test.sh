#!/bin/sh
# SPDX-License-Identifier: MIT
# timeout: 900
# suite: full
# sanitize: no
# A forwarder of two lcores in a libvirt domain, joined through two queues in shared memory to a
# generator outside: libvirt knows of it while it is there, each frame is accounted for, and neither domain nor socket is left.
. "$(dirname "$0")/_guest_image.sh"
. "$(dirname "$0")/../smoke/_init.sh"
. "$(dirname "$0")/_libvirtd.sh"

need python3
[ -n "${NFVCHAIN_GUEST_KERNEL-}" ] || nfvchain image show >show.out 2>&1 ||
	skip "needs an image of guests: $(tail -n 1 show.out)"

cat >connect.yaml <<END
version: 1
name: connect
hops: [{name: vnf1, kind: nfvchain-fwd, place: vm, lcores: 2}]
links: {kind: vhost-user, queues: 2}
traffic: {flows: 64}
END
start bench nfvchain bench connect.yaml --connect "$URI" --rate 20kpps -d 1s -o results
# shellcheck disable=SC2016 # evaluated again and again
wait_until 300 '[ "$(virsh -q -c "$URI" list --name)" = connect-vnf1 ]'
virsh -q -c "$URI" dumpxml connect-vnf1 | grep -q "<interface type='vhostuser'>" ||
	fail "$(virsh -q -c "$URI" dumpxml connect-vnf1)"
# shellcheck disable=SC2016 # evaluated again and again
wait_until 300 '[ -e results/latest/result.json ] && [ ! -e "$NFVCHAIN_RUN" ]'
python3 - results/latest/result.json <<'END' || fail "result.json"
import json, sys

for trial in json.load(open(sys.argv[1]))["measurements"][0]["searches"][0]["trials"]:
    ledger = trial["ledger"]
    assert ledger["balanced"] and ledger["received"] > 0 and ledger["lost"] == 0, ledger
    print("sent", ledger["sent"], "received", ledger["received"], "lost", ledger["lost"])
END
[ -z "$(virsh -q -c "$URI" list --name --all)" ] || fail "domains are left"
stop libvirtd
