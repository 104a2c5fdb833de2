#!/bin/sh
# SPDX-License-Identifier: MIT
# suite: full
# timeout: 1800
# The same as kill_test.sh, 200 times.
. "$(dirname "$0")/../smoke/_init.sh"

need dpdk-testpmd
"$build/e2e-kill" 200
