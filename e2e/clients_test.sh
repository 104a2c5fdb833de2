#!/bin/sh
# SPDX-License-Identifier: MIT
# Clients that fight for a port, that die in the middle of a request and that are a thousand do each
# other no harm, nor the traffic.
. "$(dirname "$0")/../smoke/_init.sh"

export RUNTIME_DIRECTORY="$scratch/xdg"
# Over TCP where no other generator can be at its port.
rpc="ipc://$scratch/rpc"
[ "${NFVCHAIN_NAMESPACE-}" != own ] || rpc="tcp://127.0.0.1:4501"
start gen nfvchain-gen --rpc "$rpc" --pub "ipc://$scratch/pub" \
	--eth-addr 0,02:00:00:00:00:01 --eth-dest 0,02:00:00:00:00:02 \
	--eth-addr 1,02:00:00:00:00:02 --eth-dest 1,02:00:00:00:00:01 -- \
	--no-huge -m 256 --file-prefix clients \
	"--vdev=net_memif0,role=server,id=0,socket-abstract=no,socket=$scratch/memif" \
	"--vdev=net_memif1,role=client,id=0,socket-abstract=no,socket=$scratch/memif"
wait_until 30 "[ -S $scratch/pub ]"
"$build/e2e-clients" "$rpc" "ipc://$scratch/pub" "$(pid_of gen)"
# The last of them shut it down.
wait_until 10 '! alive gen'
stop gen
