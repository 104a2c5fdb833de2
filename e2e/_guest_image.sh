# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# Builds the guests' image, for it needs a network and root's cache: sourced before _init.sh, which
# leaves both.  Afterwards the script asks "nfvchain image show" whether there is one.

if [ -z "${NFVCHAIN_GUEST_KERNEL-}" ]; then
	top=$(cd "$(dirname "$0")/.." && pwd)
	for dir in "${NFVCHAIN_BUILD-}" "$top/build-test" "$top/build"; do
		[ ! -x "$dir/nfvchain" ] || { "$dir/nfvchain" image build -q >/dev/null 2>&1; break; }
	done
fi
