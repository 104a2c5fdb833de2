#!/bin/sh
# SPDX-License-Identifier: MIT
# The manual pages that the build makes have every option of --help, and roff understands them.
. "$(dirname "$0")/_init.sh"

need groff nfvchain

# has_options PAGE COMMAND...: what the command's --help has as an option, the page has too.
has_options() {
	page=$1
	shift
	"$@" --help | sed -nE 's/^  (-., |    )(--[^ ]*).*/\2/p' >options
	[ "$(wc -l <options)" -gt 0 ] || fail "no options in the help of $*"
	while read -r option; do
		grep -qE "^ +(-., )?$(printf '%s' "$option" | sed 's/[][]/\\&/g')( |\$)" "$page.txt" ||
			fail "$page.1 lacks $option of $*"
	done <options
}

for page in nfvchain nfvchain-fwd nfvchain-gen; do
	file=$build/docs/man/$page.1
	[ -s "$file" ] || fail "the build made no $page.1"
	LC_ALL=C.UTF-8 groff -ww -man -Tutf8 -P -cbou "$file" >"$page.txt" 2>warnings
	[ ! -s warnings ] || { cat warnings; fail "roff has something to say about $page.1"; }
	! grep -q lifeline "$page.txt" || fail "$page.1 has an option that is not for people"
	for section in NAME SYNOPSIS DESCRIPTION ENVIRONMENT 'EXIT STATUS' 'SEE ALSO'; do
		grep -q "^$section\$" "$page.txt" || fail "$page.1 has no section $section"
	done
done
has_options nfvchain-fwd nfvchain-fwd
has_options nfvchain-gen nfvchain-gen
commands=$(nfvchain --help | sed -n '/^Commands:/,/^$/s/^  \([a-z][a-z]*\) .*/\1/p')
[ -n "$commands" ] || fail "no commands in the help of nfvchain"
for command in $commands; do
	grep -q "^   nfvchain $command\$" nfvchain.txt || fail "nfvchain.1 lacks the command $command"
	# Other commands may have an option of the same name: look in this command's part only.
	awk -v want="   nfvchain $command" '/^[^ ]|^   [^ ]/ { on = $0 == want } on' nfvchain.txt >part.txt
	has_options part nfvchain "$command"
done
