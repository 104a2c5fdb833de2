#!/bin/sh
# SPDX-License-Identifier: MIT
# A forwarder on two lcores accounts for every frame: with two queues on each link, and with four
# ports in two pairs that are not neighbours.
. "$(dirname "$0")/../smoke/_init.sh"

"$build/e2e-lcores"
