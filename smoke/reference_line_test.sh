#!/bin/sh
# SPDX-License-Identifier: MIT
# The polling line of the DPDK example runs byte for byte, on any number of CPUs and without
# hugepages, and ends with every frame accounted for.
. "$(dirname "$0")/_init.sh"

ln -s "$build/nfvchain-fwd" dpdk-l2fwd
export NFVCHAIN_EAL_ARGS='--vdev=net_null0,size=64 --vdev=net_null1,size=64'
export NFVCHAIN_ETH_DEST='1=52:54:00:f0:6d:aa'
start l2fwd ./dpdk-l2fwd -l 0-1 -n 4 -- -p 0x3 -T 1
wait_until 20 'grep -q "^port 1: rx [1-9]" l2fwd.log'
stop l2fwd

line=$(tail -n 1 l2fwd.log)
# net_null makes frames that are addressed to nobody: each is received, and dropped as not for us.
echo "$line" | grep -Eq '^rx ([0-9]+) \+ created 0 = tx 0 \+ dropped \1 \+ in flight 0 · l2fwd.foreign \1$' ||
	fail "not accounted for: $line"
