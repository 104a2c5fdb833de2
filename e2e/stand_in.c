/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "base/err.h"
#include "base/mem.h"
#include "rpc/envelope.h"
#include "rpc/wide.h"

/* stand-in answer FILE ENDPOINT          answers as the recorded server did
 * stand-in watch FILE ENDPOINT SERVER    hands on to SERVER, and looks at what is asked
 * stand-in record FILE ENDPOINT SERVER   the same, and writes what both say
 * stand-in collect FILE ENDPOINT SERVER  the same, each kind of request once
 *
 * until SIGTERM.  What a client asks has to have been asked in the recording, with the same
 * parameters but for those of the moment.  "answer" gives what was answered there, so handles and
 * counters are the recorded ones, and takes requests in their order: what only asks may be asked
 * more or less often than it was, since that depends on time; what changes something may not.
 * "watch" is for a session whose course depends on what is measured: there loads and handles are of
 * the moment too, and order is not looked at.  Both end with 1 when a request was not in the
 * recording, or one of the recording that changes something was not made. */

#define LINE_MAX_BYTES (1 << 20)
#define MAX_RECORDS 8192
#define MESSAGE_MAX (16u << 20)
#define SERVER_MS 10000

enum mode { ANSWER, WATCH, RECORD, COLLECT };

struct record {
	json_t *request, *reply;
	bool made;
};

struct stand_in {
	struct record record[MAX_RECORDS];
	size_t n_records, next; /* of the recording: the one behind the last that was made */
	enum mode mode;
	void *client, *server;
	FILE *out;
	unsigned answered, strange;
};

static volatile sig_atomic_t stopped;

static void
die(const char *what, const char *why)
{
	fprintf(stderr, "stand-in: %s: %s\n", what, why);
	exit(2);
}

static void
on_term(int signum)
{
	(void)signum;
	stopped = 1;
}

/* ---- the recording ---- */

static const char *
method_of(const json_t *request)
{
	const char *method = json_string_value(json_object_get(request, "method"));

	return method != NULL ? method : "";
}

static bool
only_asks(const json_t *request)
{
	return strncmp(method_of(request), "get_", 4) == 0 ||
	       strcmp(method_of(request), "ping") == 0;
}

/* Of the moment: a request's number, the process that asks; where order does not matter, handles
 * and a measured load. */
static bool
is_masked(const json_t *object, const char *key, bool in_order)
{
	if (strcmp(key, "id") == 0 || strcmp(key, "session_id") == 0)
		return true;
	if (in_order)
		return false;
	return strcmp(key, "api_h") == 0 || strcmp(key, "handler") == 0 ||
	       (strcmp(key, "value") == 0 && json_object_get(object, "op") != NULL);
}

static bool is_same(const json_t *a, const json_t *b, bool in_order);

static bool
same_members(const json_t *a, const json_t *b, bool in_order)
{
	const char *key;
	json_t *v;

	json_object_foreach((json_t *)(uintptr_t)a, key, v) {
		const json_t *other = json_object_get(b, key);

		if (other == NULL || json_typeof(v) != json_typeof(other))
			return false;
		if (!is_masked(a, key, in_order) && !is_same(v, other, in_order))
			return false;
	}
	return json_object_size(a) == json_object_size(b);
}

static bool
is_same(const json_t *a, const json_t *b, bool in_order)
{
	size_t i;
	json_t *v;

	if (json_typeof(a) != json_typeof(b))
		return false;
	if (json_is_object(a))
		return same_members(a, b, in_order);
	if (!json_is_array(a))
		return json_equal(a, b);
	json_array_foreach(a, i, v)
		if (i >= json_array_size(b) || !is_same(v, json_array_get(b, i), in_order))
			return false;
	return json_array_size(a) == json_array_size(b);
}

static void
load(struct stand_in *s, const char *path)
{
	static char text[LINE_MAX_BYTES];
	FILE *f = fopen(path, "re");

	if (f == NULL)
		die(path, strerror(errno));
	while (fgets(text, sizeof(text), f) != NULL) {
		json_t *line = wide_loadb(text, strlen(text), 0, NULL);
		json_t *msg = json_object_get(line, "msg");
		const char *dir = json_string_value(json_object_get(line, "dir"));

		if (msg == NULL || dir == NULL || s->n_records == MAX_RECORDS)
			die(path, "not a recording, or too long");
		if (strcmp(dir, "req") == 0)
			s->record[s->n_records++].request = json_incref(msg);
		else if (s->n_records > 0)
			s->record[s->n_records - 1].reply = json_incref(msg);
		json_decref(line);
	}
	fclose(f);
}

