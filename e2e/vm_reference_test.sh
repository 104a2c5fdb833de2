#!/bin/sh
# SPDX-License-Identifier: MIT
# timeout: 900
# sanitize: no
# second try: an emulated machine starves where the host is busy
# Generator and forwarder in a virtual machine each, joined by two isolated networks of libvirt's: what
# is sent comes through or is named where it was dropped, nothing is reflected or misdelivered, with
# each engine; versions, drivers and promiscuous mode are read back from the guests; frames for a MAC
# that nobody has are taken by nobody; and neither domains nor networks are left.
. "$(dirname "$0")/_guest_image.sh"
. "$(dirname "$0")/../smoke/_init.sh"
. "$(dirname "$0")/_libvirtd.sh"

need python3
[ -n "${NFVCHAIN_GUEST_KERNEL-}" ] || nfvchain image show >show.out 2>&1 ||
	skip "needs an image of guests: $(tail -n 1 show.out)"

cat >check.py <<'END'
import json, sys

result = json.load(open("results/latest/result.json"))
environment = result["environment"]
guests = {guest["name"]: guest for guest in environment["guests"]}
assert list(guests) == ["generator", "vnf1"], guests
for guest in guests.values():
    assert guest["dpdk_version"].startswith("DPDK 25.11"), guest
    assert guest["kernel"] and guest["hugepages"]["total"] >= guest["hugepages"]["wanted"], guest
    assert len(guest["ports"]) == 2, guest
    for port in guest["ports"]:
        assert port["driver"] == "uio_pci_generic", guest
        assert port["promiscuous"] is False, guest
steps = [(step["phase"], step["of"], step["step"]) for step in environment["bring_up"]]
for step in (("self-test", "link-0", "network"), ("self-test", "link-1", "network"),
             ("self-test", "generator", "boot"), ("self-test", "vnf1", "bind"),
             ("self-test", "", "trials of the generator"), ("chain", "vnf1", "start")):
    assert step in steps, (step, steps)
# Machines boot once, for the self-test and the chain.
assert len([step for step in steps if step[2] == "power-on"]) == 2, steps

trials = result["measurements"][0]["searches"][0]["trials"]
assert trials, "no trial"
for trial in trials:
    ledger, frames = trial["ledger"], trial["frames"]
    hop = ledger["hops"][0]
    assert ledger["balanced"] and ledger["sent"] > 0, ledger
    assert hop["exact"], "the forwarder in the guest was not asked"
    assert frames["reflected"] == frames["misdelivered"] == 0, frames
    if sys.argv[1] == "silent":
        # All of them were sent on to the network, and the NIC took none.
        assert hop["ports"][1]["tx"] == ledger["sent"] >= 500, ledger
        assert ledger["received"] == 0 and frames["received"] == 0, ledger
        assert ledger["lost"] == ledger["never_seen"] == ledger["sent"], ledger
        assert ledger["generator"][0]["rx"] == ledger["generator"][1]["rx"] == 0, ledger
    else:
        assert ledger["received"] > 0, ledger
    print("sent", ledger["sent"], "received", ledger["received"], "missed", ledger["miss"],
          "lost", ledger["lost"])
print("self-test and bring-up:", *(f"{s['of']} {s['step']} {s['elapsed_s']:.1f} s;"
                                   for s in environment["bring_up"]))
END

# bench KIND STATUS OPTIONS...: one load through the chain.
bench() {
	kind=$1 statuses=$2 rc=0
	shift 2
	nfvchain bench "$@" -o results >bench.log 2>&1 || rc=$?
	cat bench.log
	case " $statuses " in
	*" $rc "*) ;;
	*) fail "status $rc" ;;
	esac
	python3 check.py "$kind" || fail "result.json"
	[ -z "$(virsh -q -c "$URI" list --name --all)" ] || fail "domains are left"
	! virsh -q -c "$URI" net-list --name --all | grep -q '^link-' || fail "networks are left"
}

# 6: too noisy a machine for a verdict.  5 would be frames that nobody accounts for.
for engine in poll event pipeline; do
	bench load '0 6' "$top/chains/vm-snake.yaml" --engine "$engine" --rate 2kpps -d 2s
done
# More than emulated machines forward: what is dropped before a guest is counted there.
bench load '0 6' "$top/chains/vm-snake.yaml" --rate 200kpps -d 1s

sed '/name: vnf1/s/place: vm}$/place: vm, args: [--eth-dest, "1,02:00:00:00:99:99"]}/' \
	"$top/chains/vm-snake.yaml" >wrong.yaml
grep -q 99:99 wrong.yaml || fail "the chain file has another form"
bench silent 1 wrong.yaml --rate 2kpps -d 1s
grep -q "vnf1 sends frames on and none arrives at the generator" bench.log ||
	fail "another sentence"
