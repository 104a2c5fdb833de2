#!/bin/sh
# SPDX-License-Identifier: MIT
# Clients that fight for a port, that die in the middle of a request and that are a thousand do each
# other no harm, nor the traffic.
. "$(dirname "$0")/../smoke/_init.sh"
. "$top/e2e/_joined.sh"

# Over TCP where no other generator can be at its port.
rpc="ipc://$scratch/rpc"
[ "${NFVCHAIN_NAMESPACE-}" != own ] || rpc="tcp://127.0.0.1:4501"
joined gen "$rpc" "ipc://$scratch/pub"
wait_until 30 "[ -S $scratch/pub ]"
"$build/e2e-clients" "$rpc" "ipc://$scratch/pub" "$(pid_of gen)"
# The last of them shut it down.
wait_until 10 '! alive gen'
stop gen
