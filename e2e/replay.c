/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "replay_rules.h"
#include "rpc/envelope.h"
#include "rpc/jsonrpc.h"
#include "rpc/wide.h"

/* replay ENDPOINT [-x METHOD | -l]... FILE:FIRST-LAST...
 *
 * Sends what a recorded session of TRex's client sent to a real server (vectors/), line by line,
 * and compares what ours replies with what the real one replied: the same members of the same
 * types, errors with the same code and sentence, and the same values but for those that depend on
 * time, on the device or on chance.  -x leaves out what this version does not do.  -l leaves a
 * stream on port 0, as somebody had before the recording began.
 *
 * Events are compared in their order, over the whole session: their times are not the server's to
 * choose. */

#define REPLY_MS 10000
#define EVENT_MS 30000
#define POLL_MS 20
#define LINE_MAX_BYTES (1 << 20)
#define FRAME60 "AAAAAQAAAAAAAgAACABFAAAuAAEAAEAROrcQAAAEMAAABAQBAAwAGgAAeHh4eHh4eHh4eHh4eHh4eHh4"
#define MAX_SKIPPED 16
#define MAX_SESSIONS 16
#define MAX_HANDLERS 32

struct session {
	json_int_t id;
	json_t *expected, *got; /* events */
};

struct replay {
	void *socket;
	const char *skip[MAX_SKIPPED];
	size_t n_skip;
	char *api_h;
	struct {
		char *recorded, *ours;
	} handler[MAX_HANDLERS];
	size_t n_handlers;
	struct session session[MAX_SESSIONS];
	size_t n_sessions;
	const char *where; /* file and line, for messages */
	const char *method;
	unsigned compared, skipped, failures;
};

static void
die(const char *what, const char *why)
{
	fprintf(stderr, "replay: %s: %s\n", what, why);
	exit(1);
}

static void
differs(struct replay *r, const char *path, const char *what, json_t *theirs, json_t *ours)
{
	char *a = theirs != NULL ? json_dumps(theirs, JSON_ENCODE_ANY) : xstrdup("nothing");
	char *b = ours != NULL ? json_dumps(ours, JSON_ENCODE_ANY) : xstrdup("nothing");

	fprintf(stderr, "%s: %s: %s: %s: theirs %.300s, ours %.300s\n", r->where, r->method, path,
		what, a, b);
	r->failures++;
	free(a);
	free(b);
}

static bool
skips(const struct replay *r, const char *method)
{
	for (size_t i = 0; i < r->n_skip; i++)
		if (strcmp(r->skip[i], method) == 0)
			return true;
	return false;
}

static void compare(struct replay *r, const char *path, json_t *theirs, json_t *ours);

static void
compare_members(struct replay *r, const char *path, json_t *theirs, json_t *ours)
{
	char below[512];
	const char *key;
	json_t *v;

	json_object_foreach(theirs, key, v) {
		snprintf(below, sizeof(below), "%s/%s", path, key);
		if (json_object_get(ours, key) != NULL)
			compare(r, below, v, json_object_get(ours, key));
		else if (!replay_is_apart(r->method, below))
			differs(r, below, "is missing", v, NULL);
	}
	json_object_foreach(ours, key, v) {
		snprintf(below, sizeof(below), "%s/%s", path, key);
		if (json_object_get(theirs, key) == NULL && !replay_is_apart(r->method, below))
			differs(r, below, "is ours alone", NULL, v);
	}
}

/* Port descriptions come in any order; 'index' decides. */
static json_t *
counterpart(json_t *list, size_t i, json_t *theirs)
{
	json_t *index = json_object_get(theirs, "index"), *v;
	size_t k;

	if (index == NULL)
		return json_array_get(list, i);
	json_array_foreach(list, k, v)
		if (json_equal(json_object_get(v, "index"), index))
			return v;
	return NULL;
}

