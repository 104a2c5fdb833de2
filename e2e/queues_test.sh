#!/bin/sh
# SPDX-License-Identifier: MIT
# The generator spreads its flows over the queues of a link by their hash: each lcore of a forwarder
# gets the flows of its queue and no others, and a queue that nobody reads refuses its own alone.
. "$(dirname "$0")/../smoke/_init.sh"

"$build/e2e-queues"
