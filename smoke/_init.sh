# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# What every script of smoke/ and e2e/ sources first:
#
#	#!/bin/sh
#	# SPDX-License-Identifier: MIT
#	# The claim that this script checks, in one sentence.
#	. "$(dirname "$0")/_init.sh"		(from e2e/: "$(dirname "$0")/../smoke/_init.sh")
#
# It gives the script network and mount namespaces, a scratch directory (the current one) and a run
# directory of its own, and an end at which everything that it started is stopped, by process id,
# and at which anything else left running is a failure.  A script passes with 0 and is skipped
# with 77.
# Its head may say "# timeout: SECONDS" and "# suite: full" for ./runtests.  A script that needs
# the network of the machine sets NFVCHAIN_NAMESPACE=shared before it sources this file.
#
# Variables
#	$top      the source tree
#	$build    the build directory (NFVCHAIN_BUILD, else build-test, build); its programs are first
#	          in $PATH
#	$scratch  removed at the end; its path is short enough for sockets
#	NFVCHAIN_RUN, XDG_RUNTIME_DIR, XDG_CACHE_HOME and HOME lie in $scratch.
#	NFVCHAIN_ATTRIBUTION is off, for it takes time; who tests it says --attribution on.
#
# Functions
#	start NAME COMMAND...		in the background, output to $scratch/NAME.log
#	stop NAME [SIGNAL [SECONDS]]	sends SIGNAL (TERM), waits (10 s), returns the exit status
#	alive NAME, pid_of NAME
#	last NAME COUNTER		the last COUNTER=number in the output of NAME
#	wait_until SECONDS 'CONDITION'	polls; when the time is over, the script fails
#	leftovers			processes and files in run directories that exist now
#	need PROGRAM...			skips the script when one is not there
#	fail REASON, skip REASON
#
# INTERACTIVE=1 opens a shell before the end, with everything still up.

set -eu

# Starts the script again in namespaces of its own, with lo up.  An ordinary user gets there through
# a user namespace and then drops the capabilities it brought: the test is about what users can do.
_enter_namespaces() {
	_options='--mount --net' _drop=
	if [ "$(id -u)" != 0 ]; then
		_options="--user --map-current-user --keep-caps $_options"
		_drop='setpriv --inh-caps=-all --ambient-caps=-all'
	fi
	# shellcheck disable=SC2016 # expands in the shell inside
	_lo_up='ip link set lo up && exec "$@"'
	export NFVCHAIN_NAMESPACE=shared
	# shellcheck disable=SC2086 # lists of words
	if _why=$(unshare $_options sh -c "$_lo_up" sh true 2>&1); then
		NFVCHAIN_NAMESPACE=own
		exec unshare $_options sh -c "$_lo_up" sh $_drop "$(realpath "$0")" "$@"
	fi
	echo "note: running without private namespaces: $_why" >&2
}

[ -n "${NFVCHAIN_NAMESPACE-}" ] || _enter_namespaces "$@"

fail() {
	echo "FAIL: $*" >&2
	exit 1
}

skip() {
	echo "$*"
	exit 77
}

need() {
	for _program; do
		command -v "$_program" >/dev/null || skip "needs $_program"
	done
}

# Prints the time since boot in hundredths of a second.
_now() {
	read -r _uptime _ </proc/uptime
	echo "${_uptime%.*}${_uptime#*.}"
}

# _poll SECONDS CONDITION: true as soon as the condition is, false when the time is over.
_poll() {
	_deadline=$(($(_now) + $1 * 100))
	until eval "$2"; do
		[ "$(_now)" -lt "$_deadline" ] || return 1
		sleep 0.05
	done
}

wait_until() {
	_poll "$1" "$2" || fail "waited $1 s for: $2"
}

# A shell makes its background commands ignore SIGINT; what is tested here must hear Ctrl-C.
start() {
	_name=$1
	shift
	env --default-signal=INT,QUIT "$@" </dev/null >>"$scratch/$_name.log" 2>&1 &
	echo $! >"$scratch/.started/$_name"
}

pid_of() {
	cat "$scratch/.started/$1" 2>/dev/null || fail "nothing was started as '$1'"
}

# A process that ended but was not waited for does not count as alive.
_is_running() {
	_stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
	case ${_stat##*) } in
	[ZX]*) return 1 ;;
	esac
}

