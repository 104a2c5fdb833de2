#!/bin/sh
# SPDX-License-Identifier: MIT
# timeout: 240
# report.html in a real browser: nothing goes wrong and nobody is asked for anything, each plot is
# drawn in light and dark, no scrolling sideways on a telephone, and each figure is that of
# result.json.  Rendered again it is the same, and so are the other forms.
NFVCHAIN_NAMESPACE=shared
. "$(dirname "$0")/../smoke/_init.sh"

need chromium python3

# browse THEME URL: prints the page after its scripts ran; what the console says goes to console.log.
# Without a sandbox, which needs more rights than tests have; with a profile of its own.
browse() {
	scheme=1
	[ "$1" = light ] || scheme=0
	XDG_RUNTIME_DIR=$scratch/home timeout 60 chromium --headless --no-sandbox --disable-gpu \
		--disable-dev-shm-usage --no-first-run --disable-background-networking --disable-component-update \
		--disable-extensions --disable-sync --hide-scrollbars --user-data-dir="$scratch/profile" \
		--blink-settings=preferredColorScheme=$scheme --window-size=1100,900 \
		--virtual-time-budget=5000 --enable-logging=stderr --dump-dom "$2" 2>chromium.err
	grep 'CONSOLE' chromium.err >>console.log || :
}

echo '<!DOCTYPE html><title>starts</title><p>yes' >hello.html
browse light "file://$scratch/hello.html" >hello.out || :
grep -q '<p>yes' hello.out || { cat chromium.err; skip "chromium does not start here"; }

# However the runs end on a busy machine, they leave a report.
nfvchain bench --trial 50ms --frame-size 64,imix -o search --quiet >search.txt || :
nfvchain bench --rate 20kpps -d 200ms -o fixed --quiet >fixed.txt || :

cat >check.py <<'PY'
import json, re, sys
from html.parser import HTMLParser

def at(json_, path):
    for key, index in re.findall(r"([^.\[\]]+)|\[(\d+)\]", path):
        if json_ is None:
            return None
        json_ = json_[int(index)] if index else json_.get(key)
    return json_

class Page(HTMLParser):
    def __init__(self, result):
        super().__init__()
        self.result, self.figures, self.values, self.html = result, {}, 0, None
    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag == "html":
            self.html = attrs
        if tag == "figure":
            self.figures[attrs["id"]] = attrs
        if tag == "data":
            value = at(self.result, attrs["data-path"])
            shown = float(attrs["value"]) if attrs["value"] else None
            assert shown == value, (attrs, value)
            self.values += shown is not None

theme, page, result, plots = sys.argv[1:]
p = Page(json.load(open(result)))
p.feed(open(page, encoding="utf-8").read())
root = p.html
assert root.get("data-selfcheck") == "done", root
assert root["data-errors"] == "0" and root["data-violations"] == "0", root
assert root["data-requests"] == "0", root
paper = [int(n) for n in re.findall(r"\d+", root["data-paper"])[:3]]
assert (sum(paper) > 600) == (theme == "light"), paper
for name, figure in p.figures.items():
    assert int(figure["data-painted"]) > 500, (name, figure)
    assert int(figure["data-marks"]) > 0, (name, figure)
assert p.values >= 10 * int(plots) and len(p.figures) >= int(plots), (p.values, p.figures)
print(theme, len(p.figures), "plots,", p.values, "figures")
PY

# check RESULT THEME PLOTS: what the browser made of a report.
check() {
	browse "$2" "file://$scratch/$1/report.html#selfcheck" >page.out
	python3 check.py "$2" page.out "$1/result.json" "$3" || {
		grep CONSOLE chromium.err || :
		fail "$1, $2"
	}
}

for result in search fixed; do
	[ -s $result/latest/report.html ] || fail "nfvchain bench wrote no report.html"
done
check search/latest light 0
check search/latest dark 0
check fixed/latest light 0

# Results with everything that a file can have, from a machine that is never too noisy.
for name in search fixed; do
	mkdir "kept-$name"
	cp "$top/fuzz/corpus/result/$name.json" "kept-$name/result.json"
	nfvchain report "kept-$name"
	for theme in light dark; do
		check "kept-$name" $theme 3
	done
done

# A page 360 pixels wide, in a frame, since windows have a least width; a reader of one origin.
python3 - kept-search/report.html >narrow.html <<'PY'
import html, sys
print('<!DOCTYPE html><iframe width="360" height="800" style="border:0" srcdoc="%s"></iframe>'
      '<script>onload = () => setTimeout(() => { const d = frames[0].document.documentElement;'
      'document.body.dataset.width = d.scrollWidth + " of " + frames[0].innerWidth; }, 500)</script>'
      % html.escape(open(sys.argv[1], encoding="utf-8").read()))
PY
browse light "file://$scratch/narrow.html" >narrow.out
grep -o 'data-width="[^"]*"' narrow.out >width || fail "the frame of 360 pixels says nothing"
grep -q 'data-width="360 of 360"' width || fail "scrolls sideways: $(cat width)"

[ ! -s console.log ] || { cat console.log; fail "the console is not silent"; }

# The same bytes again, offline, and the other forms.
cp search/latest/report.html before.html
[ "$(nfvchain report search)" = search/report.html ] && fail "a folder of results is no result"
[ "$(nfvchain report search/latest)" = search/latest/report.html ] || fail "says another path"
cmp before.html search/latest/report.html || fail "another page from the same result"
NFVCHAIN_OUTPUT=search nfvchain report --format json | cmp - search/latest/result.json ||
	fail "another result.json"
nfvchain report kept-search/result.json --format csv >trials.csv
nfvchain report kept-fixed -f markdown | grep -q '^| firewall |' || fail "no ledger in Markdown"
nfvchain report kept-fixed -f text | grep -q 'generator:0' || fail "no ledger as text"
python3 - kept-search/result.json trials.csv <<'PY'
import csv, json, sys
result = json.load(open(sys.argv[1]))
trials = [t for m in result["measurements"] for s in m["searches"] for t in s["trials"]]
rows = list(csv.DictReader(open(sys.argv[2], newline="")))
assert len(rows) == len(trials) > 0
for row, trial in zip(rows, trials):
    assert int(row["sent_frames"]) == trial["slots"]["sent"], row
    assert row["reason"] == trial["reason"], row
    assert int(row["link1_lost_forward_frames"]) == trial["ledger"]["links"][1]["lost_forward"]
PY
[ -z "$(leftovers)" ] || fail "left behind: $(leftovers)"
