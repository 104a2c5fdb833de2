/* SPDX-License-Identifier: MIT */
#include "run_ask.h"

#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"

void
run_request_stop(struct run *run)
{
	atomic_fetch_or(&run->attend, RUN_STOP);
}

static void
free_change(struct run_change *c)
{
	free(c->streams);
	free(c->factors);
	*c = (struct run_change){.kind = c->kind};
}

/* Hands the change over; what it names is the run's from then on. */
static int
ask(struct run *run, struct run_change *c, struct jsonrpc_error *e)
{
	uint32_t n = atomic_load_explicit(&run->n_asked, memory_order_relaxed);
	struct run_change *slot = &run->changes[n % RUN_CHANGES_MAX];

	if (n - atomic_load_explicit(&run->n_made, memory_order_acquire) == RUN_CHANGES_MAX) {
		free_change(c);
		return jsonrpc_fail(e, JSONRPC_FAILED, "the data lcore does not answer");
	}
	free_change(slot);
	*slot = *c;
	atomic_store_explicit(&run->n_asked, n + 1, memory_order_release);
	atomic_fetch_or_explicit(&run->attend, RUN_CHANGES, memory_order_release);
	return 0;
}

/* The first place in 'by_id' whose stream has this id or a higher one. */
static uint32_t
first_with(const struct run *run, uint32_t id)
{
	uint32_t low = 0, high = run->n_streams;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (run->streams[run->by_id[middle]].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* How many streams of the run, one for each lane that has some of it, have the id that the one in
 * this place has, if that is 'id'. */
static uint32_t
count_with(const struct run *run, uint32_t place, uint32_t id)
{
	uint32_t n = 0;

	while (place + n < run->n_streams && run->streams[run->by_id[place + n]].id == id)
		n++;
	return n;
}

/* Names the streams of the change by their ids, with a factor of each unless 'factors' is NULL. */
static int
name_streams(const struct run *run, const uint32_t *ids, const double *factors, size_t n,
	     struct run_change *c, struct jsonrpc_error *e)
{
	c->streams = xcalloc((size_t)run->n_streams + 1, sizeof(*c->streams));
	if (factors != NULL)
		c->factors = xcalloc((size_t)run->n_streams + 1, sizeof(*c->factors));
	for (size_t i = 0; i < n; i++) {
		uint32_t place = first_with(run, ids[i]), count = count_with(run, place, ids[i]);

		if (count == 0 || c->n + count > run->n_streams) {
			free_change(c);
			return jsonrpc_fail(e, JSONRPC_FAILED,
					    count == 0 ? "stream %u is not transmitted"
						       : "stream %u is named more than once",
					    ids[i]);
		}
		for (uint32_t k = 0; k < count; k++) {
			if (factors != NULL)
				c->factors[c->n] = factors[i];
			c->streams[c->n++] = run->by_id[place + k];
		}
	}
	return 0;
}

int
run_pause(struct run *run, bool pause, struct jsonrpc_error *e)
{
	struct run_change c = {.kind = pause ? RUN_CHANGE_PAUSE : RUN_CHANGE_RESUME};

	return ask(run, &c, e);
}

int
run_pause_streams(struct run *run, const uint32_t *ids, size_t n, bool pause,
		  struct jsonrpc_error *e)
{
	struct run_change c = {.kind = pause ? RUN_CHANGE_PAUSE : RUN_CHANGE_RESUME};

	if (run->flat_out)
		return jsonrpc_fail(e, JSONRPC_FAILED,
				    "without a schedule streams are not paused one by one");
	return name_streams(run, ids, NULL, n, &c, e) < 0 ? -EINVAL : ask(run, &c, e);
}

/* The rates must stay what a schedule can have. */
static int
check_factors(const struct run *run, const struct run_change *c, struct jsonrpc_error *e)
{
	size_t n = c->streams != NULL ? c->n : run->n_streams;

	for (size_t i = 0; i < n; i++) {
		const struct run_stream *s = &run->streams[c->streams != NULL ? c->streams[i] : i];
		double pps = s->pps * (c->factors != NULL ? c->factors[i] : c->factor);

		if (s->variable && (!(pps >= 0.001) || pps > 1e9))
			return jsonrpc_fail(e, JSONRPC_FAILED,
					    "stream %u: %g frames a second is not within 0.001 and "
					    "1e9",
					    s->id, pps);
	}
	return 0;
}

static int
ask_for_factors(struct run *run, struct run_change *c, struct jsonrpc_error *e)
{
	if (check_factors(run, c, e) == 0)
		return ask(run, c, e);
	free_change(c);
	return -EINVAL;
}

int
run_set_factor(struct run *run, double factor, const uint32_t *ids, size_t n,
	       struct jsonrpc_error *e)
{
	struct run_change c = {.kind = RUN_CHANGE_FACTOR, .factor = factor};

	if (ids != NULL && name_streams(run, ids, NULL, n, &c, e) < 0)
		return -EINVAL;
	return ask_for_factors(run, &c, e);
}

int
run_set_factors(struct run *run, const double *factors, const uint32_t *ids, size_t n,
		struct jsonrpc_error *e)
{
	struct run_change c = {.kind = RUN_CHANGE_FACTOR};

	if (name_streams(run, ids, factors, n, &c, e) < 0)
		return -EINVAL;
	return ask_for_factors(run, &c, e);
}

const char *
run_state_name(const struct run *run)
{
	static const char *const names[] = {[RUN_NEW] = "new",
					    [RUN_ACTIVE] = "active",
					    [RUN_SENT] = "sent",
					    [RUN_PAUSED] = "paused"};

	return names[atomic_load_explicit(&run->state, memory_order_acquire)];
}

bool
run_is_sent(const struct run *run)
{
	return atomic_load_explicit(&run->state, memory_order_acquire) == RUN_SENT;
}

static void
add_counters(const struct run *run, const struct run_stream *s, struct run_counters *c)
{
	const struct run_lane *lane = run->lane;

	while (s >= lane->streams + lane->n_streams)
		lane++;
	if (lane->n_streams > 1) {
		c->intended += counter_get(&s->intended);
		c->sent += counter_get(&s->sent);
		c->sent_bytes += counter_get(&s->sent_bytes);
		c->refused += counter_get(&s->refused);
		c->late += counter_get(&s->late);
		return;
	}
	c->intended += counter_get(&lane->intended);
	c->sent += counter_get(&lane->sent);
	c->sent_bytes += run->trims ? counter_get(&s->sent_bytes)
				    : counter_get(&lane->sent) * (s->len + (uint64_t)FRAME_FCS);
	c->refused += counter_get(&lane->refused);
	c->late += counter_get(&lane->late);
}

bool
run_stream_counters(const struct run *run, uint32_t id, struct run_counters *c)
{
	uint32_t place = first_with(run, id), n = count_with(run, place, id);

	*c = (struct run_counters){0};
	for (uint32_t i = 0; i < n; i++)
		add_counters(run, &run->streams[run->by_id[place + i]], c);
	return n > 0;
}

static int
compare_ids(const void *a, const void *b, void *arg)
{
	const struct run_stream *streams = arg;
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	if (streams[x].id != streams[y].id)
		return streams[x].id < streams[y].id ? -1 : 1;
	return (x > y) - (x < y);
}

void
run_index(struct run *run)
{
	run->by_id = xcalloc((size_t)run->n_streams + 1, sizeof(*run->by_id));
	for (uint32_t i = 0; i < run->n_streams; i++)
		run->by_id[i] = i;
	qsort_r(run->by_id, run->n_streams, sizeof(*run->by_id), compare_ids, run->streams);
}

void
run_forget_changes(struct run *run)
{
	for (unsigned i = 0; i < RUN_CHANGES_MAX; i++)
		free_change(&run->changes[i]);
}
