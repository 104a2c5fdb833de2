/* SPDX-License-Identifier: MIT */
/* DPDK's af_packet asks the kernel, always, to put IPv4 fragments together before its sockets see
 * them: a forwarder would then hold some frames back for half a minute and send others as one.
 * There is no argument of the driver's against it, so its request goes through here, and without
 * that. (Named in the linker's arguments, so that drivers find this one and not the C library's.)
 */
#include <linux/if_packet.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

int
setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	int fanout;

	if (level == SOL_PACKET && name == PACKET_FANOUT && len == sizeof(fanout)) {
		memcpy(&fanout, value, sizeof(fanout));
		fanout &= ~(PACKET_FANOUT_FLAG_DEFRAG << 16);
		value = &fanout;
	}
	return (int)syscall(SYS_setsockopt, fd, level, name, value, len);
}
