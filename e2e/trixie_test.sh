#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds without a warning, and passes the unit tests and those on a started EAL, with the compiler
# and the DPDK of Debian 13 (gcc 14, DPDK 24.11).
# suite: full
# timeout: 1200
suite=trixie
. "$(dirname "$0")/_suite.sh"
