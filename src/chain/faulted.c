/* SPDX-License-Identifier: MIT */
#include "faulted.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "chain_rules.h"
#include "supervise.h"

#define MAX_MISSED 4 /* answers in a row */

/* A fault close to the end shows nothing of what comes after it. */
#define REST_NS (100 * NSEC_PER_MS)

/* ---- orders ---- */

static int
by_time(const void *a, const void *b)
{
	const struct fault_order *x = a, *y = b;

	return x->at_ns < y->at_ns ? -1 : x->at_ns > y->at_ns;
}

int
faulted_add(struct faulted *f, const char *text, struct err *err)
{
	int rc;

	if (f->n_orders == N_ELEMS(f->order))
		return err_usage(err, "at most %zu faults in a trial", N_ELEMS(f->order));
	rc = fault_order_parse(&f->order[f->n_orders], text, err);
	if (rc < 0)
		return rc;
	f->n_orders++;
	qsort(f->order, f->n_orders, sizeof(f->order[0]), by_time);
	return 0;
}

static int
find_hop(const struct chain *chain, const char *name, size_t *hop)
{
	for (*hop = 0; *hop < chain->n_hops; ++*hop)
		if (strcmp(chain->hop[*hop].name, name) == 0)
			return 0;
	return -ENOENT;
}

static int
check_order(const struct fault_order *order, struct chain *chain, uint64_t duration_ns,
	    struct err *err)
{
	size_t i;

	if (find_hop(chain, order->hop, &i) < 0)
		return err_usage(err, "chain '%s' has no hop '%s'", chain->name, order->hop);
	if (order->at_ns + order->for_ns + REST_NS > duration_ns)
		return err_usage(err, "its end is not in the trial of %.3g s (see --duration)",
				 (double)duration_ns / 1e9);
	if (chain->hop[i].place == PLACE_VM)
		return err_usage(err, "hop '%s' is in a VM", order->hop);
	if (chain_hop_is_kernels(chain, (int)i))
		return err_usage(err, "hop '%s' is the kernel's, and has no process", order->hop);
	if (order->kind == FAULT_ORDER_FLAP && chain->link[i].kind == LINK_MEMIF)
		return err_usage(err,
				 "link %zu is memif, which never connects again to a port that "
				 "was closed",
				 i);
	if (order->kind != FAULT_ORDER_KILL)
		return 0;
	chain->hop[i].supervise = true;
	return chain_rule_supervise(chain, i, err);
}

int
faulted_check(struct faulted *f, struct chain *chain, uint64_t duration_ns, struct err *err)
{
	char text[128];

	for (size_t i = 0; i < f->n_orders; i++) {
		int rc = check_order(&f->order[i], chain, duration_ns, err);

		if (rc < 0)
			return err_wrap(err, rc, "--fault: %s",
					fault_order_print(text, sizeof(text), &f->order[i]));
	}
	return 0;
}

void
faulted_fini(struct faulted *f)
{
	timeline_fini(&f->timeline);
}

/* ---- watching ---- */

static uint64_t
passed_ns(const struct faulted *f)
{
	return clock_now_ns() - f->began_ns;
}

static int
take_step(struct faulted *f, struct err *err)
{
	struct timeline_step step = {0};
	json_t *json = NULL;
	uint64_t refused = 0;
	int rc = tg_trial(f->backend->tg, &json, err);

	step.at_ns = passed_ns(f);
	f->n_missed = rc == -ETIMEDOUT ? f->n_missed + 1 : 0;
	/* A generator that others keep from answering still sends: there is a next time. */
	if (rc == -ETIMEDOUT && f->n_missed < MAX_MISSED) {
		if (err != NULL)
			*err = (struct err){0};
		return 0;
	}
	if (rc == 0)
		rc = json_get_u64(json, "sent", &step.sent, err);
	if (rc == 0)
		rc = json_get_u64(json, "refused", &refused, err);
	if (rc == 0)
		rc = json_get_u64(json, "received", &step.received, err);
	json_decref(json);
	step.offered = step.sent + refused;
	if (rc == 0)
		timeline_add(&f->timeline, &step);
	return rc;
}

