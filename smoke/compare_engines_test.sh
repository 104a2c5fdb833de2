#!/bin/sh
# SPDX-License-Identifier: MIT
# perf/compare-engines builds DPDK's example, compares our engine with it, accounts for every frame
# and tells a ratio; nothing is said of how large it is.
. "$(dirname "$0")/_init.sh"

need python3 cc pkg-config
examples=${DPDK_EXAMPLES:-/usr/share/dpdk/examples}
[ -f "$examples/eventdev_pipeline/main.c" ] || skip "needs $examples/eventdev_pipeline (dpdk-doc)"
[ "$(nproc)" -ge 2 ] || skip "needs two CPUs"

# Refused before anything is touched.
for wrong in fastest '--pipeline none pipeline'; do
	rc=0
	# shellcheck disable=SC2086 # two words
	"$top/perf/compare-engines" --build "$build" $wrong >out.txt 2>err.txt || rc=$?
	[ "$rc" = 2 ] || fail "status $rc instead of 2: $wrong"
	grep -q "is none of" err.txt || fail "no reason: $(cat err.txt)"
done
if [ -e peers ] || [ -e results ]; then
	fail "a refused run left something"
fi

# With rounds too few for an interval it ends with 6, and with every figure all the same.
rc=0
"$top/perf/compare-engines" --build "$build" --peers peers --time 4s --csv slices.csv pipeline \
	>out.txt 2>err.txt || rc=$?
cat out.txt err.txt
[ "$rc" = 0 ] || [ "$rc" = 6 ] || fail "status $rc"

cat >check.py <<'EOF'
import csv, glob, json, math
[path] = glob.glob("results/*-peers-vydx/result.json")
found = json.load(open(path))["comparison"]
print(found["ratio"], found["reason"])
assert "/eventdev_pipeline " in found["a"]["command"] and "--engine pipeline" in found["b"]["command"]
assert found["method"] == "turns"
assert isinstance(found["ratio"], float) and math.isfinite(found["ratio"]) and found["ratio"] > 0
assert found["trials"]
for trial in found["trials"]:
    assert trial["balanced"] and trial["ok"] > 0, trial
# What the peer forwarded came through: nothing reflected, nothing to another address.
for trial in found["trials"]:
    assert trial["ok"] + trial["lost"] == trial["sent"], trial
rows = list(csv.DictReader(line for line in open("slices.csv") if not line.startswith("#")))
assert len(rows) == len(found["slices"])
assert {row["side"] for row in rows} == {"eventdev_pipeline c32-parallel-tuned", "pipeline"}
EOF
python3 check.py
