#!/bin/sh
# SPDX-License-Identifier: MIT
# Thirty kinds of damage done on purpose are each named exactly: what, where, how many.
. "$(dirname "$0")/../smoke/_init.sh"

"$build/e2e-inject"
