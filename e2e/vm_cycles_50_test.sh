#!/bin/sh
# SPDX-License-Identifier: MIT
# timeout: 6000
# suite: full
# sanitize: no
# Fifty times up and down, as in vm_cycles_test.sh.
exec "$(dirname "$0")/vm_cycles_test.sh" 50
