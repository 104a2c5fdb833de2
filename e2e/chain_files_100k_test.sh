#!/bin/sh
# SPDX-License-Identifier: MIT
# suite: full
# timeout: 1800
# The same as chain_files_test.sh with 100,000 chain files.
NFVCHAIN_MUTANTS=100000 exec "$(dirname "$0")/chain_files_test.sh"
