/* SPDX-License-Identifier: MIT */
#include "measure.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "backend_links.h"
#include "backend_vm.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "sensors.h"
#include "supervise.h"

#define POLL_MS 10
#define SLOW_FACTOR 2	    /* times what an answer takes usually */
#define ANSWER_WEIGHT 0.125 /* of the latest, in what is usual */
#define DRAIN_MS 10000
/* One that is gone is missed after these two together. */
#define ALIVE_MS 1000
#define ALIVE_CALL_MS 1900
#define MAX_DRAINS 5	/* a hop may make frames of its own for ever */
#define STRETCH_MS 2000 /* a trial may take this much longer than it should */
#define PROBE_PPS 1000.0
#define PROBE_S 0.02
#define PROBE_TRIES 50
#define SILENCE_NS NSEC_PER_S
#define WARM_NS (500 * NSEC_PER_MS)
#define OPEN_S 3600.0 /* until it is closed, that is */

static int
read_hops(struct backend *b, bool exact, struct ledger_hop *hops, struct err *err)
{
	for (size_t i = 0; i < b->chain->n_hops; i++) {
		int rc = backend_read_hop(b, i, exact, &hops[i], err);

		if (rc < 0)
			return rc;
	}
	return 0;
}

/* 'after' minus 'before', in 'after'; false when a counter went backwards, for then the hop is not
 * the one that it was. */
static bool
subtract_hop(struct ledger_hop *after, const struct ledger_hop *before)
{
	bool grew = after->created >= before->created;

	for (int p = 0; p < 2; p++) {
		grew &= after->port[p].rx >= before->port[p].rx &&
			after->port[p].tx >= before->port[p].tx &&
			after->port[p].miss >= before->port[p].miss;
		after->port[p].rx -= before->port[p].rx;
		after->port[p].tx -= before->port[p].tx;
		after->port[p].miss -= before->port[p].miss;
	}
	after->created -= before->created;
	for (size_t i = 0; i < after->n_drops && i < before->n_drops; i++) {
		grew &= after->drop[i].n >= before->drop[i].n;
		after->drop[i].n -= before->drop[i].n;
	}
	return grew;
}

/* A TRex that runs elsewhere is asked now and then whether it is still there. */
static int
wait_while_sending(struct backend *b, int ms, struct err *err)
{
	struct deadline d = deadline_in_ms((uint64_t)ms);
	int rc;

	if (!b->plan->proc[0].elsewhere)
		return backend_wait(b, ms, err);
	do {
		int left = deadline_left_ms(&d);

		rc = backend_wait(b, left < ALIVE_MS ? left : ALIVE_MS, err);
		if (rc == 0)
			rc = tg_ping(b->tg, ALIVE_CALL_MS, err);
	} while (rc == 0 && !deadline_passed(&d));
	return rc;
}

/* Waits until the run has been sent, or until it should have been long ago. */
static int
wait_sent(struct backend *b, double duration_s, struct err *err)
{
	struct deadline d = deadline_in_ms((uint64_t)(duration_s * 1000) + STRETCH_MS);
	bool sent = false;
	uint64_t received;
	int rc;

	rc = wait_while_sending(b, (int)(duration_s * 1000) + 1, err);
	while (rc == 0) {
		rc = tg_poll(b->tg, &sent, &received, err);
		if (rc < 0 || sent)
			return rc;
		if (deadline_passed(&d))
			return err_set(err, ETIMEDOUT,
				       "the generator did not end its trial in time");
		rc = backend_wait(b, tg_poll_ms(b->tg), err);
	}
	return rc;
}

/* Did the generator take its time with an answer that was asked for at 'asked_ns'?  One in an
 * emulated guest needs longer for any than one here that was kept from running, so it is compared
 * with what answers took before. */
