#!/bin/sh
# SPDX-License-Identifier: MIT
# timeout: 540
# second try: the machine weighs on both sides alike only in the mean
# A comparison calls a program neither better nor worse than itself, calls one that is clearly slower
# slower, accounts for every frame of each slice, and leaves nothing behind: not after Ctrl-C at any
# moment, and not when it is killed while its chains are frozen.
. "$(dirname "$0")/../smoke/_init.sh"

need python3

# The run directories of the sides lie beside the one of a single chain.
nothing_left() {
	# shellcheck disable=SC2016 # evaluated again and again
	_poll 5 '[ -z "$(_processes)" ]' || fail "$1: still running: $(_processes)"
	! find . -maxdepth 1 -type d -name 'run-*' | grep . || fail "$1: run directories are left"
}

# expect STATUS[|STATUS] COMMAND...
expect() {
	wanted=$1 rc=0
	shift
	"$@" >out.txt 2>err.txt || rc=$?
	case "|$wanted|" in
	*"|$rc|"*) ;;
	*)
		cat out.txt err.txt
		fail "status $rc instead of $wanted: $*"
		;;
	esac
}

cat >check.py <<'EOF'
import json, sys
path, verdicts, arms = sys.argv[1], sys.argv[2].split("|"), int(sys.argv[3])
r = json.load(open(path))
c = r["comparison"]
print(c["verdict"], c["ratio"], c["ratio_low"], c["ratio_high"], c["reason"])
assert c["verdict"] in verdicts, c["verdict"]
assert c["metric"] == "rate" and c["unit"] == "pps" and c["better"] == "higher"
assert c["slices"] and c["n_blocks"] >= 1
assert {(t["arm"], t["round"]) for t in c["trials"]} == {(s["arm"], s["round"]) for s in c["slices"]}
for s in c["trials"]:
    assert s["balanced"], s
assert {s["arm"] for s in c["slices"]} == set("abc"[:arms])
assert c["limited_by"] == "dut" and c["method"] == "turns"
assert (c["control"] is not None) == (arms == 3)
for side in (c["a"], c["b"]):
    assert side["lcores"] == side["cpus"] == 1, side
    assert side["per_cpu_pps"] == side["total_pps"] == side["value"], side
EOF

cat >slow.yaml <<'EOF'
version: 1
name: snake
hops: [{kind: nfvchain-fwd, args: [--burst, "1"]}]
EOF

# What cannot be compared is refused before anything is touched.
expect 2 nfvchain compare poll
expect 2 nfvchain compare poll testpdm
expect 2 nfvchain compare poll poll --assert 'loss_vs < 3%'
grep -q "column 9" err.txt || fail "no column: $(cat err.txt)"
expect 2 nfvchain compare poll poll --metric speed
expect 2 nfvchain bench --assert 'ratio > 1'
expect 0 nfvchain compare poll slow.yaml --dry-run
expect 0 nfvchain bench --peer poll --dry-run
[ ! -e results ] || fail "a refused or dry run left results"

expect '0|6' nfvchain compare poll poll --time 15s -o same --quiet
python3 check.py same/latest/result.json 'equal|undecided' 3
nothing_left "A against A"

expect 4 nfvchain compare poll slow.yaml --time 45s --no-control -o slow --quiet \
	--assert 'loss_vs(baseline) < 3%'
grep -q "does not hold" err.txt || fail "$(cat err.txt)"
python3 check.py slow/latest/result.json 'worse|undecided' 2
nothing_left "B slower"

# The second witness: instructions per frame.  They are the same for the same program, and five
# multiplications more are seen as some 25 instructions, whatever else this machine does.
cat >work.yaml <<'EOF'
version: 1
name: snake
hops: [{kind: nfvchain-fwd, nf: [l2fwd, "work:15"]}]
EOF
cat >instructions.py <<'EOF'
import json
same, work = (json.load(open(f"{d}/latest/result.json"))["comparison"]["instructions"]
              for d in ("counted", "counted-work"))
