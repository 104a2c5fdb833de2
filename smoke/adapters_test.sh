#!/bin/sh
# SPDX-License-Identifier: MIT
# With DPDK's Rx and Tx adapters in place of its own roles the forwarder forwards, over each software
# event device and both engines, rests with nothing inside, survives ports that close, and its last
# line accounts for every frame, whether it ends by itself or is told to; what adapters cannot do is
# refused.
. "$(dirname "$0")/_init.sh"

need python3

export RUNTIME_DIRECTORY="$scratch/xdg"
export NFVCHAIN_EAL_ARGS='--no-huge --no-pci --vdev=net_null0,size=64 --vdev=net_null1,size=64'
# net_null makes frames that are addressed to nobody.
export NFVCHAIN_PROMISCUOUS=yes

# accounted NAME: the last line balances, nothing is inside, and much was forwarded.
accounted() {
	line=$(tail -n 1 "$1.log")
	echo "$1: $line"
	echo "$line" | grep -Eq '^rx ([0-9]{6,}) \+ created 0 = tx \1 \+ dropped 0 \+ in flight 0$' ||
		fail "not accounted for: $line"
}

cat >control.py <<'EOF'
import json, socket

s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.connect("ctl")

def call(method, **params):
    s.send(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode())
    return json.loads(s.recv(1 << 20))

for i in range(6):
    c = call("quiesce")["result"]
    assert c["in_flight"] == 0 and c["residual"] == 0 and c["drops"]["tx_adapter"] == 0, c
    again = call("counters")["result"]
    assert again["ports"] == c["ports"], (c, again)
    reply = call("port_reopen", port=i % 2)
    assert "error" not in reply, reply
    while call("counters")["result"]["ports"][i % 2]["rx"] == c["ports"][i % 2]["rx"]:
        pass
error = str(call("fault", kind="drop", count=1)["error"])
assert "with --adapters" in error, error
EOF

for device in event_sw0 event_dsw0; do
	for lcores in 0 0-3; do
		name=$device-$lcores
		start "$name" nfvchain-fwd -l "$lcores" --file-prefix="$name" -- --adapters --engine event \
			--event-dev "$device" --period 100ms --control "$scratch/ctl"
		wait_until 30 "grep -Eq '^port 1: .* tx [0-9]{6}' $name.log"
		timeout 30 python3 control.py || fail "$name: control"
		stop "$name" || fail "$name: status $?"
		accounted "$name"
	done
	nfvchain-fwd -l 0-1 -- --adapters --engine pipeline --stages 3 --event-dev "$device" \
		--packets 200000 >packets.log 2>&1 || fail "--packets: status $?"
	accounted packets
done

# refuses SENTENCE OPTIONS...: with status 2.
refuses() {
	sentence=$1 rc=0
	shift
	nfvchain-fwd -l 0 -- "$@" >refused.log 2>&1 || rc=$?
	[ "$rc" = 2 ] || { cat refused.log; fail "$*: status $rc"; }
	tail -n 1 refused.log | grep -Fq -- "$sentence" || { cat refused.log; fail "not said: $sentence"; }
}
refuses 'engine poll has no event device' --adapters
refuses 'leave out --adapters or --vector' --engine event --adapters --vector 16
