/* SPDX-License-Identifier: MIT */
#include "xdp_probe.h"

#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_xdp.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static int
refuse(const char *what, int why, struct err *err)
{
	if (why == EPERM)
		return err_machine(err,
				   "AF_XDP is refused to this user (%s: %s): run nfvchain as "
				   "root, or use veth links, which need no right to load programs "
				   "into the kernel",
				   what, strerror(why));
	return err_machine(err, "AF_XDP does not work with this kernel (%s: %s; veth links do)",
			   what, strerror(why));
}

static int
probe_socket(void)
{
	int fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

/* "Pass every frame": the program that is loaded in earnest is no harder to come by. */
static int
probe_program(void)
{
	static const struct bpf_insn pass[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = XDP_PASS},
		{.code = BPF_JMP | BPF_EXIT},
	};
	union bpf_attr attr;
	int fd;

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_XDP;
	attr.insns = (uint64_t)(uintptr_t)pass;
	attr.insn_cnt = sizeof(pass) / sizeof(pass[0]);
	attr.license = (uint64_t)(uintptr_t) "GPL";
	fd = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

int
xdp_probe(struct err *err)
{
	int why = probe_socket();

	if (why != 0)
		return refuse("a socket", why, err);
	why = probe_program();
	return why != 0 ? refuse("loading a program", why, err) : 0;
}
