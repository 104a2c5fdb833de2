/* SPDX-License-Identifier: MIT */
#include "broken_clients.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"
#include "gen_client.h"

#define ANSWER_MS 5000
#define GREETING_LEN 64
#define SILENT 50

/* ZMTP's frames: flags, then a length of one byte, or of eight in a LONG one. */
#define MORE "\x01"
#define LAST "\x00"
#define LONG_LAST "\x02"
#define COMMAND "\x04"
#define READY COMMAND "\x19\x05READY\x0bSocket-Type\x00\x00\x00\x03REQ"
#define DELIMITER MORE "\x00"
#define PING "\x28{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}"
#define BYTES(text) (text), sizeof(text) - 1

static int
connect_unix(const char *path)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	return fd;
}

static int
connect_tcp(const char *place)
{
	struct sockaddr_in addr = {.sin_family = AF_INET};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char host[64];
	unsigned port;

	assert_int_equal(sscanf(place, "%63[^:]:%u", host, &port), 2);
	addr.sin_port = htons((uint16_t)port);
	assert_int_equal(inet_pton(AF_INET, host, &addr.sin_addr), 1);
	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	return fd;
}

static int
connect_raw(const char *endpoint)
{
	if (strncmp(endpoint, "ipc://", strlen("ipc://")) == 0)
		return connect_unix(endpoint + strlen("ipc://"));
	return connect_tcp(endpoint + strlen("tcp://"));
}

/* Whether all was taken: whoever is sent away may not get to say all. */
static bool
say(int fd, const char *bytes, size_t len)
{
	return send(fd, bytes, len, MSG_NOSIGNAL) == (ssize_t)len;
}

static void
say_greeting(int fd, size_t len)
{
	char greeting[GREETING_LEN] = {[0] = (char)0xff, [9] = 0x7f, [10] = 3};

	memcpy(greeting + 12, "NULL", 4);
	assert_true(say(fd, greeting, len));
}

/* Waits for the server's part of the handshake, so that what is said next finds it ready. */
static void
hear_greeting(int fd)
{
	char heard[GREETING_LEN];
	size_t len = 0;

	while (len < sizeof(heard)) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		ssize_t n;

		assert_int_equal(poll(&p, 1, ANSWER_MS), 1);
		n = recv(fd, heard + len, sizeof(heard) - len, 0);
		assert_true(n > 0);
		len += (size_t)n;
	}
}

static int
connect_ready(const char *endpoint)
{
	int fd = connect_raw(endpoint);

	say_greeting(fd, GREETING_LEN);
	hear_greeting(fd);
	return fd;
}

/* Gone, and every other one in a way that the server learns of as an error. */
static void
vanish(int fd)
{
	static unsigned n;
	const struct linger at_once = {.l_onoff = 1, .l_linger = 0};

	if (n++ % 2 == 0)
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(fd);
}

static void
say_and_vanish(const char *endpoint, const char *bytes, size_t len)
{
	int fd = connect_ready(endpoint);

	say(fd, bytes, len);
	vanish(fd);
}

static void
die_in_the_greeting(const char *endpoint)
{
	for (size_t len = 0; len <= GREETING_LEN; len++) {
		int fd = connect_raw(endpoint);

		say_greeting(fd, len);
		vanish(fd);
	}
}

static void
die_in_a_request(const char *endpoint)
{
	static const char whole[] = READY DELIMITER LAST PING;

	for (size_t len = 0; len < sizeof(whole); len++)
		say_and_vanish(endpoint, whole, len);
}

static void
die_between_parts(const char *endpoint)
{
	say_and_vanish(endpoint, BYTES(READY DELIMITER));
	say_and_vanish(endpoint, BYTES(READY DELIMITER MORE PING));
	say_and_vanish(endpoint, BYTES(READY DELIMITER MORE PING MORE PING));
	say_and_vanish(endpoint, BYTES(READY DELIMITER MORE PING MORE PING LAST "\x28{"));
	/* No delimiter: nobody could be told. */
	say_and_vanish(endpoint, BYTES(READY MORE PING MORE PING));
	say_and_vanish(endpoint, BYTES(READY LAST PING));
}

static void
die_in_a_long_frame(const char *endpoint)
{
	static const char *const lengths[] = {
		"\x00\x00\x00\x00\x00\x0f\x42\x3f", /* 999 999, the longest request */
		"\x00\x00\x00\x00\x00\x3f\xff\xff", /* what is still taken, to be refused */
		"\x00\x00\x00\x00\x00\x40\x00\x01", /* what costs the connection */
		"\x7f\xff\xff\xff\xff\xff\xff\xff", "\xff\xff\xff\xff\xff\xff\xff\xff",
	};
	static const char begin[] = READY DELIMITER LONG_LAST;
	const size_t head = sizeof(begin) - 1;
	char message[4096];

	memset(message, '{', sizeof(message));
	memcpy(message, begin, head);
	for (size_t i = 0; i < N_ELEMS(lengths); i++) {
		memcpy(message + head, lengths[i], 8);
		for (size_t len = head; len < sizeof(message); len += 331)
			say_and_vanish(endpoint, message, len);
	}
}

void
broken_clients(const char *endpoint, struct client *honest)
{
	static void (*const deaths[])(const char *) = {die_in_the_greeting, die_in_a_request,
						       die_between_parts, die_in_a_long_frame};
	int silent[SILENT];

	for (size_t i = 0; i < N_ELEMS(silent); i++) {
		silent[i] = connect_ready(endpoint);
		assert_true(say(silent[i], READY DELIMITER LAST PING,
				sizeof(READY DELIMITER LAST PING) - 2 - i % 30));
	}
	client_do(honest, "ping", json_object());
	for (size_t i = 0; i < N_ELEMS(deaths); i++) {
		deaths[i](endpoint);
		client_do(honest, "ping", json_object());
	}
	for (size_t i = 0; i < N_ELEMS(silent); i++)
		close(silent[i]);
	client_do(honest, "ping", json_object());
}
