#!/bin/sh
# SPDX-License-Identifier: MIT
# timeout: 180
# Each kind of link carries frames of any content, from 18 bytes to the longest it takes, as they are:
# none changed, none merged, none lost, with rings filled to 90 %, and hop and links account for each.
. "$(dirname "$0")/../smoke/_init.sh"

"$build/e2e-links" "$build/e2e-frames" "${FRAMES:-20000}" vhost-user memif ring veth veth-xdp tap
