#!/bin/sh
# SPDX-License-Identifier: MIT
# timeout: 120
# A short sweep measures each cell that has its CPUs, accounts for every frame, and says the same in
# all its files; what it cannot do it refuses in a sentence.
. "$(dirname "$0")/_init.sh"

need python3
nfvchain sweep --work 0,1000 --lcores 1,64 --stages 2 --flows 64 --time 5s --seed 1 -o out \
	>sweep.txt 2>sweep.log || fail "exits with $?"
grep -q 'lcores 64' sweep.txt || fail "no word of 64 lcores"
grep -q 'not measured' sweep.txt || fail "64 lcores were measured"
python3 - <<'END'
import csv, json
result = json.load(open("out/latest/sweep.json"))
sweep = result["sweep"]
assert result["schema_version"] == "1.0" and result["environment"]["kernel"], result.keys()
assert result["outcome"]["exit"] == 0 and sweep["n_unbalanced"] == 0
assert sweep["engines"] == ["poll", "event", "pipeline"]
cells = sweep["cells"]
assert len(cells) == 4 and [c["measured"] for c in cells].count(True) == 2, cells
for cell in cells:
    if not cell["measured"]:
        assert cell["lcores"] == 64 and "64 lcores" in cell["reason"]
        continue
    assert len(cell["turns"]) >= 3 * 2 * 3, len(cell["turns"])
    for turn in cell["turns"]:
        assert turn["valid"] == (turn["pps"] is not None) == (turn["reason"] is None), turn
        assert not turn["valid"] or abs(turn["pps"] - turn["frames"] / turn["ns"] * 1e9) < 1
    for engine in cell["engines"]:
        books = engine["ledger"]
        assert books["rx"] + books["created"] == books["tx"] + books["drops"] > 0, books
        assert books["in_flight"] == 0, books
        assert engine["command"].startswith("nfvchain-fwd --lcores 0@"), engine["command"]
        assert sum(t["frames"] for t in cell["turns"] if t["engine"] == engine["engine"]) <= books["tx"]
    if cell["outcome"] == "won":
        assert cell["margin_low"] > 1, cell
rows = list(csv.DictReader(open("out/latest/sweep.csv")))
assert len(rows) == 2 * 3 and {r["engine"] for r in rows} == set(sweep["engines"]), rows
assert open("out/latest/sweep.svg").read().startswith("<svg")
END
grep -q 'id="sweep"' out/latest/report.html || fail "the page has no sweep"
nfvchain report out/latest --format text >again.txt
cmp sweep.txt again.txt || fail "report says something else"

nfvchain sweep --dry-run >plan.txt
[ "$(grep -c '^  work' plan.txt)" = 60 ] || fail "the map has not 60 cells"

# What a cell's command says can be typed.
command=$(python3 -c 'import json
print(json.load(open("out/latest/sweep.json"))["sweep"]["cells"][0]["engines"][1]["command"])')
# shellcheck disable=SC2086 # words
$command --dry-run >again.log 2>&1 || fail "'$command' does not start"

refuses() {
	code=$1 pattern=$2 rc=0
	shift 2
	"$@" >out.log 2>err.log </dev/null || rc=$?
	[ "$rc" = "$code" ] || { cat err.log; fail "$* exits with $rc, not $code"; }
	grep -q "error: .*$pattern" err.log || { cat err.log; fail "$* does not say '$pattern'"; }
}
refuses 2 'stages.*1 to 8' nfvchain sweep --stages 1..9
refuses 2 "none of poll, event, pipeline" nfvchain sweep --engine l2fwd
refuses 3 'fewer than the lcores' nfvchain sweep --lcores 64
refuses 2 'flows: 0 is not within' nfvchain-fwd -- --load flows=0

# Ctrl-C takes everything down, and keeps what there is.
start long nfvchain sweep --work 0,100,300 --lcores 1 -o long
wait_until 20 'grep -q "cells," long.log && [ -d run-a ]'
rc=0
stop long INT || rc=$?
[ "$rc" = 130 ] || fail "Ctrl-C ends it with $rc"
grep -q '"exit": 130' long/latest/sweep.json || fail "sweep.json does not tell of it"
[ -z "$(leftovers)" ] || fail "left behind: $(leftovers)"
[ ! -e run-a ] || fail "left behind: run-a"
