/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"
#include "live_screen.h"
#include "session.h"

/* Samples for programs, a line of JSON each: {"event": "sample", ...}. */

static void
forget_event(const char *line)
{
	fprintf(stderr, "%s\n", line);
}

static void
print_sample(const struct live_sample *sample, const char *title)
{
	json_t *json = live_json(sample);
	char when[32];
	time_t now = time(NULL);
	struct tm utc;

	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
	json_object_set_new(json, "event", json_string("sample"));
	json_object_set_new(json, "time", json_string(when));
	json_object_set_new(json, "chain", json_string(title));
	json_dumpf(json, stdout, JSON_COMPACT | JSON_SORT_KEYS);
	printf("\n");
	fflush(stdout);
	json_decref(json);
}

/* Until 'ns', or a signal. */
static void
sleep_until(uint64_t ns)
{
	while (!session_stop && clock_now_ns() < ns) {
		uint64_t left_ms = (ns - clock_now_ns()) / NSEC_PER_MS + 1;

		clock_sleep_ms(left_ms < 50 ? left_ms : 50);
	}
}

int
live_stream(const struct live_screen *s, unsigned count, struct err *err)
{
	struct live_sample *sample = xcalloc(1, sizeof(*sample));
	uint64_t next = clock_now_ns();
	int rc = 0;

	for (unsigned i = 0; rc == 0 && !session_stop && (count == 0 || i < count); i++) {
		sleep_until(next);
		if (session_stop)
			break;
		next += (uint64_t)s->every_ms * NSEC_PER_MS;
		rc = console_tick(s->console, forget_event, err);
		if (rc == 0)
			rc = live_read(s->live, s->console->stl, sample, err);
		if (rc == 0)
			print_sample(sample, s->title);
	}
	free(sample);
	return rc;
}
