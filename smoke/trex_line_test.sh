#!/bin/sh
# SPDX-License-Identifier: MIT
# TRex's own line and configuration start the generator as a server at TRex's ports: t-rex-64 -i --cfg.
. "$(dirname "$0")/_init.sh"

mkdir bin
ln -s "$build/nfvchain-gen" bin/t-rex-64
cat >trex_cfg.yaml <<EOF
- version: 2
  port_limit: 2
  low_end: true
  low_end_core: $(taskset -cp $$ | sed 's/.*[ ,-]//')
  prefix: t1
  limit_memory: 256
  interfaces:
    - --vdev=net_memif0,role=server,id=0,socket-abstract=no,socket=$scratch/memif,rsize=10
    - --vdev=net_memif1,role=client,id=0,socket-abstract=no,socket=$scratch/memif,rsize=10
  port_info:
    - {src_mac: '02:00:00:00:00:01', dest_mac: [2, 0, 0, 0, 0, 2]}
    - {src_mac: [2, 0, 0, 0, 0, 2], dest_mac: '02:00:00:00:00:01'}
EOF

# listens PORT: on the loopback address, and on no other.
listens() {
	grep -qE "^ *[0-9]+: 0100007F:$(printf %04X "$1") .* 0A " /proc/net/tcp
}
exposed() {
	grep -qE "^ *[0-9]+: 00000000:($(printf %04X 4501)|$(printf %04X 4500)) .* 0A " /proc/net/tcp
}

export RUNTIME_DIRECTORY="$scratch/xdg"
start gen bin/t-rex-64 -i --stl --cfg trex_cfg.yaml --no-key --iom 0 --no-watchdog -c 1
wait_until 20 'listens 4501 && listens 4500'
exposed && fail "it listens beyond the loopback address"
rc=0
stop gen || rc=$?
[ "$rc" = 0 ] || fail "it ends with $rc"

# refused STATUS PART COMMAND...
refused() {
	want=$1 part=$2 rc=0
	shift 2
	"$@" >out.log 2>&1 || rc=$?
	[ "$rc" = "$want" ] || fail "'$*' ends with $rc, not $want"
	grep -qF -- "$part" out.log || fail "'$*' does not say '$part'"
}
refused 2 'is of a mode that is not built' bin/t-rex-64 -f cap2/dns.yaml -m 1
refused 2 'nothing.yaml' bin/t-rex-64 -i --cfg nothing.yaml
sed -i 's/port_limit: 2/port_limit: 4/' trex_cfg.yaml
refused 2 'trex_cfg.yaml:2:15: error: this generator has two ports, not 4' \
	nfvchain-gen --cfg trex_cfg.yaml