static bool
is_slow(struct measure *m, uint64_t asked_ns)
{
	double took_ns = (double)(clock_now_ns() - asked_ns), limit_ns;

	if (m->answer_ns == 0)
		m->answer_ns = took_ns;
	limit_ns = tg_poll_ms(m->backend->tg) * (double)NSEC_PER_MS + SLOW_FACTOR * m->answer_ns;
	/* What is out of the ordinary does not become the measure at once. */
	m->answer_ns += ANSWER_WEIGHT * (fmin(took_ns, limit_ns) - m->answer_ns);
	return took_ns > limit_ns;
}

/* Waits until nothing has arrived for a while. */
static int
wait_quiet(struct measure *m, const struct deadline *d, uint64_t *received, struct err *err)
{
	uint64_t last = UINT64_MAX, since = clock_now_ns();
	struct backend *b = m->backend;
	int poll_ms = tg_poll_ms(b->tg), rc;
	bool sent;

	do {
		uint64_t asked = clock_now_ns();

		rc = tg_poll(b->tg, &sent, received, err);
		if (rc < 0)
			return rc;
		/* A generator that took its time has not looked at its links meanwhile. */
		if (is_slow(m, asked) || *received != last)
			since = clock_now_ns();
		last = *received;
		if (clock_now_ns() - since >= (uint64_t)tg_quiet_ms(b->tg) * NSEC_PER_MS)
			return 0;
		rc = backend_wait(b, poll_ms, err);
	} while (rc == 0 && !deadline_passed(d));
	return rc;
}

/* Does no counter move any more? */
static int
is_still(struct backend *b, uint64_t received, bool *still, struct err *err)
{
	struct ledger_hop hops[2][LEDGER_MAX_HOPS];
	uint64_t now = 0;
	bool sent;
	int rc = read_hops(b, false, hops[0], err);

	if (rc == 0)
		rc = backend_wait(b, POLL_MS, err);
	if (rc == 0)
		rc = read_hops(b, false, hops[1], err);
	if (rc == 0)
		rc = tg_poll(b->tg, &sent, &now, err);
	*still = now == received;
	for (size_t i = 0; rc == 0 && i < b->chain->n_hops; i++)
		*still &= memcmp(hops[0][i].port, hops[1][i].port, sizeof(hops[0][i].port)) == 0;
	return rc;
}

/* Waits until nothing has arrived for a while, and no hop has anything before it: one that somebody
 * stopped is as quiet as one that is done, until it goes on. */
static int
wait_drained(struct measure *m, struct err *err)
{
	int rc = backend_wait(m->backend, (int)(m->drain_ns / NSEC_PER_MS), err);
	struct deadline d = deadline_in_ms(DRAIN_MS);
	bool still = false;

	for (int i = 0; rc == 0 && !still && i < MAX_DRAINS && !deadline_passed(&d); i++) {
		uint64_t received = 0;

		rc = wait_quiet(m, &d, &received, err);
		if (rc == 0)
			rc = is_still(m->backend, received, &still, err);
	}
	return rc;
}

struct field {
	const char *name;
	uint64_t *value;
};

static int
read_fields(const json_t *json, const struct field *fields, size_t n, struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		int rc = json_get_u64(json, fields[i].name, fields[i].value, err);

		if (rc < 0)
			return err_wrap(err, rc, "x_nfvchain_trial");
	}
	return 0;
}

