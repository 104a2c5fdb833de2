# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# A libvirtd of the script's own, in the namespaces that _init.sh made: its files lie in $scratch, its
# bridges and rules in a network that ends with the script.  Nothing of a libvirtd of the machine is
# seen or touched.  Sourced after _init.sh.

need libvirtd virsh iptables qemu-system-x86_64
[ "$(id -u)" = 0 ] || skip "needs root: libvirt's networks are bridges"
[ -c /dev/net/tun ] || skip "needs /dev/net/tun: taps are what libvirt's networks have"
[ "${NFVCHAIN_NAMESPACE-}" = own ] || skip "needs namespaces of its own"

mkdir -p libvirt/run libvirt/lib libvirt/etc libvirt/cache libvirt/log
cp -r /etc/libvirt/. libvirt/etc
# Networks and machines of the host's are none of ours.
rm -rf libvirt/etc/qemu libvirt/etc/storage libvirt/etc/autostart
for _dir in run/libvirt lib/libvirt cache/libvirt; do
	_from=${_dir%/libvirt}
	[ "$_from" = run ] && _at=/run/libvirt || _at=/var/$_dir
	mkdir -p "$_at"
	mount --bind "libvirt/$_from" "$_at"
done
mount --bind libvirt/etc /etc/libvirt
cat >libvirt/libvirtd.conf <<END
auth_unix_rw = "none"
unix_sock_group = "root"
log_outputs = "2:file:${scratch?}/libvirtd-own.log"
END
cat >libvirt/etc/qemu.conf <<END
security_driver = "none"
user = "root"
group = "root"
cgroup_controllers = [ ]
namespaces = [ ]
stdio_handler = "file"
END
# Starts it, or starts it again.
start_libvirtd() {
	start libvirtd libvirtd --config "$scratch/libvirt/libvirtd.conf" \
		--pid-file "$scratch/libvirtd.pid"
	wait_until 60 'virsh -q -c qemu:///system version >virsh.log 2>&1'
}

start_libvirtd
export URI=qemu:///system
