#!/bin/sh
# SPDX-License-Identifier: MIT
# `nfvchain completion bash` completes commands, every option that --help has, values of a fixed set,
# directories and chain files.
. "$(dirname "$0")/_init.sh"

need bash nfvchain
nfvchain completion bash >script.bash
bash -n script.bash || fail "not a script for bash"

# complete_line WORD...: what is offered for the last word, sorted, in one line.
complete_line() {
	# shellcheck disable=SC2016 # expands in bash
	bash -c '. ../script.bash
		COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
		_nfvchain
		printf "%s\n" "${COMPREPLY[@]}"' bash "$@" | LC_ALL=C sort | tr '\n' '|' | sed 's/|$//'
}

# offers 'EXPECTED' WORD...
offers() {
	expected=$1
	shift
	found=$(complete_line "$@")
	[ "$found" = "$expected" ] || fail "for '$*': '$found' instead of '$expected'"
}

# The options in a command's help, the negated ones by both names.
options_of() {
	nfvchain "$1" --help | sed -nE 's/^  (-., |    )(--[^ ]*).*/\2/p' |
		sed -nE 'p; s/--\[no-\](.*)/--\1\n--no-\1/p' | grep -v '\[' | LC_ALL=C sort | tr '\n' '|' |
		sed 's/|$//'
}

mkdir here here/chains 'here/my chains' here/results
cd here
touch chain.yaml 'my chain.yaml' other.txt chains/snake.yaml

offers 'bench' nfvchain be
offers 'plan' nfvchain help pl
offers '--version' nfvchain --v
commands=$(nfvchain --help | sed -n '/^Commands:/,/^$/s/^  \([a-z][a-z]*\) .*/\1/p')
[ "$(echo "$commands" | wc -l)" -gt 4 ] || fail "few commands: $commands"
for command in $commands; do
	offers "$command" nfvchain "$command"
	options=$(options_of "$command")
	[ -n "$options" ] || fail "no options in the help of $command"
	offers "$options" nfvchain "$command" --
done

offers 'memif|ring|tap|veth|veth-xdp|vhost-user' nfvchain bench --link ''
offers 'memif' nfvchain bench --quiet --link m
offers 'memif|ring|tap|veth|veth-xdp|vhost-user' nfvchain plan --link =
offers 'veth|veth-xdp|vhost-user' nfvchain plan --link = v
offers '--link=veth|--link=veth-xdp|--link=vhost-user' nfvchain bench --link=v
offers 'bash|zsh' nfvchain completion ''
offers '' nfvchain bench --rate ''
offers '' nfvchain bench -r ''
offers 'results' nfvchain bench --output re
offers 'results' nfvchain bench -o re
for command in bench plan up; do
	offers 'chain.yaml|chains|my chain.yaml|my chains|results' nfvchain "$command" ''
done
offers 'results' nfvchain report res
offers 'csv|html|json|markdown|text' nfvchain report --format ''
offers 'chains/snake.yaml' nfvchain bench chains/
offers 'my chain.yaml|my chains' nfvchain up m

rc=0
nfvchain completion fish 2>../err || rc=$?
[ "$rc" = 2 ] || fail "completion fish exits with $rc"
rc=0
nfvchain completion 2>../err || rc=$?
[ "$rc" = 2 ] || fail "completion exits with $rc"
nfvchain completion zsh | grep -q bashcompinit || fail "nothing for zsh"
command -v zsh >/dev/null || exit 0
nfvchain completion zsh >../script.zsh
zsh -f -c 'fpath=(/usr/share/zsh/functions/*(N/) $fpath); . ../script.zsh && [[ -n $_comps[nfvchain] ]]' ||
	fail "zsh cannot use its script"
