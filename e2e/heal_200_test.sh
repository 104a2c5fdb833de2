#!/bin/sh
# SPDX-License-Identifier: MIT
# suite: full
# timeout: 1800
# 200 random kills of supervised hops under load: no survivor dies, the way is blocked for at most
# 1.6 s in 99 of 100 of them, and nothing is left.
. "$(dirname "$0")/../smoke/_init.sh"

need python3

cp "$top/e2e/heal.yaml" .
seed=${NFVCHAIN_SEED:-$$}
echo "seed $seed"
: >all
round=0 tries=0
while [ "$round" -lt 8 ]; do
	rc=0
	"$top/e2e/_kills.sh" heal.yaml 25 $((seed + round)) >one || rc=$?
	[ "$rc" = 0 ] || [ "$rc" = 75 ] || fail "round $round: $(tail -20 one)"
	tries=$((tries + 1))
	[ "$tries" -lt 16 ] || fail "this machine is too busy"
	if [ "$rc" = 0 ]; then
		cat one >>all
		round=$((round + 1))
	fi
done
sed 's/.*blocked \([0-9]*\) ms.*/\1/' all | sort -n >blocked
[ "$(wc -l <blocked)" = 200 ] || fail "$(wc -l <blocked) kills"
echo "200 kills, no survivor died; blocked p50 $(sed -n 100p blocked) ms," \
	"p99 $(sed -n 198p blocked) ms, longest $(tail -1 blocked) ms"
[ "$(sed -n 198p blocked)" -le 1600 ] || fail "blocked for longer than 1.6 s"
[ -z "$(leftovers)" ] || fail "left: $(leftovers)"
