#!/bin/sh
# SPDX-License-Identifier: MIT
# The server replies to what TRex's unmodified client asks as TRex v3.08 itself replied: recorded
# sessions of both, member by member.
. "$(dirname "$0")/../smoke/_init.sh"
. "$top/e2e/_joined.sh"

vectors=$(dirname "$(realpath "$0")")/vectors

# serve NAME: a generator whose ports are joined, at an endpoint of that name.
serve() {
	joined "$1" "ipc://$scratch/$1.rpc" none
	wait_until 30 "[ -S $scratch/$1.rpc ]"
}

skipped='-x set_port_attr' # memif ports are promiscuous and stay it

serve a
rc=0
# shellcheck disable=SC2086 # lists of words
"$build/e2e-replay" "ipc://$scratch/a.rpc" $skipped -l "$vectors/trex-console-session.jsonl:0-418" ||
	rc=$?
stop a
# The second recording goes on in the session of the console, with the server as the first left it.
serve b
# shellcheck disable=SC2086
"$build/e2e-replay" "ipc://$scratch/b.rpc" $skipped "$vectors/trex-api-session.jsonl:0-" \
	"$vectors/trex-console-session.jsonl:419-" || rc=$?
stop b
[ "$rc" = 0 ] || fail "it replies otherwise than TRex"
