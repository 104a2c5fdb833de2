#!/bin/sh
# SPDX-License-Identifier: MIT
# suite: full
# timeout: 2400
# The same as links_test.sh with a million frames for each kind of link.
FRAMES=1000000 exec "$(dirname "$0")/links_test.sh"
