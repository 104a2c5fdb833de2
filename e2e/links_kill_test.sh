#!/bin/sh
# SPDX-License-Identifier: MIT
# suite: full
# timeout: 300
# Links of the kernel's leave nothing behind: neither when the chain is taken down, nor when the
# orchestrator is killed, nor when a hop is.  Who may not make them is told so before anything starts.
. "$(dirname "$0")/../smoke/_init.sh"
need ip setpriv unshare

[ "$(id -u)" = 0 ] || skip "needs root: AF_XDP is refused to others"

# Processes of the chain, or its process $1.
chain_pids() {
	for _environ in /proc/[0-9]*/environ; do
		grep -qsz "^NFVCHAIN_ID=kill-$kind/${1-}" "$_environ" && echo "$_environ" | cut -d/ -f3
	done || :
}

# Namespaces of theirs.
chain_namespaces() {
	for _pid in $(chain_pids); do
		readlink "/proc/$_pid/ns/net" || :
	done | sort -u
}

for kind in veth veth-xdp tap; do
	printf 'version: 1\nname: %s\nhops: [nfvchain-fwd, nfvchain-fwd]\nlinks: %s\n' \
		"kill-$kind" "$kind" >"$kind.yaml"
	start up nfvchain up "$kind.yaml"
	wait_until 30 'grep -q "^up;" up.log'
	[ "$(chain_namespaces | wc -l)" = 3 ] || fail "$kind: not one namespace for each process"
	! ip -o link | grep -q nfv || fail "$kind: an interface is among the machine's"
	stop up KILL || :
	# shellcheck disable=SC2016
	wait_until 10 '[ -z "$(chain_pids)" ]'

	# Nothing of it is in the way, and a hop that dies is named.
	start again nfvchain up "$kind.yaml"
	wait_until 30 'grep -q "^up;" again.log'
	kill -KILL "$(chain_pids vnf2)"
	rc=0
	wait "$(pid_of again)" || rc=$?
	[ "$rc" = 1 ] || fail "$kind: status $rc after the death of a hop"
	grep -q "vnf2 killed by SIGKILL" again.log || fail "$kind: nobody said that vnf2 was killed"
	[ -z "$(leftovers)" ] || fail "$kind: left: $(leftovers)"
	[ -z "$(chain_pids)" ] || fail "$kind: a process is left"
	rm up.log again.log
done

told() {
	[ "$rc" = 3 ] || fail "without rights: status $rc"
	grep -q "$1" refused.log || fail "without rights: $(tail -n 1 refused.log)"
}

rc=0
unshare -Ur sh -c 'echo 0 >/proc/sys/user/max_user_namespaces
	exec setpriv --bounding-set=-all --inh-caps=-all nfvchain up veth.yaml' >refused.log 2>&1 || rc=$?
told "no network namespace can be made"
rc=0
unshare -Ur nfvchain up veth-xdp.yaml >refused.log 2>&1 || rc=$?
told "AF_XDP is refused to this user (loading a program"
