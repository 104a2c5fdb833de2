/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/mem.h"
#include "base/units.h"
#include "start_show.h"

/* What 'nfvchain start' says of the slots of the schedule: of each stream how many there were and
 * what became of them, and how punctual the frames left. */

#define MOST_LINES 32 /* of more streams only those of which something is missing */

/* The counters of a stream, or of all. */
struct slots {
	uint64_t intended, sent, refused, late;
};

static struct slots
slots_of(const json_t *o)
{
	return (struct slots){
		.intended = (uint64_t)json_integer_value(json_object_get(o, "intended")),
		.sent = (uint64_t)json_integer_value(json_object_get(o, "sent")),
		.refused = (uint64_t)json_integer_value(json_object_get(o, "refused")),
		.late = (uint64_t)json_integer_value(json_object_get(o, "late")),
	};
}

static const char *
name_of(const struct profile *profile, json_int_t id)
{
	for (size_t i = 0; profile != NULL && i < profile->n_streams; i++)
		if (profile->streams[i].id == id)
			return profile->streams[i].name;
	return "";
}

/* "refused 10 (1 %)" */
static void
print_share(const char *what, uint64_t n, uint64_t of, FILE *out)
{
	char count[32];

	fprintf(out, "%s %s", what, count_print(count, sizeof(count), n));
	if (n > 0 && of > 0)
		fprintf(out, " (%.3g %%)", 100.0 * (double)n / (double)of);
}

static void
print_slots(const struct slots *s, FILE *out)
{
	char count[2][32];

	fprintf(out, "sent %s of %s; ", count_print(count[0], sizeof(count[0]), s->sent),
		count_print(count[1], sizeof(count[1]), s->intended));
	print_share("refused", s->refused, s->intended, out);
	print_share(", late", s->late, s->intended, out);
	fprintf(out, "\n");
}

static void
print_streams(const struct start_result *r, const json_t *streams, FILE *out)
{
	const bool all = json_array_size(streams) <= MOST_LINES;
	struct slots more = {0};
	unsigned n_lines = 0, n_more = 0;
	size_t i;
	json_t *one;

	json_array_foreach(streams, i, one) {
		const json_int_t id = json_integer_value(json_object_get(one, "id"));
		const struct slots s = slots_of(one);

		if (all || (s.sent < s.intended && n_lines < MOST_LINES)) {
			fprintf(out, "  stream %-3lld %-10s ", (long long)id,
				name_of(r->profile, id));
			print_slots(&s, out);
			n_lines++;
			continue;
		}
		n_more++;
		more.intended += s.intended;
		more.sent += s.sent;
		more.refused += s.refused;
		more.late += s.late;
	}
	if (n_more > 0) {
		char title[32];

		snprintf(title, sizeof(title), "%u %sstreams", n_more, n_lines > 0 ? "other " : "");
		fprintf(out, "  %-21s ", title);
		print_slots(&more, out);
	}
}

/* "p99 1.2 us", or "p99 -" where there are too few frames to say. */
static void
print_time(const char *what, const json_t *ns, FILE *out)
{
	char text[32] = "-";

	if (json_is_integer(ns))
		duration_print(text, sizeof(text), (uint64_t)json_integer_value(ns));
	fprintf(out, "%s %s", what, text);
}

static void
print_times(const char *name, const json_t *hist, FILE *out)
{
	if (!json_is_object(hist))
		return;
	fprintf(out, "  %-10s ", name);
	print_time("p50", json_object_get(hist, "p50_ns"), out);
	print_time(", p99", json_object_get(hist, "p99_ns"), out);
	print_time(", p99.9", json_object_get(hist, "p999_ns"), out);
	print_time(", max", json_object_get(hist, "max_ns"), out);
	fprintf(out, "\n");
}

void
start_show_slots(const struct start_result *r, FILE *out)
{
	if (r->streams == NULL)
		return;
	print_streams(r, json_object_get(r->streams, "streams"), out);
	print_times("lateness", json_object_get(r->streams, "lateness"), out);
	print_times("jitter", json_object_get(r->streams, "jitter"), out);
}
