# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# refused STATUS WORDS ARGUMENT...: nfvchain with these arguments ends with that status, and says these
# words.

refused() {
	_status=$1 _words=$2
	shift 2
	rc=0
	nfvchain "$@" >out.log 2>&1 || rc=$?
	[ "$rc" = "$_status" ] || fail "$*: status $rc, not $_status: $(cat out.log)"
	grep -qF -- "$_words" out.log || fail "$*: $(cat out.log)"
}