static void
compare_elements(struct replay *r, const char *path, json_t *theirs, json_t *ours)
{
	char below[512];
	json_t *v;
	size_t i;

	snprintf(below, sizeof(below), "%s/", path);
	if (json_array_size(theirs) != json_array_size(ours) &&
	    !replay_is_masked(r->method, path) && !replay_is_masked(r->method, below)) {
		differs(r, path, "other length", theirs, ours);
		return;
	}
	json_array_foreach(theirs, i, v) {
		json_t *other = counterpart(ours, i, v);

		snprintf(below, sizeof(below), "%s/%zu", path, i);
		if (other != NULL)
			compare(r, below, v, other);
	}
}

static void
compare(struct replay *r, const char *path, json_t *theirs, json_t *ours)
{
	if (json_typeof(theirs) != json_typeof(ours) &&
	    !(json_is_boolean(theirs) && json_is_boolean(ours)))
		differs(r, path, "other type", theirs, ours);
	else if (json_is_object(theirs))
		compare_members(r, path, theirs, ours);
	else if (json_is_array(theirs))
		compare_elements(r, path, theirs, ours);
	else if (!json_equal(theirs, ours) && !replay_is_masked(r->method, path))
		differs(r, path, "other value", theirs, ours);
}

static struct session *
session_of(struct replay *r, json_t *params)
{
	json_int_t id = json_integer_value(json_object_get(params, "session_id"));

	for (size_t i = 0; i < r->n_sessions; i++)
		if (r->session[i].id == id)
			return &r->session[i];
	if (r->n_sessions == MAX_SESSIONS)
		die(r->where, "too many sessions");
	r->session[r->n_sessions] = (struct session){id, json_array(), json_array()};
	return &r->session[r->n_sessions++];
}

static void
compare_events(struct replay *r, const struct session *s)
{
	size_t n = json_array_size(s->expected);

	for (size_t i = 0; i < n && i < json_array_size(s->got); i++) {
		char path[32];

		/* What was left out had events too. */
		if (r->n_skip > 0)
			json_object_set_new(json_array_get(s->expected, i), "seq",
					    json_integer((json_int_t)i));
		snprintf(path, sizeof(path), "/event %zu", i);
		compare(r, path, json_array_get(s->expected, i), json_array_get(s->got, i));
	}
	if (json_array_size(s->got) != n)
		differs(r, "/events", "other number", s->expected, s->got);
}

/* Sends 'request' and returns the reply. */
static json_t *
exchange(struct replay *r, json_t *request)
{
	char *text = wide_dumps(request, JSON_COMPACT), *sealed, *plain;
	zmq_msg_t msg;
	size_t len;
	json_t *reply;

	sealed = envelope_seal(text, strlen(text), &len);
	if (zmq_send(r->socket, sealed, len, 0) < 0)
		die(r->where, zmq_strerror(errno));
	free(text);
	free(sealed);
	zmq_msg_init(&msg);
	if (zmq_msg_recv(&msg, r->socket, 0) < 0)
		die(r->where, zmq_strerror(errno));
	if (!envelope_is(zmq_msg_data(&msg), zmq_msg_size(&msg)))
		die(r->where, "a sealed request got an open reply");
	plain = envelope_open(zmq_msg_data(&msg), zmq_msg_size(&msg), 64 << 20, &len);
	zmq_msg_close(&msg);
	reply = plain != NULL ? wide_loadb(plain, len, 0, NULL) : NULL;
	free(plain);
	if (reply == NULL)
		die(r->where, "the reply is no JSON");
	return reply;
}

/* Asks until as many events have come as the real server had sent by then. */
static void
catch_up(struct replay *r, json_t *request, struct session *s, json_t *reply)
{
	struct deadline d = deadline_in_ms(EVENT_MS);

	json_array_extend(s->got, json_object_get(json_object_get(reply, "result"), "data"));
	while (json_array_size(s->got) < json_array_size(s->expected) && !deadline_passed(&d)) {
		json_t *more;

		clock_sleep_ms(POLL_MS);
		more = exchange(r, request);
		json_array_extend(s->got, json_object_get(json_object_get(more, "result"), "data"));
		json_decref(more);
	}
}

