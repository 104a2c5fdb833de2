#!/bin/sh
# SPDX-License-Identifier: MIT
# timeout: 120
# Ctrl-C at any moment of a benchmark ends in exit code 130, 143 for SIGTERM, and nothing is left; a
# SIGKILL of the orchestrator takes everything with it, and the next run works by itself.
. "$(dirname "$0")/../smoke/_init.sh"

for ms in 5 150 400 900 1600 2600; do
	start bench nfvchain bench --rate 100kpps -d 5s -o results
	sleep "$(printf '%d.%03d' $((ms / 1000)) $((ms % 1000)))"
	rc=0
	stop bench INT || rc=$?
	# Within the first milliseconds nothing is up yet, and the signal may end the program itself.
	[ "$rc" = 130 ] || fail "SIGINT after $ms ms: status $rc"
	[ -z "$(leftovers)" ] || fail "left after SIGINT at $ms ms: $(leftovers)"
done
start bench nfvchain bench --rate 100kpps -d 5s -o results
wait_until 20 'pgrep -f "nfvchain-fwd.*vnf1" >/dev/null'
rc=0
stop bench TERM || rc=$?
[ "$rc" = 143 ] || fail "SIGTERM: status $rc"
start bench nfvchain bench --rate 100kpps -d 5s -o results
wait_until 20 'pgrep -f "nfvchain-fwd.*vnf1" >/dev/null'
stop bench KILL || :
wait_until 10 '! pgrep -f "file-prefix=(gen|vnf1|wire)" >/dev/null'
nfvchain bench --rate 50kpps -d 200ms -o results || [ $? = 6 ]
