/* SPDX-License-Identifier: MIT */
#include "gen_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/json.h"
#include "rpc/zmq_client.h"

#define FRAME60 "AAAAAQAAAAAAAgAACABFAAAuAAEAAEAROrcQAAAEMAAABAQBAAwAGgAAeHh4eHh4eHh4eHh4eHh4eHh4"
#define END_MS 25000
#define LOOK_MS 50
#define ALONE_MS 1000
/* Of a schedule without anybody else that is late where nothing disturbs, and how much more may be
 * late with others, who take CPU time too. */
#define LATE_ALONE 0.01
#define LATE_MORE 0.25

int
client_try(struct client *c, const char *method, json_t *params, json_t **result, struct err *err)
{
	if (json_object_get(params, "port_id") == NULL)
		json_object_set_new(params, "port_id", json_integer(c->port));
	json_object_set_new(params, "api_h", json_string(c->api_h));
	json_object_set_new(params, "handler", json_string(c->handler));
	return zmq_client_call(c->zmq, method, params, CLIENT_CALL_MS, result, err);
}

json_t *
client_call(struct client *c, const char *method, json_t *params)
{
	struct err err = {0};
	json_t *result;

	if (client_try(c, method, params, &result, &err) < 0)
		fail_msg("%s", err.msg);
	return result;
}

void
client_do(struct client *c, const char *method, json_t *params)
{
	json_decref(client_call(c, method, params));
}

struct client
client_enter(const char *endpoint, const char *user, uint32_t session, unsigned port)
{
	struct client c = {.session = session, .user = user, .port = port};
	struct err err = {0};
	json_t *result;

	if (zmq_client_open(&c.zmq, endpoint, &err) < 0)
		fail_msg("%s", err.msg);
	result = client_call(&c, "api_sync_v2",
			     json_pack("{s:s, s:i, s:i}", "name", "STL", "major", 5, "minor", 1));
	snprintf(c.api_h, sizeof(c.api_h), "%s",
		 json_string_value(json_object_get(result, "api_h")));
	json_decref(result);
	return c;
}

void
client_leave(struct client *c)
{
	zmq_client_close(c->zmq);
}

int
client_acquire(struct client *c, bool force)
{
	struct err err = {0};
	json_t *result = NULL;
	int rc = client_try(c, "acquire",
			    json_pack("{s:s, s:I, s:b}", "user", c->user, "session_id",
				      (json_int_t)c->session, "force", (int)force),
			    &result, &err);

	if (rc == 0)
		snprintf(c->handler, sizeof(c->handler), "%s", json_string_value(result));
	json_decref(result);
	return rc;
}

void
client_set_stream(struct client *c, bool is_signed)
{
	client_do(c, "remove_all_streams", json_object());
	client_do(c, "add_stream",
		  json_pack("{s:i, s:{s:{s:s, s:s}, s:{s:s, s:{s:s, s:i}}, s:{s:b}}}", "stream_id",
			    1, "stream", "packet", "binary", FRAME60, "meta", "", "mode", "type",
			    "continuous", "rate", "type", "pps", "value", 1, "x_nfvchain",
			    "signature", (int)is_signed));
}

void
client_start(struct client *c, double pps, double duration_s)
{
	client_do(c, "start_traffic",
		  json_pack("{s:{s:s, s:f, s:s}, s:f, s:b}", "mul", "type", "pps", "value", pps,
			    "op", "abs", "duration", duration_s, "force", 0));
}

void
client_wait_for_end(struct client *c, uint64_t *slowest_ns)
{
	struct deadline d = deadline_in_ms(END_MS);
	bool sends = true;

	while (sends) {
		uint64_t asked = clock_now_ns(), took;
		json_t *status = client_call(c, "get_port_status", json_object());

		took = clock_now_ns() - asked;
		*slowest_ns = took > *slowest_ns ? took : *slowest_ns;
		sends = strcmp(json_string_value(json_object_get(status, "state")), "TX") == 0;
		json_decref(status);
		assert_false(deadline_passed(&d));
		clock_sleep_ms(LOOK_MS);
	}
}

uint64_t
client_count(const json_t *trial, const char *name)
{
	struct err err = {0};
	uint64_t n = 0;

	if (json_get_u64(trial, name, &n, &err) < 0)
		fail_msg("%s", err.msg);
	return n;
}