/* Puts our handles in the place of theirs. */
static void
translate(const struct replay *r, json_t *request)
{
	json_t *params = json_object_get(request, "params");
	const char *handler = json_string_value(json_object_get(params, "handler"));

	if (json_object_get(params, "api_h") != NULL)
		json_object_set_new(params, "api_h", json_string(r->api_h));
	for (size_t i = r->n_handlers; handler != NULL && i-- > 0;) {
		if (strcmp(r->handler[i].recorded, handler) == 0) {
			json_object_set_new(params, "handler", json_string(r->handler[i].ours));
			return;
		}
	}
}

/* Remembers what the reply hands out. */
static void
learn(struct replay *r, json_t *theirs, json_t *ours)
{
	json_t *a = json_object_get(theirs, "result"), *b = json_object_get(ours, "result");

	if (strcmp(r->method, "api_sync_v2") == 0) {
		free(r->api_h);
		r->api_h = xstrdup(json_string_value(json_object_get(b, "api_h")));
	} else if (strcmp(r->method, "acquire") == 0 && json_is_string(a) && json_is_string(b)) {
		if (r->n_handlers == MAX_HANDLERS)
			die(r->where, "too many handlers");
		r->handler[r->n_handlers].recorded = xstrdup(json_string_value(a));
		r->handler[r->n_handlers++].ours = xstrdup(json_string_value(b));
	}
}

/* Every method of ours is one of theirs. */
static void
compare_commands(struct replay *r, json_t *theirs, json_t *ours)
{
	json_t *mine, *other;
	size_t i, k;

	json_array_foreach(ours, i, mine) {
		bool found = strncmp(json_string_value(mine), "x_nfvchain_", 11) == 0;

		json_array_foreach(theirs, k, other)
			found |= json_equal(mine, other);
		if (!found)
			differs(r, "", "is no method of theirs", NULL, mine);
	}
}

/* Is the reply one of a moment before, because ours was asked sooner? */
static bool
is_behind(const struct replay *r, json_t *theirs, json_t *ours)
{
	json_t *a = json_object_get(theirs, "result"), *b = json_object_get(ours, "result");

	if (strcmp(r->method, "get_port_status") == 0)
		return !json_equal(json_object_get(a, "state"), json_object_get(b, "state"));
	if (strcmp(r->method, "capture") == 0 && json_is_array(a) && json_is_array(b))
		return json_integer_value(json_object_get(json_array_get(a, 0), "count")) >
		       json_integer_value(json_object_get(json_array_get(b, 0), "count"));
	return false;
}

/* A new reference to the reply, or to a later one. */
static json_t *
settled(struct replay *r, json_t *request, json_t *theirs, json_t *ours)
{
	struct deadline d = deadline_in_ms(EVENT_MS);

	json_incref(ours);
	while (is_behind(r, theirs, ours) && !deadline_passed(&d)) {
		json_decref(ours);
		clock_sleep_ms(POLL_MS);
		ours = exchange(r, request);
	}
	return ours;
}

static void
compare_reply(struct replay *r, json_t *request, json_t *theirs, json_t *ours)
{
	json_t *params = json_object_get(request, "params");
	json_t *result = json_object_get(theirs, "result");
	struct session *s;

	r->compared++;
	if (strcmp(r->method, "get_async_events") == 0) {
		s = session_of(r, params);
		json_array_extend(s->expected, json_object_get(result, "data"));
		catch_up(r, request, s, ours);
	} else if (strcmp(r->method, "get_supported_cmds") == 0) {
		compare_commands(r, result, json_object_get(ours, "result"));
	} else if (result != NULL && json_object_get(ours, "result") != NULL) {
		compare(r, "", result, json_object_get(ours, "result"));
	} else {
		compare(r, "", theirs, ours);
	}
	learn(r, theirs, ours);
}

/* The list of one or several; a new reference. */
static json_t *
as_list(json_t *json)
{
	return json_is_array(json) ? json_incref(json) : json_pack("[O]", json);
}

