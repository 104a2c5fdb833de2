#!/bin/sh
# SPDX-License-Identifier: MIT
# A program of a chain that was killed and started anew is met again by its neighbours through
# port_reopen, without a restart of theirs, and their ledgers balance to the end.
. "$(dirname "$0")/../smoke/_init.sh"

"$build/e2e-reopen"
