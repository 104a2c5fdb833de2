#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds without a warning, and passes the unit tests and those on a started EAL, with the compiler
# and the DPDK of Debian's testing suite (in 2026 gcc 16, DPDK 25.11), in the build root of the guests'
# image.
# timeout: 1200
suite=forky cached=1
. "$(dirname "$0")/_suite.sh"
