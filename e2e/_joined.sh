# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# A generator whose two ports are joined to each other, for scripts about what it says to clients:
#
#	joined NAME RPC PUB [OPTION...]
#
# starts it as NAME (smoke/_init.sh), with the options of nfvchain-gen that follow its endpoints.

export RUNTIME_DIRECTORY="${scratch?}/xdg"

joined() {
	_gen=$1 _rpc=$2 _pub=$3
	shift 3
	start "$_gen" nfvchain-gen --rpc "$_rpc" --pub "$_pub" "$@" \
		--eth-addr 0,02:00:00:00:00:01 --eth-dest 0,02:00:00:00:00:02 \
		--eth-addr 1,02:00:00:00:00:02 --eth-dest 1,02:00:00:00:00:01 -- \
		--no-huge -m 256 --file-prefix "$_gen" \
		"--vdev=net_memif0,role=server,id=0,socket-abstract=no,socket=$scratch/$_gen.memif" \
		"--vdev=net_memif1,role=client,id=0,socket-abstract=no,socket=$scratch/$_gen.memif"
}
