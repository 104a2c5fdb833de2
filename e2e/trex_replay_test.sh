#!/bin/sh
# SPDX-License-Identifier: MIT
# The server replies to what TRex's unmodified client asks as TRex v3.08 itself replied: recorded
# sessions of both, member by member.
. "$(dirname "$0")/../smoke/_init.sh"

vectors=$(dirname "$(realpath "$0")")/vectors
export RUNTIME_DIRECTORY="$scratch/xdg"

# serve NAME: a generator whose ports are joined, at an endpoint of that name.
serve() {
	start "$1" nfvchain-gen --rpc "ipc://$scratch/$1.rpc" --pub none \
		--eth-addr 0,02:00:00:00:00:01 --eth-dest 0,02:00:00:00:00:02 \
		--eth-addr 1,02:00:00:00:00:02 --eth-dest 1,02:00:00:00:00:01 -- \
		--no-huge -m 256 --file-prefix "$1" \
		"--vdev=net_memif0,role=server,id=0,socket-abstract=no,socket=$scratch/$1.memif" \
		"--vdev=net_memif1,role=client,id=0,socket-abstract=no,socket=$scratch/$1.memif"
	wait_until 30 "[ -S $scratch/$1.rpc ]"
}

# What is about received frames is not built yet.
skipped='-x set_port_attr' # memif ports are promiscuous and stay it
later='-x get_active_pgids -x get_pgid_stats -x service -x capture -x push_pkts -x set_rx_feature'

serve a
rc=0
# shellcheck disable=SC2086 # lists of words
"$build/e2e-replay" "ipc://$scratch/a.rpc" $skipped $later -l "$vectors/trex-console-session.jsonl:0-418" ||
	rc=$?
stop a
# The second recording goes on in the session of the console, with the server as the first left it.
serve b
# shellcheck disable=SC2086
"$build/e2e-replay" "ipc://$scratch/b.rpc" $skipped $later "$vectors/trex-api-session.jsonl:0-" \
	"$vectors/trex-console-session.jsonl:419-" || rc=$?
stop b
[ "$rc" = 0 ] || fail "it replies otherwise than TRex"
