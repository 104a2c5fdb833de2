#!/bin/sh
# SPDX-License-Identifier: MIT
# Clients that fight for a port, that die in the middle of a request and that are a thousand do each
# other no harm, nor the traffic.
. "$(dirname "$0")/../smoke/_init.sh"

export RUNTIME_DIRECTORY="$scratch/xdg"
start gen nfvchain-gen --rpc "ipc://$scratch/rpc" --pub "ipc://$scratch/pub" -- \
	--no-huge -m 256 --file-prefix clients \
	"--vdev=net_memif0,role=server,id=0,socket-abstract=no,socket=$scratch/memif" \
	"--vdev=net_memif1,role=client,id=0,socket-abstract=no,socket=$scratch/memif"
wait_until 30 "[ -S $scratch/rpc ] && [ -S $scratch/pub ]"
"$build/e2e-clients" "ipc://$scratch/rpc" "ipc://$scratch/pub" "$(pid_of gen)"
# The last of them shut it down.
wait_until 10 '! alive gen'
stop gen
