#!/bin/sh
# SPDX-License-Identifier: MIT
# The helper library says so when a script leaves something behind, and stops what it started.
# sanitize: no
. "$(dirname "$0")/_init.sh"

# A tree of its own for small scripts that use the library; the build directory stays ours.
mkdir -p tree/smoke
ln -s "$top/devtools" tree/devtools
export NFVCHAIN_BUILD="$build"

# small_script NAME: runs stdin as a script that uses the library; sets $rc, fills NAME.out.
small_script() {
	{
		printf '#!/bin/sh\n. "%s/smoke/_init.sh"\n' "$top"
		cat
	} >"tree/smoke/$1"
	chmod +x "tree/smoke/$1"
	rc=0
	"tree/smoke/$1" >"$1.out" 2>&1 || rc=$?
}

# expect NAME STATUS TEXT
expect() {
	[ "$rc" = "$2" ] || fail "$1 ended with $rc, not $2: $(cat "$1.out")"
	grep -qF -e "$3" "$1.out" || fail "$1 does not say '$3': $(cat "$1.out")"
}

small_script counters <<'END'
start worker sh -c 'trap "echo stopped: rx=12 tx=12; exit 3" INT
	echo up: rx=7
	while :; do sleep 0.1; done'
wait_until 5 'grep -q up: worker.log'
[ "$(last worker rx)" = 7 ] || fail "rx is not 7"
alive worker || fail "worker is not alive"
rc=0
stop worker INT || rc=$?
[ "$rc" = 3 ] || fail "its status is $rc, not 3"
[ "$(last worker rx)" = 12 ] || fail "rx is not 12"
[ -z "$(leftovers)" ] || fail "left: $(leftovers)"
echo "counted"
END
expect counters 0 counted

small_script stray <<'END'
setsid sleep 1001 &
END
expect stray 1 'still running at the end'

small_script stopped <<'END'
start sleeper setsid sleep 1002
leftovers | grep -q 'sleep 1002' || fail "leftovers does not show it"
echo shown
END
expect stopped 0 shown

small_script deadline <<'END'
start talker sh -c 'echo its last words; exec sleep 1003'
wait_until 1 false
END
expect deadline 1 'waited 1 s for: false'
expect deadline 1 'its last words'

small_script skipped <<'END'
need no-such-program
END
expect skipped 77 'needs no-such-program'

! grep -lzE '^100[123]$' /proc/[0-9]*/cmdline 2>/dev/null || fail "a process is left"
