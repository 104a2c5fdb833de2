#!/bin/sh
# SPDX-License-Identifier: MIT
# timeout: 120
# Forwarders with DPDK's adapters, and one of whose lcores two send, carry a chain's traffic in order,
# and the ledger says where each frame went, those among them that a function drops.
. "$(dirname "$0")/../smoke/_init.sh"

need python3

cat >adapters.yaml <<EOF
version: 1
name: adapters
hops:
  - {kind: nfvchain-fwd, engine: event, args: [--adapters],
     nf: [l2fwd, "$build/examples/nf_deny.so:src=49152-49155"]}
  - {kind: nfvchain-fwd, engine: pipeline, args: [--adapters, --stages, "2", --event-dev, event_dsw0]}
  - {kind: nfvchain-fwd, engine: event, lcores: 4,
     args: [--no-fuse, --rx-mask, "1", --sched-mask, "1", --worker-mask, "2", --tx-mask, "c"]}
traffic: {flows: 16, rate: 10kpps}
EOF

cat >run.py <<'EOF'
import json, subprocess

run = subprocess.run("nfvchain bench adapters.yaml -d 1s --json --quiet -o results".split(),
                     stdout=subprocess.PIPE, check=False)
# 6: frames are dropped on purpose, or the machine was too busy.
assert run.returncode in (0, 6), run.returncode
t = json.loads(run.stdout)["measurements"][0]["searches"][0]["trials"][0]
ledger, frames, sent = t["ledger"], t["frames"], t["slots"]["sent"]
drops = [hop["drops"] for hop in ledger["hops"]]
print("sent", sent, "received", frames["received"], "drops", drops)
assert ledger["balanced"] and ledger["lost"] == 0 and ledger["in_flight"] == 0, ledger
assert ledger["residual"] == 0 and ledger["disagreement"] == 0, ledger
wrong = ("reordered", "reflected", "misdelivered", "corrupt", "truncated", "duplicate")
assert not any(frames[k] for k in wrong), frames
assert sent > 1000 and drops[0]["deny.denied"] > sent / 8, (sent, drops)
assert all("tx_adapter" in d for d in drops), drops
assert frames["received"] + ledger["drops"] + ledger["miss"] == sent, (frames, ledger)
EOF

python3 run.py
