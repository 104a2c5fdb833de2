#!/bin/sh
# SPDX-License-Identifier: MIT
# The JSON schema of traffic profiles takes what nfvchain takes, and refuses what it refuses.
# sanitize: no
. "$(dirname "$0")/_init.sh"

need python3
python3 -c 'import jsonschema, yaml' 2>/dev/null || skip "needs python3-jsonschema and python3-yaml"

cat >check.py <<'PYTHON'
import glob, json, os, subprocess, sys
import jsonschema, yaml

TOP = os.environ["top"]
FRAME = "{size: 64, ipv4: {src: 16.0.0.1, dst: 48.0.0.1}, udp: {src: 1025, dst: 12}}"

with open(TOP + "/docs/schema/profile.schema.json") as f:
    schema = json.load(f)
jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.Draft202012Validator(schema)


def why_not(text):
    """The schema's reason against a profile, or None."""
    error = jsonschema.exceptions.best_match(validator.iter_errors(yaml.safe_load(text)))
    return None if error is None else error.json_path + ": " + error.message


def reader(text, path="p.yaml"):
    """nfvchain's reason against a profile, or None."""
    if path == "p.yaml":
        with open(path, "w") as f:
            f.write(text)
    run = subprocess.run(["nfvchain", "start", "-f", path, "--dry-run"],
                         stdin=subprocess.DEVNULL, capture_output=True, text=True)
    return None if run.returncode == 0 else run.stderr.strip() or "status %d" % run.returncode


failures = 0


def check(name, text, wanted, path="p.yaml"):
    global failures
    reasons = {"the schema": why_not(text), "nfvchain": reader(text, path)}
    for who, reason in reasons.items():
        if (reason is None) != wanted:
            print("%s: %s %s" % (name, who, "takes it" if reason is None else "says " + reason))
            failures += 1


def stream(rest, tunables=""):
    return "version: 1\n%sstreams:\n  - %s\n" % (tunables, rest)


shipped = sorted(glob.glob(TOP + "/profiles/*.yaml"))
for path in shipped:
    with open(path) as f:
        check(path, f.read(), True, path)

