#!/bin/sh
# SPDX-License-Identifier: MIT
# timeout: 120
# second try: a busy machine refuses
# The default chain passes a trial at 50 kpps, far below what it can do, at least once in five tries:
# the generator is not always late, the chain does not always refuse.
. "$(dirname "$0")/../smoke/_init.sh"

need python3
cat >try.py <<'EOF'
import json, os, resource, subprocess, sys, time

TRIES, BUSY = 5, 0.1

# CPU seconds of the whole machine, the hypervisor's share among them, and of what we started.
def machine():
    ticks = [int(n) for n in open("/proc/stat").readline().split()[1:9]]
    return (sum(ticks) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK")

def ours():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime

disturbed = 0
for i in range(TRIES):
    before = time.monotonic(), machine(), ours()
    run = subprocess.run("nfvchain bench --rate 50kpps -d 2s --json --quiet -o results".split(),
                         stdout=subprocess.PIPE, check=False)
    others = (machine() - before[1] - ours() + before[2]) / (time.monotonic() - before[0])
    assert run.returncode in (0, 6), run.returncode
    t = json.loads(run.stdout)["measurements"][0]["searches"][0]["trials"][0]
    print(f"{t['verdict']}: {t['reason']}; others use {others:.2f} CPUs", flush=True)
    if t["verdict"] == "pass":
        assert run.returncode == 0 and t["frames"]["ok"] == t["slots"]["sent"] > 99000, t
        sys.exit(0)
    disturbed += t["verdict"] == "invalid" and others > BUSY
# Where other work takes the CPUs away all the time, nothing is learnt about ours.
if disturbed == TRIES:
    print("other programs keep the CPUs busy")
    sys.exit(77)
sys.exit("no trial of five passed")
EOF

python3 try.py
