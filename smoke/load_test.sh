#!/bin/sh
# SPDX-License-Identifier: MIT
# With --load each engine forwards all frames of the load: every queue delivers its share of the mix,
# and the books balance.
. "$(dirname "$0")/_init.sh"

need python3
cpus=$(python3 -c 'import os; s = os.sched_getaffinity(0); print(min(s), max(s))')
first=${cpus% *} last=${cpus#* }
export RUNTIME_DIRECTORY="$scratch/xdg"

# forwards NAME OPTION...: more than 100000 frames come through, and are accounted for.
forwards() {
	name=$1
	shift
	start "$name" nfvchain-fwd --lcores "0@$first,1@$last" --no-pci --file-prefix="$name" \
		--vdev=net_null0 --vdev=net_null1,no-rx=1 -- \
		--rxq 2 --load flows=5,random=3,window=64 --period 100ms --json "$@"
	wait_until 20 "grep -Eq '^port 1: rx 0 .* tx [0-9]{6}' $name.log"
	rc=0
	stop "$name" || rc=$?
	[ "$rc" = 0 ] || fail "$name ends with $rc"
	python3 - "$name.log" <<'END'
import json, sys
fwd = json.loads(open(sys.argv[1]).read().splitlines()[-1])
queues = [q for q in fwd["load"] if q["port"] == 0]
print(sys.argv[1], fwd["rx"], queues)
assert fwd["rx"] == fwd["tx"] + fwd["dropped"] and fwd["dropped"] == 0, fwd
assert fwd["residual"] == 0 and fwd["in_flight"] == 0 and fwd["leaked_buffers"] == 0, fwd
assert sum(q["delivered"] for q in queues) == fwd["rx"], fwd
assert sum(q["flows"] for q in queues) == 5 and all(q["flows"] > 0 for q in queues), queues
# One wire brought them: a queue is ahead of its share by the window and a burst at most.
a, b = queues
room = 64 + 256
assert a["delivered"] * b["flows"] <= (b["delivered"] + room) * a["flows"], queues
assert b["delivered"] * a["flows"] <= (a["delivered"] + room) * b["flows"], queues
END
}

forwards poll --engine poll
forwards event --engine event
forwards dsw --engine event --event-dev event_dsw0 --nf l2fwd --nf work:300,skew=2
forwards pipeline --engine pipeline --stages 2 --stage-nf 1=work:300