static int
read_generator(const json_t *json, struct trial *t, struct err *err)
{
	const struct field fields[] = {
		{"intended", &t->intended},
		{"sent", &t->sent},
		{"refused", &t->refused},
		{"late", &t->late},
		{"received", &t->received},
		{"ok", &t->ok},
		{"duplicate", &t->duplicate},
		{"reordered", &t->reordered},
		{"corrupt", &t->corrupt},
		{"truncated", &t->truncated},
		{"misdelivered", &t->misdelivered},
		{"reflected", &t->reflected},
		{"overdue", &t->overdue},
		{"foreign", &t->foreign},
		{"never_seen", &t->ledger.never_seen},
		{"unidentified", &t->ledger.unidentified},
		{"latency_accuracy_ns", &t->latency_accuracy_ns},
		{"noise.gap_max_ns", &t->noise.gap_max_ns},
		{"noise.gaps_20us", &t->noise.gaps_20us},
		{"noise.gaps_sum_ns", &t->noise.gaps_sum_ns},
		{"noise.gaps_1ms", &t->noise.gaps_1ms},
		{"noise.gaps_1ms_ns", &t->noise.gaps_1ms_ns},
		{"noise.nivcsw", &t->noise.nivcsw},
		{"ports[0].rx", &t->ledger.gen[0].rx},
		{"ports[1].rx", &t->ledger.gen[1].rx},
		{"ports[0].tx", &t->ledger.gen[0].tx},
		{"ports[1].tx", &t->ledger.gen[1].tx},
	};
	int rc = read_fields(json, fields, N_ELEMS(fields), err);

	if (rc == 0)
		rc = json_get_double(json, "elapsed_s", &t->elapsed_s, err);
	if (rc == 0)
		rc = hist_from_json(&t->latency, json_object_get(json, "latency"), err);
	return rc;
}

/* A hop that was started again took with it what the one before it had counted. */
static bool
was_replaced(const struct measure *m, struct trial *t, size_t i)
{
	struct ledger_hop *hop = &t->ledger.hop[i];
	unsigned n = supervise_restarts(m->backend, i) - m->restarts[i];

	if (n == 0)
		return false;
	hop->known = hop->exact = false;
	hop->n_drops = 0;
	if (t->fault[0] == '\0' && !t->disturbed)
		snprintf(t->fault, sizeof(t->fault),
			 "%s died and was started again%s: what was lost is its restart's",
			 hop->name, n > 1 ? ", more than once" : "");
	return true;
}

/* The hops' counters become those of the trial. */
static void
subtract_hops(struct measure *m, struct trial *t, const char *restarted)
{
	const struct ledger_hop *before = m->before;

	for (size_t i = 0; i < t->ledger.n_hops; i++)
		if (was_replaced(m, t, i))
			restarted = NULL;
		else if (!subtract_hop(&t->ledger.hop[i], &before[i]) && t->fault[0] == '\0')
			snprintf(t->fault, sizeof(t->fault),
				 "%s: its counters went backwards, so it was restarted",
				 t->ledger.hop[i].name);
	if (restarted != NULL)
		snprintf(t->fault, sizeof(t->fault), "%s was restarted", restarted);
}

/* What hops tell of the time inside them, where they measure it. */
static int
begin_times(struct backend *b, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < b->chain->n_hops; i++) {
		json_decref(b->hop[i].times);
		rc = backend_read_times(b, i, &b->hop[i].times, err);
	}
	return rc;
}

static int
end_times(struct backend *b, struct trial *t, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < b->chain->n_hops; i++) {
		json_t *now;

		rc = backend_read_times(b, i, &now, err);
		hop_times_between(&t->inside[i], b->hop[i].times, now);
		json_decref(now);
	}
	return rc;
}

/* The first snapshot. */
static int
begin(struct measure *m, struct turns *turns, struct err *err)
{
	struct backend *b = m->backend;
	int rc = backend_wait(b, (int)(m->rest_ns / NSEC_PER_MS), err);

	if (b->sensors == NULL)
		b->sensors = sensors_new(b);
	if (rc == 0)
		rc = read_hops(b, false, m->before, err);
	for (size_t i = 0; i < b->chain->n_hops; i++)
		m->restarts[i] = supervise_restarts(b, i);
	for (size_t p = 0; p < 2; p++)
		m->missed[p] = backend_vms_missed(b, 0, p) + backend_links_missed(b, 0, p);
	if (rc == 0)
		rc = begin_times(b, err);
	if (rc == 0)
		rc = tg_begin(b->tg, err);
	if (rc == 0)
		rc = sensors_begin(b->sensors, err);
	if (rc == 0 && turns != NULL)
		rc = turns_begin(turns, b, err);
	return rc;
}