static json_t *
ask(struct replay *r, const char *method, json_t *params)
{
	json_t *request, *reply;

	json_object_set_new(params, "api_h", json_string(r->api_h));
	request = json_pack("{s:s, s:i, s:s, s:o}", "jsonrpc", "2.0", "id", 1, "method", method,
			    "params", params);
	r->where = method;
	reply = exchange(r, request);
	if (json_object_get(reply, "result") == NULL)
		die(method, "is refused");
	json_decref(request);
	return reply;
}

/* Until a burst has been sent: the recorded client had waited for as long. */
static void
wait_until_idle(struct replay *r, json_t *request)
{
	json_t *port = json_object_get(json_object_get(request, "params"), "port_id");
	struct deadline d = deadline_in_ms(EVENT_MS);
	const char *where = r->where;
	bool sends = true;

	while (sends && !deadline_passed(&d)) {
		json_t *reply = ask(r, "get_port_status", json_pack("{s:O}", "port_id", port));
		json_t *state = json_object_get(json_object_get(reply, "result"), "state");

		sends = strcmp(json_string_value(state), "TX") == 0;
		json_decref(reply);
		if (sends)
			clock_sleep_ms(POLL_MS);
	}
	r->where = where;
}

static void
replay_one(struct replay *r, json_t *request, json_t *theirs)
{
	json_t *requests = as_list(request), *kept = json_array(), *expected = json_array();
	json_t *replies = as_list(theirs), *q, *ours, *ours_now, *got;
	size_t i;

	json_array_foreach(requests, i, q) {
		if (skips(r, json_string_value(json_object_get(q, "method")))) {
			r->skipped++;
			continue;
		}
		translate(r, q);
		if (strcmp(json_string_value(json_object_get(q, "method")), "remove_rx_filters") ==
		    0)
			wait_until_idle(r, q);
		json_array_append(kept, q);
		json_array_append(expected, json_array_get(replies, i));
	}
	if (json_array_size(kept) > 0) {
		ours = exchange(r, json_is_array(request) ? kept : json_array_get(kept, 0));
		if (json_is_array(ours) != (json_array_size(kept) > 1))
			differs(r, "", "a batch of one has a bare reply", theirs, ours);
		got = as_list(ours);
		json_array_foreach(kept, i, q) {
			r->method = json_string_value(json_object_get(q, "method"));
			ours_now =
				settled(r, q, json_array_get(expected, i), json_array_get(got, i));
			compare_reply(r, q, json_array_get(expected, i), ours_now);
			json_decref(ours_now);
		}
		json_decref(got);
		json_decref(ours);
	}
	json_decref(requests);
	json_decref(replies);
	json_decref(kept);
	json_decref(expected);
}

/* One line of a recording: what was said, and which way. */
static json_t *
read_line(FILE *f, const char **dir, json_t **line)
{
	static char text[LINE_MAX_BYTES];

	if (fgets(text, sizeof(text), f) == NULL)
		return NULL;
	*line = wide_loadb(text, strlen(text), 0, NULL);
	*dir = json_string_value(json_object_get(*line, "dir"));
	if (*dir == NULL)
		die("a recording", "has a line that is none");
	return json_object_get(*line, "msg");
}

static void
replay_file(struct replay *r, const char *path, unsigned first, unsigned last)
{
	FILE *f = fopen(path, "re");
	json_t *request = NULL, *line, *msg;
	const char *dir;
	char where[600];

	if (f == NULL)
		die(path, strerror(errno));
	for (unsigned n = 0; n <= last && (msg = read_line(f, &dir, &line)) != NULL; n++) {
		snprintf(where, sizeof(where), "%s:%u", path, n + 1);
		r->where = where;
		if (n >= first && strcmp(dir, "req") == 0) {
			json_decref(request);
			request = json_incref(msg);
		} else if (request != NULL && strcmp(dir, "rep") == 0) {
			replay_one(r, request, msg);
			json_decref(request);
			request = NULL;
		}
		json_decref(line);
	}
	json_decref(request);
	fclose(f);
}

