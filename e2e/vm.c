/* SPDX-License-Identifier: MIT */
/* Two small guests on one link, through the library of hosts.  e2e/vm_test.sh and
 * e2e/vm_libvirt_test.sh run it and judge what it prints.
 *   e2e-vm HOST LINK [STEP]   starts both, talks to them, stops them; with STEP (clean, net, start,
 *                             up) stands still once that is done, until it is killed
 *   e2e-vm HOST clean         removes what is left of the chain, and prints how much that was
 * LINK is stream or network.  From the environment: KERNEL, INITRD, RUN (a directory), URI,
 * ACCEL (tcg, or kvm). */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "chain/vm_host.h"

#define CHAIN "lab"
#define BOOT_MS 200000
#define ANSWER_MS 60000

static struct err err;

static _Noreturn void
fail(const char *what)
{
	fprintf(stderr, "FAIL: %s: %s\n", what, err.msg);
	exit(1);
}

static void
must(int rc, const char *what)
{
	if (rc < 0)
		fail(what);
}

static void
stand_still_after(const char *step, const char *want)
{
	printf("done: %s\n", step);
	fflush(stdout);
	while (want != NULL && strcmp(step, want) == 0)
		pause();
}

static struct vm_spec
make_spec(int i, enum vm_link link)
{
	const char *run = getenv("RUN"), *accel = getenv("ACCEL");
	struct vm_spec spec = {
		.chain = xstrdup(CHAIN),
		.name = xasprintf("vm%d", i + 1),
		.kernel = xstrdup(getenv("KERNEL")),
		.initrd = xstrdup(getenv("INITRD")),
		.cmdline = xasprintf("console=ttyS0 panic=-1 no_timer_check quiet addr=10.9.0.%d", i + 1),
		.memory_mb = 192,
		.vcpus = 1,
		.accel = accel != NULL && strcmp(accel, "kvm") == 0 ? VM_ACCEL_KVM : VM_ACCEL_TCG,
		.console_path = xasprintf("%s/vm%d.console", run, i + 1),
		.channel = xstrdup("nfvchain.ctl"),
		.channel_path = xasprintf("%s/vm%d.channel", run, i + 1),
		.monitor_path = xasprintf("%s/vm%d.monitor", run, i + 1),
		.n_nics = 1,
	};

	spec.nic[0] = (struct vm_nic){
		.link = link,
		.mac = {0x02, 0, 0, 0, 0, (uint8_t)(i + 1)},
		.slot = VM_FIRST_SLOT,
		.network = xstrdup("link-0"),
		.tap = xasprintf("nfvlab-%d", i + 1),
		.path = xasprintf("%s/link0.sock", run),
		.listens = i == 0,
		.queues = 1,
		.ring_rx = 1024,
		.ring_tx = 256,
	};
	return spec;
}

/* One line of what the guest says. */
static void
hear(int fd, char *line, size_t size, int ms)
{
	struct deadline d = deadline_in_ms((uint64_t)ms);
	size_t n = 0;

	while (n + 1 < size) {
		struct pollfd p = {.fd = fd, .events = POLLIN};

		if (poll(&p, 1, deadline_left_ms(&d)) <= 0 || read(fd, line + n, 1) != 1) {
			err_set(&err, ETIMEDOUT, "after '%.*s'", (int)n, line);
			fail("the guest says nothing more");
		}
		if (line[n] == '\n')
			break;
		n++;
	}
	line[n] = '\0';
}

static void
ask(int fd, const char *question, const char *answer)
{
	char line[256];

	if (write(fd, question, strlen(question)) < 0 || write(fd, "\n", 1) < 0)
		fail("writing to the guest");
	hear(fd, line, sizeof(line), ANSWER_MS);
	printf("asked '%s': '%s'\n", question, line);
	if (strcmp(line, answer) != 0) {
		err_set(&err, EPROTO, "'%s' instead of '%s'", line, answer);
		fail(question);
	}
}

static void
wait_end(struct vm *vm)
{
	struct deadline d = deadline_in_ms(ANSWER_MS);
	struct vm_state now;

	do {
		vm_state(vm, &now);
		clock_sleep_ms(10);
	} while (now.run != VM_ENDED && !deadline_passed(&d));
	if (now.run != VM_ENDED)
		fail("the VM does not end");
	printf("ended: %s\n", now.why);
}

static void
show_stats(struct vm *vm)
{
	struct vm_nic_stats s;
	int rc = vm_nic_stats(vm, 0, &s, &err);

	if (rc == -ENOTSUP) {
		printf("counters: unknown\n");
		return;
	}
	must(rc, "counters");
	printf("counters: rx=%llu tx=%llu\n", (unsigned long long)s.rx_frames,
	       (unsigned long long)s.tx_frames);
}

static void
run(struct vm_host *host, enum vm_link link, const char *step)
{
	struct vm_net net = {.chain = xstrdup(CHAIN),
			     .name = xstrdup("link-0"),
			     .bridge = xstrdup("nfvlab-b0")};
	struct vm_spec spec[2] = {make_spec(0, link), make_spec(1, link)};
	struct vm *vm[2];
	char line[256];
	int fd[2];

	must(vm_host_clean(host, CHAIN, &err), "clean");
	stand_still_after("clean", step);
	if (link == VM_LINK_NETWORK)
		must(vm_net_up(host, &net, &err), "network");
	stand_still_after("net", step);
	for (int i = 0; i < 2; i++) {
		must(vm_start(&vm[i], host, &spec[i], &err), "start");
		must(vm_wait_listening(vm[i], ANSWER_MS, NULL, &err), "listening");
		must(vm_wait_running(vm[i], ANSWER_MS, NULL, &err), "running");
		if (i == 0)
			stand_still_after("start", step);
	}
	for (int i = 0; i < 2; i++) {
		must(vm_channel(vm[i], &fd[i], &err), "channel");
		hear(fd[i], line, sizeof(line), BOOT_MS);
		printf("heard: %s\n", line);
	}
	stand_still_after("up", step);
	ask(fd[0], "ping 10.9.0.2", "pong");
	show_stats(vm[0]);
	ask(fd[1], "echo a b", "a b");
	if (write(fd[0], "poweroff\n", 9) != 9 || write(fd[1], "panic\n", 6) != 6)
		fail("writing to the guest");
	wait_end(vm[0]);
	wait_end(vm[1]);
	for (int i = 0; i < 2; i++) {
		close(fd[i]);
		vm_stop(vm[i]);
		vm_spec_fini(&spec[i]);
	}
	must(vm_net_down(host, &net, &err), "network");
	vm_net_fini(&net);
}

int
main(int argc, char **argv)
{
	struct vm_host_conf conf = {.uri = getenv("URI"), .run_dir = getenv("RUN")};
	const struct vm_host_ops *ops;
	struct vm_host *host;

	if (argc < 3)
		return 2;
	must(vm_host_parse(argv[1], &ops, &err), "host");
	must(vm_host_open(&host, ops, &conf, &err), "host");
	if (strcmp(argv[2], "clean") == 0) {
		int n = vm_host_clean(host, CHAIN, &err);

		must(n, "clean");
		printf("removed: %d\n", n);
	} else {
		run(host, strcmp(argv[2], "network") == 0 ? VM_LINK_NETWORK : VM_LINK_STREAM,
		    argv[3]);
	}
	vm_host_close(host);
	return 0;
}
