#!/bin/sh
# SPDX-License-Identifier: MIT
# timeout: 120
# Ours, testpmd, ours: the ledger of a mixed chain balances, with the foreign hop's counters in it.
. "$(dirname "$0")/../smoke/_init.sh"

need dpdk-testpmd
# A busy machine makes the trials inconclusive (6); the ledger balances all the same.
nfvchain bench "$top/chains/three.yaml" --rate 20kpps -d 500ms -s 64,1518 -o results || [ $? = 6 ]
python3 - results/latest/result.json <<'EOF'
import json, sys
r = json.load(open(sys.argv[1]))
t = r["measurements"][0]["searches"][0]["trials"][0]
l = t["ledger"]
assert all(h["ports"] is not None for h in l["hops"]), l
assert l["balanced"] and l["lost"] == 0, l
assert t["frames"]["ok"] > 0
EOF
[ -z "$(leftovers)" ] || fail "left behind: $(leftovers)"
