#!/bin/sh
# SPDX-License-Identifier: MIT
# timeout: 120
# `up` of what is there already or half: it starts what is dead, refuses another chain of the name
# with what differs, and clears away what nobody keeps; --detach keeps a chain in the background.
# shellcheck disable=SC2015,SC2016 # conditions expand when they are polled
. "$(dirname "$0")/../smoke/_init.sh"
. "$(dirname "$0")/_refused.sh"

cat >again.yaml <<'END'
version: 1
name: again
hops:
  - {name: vnf1, supervise: true}
  - {name: vnf2, supervise: true}
END
log=$NFVCHAIN_RUN/nfvchain.up.log

# keeper: the process that keeps the chain up.
keeper() {
	nfvchain ps | awk '$1 == "again" && $2 == "up" { print $4 }'
}
# hop NAME: its process.
hop() {
	pgrep -P "$(keeper)" | while read -r _pid; do
		! tr '\0' '\n' <"/proc/$_pid/environ" 2>/dev/null |
			grep -qx "NFVCHAIN_ID=again/$1" || echo "$_pid"
	done
}

nfvchain up again.yaml --detach >up.out || fail "up --detach: $?"
grep -q "^up; 'nfvchain down again' takes it down" up.out || fail "$(cat up.out)"
first=$(keeper)
nfvchain up again.yaml >up.out || fail "up of what is up: $?"
grep -q "is up already (pid $first)" up.out || fail "$(cat up.out)"

sed 's/vnf2, supervise: true/vnf2, engine: event/' again.yaml >other.yaml
refused 1 "another chain 'again' is up (pid $first): where it has '    engine: poll'" up other.yaml
refused 1 "is up without --trex-ports" up again.yaml --trex-ports

# One that dies again and again is given up, and the others are left alone.
until grep -q 'vnf2 died 5 times in a row and is given up' "$log"; do
	kill -s KILL "$(hop vnf2)" 2>/dev/null || sleep 0.05
done
vnf1=$(hop vnf1)
[ -n "$vnf1" ] && [ -z "$(hop vnf2)" ] || fail "$(nfvchain ps)"
nfvchain up again.yaml >up.out || fail "up of what is half up: $?"
grep -q '^started vnf2 again$' up.out || fail "$(cat up.out)"
[ -n "$(hop vnf2)" ] && [ "$(hop vnf1)" = "$vnf1" ] && [ "$(keeper)" = "$first" ] ||
	fail "$(nfvchain ps)"

# Nobody keeps it any more.
kill -s KILL "$first"
nfvchain up again.yaml --detach >up.out || fail "up of what is left: $?"
grep -q '^again: what is left of it goes first$' up.out || fail "$(cat up.out)"
[ "$(keeper)" != "$first" ] && [ -n "$(hop vnf2)" ] || fail "$(nfvchain ps)"
nfvchain down again >down.out || fail "down: $?"
grep -q '^again: ended nfvchain up' down.out || fail "$(cat down.out)"

# What does not come up is told by the command itself.
sed 's/supervise: true/supervise: true, args: [--no-such-option]/' again.yaml >broken.yaml
refused 1 "no-such-option" up broken.yaml --detach
! nfvchain ps | grep -q '^again' || fail "$(nfvchain ps)"
