#!/bin/sh
# SPDX-License-Identifier: MIT
# From an odd port a profile is sent the other way, as TRex sends its own, unless it is said which.
. "$(dirname "$0")/_init.sh"

need python3

# Prints source and destination address of the frames of a profile, and at which of their bytes the
# first variable is written.
way() {
	nfvchain start "$@" --dry-run --json >streams.json || fail "start $* ends with $?"
	python3 -c '
import base64, json, socket
for stream in json.load(open("streams.json")):
    frame = base64.b64decode(stream["packet"]["binary"])
    writes = [i["pkt_offset"] for i in stream["vm"]["instructions"] if i["type"] == "write_flow_var"]
    print(socket.inet_ntoa(frame[26:30]), socket.inet_ntoa(frame[30:34]), writes[0])
' | sort -u
}

# is WANT ARGUMENT...
is() {
	want=$1
	shift
	got=$(way "$@")
	[ "$got" = "$want" ] || fail "start $*: '$got', not '$want'"
}

is '16.0.0.1 48.0.0.1 26' -f imix
is '16.0.0.1 48.0.0.1 26' -f imix -p 0
is '48.0.0.1 16.0.0.1 30' -f imix -p 1
is '48.0.0.1 16.0.0.1 30' -f imix -p 3
is '16.0.0.1 48.0.0.1 26' -f imix -p 1 -t direction=0
is '48.0.0.1 16.0.0.1 30' -f imix -p 0 -t direction=1
rc=0
nfvchain start -f imix --dry-run -t direction=2 2>err.log || rc=$?
[ "$rc" = 2 ] || fail "a direction that is none ends with $rc"
grep -q "direction is one of 0, 1" err.log || fail "$(cat err.log)"
