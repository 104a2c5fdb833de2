/* SPDX-License-Identifier: MIT */
#include "relay.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

/* At once; more are refused. */
#define RELAYS_MAX 16
/* The longest answer; twice that of our control socket. */
#define ANSWER_MAX (256u << 10)

struct relay {
	struct relay *next;
	struct call call;
	int fd;
	char *text;	   /* what to ask; NULL once it is sent */
	bool has_greeting; /* DPDK's telemetry speaks first */
	struct loop_watch *readable;
	struct loop_watch *deadline;
};

static void
relay_close(struct relay *r)
{
	struct relay **at = &r->call.agent->relays;

	while (*at != r)
		at = &(*at)->next;
	*at = r->next;
	loop_unwatch(r->readable);
	loop_unwatch(r->deadline);
	if (r->fd >= 0)
		close(r->fd);
	free(r->text);
	free(r);
}

void
relay_close_all(struct relay **relays)
{
	while (*relays != NULL)
		relay_close(*relays);
}

static void
relay_fail(struct relay *r, int errnum, const char *why)
{
	struct err err = {0};

	call_refuse(&r->call, err_set(&err, errnum, "%s", why), &err);
	relay_close(r);
}

static void
on_deadline(void *arg)
{
	relay_fail(arg, ETIMEDOUT, "no answer in time");
}

static int
ask(struct relay *r)
{
	ssize_t n = send(r->fd, r->text, strlen(r->text), MSG_NOSIGNAL);

	free(r->text);
	r->text = NULL;
	return n < 0 ? -errno : 0;
}

static void
take_answer(struct relay *r, const char *buf, size_t len)
{
	json_t *text = json_stringn(buf, len);

	if (text == NULL) {
		relay_fail(r, EPROTO, "the answer is not text");
		return;
	}
	call_answer(&r->call, json_pack("{s:o}", "text", text));
	relay_close(r);
}

static void
on_packet(void *arg)
{
	static char buf[ANSWER_MAX];
	struct relay *r = arg;
	ssize_t n = recv(r->fd, buf, sizeof(buf), MSG_TRUNC);
	int rc;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		relay_fail(r, EPIPE, "the program at the other end has gone");
	} else if ((size_t)n > sizeof(buf)) {
		relay_fail(r, EMSGSIZE, "the answer is too long");
	} else if (r->has_greeting) {
		r->has_greeting = false;
		rc = ask(r);
		if (rc < 0)
			relay_fail(r, -rc, strerror(-rc));
	} else {
		take_answer(r, buf, (size_t)n);
	}
}

static int
connect_to(struct relay *r, const char *path, struct err *err)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};

	if (!str_copy(addr.sun_path, sizeof(addr.sun_path), path))
		return err_set(err, ENAMETOOLONG, "the path is too long for a socket");
	r->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (r->fd < 0 || connect(r->fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		return err_set(err, errno, "'%s': %s", path, strerror(errno));
	return 0;
}

static unsigned
count(const struct relay *r)
{
	unsigned n = 0;

	for (; r != NULL; r = r->next)
		n++;
	return n;
}

/* Asks 'text' at 'path'; the answer comes later. */
static int
relay_open(const struct call *call, const char *path, const char *text, bool has_greeting,
	   uint64_t timeout_ms, struct err *err)
{
	struct agent *a = call->agent;
	struct relay *r;
	int rc;

	if (count(a->relays) >= RELAYS_MAX)
		return err_set(err, EBUSY, "%u questions are being asked already", RELAYS_MAX);
	r = xcalloc(1, sizeof(*r));
	*r = (struct relay){.next = a->relays,
			    .call = *call,
			    .fd = -1,
			    .text = xstrdup(text),
			    .has_greeting = has_greeting};
	a->relays = r;
	rc = connect_to(r, path, err);
	if (rc == 0 && !has_greeting && (rc = ask(r)) < 0)
		err_set(err, -rc, "'%s': %s", path, strerror(-rc));
	if (rc < 0) {
		relay_close(r);
		return rc;
	}
	r->readable = loop_fd(a->loop, r->fd, on_packet, r);
	r->deadline = loop_timer(a->loop, timeout_ms, on_deadline, r);
	return 0;
}

int
call_control(const struct call *call, const json_t *params, struct err *err)
{
	const char *name, *text, *path;
	uint64_t ms;
	int rc = json_get_text(params, "name", &name, err);

	if (rc == 0)
		rc = json_get_text(params, "text", &text, err);
	if (rc == 0)
		rc = json_get_u64(params, "timeout_ms", &ms, err);
	if (rc == 0)
		rc = programs_socket(&call->agent->programs, name, &path, err);
	return rc < 0 ? rc : relay_open(call, path, text, false, ms, err);
}

int
call_telemetry(const struct call *call, const json_t *params, struct err *err)
{
	const char *path, *text;
	uint64_t ms;
	int rc = json_get_text(params, "path", &path, err);

	if (rc == 0)
		rc = agent_check_path(path, call->agent->conf.run, err);
	if (rc == 0)
		rc = json_get_text(params, "text", &text, err);
	if (rc == 0)
		rc = json_get_u64(params, "timeout_ms", &ms, err);
	return rc < 0 ? rc : relay_open(call, path, text, true, ms, err);
}
