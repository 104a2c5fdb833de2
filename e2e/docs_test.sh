#!/bin/sh
# SPDX-License-Identifier: MIT
# timeout: 240
# second try: some of its commands measure
# The commands of README and guide that are marked "sh run" work as printed.
. "$(dirname "$0")/../smoke/_init.sh"

ln -s "$top/chains" "$top/examples" "$top/include" "$top/profiles" .
for page in "$top/README.md" "$top"/docs/*.md; do
	awk '/^```sh run$/ { on = 1; next } /^```$/ { on = 0 } on' "$page" >commands
	while read -r command; do
		echo "$(basename "$page"): $command"
		rc=0
		sh -c "$command" >out 2>&1 </dev/null || rc=$?
		# 6: measured, but too noisy for a verdict; the command itself did what it says.
		[ "$rc" = 0 ] || [ "$rc" = 6 ] || { cat out; fail "status $rc"; }
	done <commands
done
