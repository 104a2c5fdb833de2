#!/bin/sh
# SPDX-License-Identifier: MIT
# timeout: 300
# A chain between two files takes each frame of the one through its functions once and writes what comes
# out into the other, byte for byte but for addresses, whatever is in it; drops have a reason, and what
# is no file of frames is refused before anything starts.  $ROUNDS (1) times $FRAMES (20000) frames.
. "$(dirname "$0")/../smoke/_init.sh"

# chain NAME IN OUT [ARGS-OF-THE-FIRST]
chain() {
	cat >"$1.yaml" <<-EOF_CHAIN
		version: 1
		name: $1
		hops: [{kind: nfvchain-fwd, args: [${4-}]}, nfvchain-fwd]
		links: [{kind: pcap, file: "$2"}, vhost-user, {kind: pcap, file: "$3"}]
	EOF_CHAIN
}

mkdir -p "$NFVCHAIN_RUN"
frames=${FRAMES:-20000}
chain all in.pcap out.pcap
round=0
while [ "$round" -lt "${ROUNDS:-1}" ]; do
	"$build/e2e-captures" make in.pcap "$frames" $((4711 + round)) 9212
	nfvchain bench all.yaml -o "all$round" >all.txt || { cat all.txt; fail "status $?"; }
	"$build/e2e-captures" same in.pcap out.pcap || fail "other frames came out"
	grep -q "\"written\": $frames" "all$round"/*/files.json || fail "not all were written"
	round=$((round + 1))
done
grep -q 'not a rate measurement' all.txt || fail "nobody says that it is no measurement"
grep -q 'every frame accounted for, none lost' all.txt || fail "not all accounted for"

# What the first sends to nobody, the second drops, and says so.
"$build/e2e-captures" make small.pcap 100 1 1514
chain drops small.pcap none.pcap '--eth-dest, "1,02:00:00:00:00:99"'
nfvchain bench drops.yaml -o drops >drops.txt || { cat drops.txt; fail "drops: status $?"; }
grep -q 'vnf2 dropped 100: l2fwd.foreign' drops.txt || { cat drops.txt; fail "drops have no reason"; }
grep -q '"written": 0' drops/*/files.json || fail "frames were written that were dropped"

# refuses 'SENTENCE' IN OUT
refuses() {
	rc=0
	chain refused "$2" "$3"
	nfvchain bench refused.yaml >out 2>&1 || rc=$?
	[ "$rc" = 2 ] || { cat out; fail "status $rc of $2"; }
	grep -q "error: .*$1" out || { cat out; fail "'$1' is not said of $2"; }
	[ -z "$(leftovers 2>/dev/null)" ] || fail "left: $(leftovers)"
}

head -c 100 small.pcap >cut.pcap
echo nothing >text.pcap
head -c 24 small.pcap >empty.pcap
ln -s small.pcap link.pcap
refuses "cut.pcap" cut.pcap out.pcap
refuses "text.pcap" text.pcap out.pcap
refuses "'empty.pcap' has no frames" empty.pcap out.pcap
refuses "none.such" none.such out.pcap
refuses "cannot be made in 'nowhere'" small.pcap nowhere/out.pcap
refuses "'link.pcap' is 'small.pcap'" small.pcap link.pcap
refuses "is no regular file" small.pcap /dev/null
rc=0
nfvchain up all.yaml >out 2>&1 || rc=$?
[ "$rc" = 2 ] || { cat out; fail "up: status $rc"; }
grep -q "lies between two files" out || { cat out; fail "up does not say why"; }
