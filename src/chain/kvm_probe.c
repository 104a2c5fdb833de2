/* SPDX-License-Identifier: MIT */
#include "kvm_probe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"

/* The guest's memory, and its program's place in it. */
#define GUEST_BYTES 0x10000
#define GUEST_CODE 0x1000

#define MAX_CPUID 256
#define CPUID_SSE42 (1u << 20) /* leaf 1, ECX */

/* The loop takes a CPU a few milliseconds, and an emulator more than a second. */
#define PATIENCE_CPU_US 300000
/* The same on a machine that has other things to do. */
#define PATIENCE_S 3

struct guest {
	struct kvm_probe *probe;
	int kvm, vm, vcpu;
	uint8_t *memory;
	struct kvm_run *run;
	size_t run_size;
};

__attribute__((format(printf, 3, 4))) static bool
failed(struct guest *g, int errnum, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	str_vprint(g->probe->why, sizeof(g->probe->why), fmt, ap);
	va_end(ap);
	g->probe->errnum = errnum;
	return false;
}

static bool
failed_at(struct guest *g, const char *step)
{
	int errnum = errno;

	return failed(g, errnum, "%s: %s", step, strerror(errnum));
}

static bool
make_vcpu(struct guest *g)
{
	int version;

	g->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (g->kvm < 0)
		return failed_at(g, "/dev/kvm");
	version = ioctl(g->kvm, KVM_GET_API_VERSION, 0);
	if (version != KVM_API_VERSION)
		return failed(g, 0, "KVM_GET_API_VERSION gives %d and should give %d", version,
			      KVM_API_VERSION);
	g->vm = ioctl(g->kvm, KVM_CREATE_VM, 0);
	if (g->vm < 0)
		return failed_at(g, "KVM_CREATE_VM");
#ifdef KVM_SET_TSS_ADDR
	/* Old Intel CPUs need three pages for real mode; others ignore it. */
	(void)ioctl(g->vm, KVM_SET_TSS_ADDR, 0xfffbd000);
#endif
	g->vcpu = ioctl(g->vm, KVM_CREATE_VCPU, 0);
	if (g->vcpu < 0)
		return failed_at(g, "KVM_CREATE_VCPU");
	return true;
}