/* Ahead as far as nothing that changes something is left out; else, of what only asks, the last
 * that was like it. */
static struct record *
find_in_order(struct stand_in *s, const json_t *request)
{
	for (size_t i = s->next; i < s->n_records; i++) {
		if (is_same(request, s->record[i].request, true)) {
			s->next = i + 1;
			return &s->record[i];
		}
		if (!only_asks(s->record[i].request))
			break;
	}
	for (size_t i = s->next; only_asks(request) && i > 0; i--)
		if (is_same(request, s->record[i - 1].request, true))
			return &s->record[i - 1];
	return NULL;
}

static struct record *
find_anywhere(struct stand_in *s, const json_t *request)
{
	for (size_t i = 0; i < s->n_records; i++)
		if (is_same(request, s->record[i].request, false))
			return &s->record[i];
	return NULL;
}

/* The recorded counterpart; none is what this program is for. */
static const struct record *
find(struct stand_in *s, const json_t *request)
{
	struct record *r =
		s->mode == ANSWER ? find_in_order(s, request) : find_anywhere(s, request);
	char *text;

	if (r != NULL) {
		r->made = true;
		s->answered++;
		return r;
	}
	s->strange++;
	text = wide_dumps(request, JSON_COMPACT);
	fprintf(stderr, "stand-in: not in the recording, behind its request %zu: %.2000s\n",
		s->next, text);
	free(text);
	return NULL;
}

/* ---- messages ---- */

/* The next one, inflated; NULL when there is none. */
static json_t *
receive(void *socket, bool *sealed)
{
	zmq_msg_t m;
	json_t *json = NULL;
	char *text;
	size_t len;

	zmq_msg_init(&m);
	if (zmq_msg_recv(&m, socket, 0) < 0) {
		zmq_msg_close(&m);
		return NULL;
	}
	*sealed = envelope_is(zmq_msg_data(&m), zmq_msg_size(&m));
	if (*sealed) {
		text = envelope_open(zmq_msg_data(&m), zmq_msg_size(&m), MESSAGE_MAX, &len);
		json = text != NULL ? wide_loadb(text, len, 0, NULL) : NULL;
		free(text);
	} else {
		json = wide_loadb(zmq_msg_data(&m), zmq_msg_size(&m), 0, NULL);
	}
	zmq_msg_close(&m);
	if (json == NULL)
		die("a message", "is not JSON");
	return json;
}

static void
send_json(void *socket, const json_t *json, bool sealed)
{
	char *text = wide_dumps(json, JSON_COMPACT), *envelope;
	size_t len;

	if (sealed) {
		envelope = envelope_seal(text, strlen(text), &len);
		zmq_send(socket, envelope, len, 0);
		free(envelope);
	} else {
		zmq_send(socket, text, strlen(text), 0);
	}
	free(text);
}

static json_t *
with_id_of(const json_t *request, const json_t *reply)
{
	json_t *copy = json_deep_copy(reply);

	json_object_set(copy, "id", json_object_get(request, "id"));
	return copy;
}

static json_t *
answer(struct stand_in *s, const json_t *request)
{
	const struct record *r = find(s, request);

	if (r != NULL && r->reply != NULL)
		return with_id_of(request, r->reply);
	return json_pack("{s:s, s:O, s:{s:i, s:s, s:s}}", "jsonrpc", "2.0", "id",
			 json_object_get(request, "id"), "error", "code", -32000, "message",
			 "JSONRPC 'general error'", "specific_err", "this is not in the recording");
}

/* ---- another server behind ---- */

static void
write_line(FILE *out, const char *dir, const json_t *msg)
{
	json_t *line = json_pack("{s:s, s:O}", "dir", dir, "msg", msg);
	char *text = wide_dumps(line, JSON_COMPACT);

	fprintf(out, "%s\n", text);
	free(text);
	json_decref(line);
}

/* What is asked again and answered again as it was need not be there again. */
static bool
is_known(struct stand_in *s, const json_t *request, const json_t *reply)
{
	const struct record *last = s->n_records > 0 ? &s->record[s->n_records - 1] : NULL;
	json_t *known;
	bool same;

	if (s->mode == COLLECT)
		return find_anywhere(s, request) != NULL;
	if (last == NULL || !is_same(request, last->request, true))
		return false;
	known = with_id_of(request, last->reply);
	same = json_equal(known, reply);
	json_decref(known);
	return same;
}