static void
replay_argument(struct replay *r, const char *argument)
{
	char path[512];
	unsigned first = 0, last = UINT32_MAX;

	if (sscanf(argument, "%511[^:]:%u-%u", path, &first, &last) < 1)
		die(argument, "FILE, FILE:FIRST- or FILE:FIRST-LAST");
	replay_file(r, path, first, last);
}

/* Before anybody listens to events: a link that comes up would be one. */
static void
wait_for_links(struct replay *r)
{
	struct deadline d = deadline_in_ms(EVENT_MS);
	json_t *reply = ask(r, "api_sync_v2",
			    json_pack("{s:s, s:i, s:i}", "name", "STL", "major", 5, "minor", 1));

	r->method = "api_sync_v2";
	learn(r, reply, reply);
	json_decref(reply);
	for (int port = 0; port < 2 && !deadline_passed(&d);) {
		reply = ask(r, "get_port_status", json_pack("{s:i}", "port_id", port));
		if (json_is_true(json_at(reply, "result.attr.link.up")))
			port++;
		else
			clock_sleep_ms(POLL_MS);
		json_decref(reply);
	}
}

static void
leave_stream(struct replay *r)
{
	json_t *reply;
	const char *handler;

	reply = ask(r, "acquire",
		    json_pack("{s:i, s:s, s:i, s:b}", "port_id", 0, "user", "earlier", "session_id",
			      1, "force", 0));
	handler = json_string_value(json_object_get(reply, "result"));
	json_decref(ask(r, "add_stream",
			json_pack("{s:i, s:s, s:i, s:{s:{s:s}, s:{s:s, s:{s:s, s:i}}}}", "port_id",
				  0, "handler", handler, "stream_id", 1, "stream", "packet",
				  "binary", FRAME60, "mode", "type", "continuous", "rate", "type",
				  "pps", "value", 1)));
	json_decref(ask(r, "release", json_pack("{s:i, s:s}", "port_id", 0, "handler", handler)));
	json_decref(reply);
}

static void
connect_to(struct replay *r, void *ctx, const char *endpoint)
{
	int timeout = REPLY_MS;

	r->socket = zmq_socket(ctx, ZMQ_REQ);
	zmq_setsockopt(r->socket, ZMQ_RCVTIMEO, &timeout, sizeof(timeout));
	zmq_setsockopt(r->socket, ZMQ_LINGER, &(int){0}, sizeof(int));
	if (zmq_connect(r->socket, endpoint) < 0)
		die(endpoint, zmq_strerror(errno));
}

static void
forget(struct replay *r)
{
	for (size_t i = 0; i < r->n_sessions; i++) {
		json_decref(r->session[i].expected);
		json_decref(r->session[i].got);
	}
	for (size_t i = 0; i < r->n_handlers; i++) {
		free(r->handler[i].recorded);
		free(r->handler[i].ours);
	}
	free(r->api_h);
}

int
main(int argc, char **argv)
{
	struct replay r = {.api_h = xstrdup("")};
	void *ctx = zmq_ctx_new();

	if (argc < 3)
		die("usage", "replay ENDPOINT [-x METHOD | -l]... FILE[:FIRST-[LAST]]...");
	connect_to(&r, ctx, argv[1]);
	wait_for_links(&r);
	for (int i = 2; i < argc; i++) {
		if (strcmp(argv[i], "-x") == 0 && i + 1 < argc && r.n_skip < MAX_SKIPPED)
			r.skip[r.n_skip++] = argv[++i];
		else if (strcmp(argv[i], "-l") == 0)
			leave_stream(&r);
		else
			replay_argument(&r, argv[i]);
	}
	r.where = "at the end";
	r.method = "get_async_events";
	for (size_t i = 0; i < r.n_sessions; i++)
		compare_events(&r, &r.session[i]);
	printf("%u replies compared, %u requests left out, %u differences\n", r.compared, r.skipped,
	       r.failures);
	zmq_close(r.socket);
	zmq_ctx_term(ctx);
	forget(&r);
	return r.failures > 0 || r.compared == 0;
}
