# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# What the scripts share that make Debian systems in folders and run commands in them.  A script sets
# $me, the name that its messages begin with, and sources this file.

# give_up SENTENCE [STATUS]: 3 says that this machine lacks something.
give_up() {
	echo "${me?}: $1" >&2
	exit "${2:-3}"
}

# The sources of this machine, as "URI RELEASE COMPONENT".
sources() {
	# shellcheck disable=SC2016 # apt-get's own fields
	apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
		sort -u
}

# suite_sources SUITE: the sources of the suite, as lines of a sources.list: those this machine has,
# else the archive that its own release comes from, which carries the others too.
suite_sources() {
	sources | grep -E " $1(-updates|-security)? main\$" | sed 's/^/deb /' | grep . && return
	# shellcheck disable=SC1091 # of the machine
	own=$(. /etc/os-release && [ "$ID" = debian ] && echo "${VERSION_CODENAME-}") || return 0
	sources | sed -nE "s/^([^ ]+) $own main\$/deb \1 $1 main/p"
}

# How this machine's apt reaches its sources (proxies and the like).
apt_options() {
	apt-config dump | grep -E '^Acquire::(https?|Check-|Force|Retries)' || :
}

# bootstrap LOG WORK SUITE FOLDER OPTION...: mmdebstrap with the sources of this machine.
bootstrap() {
	log=$1 work_dir=$2 its_suite=$3 folder=$4
	shift 4
	suite_sources "$its_suite" >"$work_dir/sources"
	[ -s "$work_dir/sources" ] ||
		give_up "/etc/apt of this machine has no source of Debian's '$its_suite'"
	apt_options >"$work_dir/apt.conf"
	mmdebstrap --mode=root "$@" --aptopt="$work_dir/apt.conf" \
		"$its_suite" "$folder" "$work_dir/sources" >"$log" 2>&1 </dev/null || {
		! grep -q 'does not have a Release file' "$log" ||
			give_up "the archive that this machine uses has no suite '$its_suite'"
		tail -n 20 "$log" >&2
		give_up "mmdebstrap failed" 1
	}
}

# A shell's program that makes the folder $1 the root file system of its own mount and process
# namespace (a plain chroot may not create user namespaces, a real machine may), and obeys /commands
# in it.  With $2 the folder shows $2, and what is written goes to $3 (with $4 beside it).
# shellcheck disable=SC2016,SC2034 # expands inside; used by the scripts
inside='
	set -eu
	root=$1
	if [ -n "${2-}" ]; then
		mount -t overlay -o "lowerdir=$2,upperdir=$3,workdir=$4" overlay "$root"
	else
		mount --bind "$root" "$root"
	fi
	cd "$root"
	for node in null zero full random urandom tty; do
		[ -e "dev/$node" ] || : >"dev/$node"
		mount --bind "/dev/$node" "dev/$node"
	done
	if [ -c /dev/net/tun ]; then
		mkdir -p dev/net
		[ -e dev/net/tun ] || : >dev/net/tun
		mount --bind /dev/net/tun dev/net/tun
	fi
	mount -t proc proc proc
	mount --rbind /sys sys
	mkdir -p dev/shm dev/pts tmp mnt
	mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs dev/shm
	mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs tmp
	mount -t devpts -o newinstance,ptmxmode=0666,mode=0620 devpts dev/pts
	rm -f dev/ptmx && ln -s pts/ptmx dev/ptmx
	pivot_root . mnt
	exec chroot . /bin/sh -c "umount -l /mnt; exec /bin/sh /commands"'

# enter FOLDER [LOWER UPPER WORK]: runs $inside there, with an environment of its own.
enter() {
	env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin TERM="${TERM:-dumb}" LANG=C.UTF-8 \
		${http_proxy:+http_proxy="$http_proxy"} ${https_proxy:+https_proxy="$https_proxy"} \
		unshare --mount --pid --fork --kill-child sh -c "$inside" sh "$@"
}
