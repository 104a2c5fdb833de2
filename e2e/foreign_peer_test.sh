#!/bin/sh
# SPDX-License-Identifier: MIT
# suite: full
# timeout: 400
# second try: the machine weighs on both sides alike only in the mean
# bench --peer compares ours with Open vSwitch and with a bridge of the kernel's on the same links: every
# frame of each slice is accounted for, and a comparison that is killed leaves nothing.
. "$(dirname "$0")/../smoke/_init.sh"
need python3
[ -x /usr/lib/openvswitch-switch-dpdk/ovs-vswitchd-dpdk ] || skip "needs openvswitch-switch-dpdk"

cat >check.py <<'EOF'
import json, sys

c = json.load(open("results/latest/result.json"))["comparison"]
print(sys.argv[1], c["ratio"], c["ratio_low"], c["ratio_high"])
assert c["method"] == sys.argv[2], c["method"]
assert c["ratio"] > float(sys.argv[3]), c["ratio"]
for trial in c["trials"]:
    assert trial["balanced"], trial
EOF
printf 'version: 1\nname: snake\nlinks: {kind: vhost-user, ring: 4096}\n' >deep.yaml

# compared PEER METHOD RATIO ARGUMENT...
compared() {
	peer=$1 method=$2 ratio=$3
	shift 3
	# 4: ours is slower, 6: not known after so short a time.
	nfvchain bench "$@" --peer "$peer" --time 45s -o results || [ $? = 4 ] || [ $? = 6 ]
	python3 check.py "$peer" "$method" "$ratio"
}
compared ovs-dpdk turns 1 deep.yaml
compared linux-bridge flat_out 0 --link veth

start killed nfvchain bench deep.yaml --peer ovs-dpdk --time 60s -o results
wait_until 60 "grep -q '^slice [2-9]' killed.log"
stop killed KILL || :
# shellcheck disable=SC2016 # evaluated again and again
wait_until 10 '[ -z "$(_processes)" ]'