#ifdef __x86_64__
static bool
map_guest(struct guest *g)
{
	struct kvm_userspace_memory_region region = {.memory_size = GUEST_BYTES};
	int size = ioctl(g->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	void *map;

	if (size <= 0)
		return failed_at(g, "KVM_GET_VCPU_MMAP_SIZE");
	map = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, g->vcpu, 0);
	if (map == MAP_FAILED)
		return failed_at(g, "memory of the vCPU");
	g->run = map;
	g->run_size = (size_t)size;
	map = mmap(NULL, GUEST_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (map == MAP_FAILED)
		return failed_at(g, "memory of a guest");
	g->memory = map;
	region.userspace_addr = (uintptr_t)map;
	if (ioctl(g->vm, KVM_SET_USER_MEMORY_REGION, &region) < 0)
		return failed_at(g, "KVM_SET_USER_MEMORY_REGION");
	return true;
}

/* 32-bit protected mode without paging, all segments flat. */
static bool
set_registers(struct guest *g)
{
	struct kvm_regs regs = {.rip = GUEST_CODE, .rflags = 2, .rsp = GUEST_BYTES};
	struct kvm_segment flat = {.limit = 0xffffffff,
				   .present = 1,
				   .db = 1,
				   .s = 1,
				   .g = 1,
				   .selector = 16,
				   .type = 3};
	struct kvm_sregs sregs;

	if (ioctl(g->vcpu, KVM_GET_SREGS, &sregs) < 0)
		return failed_at(g, "KVM_GET_SREGS");
	sregs.cr0 |= 1;
	sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = flat;
	flat.selector = 8;
	flat.type = 11;
	sregs.cs = flat;
	if (ioctl(g->vcpu, KVM_SET_SREGS, &sregs) < 0)
		return failed_at(g, "KVM_SET_SREGS");
	if (ioctl(g->vcpu, KVM_SET_REGS, &regs) < 0)
		return failed_at(g, "KVM_SET_REGS");
	return true;
}

static void
on_alarm(int signum)
{
	/* Its coming is all: it makes KVM_RUN return. */
}

static int
run_for_a_while(struct guest *g)
{
	static const struct itimerval off;
	/* Again and again, in case that the first signal comes before KVM_RUN begins. */
	static const struct itimerval cpu = {.it_value.tv_usec = PATIENCE_CPU_US,
					     .it_interval.tv_usec = 10000};
	static const struct itimerval wall = {.it_value.tv_sec = PATIENCE_S,
					      .it_interval.tv_usec = 10000};
	struct sigaction ours = {.sa_handler = on_alarm}, prof, alrm;
	int rc;

	sigaction(SIGPROF, &ours, &prof);
	sigaction(SIGALRM, &ours, &alrm);
	setitimer(ITIMER_PROF, &cpu, NULL);
	setitimer(ITIMER_REAL, &wall, NULL);
	rc = ioctl(g->vcpu, KVM_RUN, 0) < 0 ? -errno : 0;
	setitimer(ITIMER_PROF, &off, NULL);
	setitimer(ITIMER_REAL, &off, NULL);
	sigaction(SIGPROF, &prof, NULL);
	sigaction(SIGALRM, &alrm, NULL);
	return rc;
}

static bool
run_guest(struct guest *g)
{
	/* mov ecx, 4000000; loop: dec ecx; jnz loop; hlt */
	static const uint8_t code[] = {0xb9, 0x00, 0x09, 0x3d, 0x00, 0x49, 0x75, 0xfd, 0xf4};
	uint64_t start = clock_now_ns();
	int rc;

	memcpy(g->memory + GUEST_CODE, code, sizeof(code));
	rc = run_for_a_while(g);
	if (rc == -EINTR)
		return failed(g, 0,
			      "it makes a guest, but emulates its instructions: what a CPU does in "
			      "5 ms is not done after 300 ms");
	if (rc < 0)
		return failed(g, -rc, "KVM_RUN: %s", strerror(-rc));
	if (g->run->exit_reason != KVM_EXIT_HLT)
		return failed(g, 0, "a guest of a few instructions ends with exit reason %u",
			      g->run->exit_reason);
	snprintf(g->probe->why, sizeof(g->probe->why),
		 "ran a guest of 8 million instructions in "
		 "%.1f ms",
		 (double)(clock_now_ns() - start) / NSEC_PER_MS);
	return true;
}

/* DPDK is compiled for it: a CPU without would end each of its programs. */
static bool
has_sse42(struct guest *g)
{
	size_t size = sizeof(struct kvm_cpuid2) + MAX_CPUID * sizeof(struct kvm_cpuid_entry2);
	struct kvm_cpuid2 *list = xcalloc(1, size);
	bool has = false;
	int rc;

	list->nent = MAX_CPUID;
	rc = ioctl(g->kvm, KVM_GET_SUPPORTED_CPUID, list) < 0 ? -errno : 0;
	for (uint32_t i = 0; rc == 0 && i < list->nent; i++)
		has |= list->entries[i].function == 1 && (list->entries[i].ecx & CPUID_SSE42) != 0;
	free(list);
	if (rc < 0)
		return failed(g, -rc, "KVM_GET_SUPPORTED_CPUID: %s", strerror(-rc));
	return has || failed(g, 0, "its guests would have no SSE4.2, which DPDK needs");
}

static bool
run_vcpu(struct guest *g)
{
	return map_guest(g) && set_registers(g) && run_guest(g) && has_sse42(g);
}
#else
static bool
run_vcpu(struct guest *g)
{
	str_copy(g->probe->why, sizeof(g->probe->why), "makes machines and vCPUs (none was run)");
	return true;
}
#endif

void
kvm_probe_run(struct kvm_probe *probe)
{
	struct guest g = {.probe = probe, .kvm = -1, .vm = -1, .vcpu = -1};

	*probe = (struct kvm_probe){0};
	probe->works = make_vcpu(&g) && run_vcpu(&g);
	if (g.run != NULL)
		munmap(g.run, g.run_size);
	if (g.vcpu >= 0)
		close(g.vcpu);
	if (g.vm >= 0)
		close(g.vm);
	if (g.kvm >= 0)
		close(g.kvm);
	if (g.memory != NULL)
		munmap(g.memory, GUEST_BYTES);
}
