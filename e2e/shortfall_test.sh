#!/bin/sh
# SPDX-License-Identifier: MIT
# timeout: 90
# What a chain has no room for, and what the generator itself was not there for, is told of each stream
# of a profile, to the frame, and adds up to what the port did not send.
. "$(dirname "$0")/../smoke/_init.sh"

need python3
cat >slow.yaml <<'EOF'
version: 1
name: slow
links: {kind: vhost-user, ring: 1024}
hops:
  - {kind: nfvchain-fwd, nf: [l2fwd, "work:20000"]}
EOF
cat >three.yaml <<'EOF'
version: 1
streams:
  - name: half
    frame: {size: 64, ipv4: {src: 16.0.0.1, dst: 48.0.0.1}, udp: {src: 1025, dst: 12}}
    rate: 200kpps
  - name: longer
    frame: {size: 128, ipv4: {src: 16.0.0.2, dst: 48.0.0.1}, udp: {src: 1025, dst: 12}}
    rate: 100kpps
  - name: bursts
    frame: {size: 64, ipv4: {src: 16.0.0.3, dst: 48.0.0.1}, udp: {src: 1025, dst: 12}}
    rate: 100kpps
    bursts: {count: 20, frames: 500, gap: 10ms}
EOF
start up nfvchain up slow.yaml --trex-ports
wait_until 20 'grep -q "Ctrl-C takes it down" up.log'

nfvchain start --quiet --json -f three.yaml -d 1 >overload.json
nfvchain start --quiet --json -f three.yaml -m 0.001 -d 2 >easy.json
nfvchain start --quiet -f three.yaml -d 1 >overload.txt
stop up INT || fail "up ends with an error"

python3 - <<'EOF'
import json, re

KEYS = ("intended", "sent", "refused", "late")

def check(path, intended):
    r = json.load(open(path))
    slots, port = r["slots"], r["ports"][0]
    print(path, *({k: s[k] for k in KEYS} for s in slots["streams"]))
    assert slots["state"] == "sent", slots
    for s in [slots, *slots["streams"]]:
        assert s["intended"] == s["sent"] + s["refused"] + s["late"], s
        assert s["lateness"]["n"] == s["sent"], s
        assert "buckets" not in s["lateness"], s
    for key in (*KEYS, "sent_bytes"):
        assert sum(s[key] for s in slots["streams"]) == slots[key], key
    assert (slots["sent"], slots["sent_bytes"]) == (port["opackets"], port["obytes"]), r
    assert [s["id"] for s in slots["streams"]] == [1, 2, 3], slots
    assert [s["intended"] for s in slots["streams"]] == intended, slots
    return slots

over = check("overload.json", [200000, 100000, 10000])
# A busy machine makes the generator late as well; between them they are most of it.
assert over["refused"] > 0 and over["sent"] < 0.8 * over["intended"], over
assert all(s["refused"] + s["late"] > 0 for s in over["streams"]), over
easy = check("easy.json", [400, 200, 200])
assert easy["refused"] <= 0.1 * easy["intended"], easy

# The same for people: a line for each stream, with its name and what is missing.
text = open("overload.txt").read()
print(text)
for name, of in (("half", "200 000"), ("longer", "100 000"), ("bursts", "10 000")):
    line = next(l for l in text.splitlines() if f" {name} " in l)
    assert re.search(rf"sent [0-9 ]+ of {of}; refused [0-9 ]+", line), line
    n = [int(x.replace(" ", "")) for x in re.findall(r"(?:sent|of|refused|late) ([0-9][0-9 ]*?)(?= of|;| \(|,|$)", line)]
    assert n[0] + n[2] + n[3] == n[1], (line, n)
assert re.search(r"lateness +p50 .*, p99 .*, p99.9 .*, max ", text), text
assert re.search(r"jitter +p50 .*, p99 .*, p99.9 .*, max ", text), text
EOF
