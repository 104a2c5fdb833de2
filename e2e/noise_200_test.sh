#!/bin/sh
# SPDX-License-Identifier: MIT
# suite: full
# timeout: 600
# Of 200 trials, half of them disturbed by us, 95 % are told right; of the others a witness says which
# the machine disturbed, where the user may have one, else this is for machines that do nothing else.
. "$(dirname "$0")/../smoke/_init.sh"

NFVCHAIN_NOISE_TRIALS=200 NFVCHAIN_NOISE_RECALL=95 NFVCHAIN_NOISE_PRECISION=95 "$build/e2e-noise"
