#!/bin/sh
# SPDX-License-Identifier: MIT
# timeout: 180
# A hop that is too slow for the load is blamed where it stands: every slot of the schedule is
# accounted for, and what the chain has no room for is refused at its link or dropped before it, never
# left out of what was intended.
. "$(dirname "$0")/../smoke/_init.sh"

need dpdk-testpmd python3
first=$(python3 -c 'import os; print(min(os.sched_getaffinity(0)))')
last=$(python3 -c 'import os; print(max(os.sched_getaffinity(0)))')

# testpmd by single frames with short rings, and a busy neighbour on its CPU, which is in its
# process group and ends with it.
cat >slow <<'EOF'
#!/bin/sh
sh -c 'while :; do :; done' &
exec dpdk-testpmd "$@"
EOF
chmod +x slow

# write_chain NAME [OPTION]: the slow hop, behind a forwarder with that option if there is one.
write_chain() {
	cat <<-EOF
		version: 1
		name: $1
		generator: {cpus: [$first]}
		links: {kind: vhost-user, ring: 256}
		hops:
	EOF
	[ -z "${2-}" ] ||
		echo "  - {name: ours, kind: nfvchain-fwd, cpus: [$last], args: [--on-full, $2]}"
	cat <<-EOF
		  - name: slow
		    kind: exec
		    cpus: [$last]
		    lcores: 2
		    command: >-
		      $scratch/slow --lcores {lcores} --no-huge -m {mem} --no-pci --file-prefix={prefix}
		      --vdev={vdev0} --vdev={vdev1} -- --forward-mode=mac --eth-peer=0,{dest0}
		      --eth-peer=1,{dest1} --burst=1 --rxd=256 --txd=256 --total-num-mbufs=2048
		      --mbcache=32 --auto-start --no-lsc-interrupt --stats-period=36000
	EOF
}

cat >check.py <<'EOF'
import json, sys
path, status, text, where = sys.argv[1:]
r = json.load(open(path))
t = r["measurements"][0]["searches"][0]["trials"][0]
slots, l = t["slots"], t["ledger"]
reasons = {k: n for h in l["hops"] for k, n in (h["drops"] or {}).items()}
print(f'{t["verdict"]}: {t["reason"]}; loss ratio {t["loss_ratio"]:.3f}, {slots}, {reasons}',
      f'self-test {r["selftest"][0]["max_pps"]:.0f} pps')
assert abs(slots["intended"] - 500000) <= 1, slots
assert slots["sent"] + slots["refused"] + slots["late"] == slots["intended"], slots
assert l["balanced"] and l["lost"] == 0, l
lost = t["loss_ratio"] * slots["intended"]
assert lost > 0.1 * (slots["sent"] + slots["refused"]), lost
# A busy machine makes the generator late; where the frames went is told all the same.
assert (t["verdict"], status) in (("fail", "0"), ("invalid", "6")), (t["verdict"], status)
assert t["verdict"] == "fail" or "generator was late" in t["reason"], t["reason"]
if where == "refused":
    n, least = slots["refused"], 0.05 * slots["sent"]
    said = f"{n:,} refused at the generator's links".replace(",", " ")
else:
    n, least = reasons["tx_full"], 100
    said = f"ours dropped {n} (tx_full)"
assert n > least, (where, n)
assert said in " ".join(open(text).read().split()), said
EOF

# blames WHERE NAME [OPTION]
blames() {
	where=$1 rc=0
	shift
	write_chain "$@" >"$1.yaml"
	nfvchain bench "$1.yaml" --rate 500kpps -d 1s -o "$1" >"$1.txt" || rc=$?
	python3 check.py "$1/latest/result.json" "$rc" "$1.txt" "$where" ||
		{ cat "$1.txt"; fail "$1 does not blame what is '$where'"; }
	[ -z "$(leftovers)" ] || fail "left behind: $(leftovers)"
}

blames refused alone
# Our forwarder holds what the slow hop does not take, and so passes the lack of room on.
blames refused behind hold
blames dropped before drop
