#!/bin/sh
# SPDX-License-Identifier: MIT
# timeout: 600
# Requests that no client would send harm neither the generator nor its traffic: mutants of recorded
# ones, $NFVCHAIN_MUTANTS of them (20000), from $NFVCHAIN_TEST_SEED on, or from the time.
. "$(dirname "$0")/../smoke/_init.sh"
. "$top/e2e/_joined.sh"

vectors=$top/e2e/vectors
# A link so slow that no mutant can ask for more frames than one lcore has time for.
joined gen "ipc://$scratch/rpc" "ipc://$scratch/pub" --speed 20mbps
wait_until 30 "[ -S $scratch/rpc ]"
"$build/e2e-mutants" "ipc://$scratch/rpc" "$(pid_of gen)" "${NFVCHAIN_MUTANTS:-20000}" \
	"${NFVCHAIN_TEST_SEED:-$(date +%s)}" "$vectors"/*.jsonl
stop gen || fail "the generator ended with status $?"
