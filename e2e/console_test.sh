#!/bin/sh
# SPDX-License-Identifier: MIT
# timeout: 120
# The session of TRex's console, typed into ours on a terminal: what it shows is what the chain's own
# ledger has; and lines from a file and from a pipe.
. "$(dirname "$0")/../smoke/_init.sh"
. "$(dirname "$0")/_tmux.sh"

need python3
start up nfvchain up --trex-ports
wait_until 20 'grep -q "Ctrl-C takes it down" up.log'

# forwarded: frames that the hop has received and sent, read from its own control socket.
forwarded() {
	python3 - <<'EOF'
import glob, json, os, socket
for path in glob.glob(os.environ["NFVCHAIN_RUN"] + "/**/*", recursive=True) + \
        glob.glob(os.environ["XDG_RUNTIME_DIR"] + "/**/*", recursive=True):
    try:
        s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        s.settimeout(5)
        s.connect(path)
        s.send(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "counters"}).encode())
        ports = json.loads(s.recv(1 << 20))["result"]["ports"]
        print(sum(p["rx"] for p in ports), sum(p["tx"] for p in ports))
        break
    except (OSError, ValueError, KeyError):
        continue
EOF
}

# ---- lines from a pipe and a file ----

printf '%s\n' 'start -f stl/imix.py -m 10kpps -p 0 -d 1 --sync' 'stats -p' 'quit' 'bogus' |
	nfvchain console >pipe.out || fail "lines from a pipe: $?"
sent=$(sed -n 's/^  sent  *\([0-9 ]*[0-9]\)   *0$/\1/p' pipe.out | tr -d ' ')
[ "${sent:-0}" -ge 100 ] || fail "'stats' does not show what was sent: $(cat pipe.out)"
[ "$(forwarded)" = "$sent $sent" ] || fail "the hop has '$(forwarded)', the console $sent"

printf '%s\n' '# a comment' 'stats -g' 'start -f nothing' 'stats' >lines
rc=0
nfvchain console --batch lines >batch.out 2>batch.err || rc=$?
[ "$rc" = 2 ] || fail "a wrong line ends with $rc, not 2"
grep -q "lines:3: there is no profile 'nothing'" batch.err || fail "which line? $(cat batch.err)"
[ "$(grep -c frames batch.out)" = 1 ] || fail "it goes on behind a wrong line"

# refused PART LINE...
refused() {
	part=$1
	shift
	! printf '%s\n' "$@" | nfvchain console >out.log 2>&1 || fail "'$*' succeeds"
	grep -qF -- "$part" out.log || fail "'$*' does not say '$part': $(cat out.log)"
}
refused "did you mean 'start'" 'strat -f imix'
refused 'the generator has 2' 'stop -p 2'
refused 'is no port' 'start -f imix -p zero'
refused 'named twice' 'pause -p 0 0'
refused 'sends already' 'start -f imix -p 0' 'start -f imix -p 0'
refused "is neither on nor off" 'portattr -p 0 --prom perhaps'
refused 'a quote is not closed' "start -f 'imix"
printf 'stop\n' | nfvchain console >out.log || fail "stop: $?"

# ---- a terminal ----

terminal a 80 40 'exec nfvchain console 2>&1'
shows 'nfvchain>'
keys 'clear' Enter 'sta' Tab 'rt -f stl/ben' Tab '-m 1pps -p 0' Enter
shows 'at 1 times its rate'
keys 'stop' Enter
shows 'port 0: stopped'
keys 'start -f stl/bench.py -m 100mbps -p 0' Enter
shows 'e.05 times'
keys 'pause' Enter
shows 'port 0: paused'
keys 'resume' Enter
shows 'port 0: sends on'
keys 'update -m +10%' Enter
shows 'changed by \+10%'
keys 'wait' Enter
keys C-c
keys 'stop -p 0' Enter 'help' Enter
shows 'until ports have ended'
keys 'clear' Enter 'start -f imix -m 20kpps -p 0 -d 1' Enter
shows '\*\*\* port 0: has ended'
keys 'stats -g' Enter
shows ' 0 under way or lost'
sent=$(sed -n 's/^  frames *\([0-9 ]*\) sent.*/\1/p' screen | tail -n 1 | tr -d ' ')
[ "${sent:-0}" -ge 100 ] || fail "$sent frames: $(cat screen)"

# A generator that is gone is noticed within three seconds, and what was typed stays.
keys 'half a line'
shows 'nfvchain> half a line'
stop up INT || fail "up ends with an error"
_poll 3 'screen; grep -q "is gone" screen' || fail "it is not noticed: $(cat screen)"
keys C-c 'stats' Enter
shows 'there is no generator'
keys 'quit' Enter
wait_until 10 "! $tmux has-session 2>/dev/null"