static void
keep(struct stand_in *s, json_t *request, json_t *reply)
{
	if (is_known(s, request, reply))
		return;
	if (s->n_records == MAX_RECORDS)
		die("the session", "is too long");
	s->record[s->n_records++] = (struct record){json_incref(request), json_incref(reply), true};
	write_line(s->out, "req", request);
	write_line(s->out, "rep", reply);
}

/* By this a client tells a TRex from a generator of ours. */
static bool
tells_the_make(const json_t *request)
{
	return strcmp(method_of(request), "get_supported_cmds") == 0;
}

static json_t *
hand_on(struct stand_in *s, json_t *request, bool sealed)
{
	const struct record *r = s->mode == WATCH ? find(s, request) : NULL;
	json_t *reply;
	bool reply_sealed;

	if (r != NULL && tells_the_make(request))
		return with_id_of(request, r->reply);
	send_json(s->server, request, sealed);
	reply = receive(s->server, &reply_sealed);
	if (reply == NULL)
		die("the server", "does not answer");
	if (s->mode != WATCH)
		keep(s, request, reply);
	return reply;
}

static void *
open_socket(void *ctx, int type, const char *endpoint, bool binds)
{
	void *socket = zmq_socket(ctx, type);

	zmq_setsockopt(socket, ZMQ_LINGER, &(int){0}, sizeof(int));
	if (!binds)
		zmq_setsockopt(socket, ZMQ_RCVTIMEO, &(int){SERVER_MS}, sizeof(int));
	if ((binds ? zmq_bind(socket, endpoint) : zmq_connect(socket, endpoint)) < 0)
		die(endpoint, zmq_strerror(errno));
	return socket;
}

static void
run(struct stand_in *s)
{
	bool sealed;

	while (!stopped) {
		json_t *request = receive(s->client, &sealed), *reply;

		if (request == NULL)
			continue;
		reply = s->mode == ANSWER ? answer(s, request) : hand_on(s, request, sealed);
		send_json(s->client, reply, sealed);
		json_decref(request);
		json_decref(reply);
	}
}

/* Of the recording, whatever would have changed something and was not asked for. */
static unsigned
left_out(const struct stand_in *s)
{
	unsigned n = 0;

	for (size_t i = 0; i < s->n_records; i++) {
		if (only_asks(s->record[i].request) || s->record[i].made)
			continue;
		fprintf(stderr, "stand-in: request %zu was not made: %s\n", i,
			method_of(s->record[i].request));
		n++;
	}
	return n;
}

static enum mode
mode_of(const char *word)
{
	static const char *const words[] = {"answer", "watch", "record", "collect"};

	for (size_t i = 0; i < N_ELEMS(words); i++)
		if (strcmp(word, words[i]) == 0)
			return (enum mode)i;
	die(word, "answer, watch, record or collect");
	return ANSWER;
}

int
main(int argc, char **argv)
{
	static struct stand_in s;
	struct sigaction act = {.sa_handler = on_term};
	void *ctx = zmq_ctx_new();
	unsigned missing;

	if (argc < 4)
		die("usage", "stand-in MODE FILE ENDPOINT [SERVER]");
	s.mode = mode_of(argv[1]);
	if (argc != (s.mode == ANSWER ? 4 : 5))
		die("usage", "stand-in MODE FILE ENDPOINT [SERVER]");
	sigaction(SIGTERM, &act, NULL);
	if (s.mode == ANSWER || s.mode == WATCH)
		load(&s, argv[2]);
	else if ((s.out = fopen(argv[2], "we")) == NULL)
		die(argv[2], strerror(errno));
	if (s.mode != ANSWER)
		s.server = open_socket(ctx, ZMQ_REQ, argv[4], false);
	s.client = open_socket(ctx, ZMQ_REP, argv[3], true);
	run(&s);
	missing = left_out(&s);
	printf("answered=%u strange=%u missing=%u\n", s.answered, s.strange, missing);
	for (size_t i = 0; i < s.n_records; i++) {
		json_decref(s.record[i].request);
		json_decref(s.record[i].reply);
	}
	zmq_close(s.client);
	if (s.server != NULL)
		zmq_close(s.server);
	zmq_ctx_term(ctx);
	if (s.out != NULL && fclose(s.out) != 0)
		die(argv[2], strerror(errno));
	return s.strange > 0 || missing > 0;
}
