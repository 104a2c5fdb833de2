# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# What the tests on other releases of Debian share: a script sets $suite and sources this file.  With
# $cached the system is the suite's build root, which the guest image is built in too.  The
# compiler, DPDK and all libraries are then those of that suite, so every warning is an error there
# too.  The tests run as an ordinary user, with the capabilities of one.

NFVCHAIN_NAMESPACE=shared
. "$(dirname "$0")/../smoke/_init.sh"

need mmdebstrap git
[ "$(id -u)" = 0 ] || skip "needs root to make a Debian system"

# A chain as whole programs, over links of kind $1; 6 is too noisy a machine for a verdict.
chain() {
	echo "build-test/nfvchain bench --link $1 --rate 10kpps --duration 500ms --quiet || [ \$? = 6 ]"
}

if [ -n "${cached-}" ]; then
	set -- --cached
else
	set -- -r 'devtools/install-packages build unit'
fi
rc=0
"$top/devtools/fresh-chroot" --suite "${suite?}" -w "$@" \
	-u 'gcc --version | head -n 1; pkg-config --modversion libdpdk' \
	-u "devtools/build build-test -Dwerror=true -Dtests=enabled" \
	-u 'meson test -C build-test --no-rebuild --timeout-multiplier 4 --print-errorlogs' \
	-u "$(chain vhost-user)" -u "$(chain memif)" >suite.out 2>&1 || rc=$?
cat suite.out
[ "$rc" != 3 ] || skip "$(tail -n 1 suite.out)"
[ "$rc" = 0 ] || fail "status $rc"
