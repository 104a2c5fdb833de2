#!/bin/sh
# SPDX-License-Identifier: MIT
# timeout: 180
# Killing any program of a chain ends in one sentence: no other dies, nothing is left behind.
. "$(dirname "$0")/../smoke/_init.sh"

need dpdk-testpmd
"$build/e2e-kill" 10