/* Waits until nothing moves, and reads what the hops counted. */
static int
come_to_rest(struct measure *m, struct trial *t, struct err *err)
{
	int rc = wait_drained(m, err);

	return rc == 0 ? read_hops(m->backend, true, t->ledger.hop, err) : rc;
}

static int
ask_generator(struct measure *m, struct trial *t, uint64_t *repeated, struct err *err)
{
	json_t *json = NULL;
	int rc;

	if (tg_is_trex(m->backend->tg))
		return tg_finish(m->backend->tg, &t->spec, t, err);
	rc = tg_trial(m->backend->tg, &json, err);
	if (rc == 0)
		rc = read_generator(json, t, err);
	if (rc == 0)
		rc = json_get_u64(json, "repeated", repeated, err);
	json_decref(json);
	return rc;
}

/* Everything from the last frame sent to the last snapshot. */
static int
finish(struct measure *m, struct trial *t, struct err *err)
{
	struct backend *b = m->backend;
	uint64_t repeated = 0;
	int rc;

	t->ledger.n_hops = b->chain->n_hops;
	rc = come_to_rest(m, t, err);
	if (rc == 0)
		rc = end_times(b, t, err);
	if (rc == 0)
		rc = sensors_finish(b->sensors, &t->noise, err);
	if (rc == 0)
		rc = ask_generator(m, t, &repeated, err);
	/* A hop whose threads wait for each other may pause for longer than we watch, and frames
	 * that come while the generator answers change its counts under it. */
	for (int i = 0; rc == -EINVAL && i < MAX_DRAINS; i++) {
		memset(err, 0, sizeof(*err));
		rc = come_to_rest(m, t, err);
		if (rc == 0)
			rc = ask_generator(m, t, &repeated, err);
	}
	if (rc < 0)
		return rc;
	subtract_hops(m, t, sensors_restarted(b->sensors));
	for (size_t i = 0; i < t->ledger.n_hops; i++)
		sensors_work(b->sensors, i, &t->work[i]);
	for (size_t p = 0; p < 2; p++)
		t->ledger.gen[p].miss +=
			backend_vms_missed(b, 0, p) + backend_links_missed(b, 0, p) - m->missed[p];
	ledger_close(&t->ledger, repeated);
	return 0;
}

static int
run(struct measure *m, const struct trial_spec *spec, struct trial *t, struct err *err)
{
	struct backend *b = m->backend;
	double duration_s = (double)spec->duration_ns / 1e9;
	struct faulted *faulted = spec->flat_out ? NULL : m->faulted;
	int rc = begin(m, NULL, err);

	t->disturbed = faulted != NULL && faulted->n_orders > 0;
	if (rc == 0)
		rc = tg_start(b->tg, spec->rate_pps, duration_s, spec->flat_out, err);
	if (rc == 0 && faulted != NULL)
		rc = faulted_watch(faulted, b, spec->duration_ns, err);
	if (rc == 0)
		rc = wait_sent(b, faulted != NULL ? 0 : duration_s, err);
	sensors_end(b->sensors);
	if (rc == 0)
		rc = finish(m, t, err);
	if (rc == 0 && faulted != NULL)
		faulted_end(faulted, t);
	return rc;
}

/* A trial that could not be run to its end, and why. */
static int
interrupt(struct measure *m, struct trial *t, int rc, struct err *err)
{
	rc = backend_explain(m->backend, rc, err);
	t->interrupted = true;
	str_copy(t->fault, sizeof(t->fault), err->msg);
	return rc;
}

int
measure_trial(struct measure *m, const struct trial_spec *spec, struct trial *t, struct err *err)
{
	int rc;

	trial_init(t, spec);
	rc = run(m, spec, t, err);
	return rc == 0 ? 0 : interrupt(m, t, rc, err);
}