alive() {
	_is_running "$(pid_of "$1")"
}

stop() {
	_pid=$(pid_of "$1")
	kill -s "${2:-TERM}" "$_pid" 2>/dev/null || :
	_poll "${3:-10}" "! _is_running $_pid" ||
		fail "'$1' still runs ${3:-10} s after SIG${2:-TERM}"
	rm "$scratch/.started/$1"
	_rc=0
	wait "$_pid" || _rc=$?
	[ "$_rc" = 0 ] || echo "'$1' ended with status $_rc" >&2
	return "$_rc"
}

last() {
	_value=$(sed -nE "s/(^|.*[^A-Za-z0-9_])$2=(-?[0-9]+(\.[0-9]+)?).*/\2/p" "$scratch/$1.log" |
		tail -n 1)
	[ -n "$_value" ] || fail "'$1' never printed $2=NUMBER"
	echo "$_value"
}

# Prints "PID COMMAND" for each process that this script is the cause of.
_processes() {
	"$top/devtools/pids-with" "NFVCHAIN_TEST=$NFVCHAIN_TEST" | while read -r _pid; do
		_command=$(tr '\0' ' ' 2>/dev/null <"/proc/$_pid/cmdline") || :
		# A zombie has no command line, and is nobody's to stop.
		[ -z "$_command" ] || echo "$_pid $_command"
	done 2>/dev/null
}

leftovers() {
	_processes
	find "$NFVCHAIN_RUN" "$XDG_RUNTIME_DIR" -mindepth 1
}

_stop_everything() {
	for _file in "$scratch"/.started/*; do
		[ -e "$_file" ] && kill -s TERM "$(cat "$_file")" 2>/dev/null
	done
	for _file in "$scratch"/.started/*; do
		[ -e "$_file" ] || continue
		_pid=$(cat "$_file")
		_poll 3 "! _is_running $_pid" || kill -s KILL "$_pid"
	done
}

# Children of what was started end through their lifelines; whoever has not after 5 s was forgotten.
_no_strays() {
	# shellcheck disable=SC2016 # the condition is evaluated again and again
	_poll 5 '[ -z "$(_processes)" ]' && return
	_strays=$(_processes)
	echo "FAIL: still running at the end: $_strays" >&2
	echo "$_strays" | while read -r _pid _; do
		kill -s KILL "$_pid"
	done
	return 1
}

_show_logs() {
	for _file in "$scratch"/*.log; do
		[ -s "$_file" ] || continue
		echo "--- end of ${_file##*/}"
		tail -n 15 "$_file"
	done >&2
}

_finish() {
	_status=$?
	trap - EXIT
	trap '' INT TERM HUP
	set +e
	if [ "${INTERACTIVE-}" = 1 ]; then
		echo "status $_status; everything is still up in $scratch; leave this shell to clean up" >&2
		"${SHELL:-/bin/sh}"
	fi
	_stop_everything
	_no_strays || _status=1
	case $_status in
	0 | 77) ;;
	*) _show_logs ;;
	esac
	cd / && rm -rf "$scratch"
	exit "$_status"
}

top=$(cd "$(dirname "$0")/.." && pwd)
build=${NFVCHAIN_BUILD-}
for _dir in "$top/build-test" "$top/build"; do
	[ -n "$build" ] || [ ! -f "$_dir/build.ninja" ] || build=$_dir
done
[ -n "$build" ] || fail "nothing is built: run devtools/build build, or set NFVCHAIN_BUILD"
build=$(cd "$build" && pwd)
# Not in TMPDIR, which may be too long for a socket's path.
scratch=$(mktemp -d /tmp/nfvt.XXXXXX)
trap _finish EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
mkdir -m 700 "$scratch/.started" "$scratch/run" "$scratch/xdg" "$scratch/home"
export top build scratch
export PATH="$build:$build/src/ctl:$build/src/fwd:$build/src/gen:$PATH"
export HOME="$scratch/home" XDG_CACHE_HOME="$scratch/home/.cache"
export NFVCHAIN_ATTRIBUTION=off
export NFVCHAIN_RUN="$scratch/run" XDG_RUNTIME_DIR="$scratch/xdg"
# Set here and not before the script: its own shell must not count as something it started.
export NFVCHAIN_TEST="${0##*/}-$$"
cd "$scratch"
