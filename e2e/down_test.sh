#!/bin/sh
# SPDX-License-Identifier: MIT
# timeout: 300
# `nfvchain ps` tells what is up and what is left, found without a file that says so; `nfvchain down`
# takes it down, also after a SIGKILL at any moment and with children that do not hear, and leaves
# alone what is not ours.
. "$(dirname "$0")/../smoke/_init.sh"

need python3 ip

# state CHAIN: "up COMMAND PID", "left - -", or "none".
state() {
	nfvchain ps --json >ps.json
	python3 - "$1" <<'END'
import json, sys
found = [c for c in json.load(open("ps.json"))["chains"] if c["name"] == sys.argv[1]]
assert len(found) <= 1, found
for c in found:
    print(c["state"], c["command"] or "-", c["pid"] or "-")
if not found:
    print("none")
END
}

expect() {
	[ "$2" = "$3" ] || fail "$1: '$2' instead of '$3'"
}

# What of ours is there: no process, no file but the lock.
nothing_left() {
	mkdir -p "$NFVCHAIN_RUN"
	[ -z "$(leftovers)" ] || fail "$1: left: $(leftovers)"
	expect "$1" "$(state snake)" none
}

nothing='no chain is up, and nothing is left of any'
expect "before" "$(nfvchain ps)" "$nothing"
expect "down of nothing" "$(nfvchain down snake)" "nothing of chain snake is here"
expect "down --all of nothing" "$(nfvchain down --all)" "nothing of any chain is here"

# A chain that is up: told, and ended by its own nfvchain.
start up nfvchain up
wait_until 60 "grep -q '^up; ' up.log"
expect "up" "$(state snake)" "up up $(pid_of up)"
nfvchain ps >ps.out
grep -Eq "^snake +up +up +$(pid_of up) +[0-9]+s +2 processes \((generator, vnf1|vnf1, generator)\)" ps.out ||
	fail "$(cat ps.out)"
nfvchain down snake >down.out
expect "down of up" "$(cat down.out)" "snake: ended nfvchain up (pid $(pid_of up))"
rc=0
stop up || rc=$?
[ "$rc" = 0 ] || fail "up ended with $rc"
nothing_left "after down"

# By its file; and a benchmark ends with the code of a signal.
printf 'version: 1\nname: other\nhops: [nfvchain-fwd]\n' >other.yaml
start bench nfvchain bench other.yaml --rate 100kpps -d 20s -o results
# shellcheck disable=SC2016 # evaluated again and again
wait_until 60 '[ "$(state other)" != none ]'
nfvchain down other.yaml >down.out
grep -qx "other: ended nfvchain bench (pid $(pid_of bench))" down.out || fail "$(cat down.out)"
rc=0
stop bench || rc=$?
[ "$rc" = 143 ] || fail "bench ended with $rc"
nothing_left "after down of a benchmark"

# Killed, with children that are stopped and so do not hear that their parent is gone; a device and a
# namespace of that chain's name beside.
rm up.log
start up nfvchain up
wait_until 60 "grep -q '^up; ' up.log"
# Names of devices have the bytes in them that the chain's addresses have.
prefix=$(nfvchain plan --json | sed -n 's/.*"02:\(..\):\(..\):00:00:00".*/nfv\1\2-/p')
[ -n "$prefix" ] || fail "no address in the plan"
is_root=$([ "$(id -u)" != 0 ] || echo yes)
children=$("$top/devtools/pids-with" "RUNTIME_DIRECTORY=$NFVCHAIN_RUN/rt/vnf1")
# Somebody else's, which must be there to the end.
NFVCHAIN_ID=snake/mine RUNTIME_DIRECTORY=/elsewhere/rt/mine sleep 100 &
stranger=$!
sleep 100 &
namesake=$!
# shellcheck disable=SC2086 # one each
kill -s STOP $children
kill -s KILL "$(pid_of up)"
stop up KILL || :
if [ -n "$is_root" ]; then
	ip link add "${prefix}0-0" type veth peer name "${prefix}0-1"
	ip link add nfvother type veth peer name nfvpeer
fi
expect "killed" "$(state snake)" "left - -"
# Its number is another process's now: nobody kills that one.
echo "$namesake snake" >"$NFVCHAIN_RUN.lock"
expect "a number used again" "$(state snake)" "left - -"
nfvchain down >down.out || fail "down: $(cat down.out)"
cat down.out
grep -q "^snake: removed $NFVCHAIN_RUN\$" down.out || fail "the run directory: $(cat down.out)"
kill -0 "$stranger" || fail "a process in another run directory was killed"
kill -0 "$namesake" || fail "a process whose number stood in the lock was killed"
kill "$stranger" "$namesake"
wait "$stranger" "$namesake" || :
# By its name a device may be of that other run directory; with nothing there any more it is not.
if [ -n "$is_root" ]; then
	ip -br link show "${prefix}0-0" >/dev/null || fail "a device of another run directory is gone"
	nfvchain down snake >down.out
	grep -Eq "^snake: removed device ${prefix}0-[01]\$" down.out || fail "$(cat down.out)"
	! ip -br link show "${prefix}0-0" >/dev/null 2>&1 || fail "a device is left"
	ip -br link show nfvother >/dev/null || fail "somebody else's device is gone"
	ip link del nfvother
fi
nothing_left "after a kill"

# A child that does not end for SIGTERM and has no lifeline.
start deaf env "NFVCHAIN_ID=snake/deaf" "RUNTIME_DIRECTORY=$NFVCHAIN_RUN/rt/deaf" \
	sh -c 'trap "" TERM; while :; do sleep 0.2; done'
# shellcheck disable=SC2016 # evaluated again and again
wait_until 5 '[ "$(state snake)" = "left - -" ]'
nfvchain down snake >down.out
grep -q "^snake: ended process $(pid_of deaf) (deaf)\$" down.out || fail "$(cat down.out)"
stop deaf KILL || :
nothing_left "after a deaf child"

# Nobody has it up, and nothing was made by hand: whatever the moment of the kill, the next run works.
for ms in 20 150 300 600 1200; do
	start bench nfvchain bench --rate 100kpps -d 5s -o results
	sleep "$(printf '%d.%03d' $((ms / 1000)) $((ms % 1000)))"
	kill -s KILL "$(pid_of bench)"
	stop bench KILL || :
	nfvchain down --all >down.out || fail "after $ms ms: $(cat down.out)"
	nothing_left "after $ms ms"
done
nfvchain bench --rate 50kpps -d 200ms -o results >bench.log 2>&1 || [ $? = 6 ] || fail "the next run"

# What nobody can mean.
for words in '--all snake' 'a b' 'no/such.yaml'; do
	rc=0
	# shellcheck disable=SC2086 # words
	nfvchain down $words 2>err.out || rc=$?
	[ "$rc" = 2 ] || fail "down $words: status $rc: $(cat err.out)"
done
