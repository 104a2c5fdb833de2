#!/bin/sh
# SPDX-License-Identifier: MIT
# Thirty kinds of damage done on purpose are each named exactly: what, where, how many.  A loss of the
# same share at any load ends a search.
. "$(dirname "$0")/../smoke/_init.sh"

"$build/e2e-inject"