int
measure_open(struct measure *m, struct turns *turns, struct err *err)
{
	int rc = begin(m, turns, err);

	if (rc == 0)
		rc = tg_start(m->backend->tg, PROBE_PPS, OPEN_S, true, err);
	return rc == 0 ? 0 : backend_explain(m->backend, rc, err);
}

int
measure_close(struct measure *m, struct trial *t, struct err *err)
{
	const struct trial_spec spec = {.rate_pps = PROBE_PPS, .flat_out = true};
	int rc;

	trial_init(t, &spec);
	backend_resume_hop(m->backend, 0);
	rc = tg_stop(m->backend->tg, err);
	sensors_end(m->backend->sensors);
	if (rc == 0)
		rc = finish(m, t, err);
	return rc == 0 ? 0 : interrupt(m, t, rc, err);
}

/* How far frames came, for a chain that delivers none. */
static int
explain_silence(const struct trial *t, struct err *err)
{
	const struct ledger *l = &t->ledger;

	for (size_t i = 0; i < l->n_hops; i++) {
		if (!l->hop[i].known)
			break;
		if (l->hop[i].port[0].rx == 0)
			return err_set(err, EPIPE, "no frame arrives at %s: link %zu is dead",
				       l->hop[i].name, i);
		if (l->hop[i].port[1].tx == 0)
			return err_set(err, EPIPE, "%s receives frames and sends none on",
				       l->hop[i].name);
	}
	if (t->misdelivered > 0)
		return err_set(err, EPIPE, "frames arrive with the wrong destination MAC");
	if (l->n_hops > 0 && l->hop[l->n_hops - 1].known)
		return err_set(
			err, EPIPE,
			"%s sends frames on and none arrives at the generator: link %zu is "
			"dead, or they are for another MAC than that of the generator's port",
			l->hop[l->n_hops - 1].name, l->n_hops);
	return err_set(err, EPIPE, "no frame comes through the chain");
}

/* Touches every buffer, here and in the memory that is shared with the hops: without hugepages the
 * first frame in each page costs more than many later ones.  And lets buffers lose the order of
 * their addresses, in which a chain is faster than it stays. */
static int
warm_up(struct measure *m, struct trial *t, struct err *err)
{
	const struct trial_spec spec = {
		.rate_pps = PROBE_PPS,
		.duration_ns = m->warm_ns > 0 ? m->warm_ns : WARM_NS,
		.flat_out = true,
	};
	int rc = measure_trial(m, &spec, t, err);
	char text[256];

	if (rc == 0 && ledger_contradicts(&t->ledger))
		return err_class(err, ERR_ACCOUNTING, "warm-up: %s",
				 ledger_explain(text, sizeof(text), &t->ledger));
	return rc;
}

/* A trial long enough to show that it is no accident. */
static int
measure_silence(struct measure *m, struct trial *t, struct err *err)
{
	const struct trial_spec spec = {.rate_pps = PROBE_PPS, .duration_ns = SILENCE_NS};
	int rc = measure_trial(m, &spec, t, err);

	if (rc < 0)
		return rc;
	/* So they came, after all. */
	if (t->ok > 0)
		return warm_up(m, t, err);
	trial_judge(t, 0);
	if (m->silent != NULL)
		*m->silent = *t;
	return explain_silence(t, err);
}

int
measure_prepare(struct measure *m, const struct tg_traffic *traffic, struct err *err)
{
	const struct trial_spec probe = {.rate_pps = PROBE_PPS,
					 .duration_ns = (uint64_t)(PROBE_S * 1e9)};
	static struct trial t;
	int rc = tg_set_streams(m->backend->tg, traffic, err);

	if (rc < 0)
		return backend_explain(m->backend, rc, err);
	for (int i = 0; rc == 0 && i < PROBE_TRIES; i++) {
		rc = measure_trial(m, &probe, &t, err);
		if (rc == 0 && t.ok > 0)
			return warm_up(m, &t, err);
	}
	return rc < 0 ? rc : measure_silence(m, &t, err);
}
