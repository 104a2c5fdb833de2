/* SPDX-License-Identifier: MIT */
#include "telemetry.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/mem.h"
#include "seqpacket.h"
#include "wide.h"

#define LONG_MS 10000
#define GREETING "{\"version\":\"DPDK 22.11.11\",\"pid\":4711,\"max_output_len\":16384}"
#define LATE "{\"/late\": 1}" /* comes only with the next command */

struct line {
	const char *command;
	const char *answer;
};

/* Speaks as a DPDK program does: a greeting on each connection, then an answer to each command. */
struct fake {
	const char *greeting;
	const struct line *lines; /* up to one without a command; others get no answer */
	int fd;
	pthread_t thread;
};

static char dir[] = "/tmp/nfvchain-telemetry-XXXXXX";
static char path[80];

static void
answer_one(const struct fake *fake, int fd, const char *command)
{
	for (const struct line *l = fake->lines; l->command != NULL; l++)
		if (strcmp(l->command, command) == 0)
			send(fd, l->answer, strlen(l->answer), MSG_NOSIGNAL);
}

static void *
fake_run(void *arg)
{
	const struct fake *fake = arg;
	char command[1025];
	int fd;

	/* Ends when the listening socket is shut down. */
	while ((fd = accept(fake->fd, NULL, NULL)) >= 0) {
		bool late = false;
		ssize_t n;

		send(fd, fake->greeting, strlen(fake->greeting), MSG_NOSIGNAL);
		while ((n = recv(fd, command, sizeof(command) - 1, 0)) > 0) {
			command[n] = '\0';
			if (strcmp(command, "/quit") == 0)
				break;
			if (late)
				send(fd, LATE, strlen(LATE), MSG_NOSIGNAL);
			late = strcmp(command, "/late") == 0;
			answer_one(fake, fd, command);
		}
		close(fd);
	}
	return NULL;
}

