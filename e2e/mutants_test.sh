#!/bin/sh
# SPDX-License-Identifier: MIT
# timeout: 600
# Requests that no client would send harm neither the generator nor its traffic: mutants of recorded
# ones, $NFVCHAIN_MUTANTS of them (20000), from $NFVCHAIN_TEST_SEED on, or from the time.
. "$(dirname "$0")/../smoke/_init.sh"

vectors=$top/e2e/vectors
export RUNTIME_DIRECTORY="$scratch/xdg"
# A link so slow that no mutant can ask for more frames than one lcore has time for.
start gen nfvchain-gen --rpc "ipc://$scratch/rpc" --pub "ipc://$scratch/pub" --speed 20mbps \
	--eth-addr 0,02:00:00:00:00:01 --eth-dest 0,02:00:00:00:00:02 \
	--eth-addr 1,02:00:00:00:00:02 --eth-dest 1,02:00:00:00:00:01 -- \
	--no-huge -m 256 --file-prefix mutants \
	"--vdev=net_memif0,role=server,id=0,socket-abstract=no,socket=$scratch/memif" \
	"--vdev=net_memif1,role=client,id=0,socket-abstract=no,socket=$scratch/memif"
wait_until 30 "[ -S $scratch/rpc ]"
"$build/e2e-mutants" "ipc://$scratch/rpc" "$(pid_of gen)" "${NFVCHAIN_MUTANTS:-20000}" \
	"${NFVCHAIN_TEST_SEED:-$(date +%s)}" "$vectors"/*.jsonl
stop gen || fail "the generator ended with status $?"
