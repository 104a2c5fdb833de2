# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# Guests that misbehave: the image of these sources, with a first process that does something of the
# test's beside.  Sourced after _init.sh.
#
#	overlay NAME COMMAND...	makes $scratch/NAME.initrd, in which COMMAND (for busybox's shell) runs
#				before the agent, or beside it when it ends in '&'
#
# Sets IMAGE_KERNEL, to be given as NFVCHAIN_GUEST_KERNEL with it.

need cpio busybox zstd

if [ -n "${NFVCHAIN_GUEST_KERNEL-}" ]; then
	IMAGE_KERNEL=$NFVCHAIN_GUEST_KERNEL _image_initrd=${NFVCHAIN_GUEST_INITRD?}
else
	_image=$(nfvchain image path 2>image.out) || skip "needs an image of guests: $(cat image.out)"
	IMAGE_KERNEL=$_image/kernel _image_initrd=$_image/initrd
fi
zstd -q -d -c "$_image_initrd" >"${scratch?}/base.cpio" || fail "not an image: $_image_initrd"

overlay() {
	_name=$1
	shift
	mkdir -p over/bin
	(cd over && cpio -i --quiet --to-stdout init <"$scratch/base.cpio" >agent)
	cp "$(command -v busybox)" over/bin/busybox
	cat >over/init <<-END
		#!/bin/busybox sh
		export PATH=/bin
		/bin/busybox --install -s /bin
		mknod /dev/null c 1 3
		$*
		exec /agent
	END
	chmod 755 over/init over/agent over/bin/busybox
	(cd over && find . | cpio -o -H newc --quiet) >over.cpio
	cat base.cpio over.cpio >"$_name.initrd"
	rm -r over over.cpio
}
export IMAGE_KERNEL
