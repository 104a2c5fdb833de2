# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# A terminal to type into and to look at, sourced after _init.sh:
#
#	terminal NAME COLS ROWS COMMAND	a new one; a server of tmux's that is ending takes no session,
#					so each has its own
#	keys KEY...			typed, as tmux names them
#	shows PART			waits until a line of the screen matches PART (grep -E)
#	screen				puts the screen into the file of that name

need tmux
tmux=false
trap '$tmux kill-server 2>/dev/null; exit 130' INT
trap '$tmux kill-server 2>/dev/null; exit 143' TERM

terminal() {
	tmux="tmux -S ${scratch?}/tmux.$1"
	$tmux -f /dev/null new-session -d -x "$2" -y "$3" "$4"
}
keys() {
	$tmux send-keys -t 0 "$@"
}
screen() {
	$tmux capture-pane -p -t 0 >screen
}
shows() {
	_part=$1
	_shown="screen; grep -qE -- \"\$_part\" screen"
	_poll 15 "$_shown" || fail "'$_part' does not appear: $(cat screen)"
}