uint64_t
resident_kb(int pid)
{
	char path[64], line[256];
	uint64_t kb = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	f = fopen(path, "re");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, "VmRSS:", strlen("VmRSS:")) == 0)
			kb = strtoull(line + strlen("VmRSS:"), NULL, 10);
	fclose(f);
	assert_true(kb > 0);
	return kb;
}

bool
is_sanitized(int pid)
{
	char path[64], line[512];
	bool found = false;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	f = fopen(path, "re");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL)
		found |= strstr(line, "/libasan.so") != NULL;
	fclose(f);
	return found;
}

/* Of the runs since background_begin: the least share that was late, and what it may be. */
static struct {
	double pps, least, allowed;
} background;

static uint64_t
sent_so_far(struct client *c)
{
	json_t *trial = client_call(c, "x_nfvchain_trial", json_object());
	uint64_t n = client_count(trial, "sent");

	json_decref(trial);
	return n;
}

/* Returns once frames flow. */
static void
run_begin(struct client *c, double pps)
{
	struct deadline d = deadline_in_ms(END_MS);

	client_set_stream(c, true);
	client_start(c, pps, -1);
	while (sent_so_far(c) == 0) {
		assert_false(deadline_passed(&d));
		clock_sleep_ms(1);
	}
}

/* The run's counters once all that was sent has come, or is not going to. */
static json_t *
settled_trial(struct client *c)
{
	struct deadline d = deadline_in_ms(CLIENT_CALL_MS);

	while (true) {
		json_t *trial = client_call(c, "x_nfvchain_trial", json_object());
		const char *state = json_string_value(json_object_get(trial, "state"));
		bool all = strcmp(state, "sent") == 0 &&
			   client_count(trial, "ok") == client_count(trial, "sent");

		if (all || deadline_passed(&d))
			return trial;
		json_decref(trial);
		clock_sleep_ms(LOOK_MS);
	}
}

/* What differs from what it should be says little without the rest. */
static void
fail_trial(const json_t *trial, const char *what)
{
	json_t *short_one = json_copy((json_t *)(uintptr_t)trial);
	char *text;

	json_object_del(short_one, "latency");
	json_object_del(short_one, "pacing");
	text = json_dumps(short_one, JSON_COMPACT | JSON_PRESERVE_ORDER);
	json_decref(short_one);
	print_error("%s\n", text);
	free(text);
	fail_msg("%s", what);
}

/* Returns the share that was late. */
static double
run_end(struct client *c, const char *while_what)
{
	/* Of others' frames some may look like damaged ones of ours; ours were all received whole.
	 */
	static const char *const never[] = {"refused", "never_seen", "duplicate", "reordered"};
	uint64_t slowest_ns = 0, intended, sent, late;
	json_t *trial;

	client_do(c, "stop_traffic", json_object());
	client_wait_for_end(c, &slowest_ns);
	trial = settled_trial(c);
	intended = client_count(trial, "intended");
	sent = client_count(trial, "sent");
	late = client_count(trial, "late");
	print_message("# while %s: %llu of %llu frames sent, %llu received, %llu late\n",
		      while_what, (unsigned long long)sent, (unsigned long long)intended,
		      (unsigned long long)client_count(trial, "ok"), (unsigned long long)late);
	if (sent == 0 || intended != sent + late)
		fail_trial(trial, "the schedule's slots do not add up");
	if (client_count(trial, "ok") != sent)
		fail_trial(trial, "not each frame was received once");
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		if (client_count(trial, never[i]) != 0)
			fail_trial(trial, never[i]);
	json_decref(trial);
	return (double)late / (double)intended;
}

void
background_begin(struct client *c, double pps)
{
	double late;

	assert_int_equal(client_acquire(c, true), 0);
	run_begin(c, pps);
	clock_sleep_ms(ALONE_MS);
	late = run_end(c, "alone");
	if (late > LATE_ALONE)
		print_message("# the machine is too busy for a verdict on lateness\n");
	background.pps = pps;
	background.least = 1;
	background.allowed = late > LATE_ALONE ? 1 : late + LATE_MORE;
	run_begin(c, pps);
}

void
background_next(struct client *c, const char *while_what)
{
	double late = run_end(c, while_what);

	background.least = late < background.least ? late : background.least;
	run_begin(c, background.pps);
}

void
background_end(struct client *c, const char *while_what)
{
	double late = run_end(c, while_what);

	background.least = late < background.least ? late : background.least;
	if (background.least > background.allowed)
		fail_msg("of each run at least %.1f %% was late", 100 * background.least);
}
