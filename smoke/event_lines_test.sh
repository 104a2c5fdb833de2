#!/bin/sh
# SPDX-License-Identifier: MIT
# The event and the pipeline line of the DPDK examples run byte for byte, on any number of CPUs and
# without hugepages, forward, and end with every frame accounted for.
. "$(dirname "$0")/_init.sh"

ln -s "$build/nfvchain-fwd" dpdk-l2fwd-event
ln -s "$build/nfvchain-fwd" dpdk-eventdev_pipeline
export NFVCHAIN_EAL_ARGS='--vdev=net_null0,size=64 --vdev=net_null1,size=64'
export NFVCHAIN_ETH_DEST='1=52:54:00:f0:6d:aa'
# net_null makes frames that are addressed to nobody, and the lines name no statistics.
export NFVCHAIN_PROMISCUOUS=yes NFVCHAIN_PERIOD=200ms

# expect_forwarded NAME: more than a million frames leave, and the last line accounts for all.
expect_forwarded() {
	wait_until 60 "grep -Eq '^port 1: .* tx [0-9]{7}' $1.log"
	stop "$1"
	line=$(tail -n 1 "$1.log")
	echo "$1: $line"
	echo "$line" |
		grep -Eq '^rx ([0-9]+) \+ created 0 = tx \1 \+ dropped 0 \+ in flight 0$' ||
		fail "not accounted for: $line"
}

start event ./dpdk-l2fwd-event -l 0-3 -s 0x8 -n 4 --vdev event_sw0 -- \
	-p 0x3 --mode=eventdev --eventq-sched=atomic
expect_forwarded event
start pipeline ./dpdk-eventdev_pipeline -l 0-3 -n 4 --vdev event_sw0 -- \
	-r 0x1 -t 0x2 -e 0x4 -w 0x8 -s 1 -n 0
expect_forwarded pipeline

# Each thread of its own, as the line has it, on however few CPUs: they yield to each other.
NFVCHAIN_FUSE=no
export NFVCHAIN_FUSE
start threads ./dpdk-eventdev_pipeline -l 0-3 -n 4 --vdev event_sw0 -- \
	-r 0x1 -t 0x2 -e 0x4 -w 0x8 -s 1 -n 0
expect_forwarded threads
