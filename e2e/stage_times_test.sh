#!/bin/sh
# SPDX-License-Identifier: MIT
# timeout: 90
# With --stage-times the waits and services of all stages add up, to the cycle, to the time that
# frames were inside; the dear stage is the one that is told to be dear, and the ledger balances.
. "$(dirname "$0")/../smoke/_init.sh"

need python3

cat >pipeline.yaml <<'YAML'
version: 1
hops:
  - kind: nfvchain-fwd
    engine: pipeline
    args: [--stages, "3", --stage-nf, "0=l2fwd,1=work:300,2=work:2000"]
  - {kind: nfvchain-fwd, engine: poll, nf: [l2fwd, "work:300"]}
traffic: {flows: 16, rate: 20kpps}
YAML

# A trial whose verdict does not matter here.
rc=0
nfvchain bench pipeline.yaml --stage-times --duration 500ms --quiet -o on >on.txt || rc=$?
[ "$rc" = 0 ] || [ "$rc" = 6 ] || { cat on.txt; fail "nfvchain bench ends with $rc"; }
python3 - <<'PY'
import json
trial = json.load(open("on/latest/result.json"))["measurements"][0]["searches"][0]["trials"][0]
ledger, hops = trial["ledger"], trial["hops"]
assert ledger["balanced"], ledger
assert trial["frames"]["ok"] > 1000, trial["frames"]
for hop, counted in zip(hops, ledger["hops"]):
    spans = [stage[kind] for stage in hop["stages"] for kind in ("wait", "service") if stage[kind]]
    spans.append(hop["tx_wait"])
    parts = sum(span["sum_tsc"] for span in spans)
    print(hop["name"], parts, hop["total"], hop["dropped"])
    assert parts == hop["total"]["sum_tsc"] + hop["dropped"]["sum_tsc"], hop
    assert hop["total"]["n"] == sum(port["tx"] for port in counted["ports"]), (hop, counted)
    assert hop["dropped"]["n"] == sum(counted["drops"].values()), (hop, counted)
    assert all(s["p50_ns"] <= s["p99_ns"] <= s["max_ns"] for s in spans), spans
pipeline, poll = hops
assert [stage["nf"] for stage in pipeline["stages"]] == ["l2fwd", "work:300", "work:2000"], pipeline
light, dear = (pipeline["stages"][i]["service"]["mean_ns"] for i in (1, 2))
assert dear > light, (light, dear)
assert all(stage["wait"]["n"] == stage["service"]["n"] for stage in pipeline["stages"]), pipeline
assert [(s["nf"], s["wait"]) for s in poll["stages"]] == [("l2fwd+work:300", None)], poll
# A frame spends no more time inside than on its whole way.
inside = sum(hop["total"]["mean_ns"] for hop in hops)
assert 0 < inside < trial["latency"]["mean_ns"] + trial["latency_accuracy_ns"], (inside, trial["latency"])
PY
grep -q 'vnf1: stage 0 l2fwd wait ' on.txt || { cat on.txt; fail 'the text does not tell the stages'; }
grep -q 'on average inside the hops' on.txt || { cat on.txt; fail 'the text does not tell the share'; }
grep -q 'svg class="times"' on/latest/report.html || fail 'the page has no bar'

# What cannot tell is refused.
rc=0
nfvchain bench --stage-times --quiet chain.yaml 2>refused.log || rc=$?
[ "$rc" = 2 ] || fail "a chain that is not there: $rc"
printf 'version: 1\nhops: [testpmd]\n' >foreign.yaml
rc=0
nfvchain bench --stage-times --quiet foreign.yaml 2>refused.log || rc=$?
[ "$rc" = 2 ] || fail "no hop of ours: $rc"
grep -q 'stage-times: no hop of this chain is an nfvchain-fwd' refused.log || { cat refused.log; fail 'not said'; }
