#!/bin/sh
# SPDX-License-Identifier: MIT
# The hot loops take no more instructions per frame than recorded in perf/instructions.baseline.
# sanitize: no
. "$(dirname "$0")/_init.sh"

need python3 valgrind
"$top/perf/instructions" "$build/perf/lockstep"
