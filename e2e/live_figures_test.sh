#!/bin/sh
# SPDX-License-Identifier: MIT
# timeout: 120
# Figures that are known beforehand: a hop that works for so many cycles on each frame is busy for the
# share of the time that comes to, and its latency is at least as long; one frame in a thousand that
# a hop drops is shown as just that, in top and in status; and what metrics tells of a chain at rest is
# what its hops have counted.
. "$(dirname "$0")/../smoke/_init.sh"
. "$(dirname "$0")/_tmux.sh"

need python3
half=1000000

cat >figures.yaml <<END
version: 1
name: figures
hops: [{name: slow, nf: [l2fwd, "work:$half", "work:$half"]}, {name: plain}]
END

# call HOP METHOD [PARAMS]: at its control socket; prints the result.
call() {
	python3 - "$NFVCHAIN_RUN/$1.ctl" "$2" "${3-}" <<'END'
import json, socket, sys

path, method, params = sys.argv[1:]
request = {"jsonrpc": "2.0", "id": 1, "method": method}
if params:
    request["params"] = json.loads(params)
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.settimeout(20)
s.connect(path)
s.send(json.dumps(request).encode())
print(json.dumps(json.loads(s.recv(1 << 20))["result"]))
END
}

start up nfvchain up figures.yaml --trex-ports
wait_until 60 "grep -q '^up; ' up.log"

# ---- busy, latency ----

terminal a 80 24 'exec nfvchain top figures'
shows 'port 0 idle'
keys ':' "start -f flow_stats_latency -t rate=250pps -p 0" Enter
shows 'latency +[1-9][.0-9]* +\+- [.0-9]+ us  +[^ ]'
nfvchain top figures --json-stream --every 200ms -n 21 >busy.jsonl || fail "top: $?"
screen
call slow counters >slow.json
python3 - busy.jsonl slow.json screen "$((2 * half))" <<'END' || fail "$(cat screen)"
import json, re, statistics, sys

samples = [json.loads(line) for line in open(sys.argv[1])]
hz = json.load(open(sys.argv[2]))["tsc_hz"]
work_s = int(sys.argv[4]) / hz

def hops(name):
    for s in samples[1:]:
        for h in s["hops"]:
            if h["name"] == name and h["rx_pps"]:
                yield h["rx_pps"], sum(l["busy_ratio"] for l in h["lcores"])

# Of what came, not of what was asked: a generator that is late shortens the load.  A machine that takes
# the CPU away lengthens the work.  How many steps are so many cycles was found out when the hop began;
# at a higher clock rate they take less.
LEAST = 0.7
each = list(hops("slow"))
ratios = sorted(busy / (pps * work_s) for pps, busy in each)
whole = sum(busy for _, busy in each) / (sum(pps for pps, _ in each) * work_s)
plain = statistics.median(busy for _, busy in hops("plain"))
latency_us = max(s["latency_mean_us"] or 0 for s in samples)
print(f"busy of expected: {whole:.3f}, {ratios[0]:.3f} to {ratios[-1]:.3f}; other hop {plain:.4f}; "
      f"{latency_us:.0f} us of at least {work_s * 1e6:.0f}")
assert whole > LEAST and len(ratios) > 5, ratios
assert plain < 0.1 * whole, plain
assert LEAST * work_s * 1e6 <= latency_us, latency_us
# Not more than that either, where processes do not wait for a CPU most of the time.
waiting = float(re.search(r"avg10=([\d.]+)", open("/proc/pressure/cpu").read()).group(1))
if waiting < 50:
    assert 0.5 < ratios[0] < 2 and latency_us < work_s * 1e6 + 500e3, (ratios, latency_us)
else:
    print(f"processes waited for a CPU for {waiting} % of the time: no upper bounds")
text = open(sys.argv[3]).read()
shown = float(re.search(r"^latency +([\d.]+) +\+-", text, re.M).group(1))
assert shown >= LEAST * work_s * 1e6, shown
END
keys 's'
shows 'port 0 ready'
$tmux kill-server

# ---- drops ----

call plain fault '{"kind": "drop", "count": 1000000, "spacing": 1000, "distance": 1}' >fault.json
terminal b 80 24 'exec nfvchain top figures'
shows 'port 0 ready'
keys 'c'
shows 'missing +0 of 0'
printf 'start -f bench -m 500pps -p 0 -d 5 --sync\n' | nfvchain console >console.log ||
	fail "$(cat console.log)"
# What the slow hop has still before it is neither dropped nor lost.
settled() {
	nfvchain status figures --json --over 100ms >status.json && python3 -c '
import json
status = json.load(open("status.json"))
assert sum(p["sent"] - p["received"] for p in status["ports"]) == status["hops"][1]["drops"]
' 2>/dev/null
}
wait_until 30 settled
for hop in slow plain; do
	call "$hop" quiesce >"$hop.quiet"
	call "$hop" counters >"$hop.json"
done
nfvchain metrics figures --once >metrics.om || fail "metrics: $?"
# The screen is of a moment ago; the next one is not.
dropped=$(python3 -c 'import json; print(sum(json.load(open("plain.json"))["drops"].values()))')
shows "^plain .* 0 pps  +0 pps +$dropped "
python3 - "$dropped" <<'END' || fail "$(cat screen status.json plain.json)"
import json, re, sys

hops = {name: json.load(open(f"{name}.json")) for name in ("slow", "plain")}
status = {h["name"]: h for h in json.load(open("status.json"))["hops"]}
metrics = dict(line.rsplit(" ", 1) for line in open("metrics.om") if not line.startswith("#"))
screen = open("screen").read()
dropped = int(sys.argv[1])

def metric(name, hop):
    return float(metrics[f'nfvchain_{name}{{chain="figures",hop="{hop}"}}'])

for name, ledger in hops.items():
    rx = sum(p["rx"] for p in ledger["ports"])
    tx = sum(p["tx"] for p in ledger["ports"])
    miss = sum(p["miss"] for p in ledger["ports"])
    drops = sum(ledger["drops"].values())
    assert ledger["in_flight"] == 0 and rx + ledger["created"] == tx + drops, ledger
    assert [status[name][k] for k in ("rx", "tx", "drops", "miss")] == [rx, tx, drops, miss]
    assert metric("hop_received_frames_total", name) == rx
    assert metric("hop_sent_frames_total", name) == tx
    assert metric("hop_dropped_frames_total", name) == drops
    assert metric("hop_missed_frames_total", name) == miss
    assert metric("hop_in_flight_frames", name) == 0

# Of those that came, one in a thousand, the first of them too.
came = int(re.search(r"of ([\d ]+) \(", screen).group(1).replace(" ", ""))
missing, share = re.search(r"^missing +([\d ]+) of [\d ]+ \(([\d.]+) %\)", screen, re.M).groups()
missing, share = int(missing.replace(" ", "")), float(share)
print(f"dropped {dropped} of {came}, shown as {share} %")
assert dropped == hops["plain"]["drops"]["fault"] and 1 <= dropped <= came // 1000 + 1
assert missing == dropped and abs(share - 100 * dropped / came) < 0.001 and 0 < share < 1
END
for hop in slow plain; do
	call "$hop" resume >"$hop.quiet"
done
$tmux kill-server
stop up INT || fail "up ends with an error"
