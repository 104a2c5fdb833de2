#!/bin/sh
# SPDX-License-Identifier: MIT
# timeout: 180
# A fixed-rate trial and a search over each kind of link end in a result whose ledger balances.  On
# a busy machine (6, inconclusive) it balances all the same.
. "$(dirname "$0")/../smoke/_init.sh"

cat >check.py <<'EOF'
import json, sys
r = json.load(open(sys.argv[1]))
assert r["schema_version"].split(".")[0] == "1"
trials = [t for m in r["measurements"] for s in m["searches"] for t in s["trials"]]
assert trials, "no trial"
for t in trials:
    l = t["ledger"]
    assert l["residual"] == 0 and l["disagreement"] == 0, l
    assert l["balanced"], l
for m in r["measurements"]:
    assert m["rate_pps"] is None or m["rate_pps"] > 0, m
assert any(t["frames"]["ok"] > 0 for t in trials)
print(len(trials), "trials,", [m["rate_pps"] for m in r["measurements"]])
EOF

for link in vhost-user memif; do
	nfvchain bench --link $link --rate 50kpps -d 300ms -s 64,128,imix,1518 --flows 1000 -o fixed ||
		[ $? = 6 ]
	python3 check.py fixed/latest/result.json
done
nfvchain bench --trial 50ms -o search || [ $? = 6 ]
python3 check.py search/latest/result.json
[ -z "$(leftovers)" ] || fail "left behind: $(leftovers)"
