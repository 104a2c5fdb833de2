#!/bin/sh
# SPDX-License-Identifier: MIT
# sanitize: no
# second try: the machine disturbs trials too
# Trials that somebody disturbs come out noisy, others do not, and none blames the chain for it.
. "$(dirname "$0")/../smoke/_init.sh"

"$build/e2e-noise"
