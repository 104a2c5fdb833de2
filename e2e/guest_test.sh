#!/bin/sh
# SPDX-License-Identifier: MIT
# timeout: 600
# second try: an emulated machine starves where the host is busy
# A guest boots from our image under QEMU's emulation, has its hugepages, forwards frames between two
# NICs and accounts for each, is reached by its generator's port, and switches itself off.
NFVCHAIN_NAMESPACE=shared
. "$(dirname "$0")/../smoke/_init.sh"

need qemu-system-x86_64
[ "$(id -u)" = 0 ] || skip "needs root to build the guest image"
need mmdebstrap

# Minutes the first time; afterwards it is there until the sources change.
rc=0
nfvchain image build --quiet >image.out 2>image.log || rc=$?
[ "$rc" != 3 ] || skip "$(tail -n 1 image.log)"
[ "$rc" = 0 ] || fail "image build: $(cat image.log)"

timeout 180 "$build/e2e-guest"
