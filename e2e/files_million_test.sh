#!/bin/sh
# SPDX-License-Identifier: MIT
# suite: full
# timeout: 2400
# The same as files_test.sh with a million frames.
ROUNDS=10 FRAMES=100000 exec "$(dirname "$0")/files_test.sh"
