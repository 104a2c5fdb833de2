/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/proc.h"
#include "base/str.h"
#include "chain/guest.h"
#include "chain/guest_image.h"
#include "rpc/zmq_client.h"

/* One guest under QEMU's emulation, from power-on to power-off, driven as a back end drives it. The
 * test is the network: QEMU's stream sockets carry each frame with its length in front. */

#define CALL_MS 20000
#define HUGEPAGES 256
#define FRAMES 2000
#define FRAME_LEN 60 /* without FCS */
#define HEAD_LEN 18  /* of length, addresses and type */
#define PACE 32	     /* frames under way at once: fewer than any ring has */

static const char *const macs[] = {"52:54:00:00:02:00", "52:54:00:00:02:01"};

static struct {
	struct proc qemu;
	struct guest_image image;
	struct guest *guest;
	int ctl;
	int nic[2];
	char pci[2][16];
	uint64_t begin_ns;
} f = {.ctl = -1, .nic = {-1, -1}};

/* Says how long a step took. */
static void
took(const char *what)
{
	uint64_t now = clock_now_ns();

	printf("# %-44s %7.0f ms\n", what, (double)(now - f.begin_ns) / NSEC_PER_MS);
	f.begin_ns = now;
}

static void
must(int rc, const struct err *err)
{
	if (rc < 0)
		fail_msg("%s", err->msg);
}

/* ---- the machine ---- */

static void
address(struct sockaddr_un *addr, const char *path)
{
	*addr = (struct sockaddr_un){.sun_family = AF_UNIX};
	assert_true(str_copy(addr->sun_path, sizeof(addr->sun_path), path));
}

static int
listen_at(const char *path)
{
	struct sockaddr_un addr;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address(&addr, path);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(fd, 1), 0);
	return fd;
}

/* Connects to QEMU, which makes the socket as it starts. */
static int
connect_to(const char *path)
{
	struct deadline d = deadline_in_ms(CALL_MS);
	struct sockaddr_un addr;
	int fd;

	address(&addr, path);
	for (;;) {
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0)
			return fd;
		close(fd);
		if (deadline_passed(&d) || !proc_alive(&f.qemu))
			fail_msg("QEMU does not listen at %s", path);
		clock_sleep_ms(10);
	}
}

