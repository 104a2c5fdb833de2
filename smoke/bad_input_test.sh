#!/bin/sh
# SPDX-License-Identifier: MIT
# What is wrong is said in one sentence, with the right exit code, before anything is touched.
. "$(dirname "$0")/_init.sh"

# refuses CODE 'PATTERN' COMMAND...: exits with CODE; the last line of stderr is an error that
# matches, and no process or run directory comes of it.
refuses() {
	code=$1 pattern=$2 rc=0
	shift 2
	"$@" >out 2>err </dev/null || rc=$?
	[ "$rc" = "$code" ] || { cat err; fail "$* exits with $rc, not $code"; }
	grep -q "error: .*$pattern" err || { cat err; fail "$* does not say '$pattern'"; }
	[ "$(grep -c 'error: ' err)" = 1 ] || { cat err; fail "$* says it more than once"; }
}

refuses 2 "did you mean '--frame-size'" nfvchain bench --frme-size 64
refuses 2 "unknown unit" nfvchain bench --rate 10mb
refuses 2 "63" nfvchain bench --frame-size 63
refuses 2 "9217" nfvchain bench --frame-size 9217
refuses 2 "1 to 16 hops" nfvchain bench --hops 17
refuses 2 "nonesuch" nfvchain bench nonesuch.yaml
refuses 2 "no result yet" nfvchain report
refuses 2 "none of html, text, csv" nfvchain report --format pdf
refuses 2 "one too many" nfvchain report a b
echo '{}' >not.json
refuses 2 "not.json: not a result" nfvchain report not.json
echo '{"schema_version": "2.0"}' >newer.json
refuses 2 "newer than this nfvchain" nfvchain report newer.json
echo '{"schema_version": "1.0"}' >empty.json
refuses 1 "nonesuch/report.html" nfvchain report empty.json -o nonesuch/report.html
refuses 2 "is not a command\|unknown command" nfvchain bnech
refuses 2 "portmask\|mask of ports" nfvchain-fwd --no-huge -m 64 -- -p 0
refuses 2 "mask of ports" nfvchain-fwd -- -p xyz
refuses 2 "PORT,MAC" nfvchain-fwd -- --eth-dest 1
refuses 2 "within 1 to 256" nfvchain-fwd -- --burst 1000
refuses 3 "no port" nfvchain-fwd --no-huge -m 64 --
refuses 2 "no function 'nonesuch'" nfvchain-fwd --no-huge -m 64 --vdev=net_null0 --vdev=net_null1 -- --nf nonesuch
# A function that keeps state for each flow, where several lcores may have frames of one.
for engine in event pipeline; do
	for sched in ordered parallel; do
		for dry in --dry-run ''; do
			# shellcheck disable=SC2086 # a word or none
			refuses 2 "per_flow: keeps state for each flow, which needs --sched atomic" \
				nfvchain-fwd --no-huge -m 256 --no-pci --vdev=net_null0 --vdev=net_null1 -- \
				--engine $engine --sched $sched $dry --nf "$build/src/fwd/nf_per_flow.so"
		done
	done
done
refuses 2 "can be reached from other machines" nfvchain-gen --rpc 'tcp://*:4501'
refuses 2 "can be reached from other machines" nfvchain-gen --listen 192.0.2.1
refuses 2 "there is none" nfvchain-gen --insecure
refuses 3 "needs two" nfvchain-gen --rpc ipc://rpc --pub none -- --no-huge -m 64

cat >bad.yaml <<EOF
version: 1
hops:
  - {kind: nfvchain-fwd, engin: poll}
EOF
refuses 2 "bad.yaml:3:.*engin" nfvchain bench bad.yaml
cat >later.yaml <<EOF
version: 1
hops: [{kind: exec, place: vm, command: x}]
EOF
refuses 2 "later.yaml:2:.*not built yet" nfvchain bench later.yaml
[ -z "$(leftovers)" ] || fail "left behind: $(leftovers)"
