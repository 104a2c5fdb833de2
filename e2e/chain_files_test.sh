#!/bin/sh
# SPDX-License-Identifier: MIT
# timeout: 120
# Chain files that nobody would write: $NFVCHAIN_MUTANTS (5000) mutants of all in chains/ and chains made
# from the grammar, from $NFVCHAIN_TEST_SEED on, or from the time, are each rejected with a line or printed
# again as the same chain; and each impossible chain is refused with a sentence before anything starts.
. "$(dirname "$0")/../smoke/_init.sh"

mkdir -p "$NFVCHAIN_RUN"
"$build/e2e-chain-files" "${NFVCHAIN_MUTANTS:-5000}" "${NFVCHAIN_TEST_SEED:-$(date +%s)}" \
	"$top"/chains/*.yaml

# impossible CODE 'SENTENCE' CHAIN [SETTING=VALUE]: nothing starts, and that is why.
impossible() {
	rc=0
	printf 'version: 1\n%b' "$3" >chain.yaml
	env ${4:+"$4"} nfvchain up chain.yaml >out 2>&1 </dev/null || rc=$?
	[ "$rc" = "$1" ] || { cat out; fail "status $rc, not $1, of: $3"; }
	grep -q "error: .*$2" out || { cat out; fail "'$2' is not said of: $3"; }
	[ -z "$(leftovers 2>/dev/null)" ] || fail "left of a chain that cannot be: $(leftovers)"
}

impossible 2 "hops 1 and 3 are both named 'a'" 'hops: [{name: a}, {name: b}, {name: a}]\n'
impossible 2 "'links' has 1 entry, and 1 hop needs 2" 'links: [memif]\n'
impossible 2 "written while it is read" 'links: [{kind: pcap, file: x}, {kind: pcap, file: x}]\n'
impossible 2 "CPU 0 is given twice" 'hops: [{cpus: [0, 0]}]\n'
impossible 2 "1023 is not among the CPUs this process may use" 'hops: [{cpus: [1023]}]\n'
# 107 characters fit in a socket's address: /link0.sock is the shortest of the names that do not.
long=$scratch/$(printf '%0200d' 0)
long=$(printf '%.97s' "$long")
impossible 2 "link0.sock' has 108 characters and may have 107" '' "NFVCHAIN_RUN=$long"
impossible 2 "joins two VMs, and the generator is a process" 'links: network\n'
impossible 2 "frames of 9216 bytes do not fit link 0: tap carries 1522 at most" \
	'links: tap\ntraffic: {frames: 9216}\n'

# Nobody may make a namespace here, and links of the kernel's need one.
if unshare -Ur true 2>/dev/null; then
	printf 'version: 1\nlinks: tap\n' >chain.yaml
	rc=0
	unshare -Ur sh -c 'echo 0 >/proc/sys/user/max_user_namespaces
		exec setpriv --bounding-set=-all --inh-caps=-all nfvchain up chain.yaml' >out 2>&1 || rc=$?
	[ "$rc" = 3 ] || { cat out; fail "without rights: status $rc"; }
	grep -q 'error: .*no network namespace can be made .*run nfvchain as root, or allow' out ||
		{ cat out; fail "without rights: nobody says what to do"; }
	[ -z "$(leftovers 2>/dev/null)" ] || fail "left of a chain without rights: $(leftovers)"
fi
