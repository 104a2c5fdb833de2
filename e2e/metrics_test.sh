#!/bin/sh
# SPDX-License-Identifier: MIT
# timeout: 120
# What a real Prometheus reads of a chain under traffic: promtool finds no fault with the page, the
# numbers are those that the chain has counted, and each query of the dashboard gives a figure.
. "$(dirname "$0")/../smoke/_init.sh"

need prometheus promtool python3

start up nfvchain up --hops 2 --trex-ports
wait_until 60 "grep -q '^up; ' up.log"
start metrics nfvchain metrics snake
wait_until 20 "grep -q 'http://127.0.0.1:9469/metrics' metrics.log"

# fetch ACCEPT: the page as a client gets it.
fetch() {
	python3 - "$1" <<'END'
import sys, urllib.request

ask = urllib.request.Request("http://127.0.0.1:9469/metrics", headers={"Accept": sys.argv[1]})
with urllib.request.urlopen(ask, timeout=20) as reply:
    print(reply.headers["Content-Type"], file=sys.stderr)
    sys.stdout.write(reply.read().decode())
END
}
fetch text/plain >page.txt 2>content
grep -q '^text/plain; version=0.0.4' content || fail "$(cat content)"
promtool check metrics <page.txt >promtool.out 2>&1 || fail "promtool: $(cat promtool.out)"
[ ! -s promtool.out ] || fail "promtool: $(cat promtool.out)"
fetch 'application/openmetrics-text; version=1.0.0' >page.om 2>content
grep -q '^application/openmetrics-text' content || fail "$(cat content)"
[ "$(tail -n 1 page.om)" = '# EOF' ] || fail "$(tail -n 3 page.om)"

cp "$top/docs/examples/prometheus.yml" .
promtool check config prometheus.yml >promtool.out 2>&1 || fail "$(cat promtool.out)"
start prometheus prometheus --config.file=prometheus.yml --storage.tsdb.path=tsdb \
	--web.listen-address=127.0.0.1:9090 --log.level=warn
printf 'start -f bench -m 20kpps -p 0 -d 20\n' | nfvchain console >console.out ||
	fail "$(cat console.out)"

# Each query of the dashboard, with what Grafana would fill in; then the counters.
python3 - "$top/docs/examples/grafana-dashboard.json" <<'END' || fail "Prometheus: see above"
import json, sys, time, urllib.parse, urllib.request

def query(text):
    url = "http://127.0.0.1:9090/api/v1/query?" + urllib.parse.urlencode({"query": text})
    with urllib.request.urlopen(url, timeout=10) as reply:
        return json.load(reply)["data"]["result"]

def wait(text, good, seconds):
    until = time.monotonic() + seconds
    while True:
        try:
            result = query(text)
        except OSError:
            result = None
        if result and good(result):
            return result
        if time.monotonic() > until:
            sys.exit(f"{text}: {result}")
        time.sleep(0.2)

def finite(result):
    return all(float(r["value"][1]) == float(r["value"][1]) for r in result)

wait('nfvchain_up{chain="snake"}', lambda r: r[0]["value"][1] == "1", 30)
wait("rate(nfvchain_port_sent_frames_total[5s]) > 0", lambda r: True, 15)
for panel in json.load(open(sys.argv[1]))["panels"]:
    for target in panel["targets"]:
        text = target["expr"].replace("$chain", "snake").replace("$__rate_interval", "5s")
        print(panel["title"], wait(text, finite, 10)[0]["value"][1])
END
printf 'stop\n' | nfvchain console >console.out || fail "$(cat console.out)"
nfvchain metrics snake --once >once.om
sent=$(sed -n 's/^nfvchain_port_sent_frames_total{chain="snake",port="0"} //p' once.om)
[ "${sent:-0}" -ge 1000 ] || fail "$(cat once.om)"
for line in 'port_received_frames_total{chain="snake",port="1"}' \
	'hop_received_frames_total{chain="snake",hop="vnf1"}' \
	'hop_sent_frames_total{chain="snake",hop="vnf2"}'; do
	grep -qxF "nfvchain_$line $sent" once.om || fail "$line is not $sent: $(cat once.om)"
done

stop up INT || fail "up ends with an error"
fetch text/plain >page.txt 2>content
grep -qx 'nfvchain_up{chain="snake"} 0' page.txt || fail "$(cat page.txt)"
stop metrics INT || fail "metrics ends with an error"
stop prometheus

refused() {
	_words=$1
	shift
	rc=0
	nfvchain metrics "$@" >out.log 2>&1 || rc=$?
	[ "$rc" = 2 ] || fail "$*: status $rc"
	grep -qF -- "$_words" out.log || fail "$*: $(cat out.log)"
}
refused '--insecure if that is meant' --listen 0.0.0.0:9469
refused 'an address and a port' --listen nowhere
refused '--once listens nowhere' --once --listen 127.0.0.1:1
