#!/bin/sh
# SPDX-License-Identifier: MIT
# timeout: 120
# A function of the user's, built from the installed header alone, runs in a chain: what it drops is
# in the ledger under its own reason.  One that cannot be used is refused with one sentence.
. "$(dirname "$0")/../smoke/_init.sh"

need cc make meson pkg-config python3

# The header as it is installed, and nothing else of the source.
DESTDIR="$scratch/root" meson install -C "$build" --no-rebuild --quiet --tags devel
prefix=$(dirname "$(dirname "$(dirname "$(find root -name nf.h)")")")
cp "$top"/examples/nf_*.c "$top/examples/Makefile" .
make PREFIX="$prefix" CFLAGS='-O2 -Wall -Wextra -Werror' >make.log 2>&1 || {
	cat make.log
	fail "the examples do not build"
}

rc=0
nfvchain bench "$top/examples/firewall.yaml" --duration 500ms --json --quiet >result.json || rc=$?
# Denied frames are lost for the receiver: with a rate that is given there is nothing to search.
[ "$rc" = 0 ] || [ "$rc" = 6 ] || fail "nfvchain bench ends with $rc"
python3 - <<'EOF'
import json
trial = json.load(open("result.json"))["measurements"][0]["searches"][0]["trials"][0]
ledger, sent = trial["ledger"], trial["slots"]["sent"]
drops = [hop["drops"] for hop in ledger["hops"]]
print("sent", sent, "drops", drops)
assert ledger["balanced"] and ledger["lost"] == 0, ledger
assert sent > 1000 and set(drops[0]) >= {"ttl.expired", "ttl.short", "l2fwd.foreign"}, drops
assert all(n == 0 for n in drops[0].values()), drops
# 4 flows of 16, which are sent in turns.
assert abs(drops[1]["deny.denied"] - sent / 4) < 4, (sent, drops)
assert sum(drops[1].values()) == drops[1]["deny.denied"], drops
EOF

# ---- what is refused ----

# build NAME FLAGS...: NAME.so from standard input.
build_nf() {
	name=$1
	shift
	# shellcheck disable=SC2046 # lists of words
	cc -fPIC -shared "-I$prefix/include" $(pkg-config --cflags libdpdk) "$@" -o "$name.so" -x c -
}

# The least of a function, with what differs from it in $1.
least() {
	cat <<-EOF
		#include <nfvchain/nf.h>
		static int open_it(const struct nf_conf *c, unsigned n, void **x, char *w, size_t s) { return 0; }
		static void burst_it(void *x, struct rte_mbuf **f, uint16_t n, uint8_t *v) {}
		static const char *const many[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i",
						   "j", "k", "l", "m", "n", "o", "p", "q", 0};
		static const struct nf it = {NF_HEADER, .name = "it", .open = open_it, .burst = burst_it, $1};
		const struct nf *nfvchain_nf(void) { return many[0] ? &it : 0; }
	EOF
}

# refuses FILE SENTENCE: with status 2, and the sentence is the last thing that is said.
refuses() {
	rc=0
	RUNTIME_DIRECTORY=$scratch nfvchain-fwd -l 0 --no-pci --vdev=net_null0 --vdev=net_null1 -- \
		--nf "$1" >refused.log 2>&1 || rc=$?
	[ "$rc" = 2 ] || { cat refused.log; fail "$1: status $rc"; }
	tail -n 1 refused.log | grep -Fq -- "--nf: $2" || { cat refused.log; fail "$1: not said: $2"; }
	[ "$(grep -c -- '--nf' refused.log)" = 1 ] || { cat refused.log; fail "$1: said twice"; }
}

least '' | build_nf fine
least '.abi = 7' | build_nf abi
least '.dpdk = 0x0b0c0d63' | build_nf dpdk
least '.drop_reasons = many' | build_nf many
least '.name = "Two words"' | build_nf name
least '.burst = 0' | build_nf burst
echo 'int nothing;' | build_nf nothing
echo 'extern int elsewhere; int *nfvchain_nf(void) { return &elsewhere; }' | build_nf elsewhere
echo 'not a program' >text.so

refuses ./gone.so "there is no './gone.so' in $scratch"
refuses ./text.so "'./text.so' cannot be loaded as a shared object: "
refuses ./elsewhere.so "'./elsewhere.so' cannot be loaded as a shared object: undefined symbol: elsewhere"
refuses ./nothing.so "'./nothing.so' exports no function nfvchain_nf()"
refuses ./abi.so "'./abi.so' was built for version 7 of nf.h, this is 1: build it again"
refuses ./dpdk.so "'./dpdk.so' was built with DPDK 11.12.13, this is "
refuses ./many.so "'./many.so' has more than 16 drop reasons"
refuses ./name.so "'./name.so': its name is not 1 to 15 of a-z, 0-9, _ and -"
refuses ./burst.so "'./burst.so' has no function burst"
# The one that nothing was changed of is taken.
RUNTIME_DIRECTORY=$scratch start fine nfvchain-fwd -l 0 --no-pci --vdev=net_null0 --vdev=net_null1 -- \
	--idle yield --control "$scratch/ctl" --nf ./fine.so
wait_until 20 '[ -S ctl ]'
stop fine || fail "./fine.so: status $?"
