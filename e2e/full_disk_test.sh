#!/bin/sh
# SPDX-License-Identifier: MIT
# timeout: 300
# sanitize: no
# File systems that are full, or become so, end in a sentence and leave nothing: that of the run
# directory, of the results, of the guests' image.  With room again the next run works.
. "$(dirname "$0")/../smoke/_init.sh"

[ "$(id -u)" = 0 ] || skip "needs root to mount"
[ "${NFVCHAIN_NAMESPACE-}" = own ] || skip "needs namespaces to mount in"

# says STATUS SENTENCE COMMAND...
says() {
	_want=$1 _sentence=$2 _rc=0
	shift 2
	"$@" >says.log 2>&1 || _rc=$?
	tail -n 1 says.log
	[ "$_rc" = "$_want" ] || fail "$*: status $_rc instead of $_want: $(tail -n 3 says.log)"
	grep -q "$_sentence" says.log || fail "$*: no such sentence: $_sentence"
	mkdir -p "$NFVCHAIN_RUN"
	_left=$(leftovers)
	[ -z "$_left" ] || fail "$*: left: $_left"
}

bench() {
	nfvchain bench --rate 20kpps -d 300ms --quiet "$@"
}

# The script's own place to mount at: it goes with its namespace, whatever happens.
disk=/mnt
mount -t tmpfs -o size=4M tmpfs "$disk"

# Before anything starts.
export NFVCHAIN_RUN="$disk/run"
says 3 "run directory '$NFVCHAIN_RUN': its file system has [0-9]* kB left" nfvchain up
[ -z "$(find "$disk" -type f ! -name '*.lock' ! -empty)" ] || fail "left: $(find "$disk" -type f)"

# While it is up.
mount -o remount,size=40M tmpfs "$disk"
start up nfvchain up
wait_until 60 "grep -q '^up; ' up.log"
dd if=/dev/zero of="$disk/fill" bs=1M 2>/dev/null || :
alive up || fail "a full disk ended what is up: $(tail -n 1 up.log)"
stop up || fail "up ended with a status"
[ ! -e "$NFVCHAIN_RUN" ] || fail "left: $(find "$NFVCHAIN_RUN")"
rm "$disk"/fill
export NFVCHAIN_RUN="$scratch/run"

# Results: before anything is measured, and when it is.
mount -o remount,size=1M tmpfs "$disk"
says 1 "$disk/results: its file system has [0-9]* kB left, and a result needs" bench -o "$disk"/results
[ -z "$(ls -A "$disk"/results)" ] || fail "left: $(ls -A "$disk"/results)"
mount -o remount,size=40M tmpfs "$disk"
start long nfvchain bench --rate 20kpps -d 3s -o "$disk"/results
# shellcheck disable=SC2016 # evaluated again and again
wait_until 60 '[ -e "$NFVCHAIN_RUN/vnf1.ctl" ]'
dd if=/dev/zero of="$disk/fill" bs=4k 2>/dev/null || :
rc=0
stop long CONT 60 || rc=$?
tail -n 1 long.log
[ "$rc" = 1 ] || [ "$rc" = 6 ] || fail "a result that is not saved: status $rc"
grep -q 'what was measured is not saved: .*No space left on device' long.log || fail "not said"
[ -z "$(find "$disk"/results -mindepth 1 -type d)" ] || fail "left: $(find "$disk"/results)"

# The guests' image: what its builder has written goes.
rm "$disk"/fill
mkdir source
(cd source && mkdir -p devtools include libexec src && touch devtools/packages meson.build &&
	for part in agent base dpdk fwd gen pkt rpc; do mkdir "src/$part"; done)
cat >source/libexec/build-guest-image <<'END'
#!/bin/sh
echo root >>"$5/steps"
exec dd if=/dev/zero of="$5/initrd" bs=1M count=100
END
chmod 755 source/libexec/build-guest-image
says 1 "the guest image was not built: the file system of '$disk/cache' is full" \
	env NFVCHAIN_CACHE="$disk/cache" NFVCHAIN_SOURCE="$scratch/source" \
	nfvchain image build --quiet
[ -z "$(find "$disk"/cache/images -mindepth 1 ! -name lock)" ] || fail "left: $(find "$disk"/cache)"

# An image whose bytes are not those of its manifest is not booted, but built anew.
rm -r "$disk"/cache
cat >source/libexec/build-guest-image <<'END'
#!/bin/sh
echo build >>"$4/builds"
[ "$(wc -l <"$4/builds")" = 1 ] || { echo "build-guest-image: built again"; exit 3; }
out=$5
one() { echo "\"$1\": {\"size\": 7, \"sha256\": \"$(sha256sum "$out/$1" | cut -d ' ' -f 1)\"}"; }
echo kernel >"$5/kernel"
echo initrd >"$5/initrd"
kernel=$(one kernel) initrd=$(one initrd)
echo "{\"key\": \"$3\", \"files\": {$kernel, $initrd}}" >"$5/manifest.json"
END
export NFVCHAIN_CACHE="$disk/cache" NFVCHAIN_SOURCE="$scratch/source"
image=$(nfvchain image build --quiet)
echo kernes >"$image/kernel"
says 3 'the guest image: build-guest-image: built again' \
	nfvchain up --accel tcg "$top/chains/vm-snake-fast.yaml"

umount "$disk"
bench -o results || [ $? = 6 ] || fail "the next run"