taken = [
    "{frame: {}}",
    "{name: a, frame: %s, rate: 10kpps, burst: 7, delay: 10ms, seed: 3}" % FRAME,
    "{name: a, frame: %s, rate: 1.5gbpsl1, bursts: {count: 3, frames: 4, gap: 0.1us}}" % FRAME,
    "{name: a, frame: %s, rate: 10%%, then: a, times: 2, waits: no, paused: true}" % FRAME,
    "{frame: %s, rate: 5, stats: 7, dummy: yes}" % FRAME,
    "{frame: {eth: {src: '02:00:00:00:00:01', type: 0x88b5}, vlan: [1, {id: 2, priority: 7}]}}",
    "{frame: {vlan: 4095, ipv6: {src: '::1', label: 0xfffff}, tcp: {flags: SA, window: 0}}}",
    "{frame: {ipv4: {src: 0x10000001, df: true}, icmp: {type: 0}, payload: {hex: '00 ff'}}}",
    "{frame: {ipv4: {}, udp: {checksum: yes}, payload: some text}, cache: 255}",
    "{frame: %s, vary: [{field: ipv4.src, from: 1.1.1.1, to: 1.1.1.9, step: 2}]}" % FRAME,
    "{frame: %s, vary: [{offset: 42, width: 2, op: random, repeat: 5, add: 1}]}" % FRAME,
    "{frame: %s, vary: [{field: udp.src, list: [1, 2, 3]}]}" % FRAME,
    "{frame: %s, vary: [{clients: {ip: ipv4.src, port: udp.src, ips: [1.1.1.1, 1.1.1.9]}}]}" % FRAME,
    "{capture: {file: %s/profiles/examples.pcap, speed: 0.5, loops: 0, macs: file}}" % TOP,
]
refused = [
    "a",
    "{rate: 1pps}",
    "{frames: %s}" % FRAME,
    "{frame: []}",
    "{frame: {udp: {}}}",
    "{frame: {ipv4: {}, ipv6: {}}}",
    "{frame: {ipv4: {}, udp: {}, tcp: {}}}",
    "{frame: {size: 63}}",
    "{frame: {size: 9217}}",
    "{frame: {size: many}}",
    "{frame: {eth: {src: '02:00:00:00:00'}}}",
    "{frame: {ipv4: {src: 1.2.3}}}",
    "{frame: {ipv4: {src: 4294967296}}}",
    "{frame: {ipv4: {ttl: 256}}}",
    "{frame: {ipv4: {ttl: -1}}}",
    "{frame: {ipv4: {source: 1.2.3.4}}}",
    "{frame: {ipv6: {src: 16.0.0.1}}}",
    "{frame: {ipv6: {label: 0x100000}}}",
    "{frame: {vlan: 4096}}",
    "{frame: {vlan: [1, 2, 3]}}",
    "{frame: {vlan: {id: 1, priority: 8}}}",
    "{frame: {ipv4: {}, tcp: {flags: X}}}",
    "{frame: {ipv4: {}, udp: {src: 65536}}}",
    "{frame: {payload: {hex: 0g}}}",
    "{frame: {payload: [1]}}",
    "{frame: %s, rate: fast}" % FRAME,
    "{frame: %s, rate: 0}" % FRAME,
    "{frame: %s, rate: max}" % FRAME,
    "{frame: %s, burst: 0}" % FRAME,
    "{frame: %s, burst: 1, bursts: {}}" % FRAME,
    "{frame: %s, bursts: {frames: 0}}" % FRAME,
    "{frame: %s, bursts: {gap: soon}}" % FRAME,
    "{frame: %s, delay: -1}" % FRAME,
    "{frame: %s, waits: maybe}" % FRAME,
    "{frame: %s, stats: 1, latency: 2}" % FRAME,
    "{frame: %s, stats: 4294967296}" % FRAME,
    "{frame: %s, cache: 5001}" % FRAME,
    "{frame: %s, then: a}" % FRAME,
    "{frame: %s, only: x}" % FRAME,
    "{frame: %s, burst: {of: 1}}" % FRAME,
    "{frame: %s, vary: {field: ipv4.src}}" % FRAME,
    "{frame: %s, vary: [{op: inc}]}" % FRAME,
    "{frame: %s, vary: [{field: ipv4.source}]}" % FRAME,
    "{frame: %s, vary: [{offset: 42, width: 3}]}" % FRAME,
    "{frame: %s, vary: [{field: ipv4.src, op: up}]}" % FRAME,
    "{frame: %s, vary: [{field: ipv4.src, list: []}]}" % FRAME,
    "{frame: %s, vary: [{field: ipv4.src, repeat: 0}]}" % FRAME,
    "{frame: %s, vary: [{field: ipv4.src, from: here}]}" % FRAME,
    "{frame: %s, vary: [{clients: {ip: ipv4.src, port: udp.src}}]}" % FRAME,
    "{frame: %s, vary: [{clients: {ip: ipv4.src, port: udp.src, ips: [1]}}]}" % FRAME,
    "{frame: %s, vary: [{clients: {ip: ipv4.src, ips: [1, 2]}}]}" % FRAME,
    "{capture: {}}",
    "{capture: {file: %s/profiles/examples.pcap, speed: 0}}" % TOP,
    "{capture: {file: %s/profiles/examples.pcap, limit: 0}}" % TOP,
    "{capture: {file: %s/profiles/examples.pcap, macs: mine}}" % TOP,
]
for rest in taken:
    check(rest, stream(rest), True)
for rest in refused:
    check(rest, stream(rest), False)

T = "tunables: {k: {default: 64, about: x, one_of: [64, 128]}}\n"
check("a tunable", stream("{frame: {size: $k}}", T), True)
check("a condition", stream("{frame: %s, burst: {value: 5, only: {k: [64, '!9']}}}" % FRAME, T), True)
for name, text in {
    "no version": "streams: [{frame: {}}]\n",
    "another version": "version: 2\nstreams: [{frame: {}}]\n",
    "no streams": "version: 1\n",
    "none": "version: 1\nstreams: []\n",
    "a list": "[1]\n",
    "an unknown key": "version: 1\nstream: []\nstreams: [{frame: {}}]\n",
    "no default": stream("{frame: {}}", "tunables: {k: {about: x}}\n"),
    "choices that are none": stream("{frame: {}}", "tunables: {k: {default: 1, one_of: 1}}\n"),
    "many tunables": stream("{frame: {}}", "tunables: {%s}\n"
                            % ", ".join("k%d: {default: 1}" % i for i in range(33))),
}.items():
    check(name, text, False)

print("%d profiles of ours, %d taken, %d refused" % (len(shipped), len(taken), len(refused)))
sys.exit(failures > 0 or len(shipped) == 0)
PYTHON
python3 -W ignore check.py
