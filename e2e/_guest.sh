# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# A guest that boots in seconds, for tests of hosts: a kernel of Debian's, busybox, and a script that
# answers lines on the agent's port.  Sourced after _init.sh; sets KERNEL and INITRD.
#
#	echo WORDS	says WORDS
#	ping ADDRESS	says "pong" once the address has answered
#	poweroff, panic
#
# The kernel is what devtools/test-kernel has: to be run before _init.sh too, while there is a network
# to get it by.

need cpio busybox

_guest_init() {
	cat <<'END'
#!/bin/busybox sh
export PATH=/bin
# It finds itself by /proc.
/bin/busybox mount -t proc proc /proc
/bin/busybox --install -s /bin
mount -t devtmpfs dev /dev
mount -t sysfs sys /sys
for module in failover net_failover virtio_net; do
	[ ! -f /lib/$module.ko ] || insmod /lib/$module.ko
done
for word in $(cat /proc/cmdline); do
	case $word in
	addr=*) ifconfig eth0 "${word#addr=}" netmask 255.255.255.0 up ;;
	esac
done
port=
while [ -z "$port" ]; do
	for name in /sys/class/virtio-ports/*/name; do
		[ "$(cat "$name")" != nfvchain.ctl ] || port=/dev/$(basename "$(dirname "$name")")
	done
done
exec 3<>"$port"
echo "hello" >&3
while :; do
	# Without anybody at the other end a read ends at once.
	read -r verb words <&3 || { usleep 20000; continue; }
	case $verb in
	echo) echo "$words" >&3 ;;
	ping)
		n=0
		until ping -c 1 -W 1 "$words" >/dev/null || [ $n = 20 ]; do n=$((n + 1)); done
		[ $n = 20 ] && echo "silence" >&3 || echo "pong" >&3 ;;
	poweroff) poweroff -f ;;
	panic) echo c >/proc/sysrq-trigger ;;
	esac
done
END
}

_make_guest() {
	_dir=$("${top?}/devtools/test-kernel") || skip "needs a kernel of Debian's"
	KERNEL=$_dir/vmlinuz
	INITRD=${scratch?}/guest.cpio
	mkdir -p guest/bin guest/dev guest/proc guest/sys guest/lib
	cp "$(command -v busybox)" guest/bin/busybox
	for _module in "$_dir"/modules/*.ko; do
		[ ! -f "$_module" ] || cp "$_module" guest/lib
	done
	_guest_init >guest/init
	chmod 755 guest/init
	(cd guest && find . | cpio -o -H newc --quiet) >"$INITRD"
	rm -rf guest
	export KERNEL INITRD
}

_make_guest
