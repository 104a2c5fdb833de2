#!/bin/sh
# SPDX-License-Identifier: MIT
# timeout: 120
# Our console and bench ask a TRex v3.08 nothing but what a real one has answered: sessions of both with
# one were recorded. The console gets the recorded answers. What bench asks depends on what it measures,
# so there a generator of ours is the TRex, and each request must be one of the recording.
#
# NFVCHAIN_TREX_DIR=DIR NFVCHAIN_RECORD=1 e2e/trex_recorded_test.sh records them anew in vectors/, with
# the release in DIR; so does whoever changes what we ask.
. "$(dirname "$0")/../smoke/_init.sh"
. "$(dirname "$0")/_trex_cfg.sh"

need python3
vectors=$(dirname "$(realpath "$0")")/vectors
record=${NFVCHAIN_RECORD-}
export USER=nfvchain
at=ipc://$scratch/at.rpc

# A generator of ours as a TRex that runs already.
serve_ports() {
	start ports nfvchain-gen --rpc "ipc://$scratch/ports.rpc" --pub none \
		--eth-addr 0,02:00:00:00:00:01 --eth-dest 0,02:00:00:00:00:02 \
		--eth-addr 1,02:00:00:00:00:03 --eth-dest 1,02:00:00:00:00:04 -- \
		--no-huge -m 256 --file-prefix ports \
		"--vdev=net_memif0,role=server,id=0,socket-abstract=no,socket=$scratch/port0,rsize=10" \
		"--vdev=net_memif1,role=server,id=0,socket-abstract=no,socket=$scratch/port1,rsize=10"
	wait_until 30 "[ -S port0 ] && [ -S port1 ]"
}

start_trex() {
	write_trex_cfg
	start trex env LD_LIBRARY_PATH="$NFVCHAIN_TREX_DIR/so/x86_64" sh -c "cd '$NFVCHAIN_TREX_DIR' &&
		exec ./_t-rex-64 -i --stl --cfg '$scratch/trex_cfg.yaml' --no-key --iom 0 --no-watchdog"
	wait_until 90 "nfvchain console --batch /dev/null 2>/dev/null"
}

# A hop between its ports, for the console's traffic; bench brings its own.
start_hop() {
	start hop nfvchain-fwd --no-huge -m 256 --no-pci --file-prefix hop --lcores 0@0 \
		"--vdev=net_memif0,role=client,id=0,socket-abstract=no,socket=$scratch/port0,rsize=10" \
		"--vdev=net_memif1,role=client,id=0,socket-abstract=no,socket=$scratch/port1,rsize=10" \
		-- --engine poll --idle yield --rxd 1024 --txd 1024 \
		--eth-addr 0,02:00:00:00:00:02 --eth-addr 1,02:00:00:00:00:04 \
		--eth-dest 0,02:00:00:00:00:01 --eth-dest 1,02:00:00:00:00:03
	wait_until 30 "printf 'portattr\n' | nfvchain console --read-only | grep -c 'link up' | grep -q 2"
}

# stand_in NAME HOW SERVER RECORDED_HOW: between us and a server, with the session of that name.
stand_in() {
	session=$vectors/our-$1-session.jsonl how=$2 server=$3
	if [ -n "$record" ]; then
		how=$4 server=tcp://127.0.0.1:4501
	fi
	# shellcheck disable=SC2086 # none, or one
	start "$1" "$build/e2e-stand-in" "$how" "$session" "$at" $server
	wait_until 10 "[ -S at.rpc ]"
}

if [ -n "$record" ]; then
	start_trex
	start_hop
else
	serve_ports
fi

# Each verb of the console that commands or looks.
cat >lines <<'END'
portattr
start -f stl/bench.py -m 100pps -p 0
streams
stats -g
stats -p
stats --ps
stats -s
stats -l
stats -x
stats -c
pause
resume -p 0
update -m 200pps
update -m +10%
stop -p 0
clear
start -f stl/bench.py -m 1kpps -p 1 -d 1 --sync
stats
start -f stl/flow_stats.py -m 100pps -p 0 1 -n
portattr -p 0 --prom on
ping
stop -a

END
stand_in console answer "" record
nfvchain console --at "$at" --batch lines >lines.log 2>&1 || fail "console: $?: $(cat lines.log)"
stop console || fail "the console asks otherwise than it did a real TRex"
[ -n "$record" ] || [ "$(last console answered)" -ge 20 ] || fail "hardly anything was asked"

[ -z "$record" ] || stop hop
cat >at.yaml <<END
version: 1
name: trexat
generator: {kind: trex, at: "$at", sockets: ["$scratch/port0", "$scratch/port1"]}
links: {kind: memif, ring: 1024}
END
stand_in bench watch "ipc://$scratch/ports.rpc" collect
rc=0
nfvchain bench at.yaml --rate 1kpps -d 1s -o results >at.log 2>&1 || rc=$?
cat at.log
[ "$rc" = 0 ] || [ "$rc" = 6 ] || fail "bench: $rc"
stop bench || fail "bench asks otherwise than it did a real TRex"
[ -n "$record" ] || [ "$(last bench answered)" -ge 50 ] || fail "hardly anything was asked"
grep -q 'every frame accounted for' at.log || fail "a TRex whose frames are not accounted for"
