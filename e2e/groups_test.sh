#!/bin/sh
# SPDX-License-Identifier: MIT
# Streams of packet groups are counted where they arrive, and what a hop loses, copies or delays is
# told by their latency stream; captures and frames of a client's own go through the chain.
. "$(dirname "$0")/../smoke/_init.sh"

"$build/e2e-groups"