static void
fake_start(struct fake *fake, const char *greeting, const struct line *lines)
{
	struct sockaddr_un addr;

	*fake = (struct fake){.greeting = greeting, .lines = lines};
	assert_int_equal(seqpacket_address(&addr, path, NULL), 0);
	fake->fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	assert_int_equal(bind(fake->fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(fake->fd, 10), 0);
	assert_int_equal(pthread_create(&fake->thread, NULL, fake_run, fake), 0);
}

static void
fake_stop(struct fake *fake)
{
	shutdown(fake->fd, SHUT_RDWR);
	pthread_join(fake->thread, NULL);
	close(fake->fd);
	unlink(path);
}

static struct telemetry_client *
client(void)
{
	struct telemetry_client *c;
	struct err err = {0};

	if (telemetry_client_open(&c, path, LONG_MS, &err) < 0)
		fail_msg("%s", err.msg);
	return c;
}

static const struct line counters[] = {
	{"/ethdev/list", "{\"/ethdev/list\": [0, 1]}"},
	{"/ethdev/stats,0",
	 "{\"/ethdev/stats\": {\"ipackets\": 5, \"opackets\": 18446744073709551615, "
	 "\"q_ipackets\": [5, 0]}}"},
	{"/ethdev/xstats,0", "{\"/ethdev/xstats\": {\"rx_good\": 1, \"rx_good\": 2}}"},
	{"/ethdev/stats,9", "{\"/ethdev/stats\": null}"},
	{"/other", "{\"/ethdev/list\": []}"},
	{"/torn", "{\"/torn\": [1, 2"},
	{0},
};

static void
values_come_under_the_name_of_the_command(void **state)
{
	struct telemetry_client *c;
	struct err err = {0};
	struct fake fake;
	json_t *value;
	uint64_t n;

	fake_start(&fake, GREETING, counters);
	c = client();
	assert_int_equal(telemetry_client_get(c, "/ethdev/list", LONG_MS, &value, &err), 0);
	assert_int_equal(json_array_size(value), 2);
	json_decref(value);
	assert_int_equal(telemetry_client_get(c, "/ethdev/stats,0", LONG_MS, &value, &err), 0);
	assert_int_equal(json_get_u64(value, "ipackets", &n, &err), 0);
	assert_int_equal(n, 5);
	/* A counter of all ones is how a driver's -1 looks. */
	assert_true(wide_u64(json_object_get(value, "opackets"), &n));
	assert_true(n == UINT64_MAX);
	json_decref(value);
	assert_int_equal(telemetry_client_get(c, "/ethdev/xstats,0", LONG_MS, &value, &err), 0);
	json_decref(value);
	telemetry_client_close(c);
	fake_stop(&fake);
}

static void
assert_no_value(struct telemetry_client *c, const char *command, int rc, const char *sentence)
{
	struct err err = {0};
	json_t *value;

	assert_int_equal(telemetry_client_get(c, command, LONG_MS, &value, &err), rc);
	assert_null(value);
	assert_non_null(strstr(err.msg, command));
	assert_non_null(strstr(err.msg, sentence));
}

static void
what_is_no_value_is_told(void **state)
{
	struct telemetry_client *c;
	struct fake fake;
	char longer[1100] = "/";
	json_t *value;

	fake_start(&fake, GREETING, counters);
	c = client();
	assert_no_value(c, "/ethdev/stats,9", -ENOENT, "no such command");
	assert_no_value(c, "/other", -EPROTO, "is not to '/other'");
	assert_no_value(c, "/torn", -EPROTO, "not JSON");
	assert_no_value(c, "ethdev", -EINVAL, "not a telemetry command");
	memset(longer + 1, 'x', 1023);
	assert_int_equal(telemetry_client_get(c, longer, LONG_MS, &value, NULL), -EINVAL);
	assert_int_equal(telemetry_client_get(c, "/ethdev/list", LONG_MS, &value, NULL), 0);
	json_decref(value);
	telemetry_client_close(c);
	fake_stop(&fake);
}

/* On the same connection the answer to "/late" would be taken for that to the next command. */
static void
silence_costs_the_connection_not_the_client(void **state)
{
	struct telemetry_client *c;
	struct err err = {0};
	struct fake fake;
	json_t *value;

	fake_start(&fake, GREETING, counters);
	c = client();
	assert_int_equal(telemetry_client_get(c, "/late", 50, &value, &err), -ETIMEDOUT);
	assert_int_equal(telemetry_client_get(c, "/ethdev/list", LONG_MS, &value, &err), 0);
	json_decref(value);
	telemetry_client_close(c);
	fake_stop(&fake);
}

static void
a_program_that_ends_is_told(void **state)
{
	struct telemetry_client *c;
	struct fake fake;

	fake_start(&fake, GREETING, counters);
	c = client();
	assert_no_value(c, "/quit", -EPIPE, "the program at the other end has gone");
	telemetry_client_close(c);
	fake_stop(&fake);
}

/* 22.11 announces 16 kB, others may announce less. */
static void
the_announced_size_is_the_limit(void **state)
{
	static const char exact[] = "{\"/a\": \"0123456789012345678901234567890123456789\"}";
	static const char longer[] = "{\"/b\": \"0123456789012345678901234567890123456789x\"}";
	const struct line lines[] = {{"/a", exact}, {"/b", longer}, {0}};
	struct telemetry_client *c;
	struct fake fake;
	char greeting[100];
	json_t *value;

	snprintf(greeting, sizeof(greeting), "{\"max_output_len\":%zu}", strlen(exact));
	fake_start(&fake, greeting, lines);
	c = client();
	assert_int_equal(telemetry_client_get(c, "/a", LONG_MS, &value, NULL), 0);
	json_decref(value);
	assert_no_value(c, "/b", -EMSGSIZE, "an answer of");
	telemetry_client_close(c);
	fake_stop(&fake);
}

static void
other_programs_are_refused(void **state)
{
	static const char *const greetings[] = {
		"hello",
		"{}",
		"[]",
		"{\"max_output_len\":0}",
		"{\"max_output_len\":-1}",
		"{\"max_output_len\":18446744073709551615}",
		"{\"max_output_len\":\"16384\"}",
	};

	for (size_t i = 0; i < N_ELEMS(greetings); i++) {
		struct telemetry_client *c;
		struct err err = {0};
		struct fake fake;

		fake_start(&fake, greetings[i], counters);
		assert_int_equal(telemetry_client_open(&c, path, LONG_MS, &err), -EPROTO);
		assert_null(c);
		assert_non_null(strstr(err.msg, "does not greet as DPDK's telemetry does"));
		fake_stop(&fake);
	}
}

static void
a_missing_program_is_waited_for_and_told(void **state)
{
	struct telemetry_client *c;
	struct err err = {0};

	assert_int_equal(telemetry_client_open(&c, path, 20, &err), -ENOENT);
	assert_null(c);
	assert_non_null(strstr(err.msg, "telemetry: nobody listens at"));
	telemetry_client_close(NULL);
}

static int
make_dir(void **state)
{
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/dpdk_telemetry.v2", dir);
	return 0;
}

static int
remove_dir(void **state)
{
	return rmdir(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_come_under_the_name_of_the_command),
		cmocka_unit_test(what_is_no_value_is_told),
		cmocka_unit_test(silence_costs_the_connection_not_the_client),
		cmocka_unit_test(a_program_that_ends_is_told),
		cmocka_unit_test(the_announced_size_is_the_limit),
		cmocka_unit_test(other_programs_are_refused),
		cmocka_unit_test(a_missing_program_is_waited_for_and_told),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
