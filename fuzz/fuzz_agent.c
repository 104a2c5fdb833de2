/* SPDX-License-Identifier: MIT */
/* Whatever a host sends, the agent answers each request once, with JSON that is a result or an
 * error, and everything else of the frames with none but resets.
 *
 * The input is what comes through the channel.  No connection is opened to this machine, and
 * nothing is put or started, for the folder that the agent may write to is not there. */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/agent.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool law)
{
	if (!law)
		abort();
}

/* What the host got. */
struct heard {
	unsigned n_replies;
	struct loop *loop;
};

static void
on_frame(void *arg, const struct frame *frame)
{
	struct heard *heard = arg;
	json_t *reply;

	if (frame->kind == FRAMING_RESET)
		return;
	must(frame->kind == FRAMING_REPLY);
	reply = json_loadb(frame->body, frame->len, 0, NULL);
	must((json_object_get(reply, "result") != NULL) !=
	     json_is_string(json_object_get(reply, "error")));
	json_decref(reply);
	heard->n_replies++;
}

static void
on_restart(void *arg)
{
	(void)arg;
}

static void
on_end(void *arg, const char *why)
{
	(void)arg;
	(void)why;
	abort();
}

static void
on_tick(void *arg)
{
	loop_stop(((struct heard *)arg)->loop);
}

/* Feeds the agent as its channel does; returns how many requests there were. */
static unsigned
feed(struct agent *a, const char *data, size_t len)
{
	struct framing parser = {0};
	enum framing_event event;
	unsigned n = 0;

	while ((event = framing_read(&parser, &data, &len)) != FRAMING_MORE) {
		must(event != FRAMING_FRAME || parser.frame.body[parser.frame.len] == '\0');
		if (event != FRAMING_FRAME)
			continue;
		if (parser.frame.kind == FRAMING_REQUEST) {
			agent_serve(a, parser.frame.id, parser.frame.body, parser.frame.len);
			n++;
		} else {
			tunnel_take(a->tunnel, &parser.frame, false);
		}
	}
	must(len == 0);
	framing_fini(&parser);
	return n;
}

static void
run(struct heard *heard, unsigned n_requests)
{
	struct loop_watch *tick = loop_timer(heard->loop, 1, on_tick, heard);

	for (int turns = 0; heard->n_replies < n_requests && turns < 1000; turns++)
		loop_run(heard->loop);
	loop_unwatch(tick);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char none[] = "/nonexistent";
	const struct agent_conf conf = {none, none, none, none};
	struct heard heard = {0};
	const struct channel_ops ops = {on_frame, on_restart, on_end, &heard};
	struct channel *host;
	struct agent agent;
	unsigned n_requests;
	int fds[2];

	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
	must(loop_open(&heard.loop, NULL) == 0);
	must(agent_open(&agent, &conf, heard.loop, fds[0], true, NULL) == 0);
	must(channel_open(&host, heard.loop, fds[1], false, &ops, NULL) == 0);
	n_requests = feed(&agent, (const char *)data, size);
	run(&heard, n_requests);
	must(heard.n_replies == n_requests);
	agent_close(&agent);
	channel_close(host);
	loop_close(heard.loop);
	close(fds[0]);
	close(fds[1]);
	return 0;
}
