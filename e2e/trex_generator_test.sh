#!/bin/sh
# SPDX-License-Identifier: MIT
# timeout: 600
# suite: full
# sanitize: no
# A real TRex as generator, of the release in NFVCHAIN_TREX_DIR: started by us and running already; what
# it cannot tell is null; its ports are taken from others only by force; one that is gone is noticed
# within three seconds; and nothing of it is left.
. "$(dirname "$0")/../smoke/_init.sh"
. "$(dirname "$0")/_trex_cfg.sh"

need python3
[ -n "${NFVCHAIN_TREX_DIR-}" ] || skip "needs a TRex release: NFVCHAIN_TREX_DIR is not set"
[ -x "$NFVCHAIN_TREX_DIR/_t-rex-64" ] || skip "no _t-rex-64 in $NFVCHAIN_TREX_DIR"

cat >dir.yaml <<END
version: 1
name: trexdir
generator: {kind: trex, dir: "$NFVCHAIN_TREX_DIR"}
links: {kind: memif, ring: 1024}
END
cat >at.yaml <<END
version: 1
name: trexat
generator: {kind: trex, at: "tcp://127.0.0.1:4501", sockets: ["$scratch/port0", "$scratch/port1"]}
links: {kind: memif, ring: 1024}
END
write_trex_cfg

# bench CHAIN: 0, or 6 on a machine too noisy for a verdict; 5 would be frames nobody accounts for.
bench() {
	rc=0
	nfvchain bench "$1" --rate 20kpps -d 2s -o results >bench.log 2>&1 || rc=$?
	cat bench.log
	[ "$rc" = 0 ] || [ "$rc" = 6 ] || fail "$1: status $rc"
	python3 - results/latest/result.json <<-'END' || fail "$1: result.json"
		import json, sys

		result = json.load(open(sys.argv[1]))
		assert result["plan"]["processes"][0]["kind"] == "trex"
		assert any("TRex" in w for w in result["plan"]["warnings"])
		for one in result["selftest"]:
		    assert one["pacing_p50_ns"] is None and one["latency_floor_p50_ns"] is None, one
		trials = result["measurements"][0]["searches"][0]["trials"]
		assert trials, "no trials"
		for t in trials:
		    s, f, l = t["slots"], t["frames"], t["ledger"]
		    assert s["late"] is None and s["shortfall"] >= 0, s
		    assert abs(s["sent"] + s["refused"] + s["shortfall"] - 40000) <= 1, s
		    assert f["duplicate"] is None and f["corrupt"] is None, f
		    assert l["hops"][0]["exact"] and l["balanced"] and l["received"] > 0, l
		    assert l["lost"] == 0, l
	END
}

ours() {
	grep -lsz "^NFVCHAIN_ID=$1/" /proc/[0-9]*/environ || :
}

bench dir.yaml
[ -z "$(ours trexdir)" ] || fail "left running: $(ours trexdir)"
[ ! -e "$NFVCHAIN_RUN" ] || fail "left: $(find "$NFVCHAIN_RUN")"

# The words of a server that cannot start.
mkdir bad
cat >bad/_t-rex-64 <<END
#!/bin/sh
echo "no, not today"
exit 7
END
chmod +x bad/_t-rex-64
sed "s|dir: .*}|dir: $scratch/bad}|" dir.yaml >bad.yaml
! nfvchain bench bad.yaml --rate 20kpps -d 1s -o results >bad.log 2>&1 || fail "a bad server is taken"
cat bad.log
grep -q 'no, not today' bad.log || fail "its words are not quoted"

# A person with TRex's words, at the chain that is up.
start up nfvchain up dir.yaml --trex-ports
wait_until 60 "grep -q '^up; ' up.log"
printf 'start -f stl/bench.py -m 1kpps -p 0 -d 1 --sync\nstats\nportattr\n' >lines
nfvchain console --batch lines >console.log 2>&1 || { cat console.log; fail "console"; }
cat console.log
grep -q 'received  *0  *1 0' console.log || fail "no 1000 frames through the chain"
stop up

# One that runs already.
start trex env LD_LIBRARY_PATH="$NFVCHAIN_TREX_DIR/so/x86_64" sh -c "cd '$NFVCHAIN_TREX_DIR' &&
	exec ./_t-rex-64 -i --stl --cfg '$scratch/trex_cfg.yaml' --no-key --iom 0 --no-watchdog"
wait_until 60 "nfvchain console --batch /dev/null"
bench at.yaml
nfvchain console --batch /dev/null || fail "the TRex has not survived"

# Somebody else's ports: those who hold them are another session.
mkfifo hold
start holder sh -c 'USER=itay nfvchain console <hold'
exec 8>hold
wait_until 30 "nfvchain console --batch /dev/null 2>&1 | grep -q 'already taken by .itay'"
! nfvchain bench at.yaml --rate 20kpps -d 1s -o results >shared.log 2>&1 || fail "ports were taken"
cat shared.log
grep -q -- '--force' shared.log || fail "it does not say how"
nfvchain bench at.yaml --rate 20kpps -d 1s --force -o results >forced.log 2>&1 ||
	[ $? = 6 ] || { cat forced.log; fail "not even by force"; }
exec 8>&-
stop holder || :

# Gone in the middle of a long trial.
start gone nfvchain bench at.yaml --rate 1kpps -d 60s -o results -v
wait_until 90 "grep -q 'one trial' gone.log"
wait_until 30 "printf 'stats\n' | nfvchain console --read-only | grep -q 'rate  *[1-9]'"
before=$(date +%s%N)
kill -s KILL "$(pid_of trex)"
wait_until 20 "! alive gone"
took_ms=$((($(date +%s%N) - before) / 1000000))
stop gone || :
stop trex KILL || :
cat gone.log
grep -q 'the generator is gone' gone.log || fail "no sentence about it"
# Three seconds to notice, and a moment to take the chain down.
[ "$took_ms" -le 4500 ] || fail "it took $took_ms ms"
echo "a lost server: noticed, and the chain taken down, within $took_ms ms"
[ -z "$(ours trexat)" ] || fail "left running: $(ours trexat)"
