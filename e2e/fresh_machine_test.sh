#!/bin/sh
# SPDX-License-Identifier: MIT
# ./quickstart takes a fresh Debian 12 from nothing to a result within 6 minutes; then, the packages
# being there, it does so for an ordinary user without capabilities, also in somebody else's clone.
# suite: full
# timeout: 1200
NFVCHAIN_NAMESPACE=shared
. "$(dirname "$0")/../smoke/_init.sh"

need mmdebstrap git
[ "$(id -u)" = 0 ] || skip "needs root to make a Debian system"

rc=0
"$top/devtools/fresh-chroot" -w \
	-r 'timeout 360 ./quickstart && test -s results/latest/report.html' \
	-u 'timeout 360 ./quickstart && test -s results/latest/report.html' \
	-u 'cd /srv/nfvchain && timeout 360 ./quickstart' || rc=$?
[ "$rc" != 3 ] || skip "devtools/fresh-chroot cannot make a Debian 12 here"
[ "$rc" = 0 ] || fail "status $rc"