static void
on_supervise(void *arg, const struct supervise_event *event)
{
	struct faulted *f = arg;
	const char *hop = f->backend->chain->hop[event->hop].name;
	struct timeline_event *open = timeline_open(&f->timeline, hop);
	struct err ignored = {0};

	if (event->what != SUPERVISE_STARTED)
		LOG(INFO, "%s", event->text);
	/* What killed it is known. */
	if (event->what == SUPERVISE_DIED && open == NULL) {
		if (f->timeline.n_steps > 0)
			(void)take_step(f, &ignored);
		(void)timeline_begin(&f->timeline, "died", hop, event->text);
	} else if (event->what == SUPERVISE_HEALED && open != NULL) {
		open->until_ns = passed_ns(f);
	}
}

/* One that is being started again cannot be disturbed yet. */
static bool
is_there(const struct faulted *f, size_t hop)
{
	return supervise_is_up(f->backend, hop);
}

static int
begin_fault(struct faulted *f, struct err *err)
{
	const struct fault_order *order = &f->order[f->next];
	struct backend *b = f->backend;
	struct fault_target target = {.name = order->hop};
	struct timeline_event *e;
	char text[128];
	size_t hop;
	int rc = find_hop(b->chain, order->hop, &hop);

	if (rc < 0 || !is_there(f, hop))
		return rc;
	rc = take_step(f, err);
	if (rc < 0)
		return rc;
	e = timeline_begin(&f->timeline, fault_order_kind_name(order->kind), order->hop,
			   fault_order_print(text, sizeof(text), order));
	target.pid = b->proc[hop + 1].pid;
	target.control = b->hop[hop].control;
	rc = fault_act_begin(&f->act[f->next].act, order, &target, err);
	f->act[f->next].hop = hop;
	if (rc == 0 && order->for_ns > 0) {
		f->act[f->next].until_ns = clock_now_ns() + order->for_ns;
		if (e != NULL)
			e->until_ns = passed_ns(f) + order->for_ns;
	}
	f->next++;
	return rc;
}

/* Ends those whose time is over, or all. */
static void
end_faults(struct faulted *f, bool all)
{
	for (size_t i = 0; i < f->next; i++) {
		if (f->act[i].until_ns == 0 || (!all && clock_now_ns() < f->act[i].until_ns))
			continue;
		f->act[i].until_ns = 0;
		fault_act_end(&f->act[i].act, f->backend->hop[f->act[i].hop].control);
	}
}

static bool
is_due(const struct faulted *f)
{
	return f->next < f->n_orders && passed_ns(f) >= f->order[f->next].at_ns;
}

/* Until the next interval ends, or a fault is due, but for one that has to wait for its hop. */
static int
wait_ms(const struct faulted *f, uint64_t step_ns, uint64_t duration_ns)
{
	uint64_t now = passed_ns(f), next = step_ns < duration_ns ? step_ns : duration_ns;

	if (f->next < f->n_orders && f->order[f->next].at_ns < next)
		next = f->order[f->next].at_ns > now ? f->order[f->next].at_ns : now + NSEC_PER_MS;
	return next > now ? (int)((next - now + NSEC_PER_MS - 1) / NSEC_PER_MS) : 0;
}

static int
watch(struct faulted *f, uint64_t duration_ns, struct err *err)
{
	uint64_t step_ns = TIMELINE_INTERVAL_NS;
	int rc = take_step(f, err);

	while (rc == 0 && passed_ns(f) < duration_ns) {
		rc = backend_wait(f->backend, wait_ms(f, step_ns, duration_ns), err);
		end_faults(f, false);
		if (rc == 0 && is_due(f))
			rc = begin_fault(f, err);
		if (rc == 0 && passed_ns(f) >= step_ns) {
			rc = take_step(f, err);
			step_ns = (passed_ns(f) / TIMELINE_INTERVAL_NS + 1) * TIMELINE_INTERVAL_NS;
		}
	}
	return rc;
}

int
faulted_watch(struct faulted *f, struct backend *b, uint64_t duration_ns, struct err *err)
{
	int rc;

	timeline_fini(&f->timeline);
	f->backend = b;
	f->next = 0;
	memset(f->act, 0, sizeof(f->act));
	f->began_ns = clock_now_ns();
	supervise_hear(b, on_supervise, f);
	rc = watch(f, duration_ns, err);
	end_faults(f, true);
	if (rc < 0)
		supervise_hear(b, NULL, NULL);
	return rc;
}

void
faulted_end(struct faulted *f, const struct trial *t)
{
	/* What the generator was late for it did not offer. */
	double offered = (double)(t->sent + t->refused);

	supervise_hear(f->backend, NULL, NULL);
	timeline_close(&f->timeline, t->elapsed_s > 0 ? offered / t->elapsed_s : 0, trial_lost(t));
}
