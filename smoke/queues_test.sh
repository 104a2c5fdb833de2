#!/bin/sh
# SPDX-License-Identifier: MIT
# Two queues of each of two ports on two lcores: what another program puts into each queue comes out,
# and both programs count the same frames.
. "$(dirname "$0")/_init.sh"

need dpdk-testpmd python3
cpus=$(python3 -c 'import os; s = os.sched_getaffinity(0); print(min(s), max(s))')
first=${cpus% *} last=${cpus#* }
export RUNTIME_DIRECTORY="$scratch/xdg"

start fwd nfvchain-fwd --lcores "0@$last,1@$last" --no-pci --file-prefix=fwd \
	--vdev="net_vhost0,iface=$scratch/a,queues=2" \
	--vdev="net_vhost1,iface=$scratch/b,queues=2" -- \
	--promiscuous --rxq 2 --idle yield --period 100ms --json
wait_until 20 '[ -S a ] && [ -S b ]'

# testpmd passes on what it receives, so that frames go round until it stops.
mkfifo commands
exec 3<>commands
# shellcheck disable=SC2016 # expands in the shell inside
start testpmd timeout -k 5 60 sh -c 'exec stdbuf -oL dpdk-testpmd "$@" <commands' sh \
	--lcores "0@$first,1@$first,2@$first" --no-huge -m 256 --no-pci --file-prefix=testpmd \
	--vdev="net_virtio_user0,path=$scratch/a,queues=2,queue_size=1024" \
	--vdev="net_virtio_user1,path=$scratch/b,queues=2,queue_size=1024" -- -i \
	--rxq=2 --txq=2 --rxd=1024 --txd=1024 --nb-cores=2 --total-num-mbufs=16384 \
	--forward-mode=io --no-lsc-interrupt
wait_until 20 'grep -q "^testpmd>" testpmd.log'
# 8 bursts of 32 frames into each of the 4 queues.
echo 'start tx_first 8' >&3
wait_until 20 'grep -Eq "^port 0: rx [0-9]{5}" fwd.log && grep -Eq "^port 1: rx [0-9]{5}" fwd.log'
echo stop >&3
has_stopped() {
	sed -n '/Accumulated/,$p' testpmd.log | grep -q '^Done'
}
wait_until 20 has_stopped
# What still lies in the rings is received.
has_all() {
	received=$(awk '/^port [01]: rx/ { n[$2] = $4 } END { print n["0:"] + n["1:"] }' fwd.log)
	sed -n '/Accumulated/,$p' testpmd.log | grep -q "TX-packets: $received "
}
wait_until 20 has_all
rc=0
stop fwd || rc=$?
[ "$rc" = 0 ] || fail "the forwarder ends with $rc"
echo quit >&3

python3 - <<'EOF'
import json, re
fwd = json.loads(open("fwd.log").read().splitlines()[-1])
pmd = open("testpmd.log").read().split("Accumulated forward statistics")[1]
rx, rx_dropped, tx, tx_dropped = (
    int(re.search(word + r": (\d+)", pmd)[1])
    for word in ("RX-packets", "RX-dropped", "TX-packets", "TX-dropped"))
print("testpmd", rx, rx_dropped, tx, tx_dropped, "fwd", fwd["rx"], fwd["tx"], fwd["dropped"])
assert fwd["tx"] == fwd["rx"] == tx and fwd["dropped"] == 0, fwd
# The frames that went round lie in testpmd's rings now.
assert rx - tx_dropped == tx - 4 * 8 * 32 and rx_dropped == 0
assert len(fwd["lcores"]) == 2 and all(l["bursts"] > 0 for l in fwd["lcores"]), fwd["lcores"]
EOF