print(same, work)
for i in (same, work):
    assert i["reason"] is None and i["method"] == "callgrind", i["reason"]
    assert 50 < i["a"] < 2000 and 0 < i["accuracy"] < 0.01
assert abs(same["ratio"] - 1) < 0.005
assert abs(work["a"] / same["a"] - 1) < 0.005
assert 5 * 3 - 2 < work["difference"] < 5 * 5 + 10
EOF
can_count=no
if command -v valgrind >/dev/null && ! nm -D "$build/nfvchain-fwd" | grep -q __asan_init; then
	can_count=yes
fi
if [ "$can_count" = yes ]; then
	set -- --time 1s --no-control --instructions
	expect '0|4|6' nfvchain compare poll poll "$@" -o counted --quiet
	expect '0|4|6' nfvchain compare poll work.yaml "$@" -o counted-work --quiet
	grep -q "instr\.  .* per frame" out.txt || fail "$(cat out.txt)"
	python3 instructions.py
	nothing_left "counted"

	# Killed while a hop runs under callgrind.
	start compare nfvchain compare poll poll "$@" -o killed-counting
	wait_until 60 'grep -q "instructions of A  look 3/" compare.log'
	stop compare KILL || :
	# shellcheck disable=SC2016 # evaluated again and again
	_poll 5 '[ -z "$(_processes)" ]' || fail "killed while counting: $(_processes)"
fi
# Without valgrind it is unknown, with the name of the package.
expect '0|4|6' env PATH=/nonexistent "$build/nfvchain" compare poll poll --time 1s --no-control \
	--instructions -o bare --quiet
grep -q "instr\.  unknown: A under callgrind: valgrind is not" out.txt || fail "$(cat out.txt)"
nothing_left "without valgrind"

# Ctrl-C at any moment.
for ms in 50 700 1900 3300 5200 7300; do
	start compare nfvchain compare poll poll --time 30s -o interrupted
	sleep "$(printf '%d.%03d' $((ms / 1000)) $((ms % 1000)))"
	rc=0
	stop compare INT 40 || rc=$?
	[ "$rc" = 130 ] || fail "SIGINT after $ms ms: status $rc"
	nothing_left "SIGINT after $ms ms"
done

# Killed with frozen programs of every kind: ours, a foreign one, and one behind a shell.
cat >wrapper <<'EOF'
#!/bin/sh
dpdk-testpmd "$@"
EOF
chmod +x wrapper
options='--lcores {lcores} --no-huge -m {mem} --no-pci --file-prefix={prefix} --vdev={vdev0}'
options="$options --vdev={vdev1} -- --forward-mode=mac --eth-peer=0,{dest0} --eth-peer=1,{dest1}"
options="$options --rxd=2048 --txd=2048 --total-num-mbufs=12288 --auto-start --no-lsc-interrupt"
options="$options --stats-period=36000"

# Is any process that this test is the cause of stopped?
is_frozen() {
	for _pid in $("$top/devtools/pids-with" "NFVCHAIN_TEST=$NFVCHAIN_TEST"); do
		_stat=$(cat "/proc/$_pid/stat" 2>/dev/null) || continue
		case ${_stat##*) } in
		T*) return 0 ;;
		esac
	done
	return 1
}

# killed_frozen A: the sides A and our own forwarder.
killed_frozen() {
	start compare nfvchain compare "$1" poll --time 60s --lcores 2 --no-control -o killed
	wait_until 40 is_frozen
	stop compare KILL || :
	# shellcheck disable=SC2016 # evaluated again and again
	_poll 5 '[ -z "$(_processes)" ]' || fail "killed while frozen ($1): $(_processes)"
}

killed_frozen poll
if command -v dpdk-testpmd >/dev/null; then
	killed_frozen testpmd
	killed_frozen "exec:$scratch/wrapper $options"
fi
# The next run cleans up what the killed ones left in their run directories.
expect '0|6' nfvchain compare poll poll --time 1s -o after --quiet
nothing_left "after a kill"