static void
start_qemu(void)
{
	char *cmdline = guest_image_cmdline(HUGEPAGES);
	const char *const words[] = {"qemu-system-x86_64",
				     "-nodefaults",
				     "-no-user-config",
				     "-no-reboot",
				     "-display",
				     "none",
				     "-machine",
				     "q35",
				     "-accel",
				     "tcg,thread=multi",
				     "-cpu",
				     "max",
				     "-smp",
				     "1",
				     "-m",
				     "1024",
				     "-kernel",
				     f.image.kernel,
				     "-initrd",
				     f.image.initrd,
				     "-append",
				     cmdline,
				     "-serial",
				     "file:console.log",
				     "-device",
				     "virtio-serial-pci",
				     "-chardev",
				     "socket,id=ctl,path=ctl.sock,server=on,wait=off",
				     "-device",
				     "virtserialport,chardev=ctl,name=" GUEST_PORT,
				     "-netdev",
				     "stream,id=n0,server=off,addr.type=unix,addr.path=n0.sock",
				     "-device",
				     "virtio-net-pci,netdev=n0,mac=52:54:00:00:02:00,addr=4",
				     "-netdev",
				     "stream,id=n1,server=off,addr.type=unix,addr.path=n1.sock",
				     "-device",
				     "virtio-net-pci,netdev=n1,mac=52:54:00:00:02:01,addr=5",
				     NULL};
	const struct proc_conf conf = {
		.name = "qemu", .argv = (char *const *)(uintptr_t)words, .log_path = "qemu.log"};
	int listener[2] = {listen_at("n0.sock"), listen_at("n1.sock")};
	struct timeval patience = {.tv_sec = CALL_MS / 1000};
	struct err err = {0};

	must(proc_start(&f.qemu, &conf, &err), &err);
	for (int i = 0; i < 2; i++) {
		setsockopt(listener[i], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
		f.nic[i] = accept4(listener[i], NULL, NULL, SOCK_CLOEXEC);
		close(listener[i]);
		if (f.nic[i] < 0)
			fail_msg("QEMU does not connect its NIC %d", i);
		setsockopt(f.nic[i], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	}
	f.ctl = connect_to("ctl.sock");
	free(cmdline);
}

static void
open_guest(void)
{
	struct guest_conf conf = {.name = "vm", .fd = f.ctl, .timeout_ms = GUEST_BOOT_MS};
	struct err err = {0};

	must(guest_open(&f.guest, &conf, &err), &err);
}

/* ---- frames ---- */

static void
send_all(int fd, const void *data, size_t len)
{
	assert_int_equal(send(fd, data, len, MSG_NOSIGNAL), (ssize_t)len);
}

static void
receive_all(int fd, void *data, size_t len)
{
	ssize_t n = recv(fd, data, len, MSG_WAITALL);

	if (n != (ssize_t)len)
		fail_msg("a frame does not come back: %s", n < 0 ? strerror(errno) : "end");
}

/* Frame 'i' into NIC 0: to its address, from the test's. */
static void
send_frame(uint32_t i)
{
	uint8_t wire[4 + FRAME_LEN] = {0, 0,	0, FRAME_LEN, 0x52, 0x54, 0,	0,    2,
				       0, 0x02, 0, 0,	      0,    0,	  0x01, 0x88, 0xb5};

	memcpy(wire + HEAD_LEN, &i, sizeof(i));
	send_all(f.nic[0], wire, sizeof(wire));
}

/* The next frame out of NIC 1: frame 'i', from that NIC's address, to what --eth-dest said. */
static void
receive_frame(uint32_t i)
{
	static const uint8_t head[4 + 14] = {0, 0,    0,    FRAME_LEN, 0x02, 0, 0,    0,    0,
					     9, 0x52, 0x54, 0,	       0,    2, 0x01, 0x88, 0xb5};
	uint8_t wire[4 + FRAME_LEN];

	receive_all(f.nic[1], wire, sizeof(wire));
	assert_memory_equal(wire, head, sizeof(head));
	assert_memory_equal(wire + HEAD_LEN, &i, sizeof(i));
}

static void
pass_frames(void)
{
	uint32_t sent = 0;

	for (uint32_t got = 0; got < FRAMES; got++) {
		while (sent < FRAMES && sent < got + PACE)
			send_frame(sent++);
		receive_frame(got);
	}
}

/* ---- the steps ---- */

static void
boots_and_says_hello(void **state)
{
	const char *dpdk;
	struct err err = {0};

	(void)state;
	f.begin_ns = clock_now_ns();
	start_qemu();
	took("QEMU started");
	open_guest();
	took("boot: QEMU's start to the agent's hello");
	must(json_get_text(guest_facts(f.guest), "dpdk", &dpdk, &err), &err);
	assert_int_equal(strncmp(dpdk, GUEST_IMAGE_DPDK, strlen(GUEST_IMAGE_DPDK)), 0);
}

static void
has_its_hugepages(void **state)
{
	uint64_t n;
	struct err err = {0};

	(void)state;
	assert_non_null(f.guest); /* else it did not boot, which was told */
	must(guest_check_hugepages(f.guest, &err), &err);
	must(json_get_u64(guest_facts(f.guest), "hugepages.total", &n, &err), &err);
	assert_int_equal(n, HUGEPAGES);
}

static void
gives_nics_to_a_driver(void **state)
{
	struct err err = {0};
	json_t *hello;

	(void)state;
	assert_non_null(f.guest); /* else it did not boot, which was told */
	f.begin_ns = clock_now_ns();
	for (int i = 0; i < 2; i++)
		must(guest_bind(f.guest, macs[i], "uio_pci_generic", f.pci[i], CALL_MS, &err),
		     &err);
	took("two NICs bound to uio_pci_generic");
	assert_string_equal(f.pci[0], "0000:00:04.0");
	must(guest_call(f.guest, "hello", NULL, CALL_MS, &hello, &err), &err);
	for (size_t i = 0; i < 2; i++) {
		const json_t *nic = json_array_get(json_object_get(hello, "nics"), i);

		assert_string_equal(json_string_value(json_object_get(nic, "mac")), macs[i]);
		assert_string_equal(json_string_value(json_object_get(nic, "driver")),
				    "uio_pci_generic");
	}
	json_decref(hello);
}

static void
takes_files(void **state)
{
	static uint8_t data[1 << 20];
	struct err err = {0};

	(void)state;
	assert_non_null(f.guest); /* else it did not boot, which was told */
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * i >> 5);
	f.begin_ns = clock_now_ns();
	must(guest_put(f.guest, "/run/nfvchain/file", data, sizeof(data), 0644, CALL_MS, &err),
	     &err);
	took("a file of 1 MiB put");
}

/* Starts a program; one that does not start is told with the end of its log. */
static void
start(const struct guest_program *program)
{
	struct err err = {0}, none = {0};
	char *log;

	f.begin_ns = clock_now_ns();
	if (guest_start(f.guest, program, CALL_MS, &err) == 0)
		return;
	if (guest_log(f.guest, program->name, 4096, &log, &none) == 0)
		print_error("%s\n", log);
	fail_msg("%s", err.msg);
}

/* QEMU's own virtio rings have 256 descriptors for sending; only vhost-user ones may have more. */
static void
start_forwarder(void)
{
	const char *const argv[] = {"nfvchain-fwd",
				    "--file-prefix",
				    "fwd",
				    "-l",
				    "0",
				    "-a",
				    f.pci[0],
				    "-a",
				    f.pci[1],
				    "--",
				    "--rxd",
				    "256",
				    "--txd",
				    "256",
				    "--eth-dest",
				    "1,02:00:00:00:00:09",
				    "--control",
				    "/run/nfvchain/fwd.control",
				    NULL};
	const char *const env[] = {"RUNTIME_DIRECTORY=/run/nfvchain", NULL};
	const struct guest_program program = {
		.name = "fwd", .argv = argv, .env = env, .socket = "/run/nfvchain/fwd.control"};

	start(&program);
	took("nfvchain-fwd started and ready");
}

/* The sum over all ports of one of the ledger's columns. */
static uint64_t
sum_of(const json_t *counters, const char *key)
{
	json_t *port;
	uint64_t sum = 0;
	size_t i;

	json_array_foreach(json_object_get(counters, "ports"), i, port)
		sum += (uint64_t)json_integer_value(json_object_get(port, key));
	return sum;
}

static void
forwards_and_accounts_for_each_frame(void **state)
{
	struct err err = {0};
	json_t *counters;
	char *log;
	int status;

	(void)state;
	assert_non_null(f.guest); /* else it did not boot, which was told */
	start_forwarder();
	pass_frames();
	took("2000 frames through, 32 under way at once");
	must(guest_control(f.guest, "fwd", "quiesce", NULL, CALL_MS, &counters, &err), &err);
	took("counters read, at rest");
	assert_int_equal(sum_of(counters, "rx"), FRAMES);
	assert_int_equal(sum_of(counters, "tx"), FRAMES);
	json_decref(counters);
	must(guest_telemetry(f.guest, "/run/nfvchain/dpdk/fwd/dpdk_telemetry.v2", "/ethdev/list",
			     CALL_MS, &counters, &err),
	     &err);
	took("DPDK's telemetry asked");
	assert_int_equal(json_array_size(counters), 2);
	json_decref(counters);
	must(guest_stop(f.guest, "fwd", CALL_MS, &status, &err), &err);
	took("nfvchain-fwd stopped");
	must(guest_log(f.guest, "fwd", 4096, &log, &err), &err);
	if (status != 0 || strstr(log, "in flight 0") == NULL)
		fail_msg("status %d: %s", status, log);
	free(log);
}

static void
generator_is_reached_by_its_port(void **state)
{
	const char *const argv[] = {"nfvchain-gen", "--rxd",  "256", "--txd", "256",
				    "--",	    "-l",     "0",   "-a",    f.pci[0],
				    "-a",	    f.pci[1], NULL};
	const char *const env[] = {"RUNTIME_DIRECTORY=/run/nfvchain", NULL};
	const struct guest_program program = {.name = "gen", .argv = argv, .env = env};
	struct zmq_client *client;
	struct err err = {0};
	json_t *version = NULL;
	uint16_t port = 0;
	char *endpoint;
	int status;

	(void)state;
	assert_non_null(f.guest); /* else it did not boot, which was told */
	start(&program);
	must(guest_forward(f.guest, 4501, &port, &err), &err);
	endpoint = xasprintf("tcp://127.0.0.1:%u", port);
	must(zmq_client_open(&client, endpoint, &err), &err);
	must(zmq_client_call(client, "ping", NULL, CALL_MS, NULL, &err), &err);
	took("nfvchain-gen started, asked by ZeroMQ");
	must(zmq_client_call(client, "get_version", NULL, CALL_MS, &version, &err), &err);
	took("asked again");
	assert_non_null(json_object_get(version, "version"));
	json_decref(version);
	zmq_client_close(client);
	must(guest_stop(f.guest, "gen", CALL_MS, &status, &err), &err);
	assert_int_equal(status, 0);
	free(endpoint);
}

static void
survives_a_new_host(void **state)
{
	(void)state;
	assert_non_null(f.guest); /* else it did not boot, which was told */
	guest_close(f.guest);
	close(f.ctl);
	f.begin_ns = clock_now_ns();
	f.ctl = connect_to("ctl.sock");
	open_guest();
	took("connected again");
	assert_string_equal(json_string_value(json_at(guest_facts(f.guest), "programs[0].state")),
			    "exited with 0");
}

static void
switches_itself_off(void **state)
{
	struct err err = {0};

	(void)state;
	assert_non_null(f.guest); /* else it did not boot, which was told */
	f.begin_ns = clock_now_ns();
	must(guest_poweroff(f.guest, CALL_MS, &err), &err);
	if (!proc_wait(&f.qemu, CALL_MS))
		fail_msg("QEMU still runs");
	took("switched off, QEMU's end");
	assert_int_equal(f.qemu.status, 0);
}

static int
find_image(void **state)
{
	struct err err = {0};

	(void)state;
	if (guest_image_find(&f.image, &err) == 0 && guest_image_verify(&f.image, &err) == 0)
		return 0;
	print_error("%s\n", err.msg);
	return -1;
}

static int
clean_up(void **state)
{
	(void)state;
	guest_close(f.guest);
	proc_close(&f.qemu);
	for (int i = 0; i < 2; i++)
		if (f.nic[i] >= 0)
			close(f.nic[i]);
	if (f.ctl >= 0)
		close(f.ctl);
	guest_image_fini(&f.image);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(boots_and_says_hello),
		cmocka_unit_test(has_its_hugepages),
		cmocka_unit_test(gives_nics_to_a_driver),
		cmocka_unit_test(takes_files),
		cmocka_unit_test(forwards_and_accounts_for_each_frame),
		cmocka_unit_test(generator_is_reached_by_its_port),
		cmocka_unit_test(survives_a_new_host),
		cmocka_unit_test(switches_itself_off),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, find_image, clean_up);
}
