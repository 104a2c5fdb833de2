/* SPDX-License-Identifier: MIT */
#include "plan.h"

#include <string.h>

#include <rte_common.h>

/* Lays the roles of the event and the pipeline engine on lcores, in three steps: lcores that share
 * a CPU become one slot; roles are given to slots, by masks or by how many there are; slots with
 * a role become the lcores of the plan. */

#define DEPTH_MAX 128
#define DEPTH_MANY_PORTS 32 /* so that what ports can hold stays below what event_dsw can */
#define MANY_PORTS 8
#define EVENTS_MAX 4096
#define EVENTS_MANY_PORTS 16384
#define PORT_CREDITS 128   /* what a port may hold back of the device's credits (event_dsw) */
#define LCORES_PER_RX 16   /* one that receives for so many */
#define MAX_RX_ADAPTERS 32 /* numbered as their lcores */

struct slots {
	uint16_t n;
	uint16_t position[PLAN_MAX_LCORES]; /* the lcore that stands for the slot */
	uint16_t of[PLAN_MAX_LCORES];	    /* slot of each lcore of the facts */
	uint8_t role[PLAN_MAX_LCORES];
	bool sends[PLAN_MAX_LCORES]; /* as --tx-mask says */
};

static bool
lcores_share(const struct plan_facts *f, uint16_t a, uint16_t b)
{
	if (f->cpu[a] >= 0 || f->cpu[b] >= 0)
		return f->cpu[a] == f->cpu[b];
	/* Both may run anywhere: as many as there are CPUs get one each. */
	return f->n_lcores > f->n_cpus && a % f->n_cpus == b % f->n_cpus;
}

/* Two busy lcores on one CPU wait a time slice for each other, so one of them does the work of
 * both, unless the user wants it otherwise. */
static void
fold(struct slots *s, const struct plan_facts *f, bool fuse)
{
	memset(s, 0, sizeof(*s));
	for (uint16_t i = 0; i < f->n_lcores; i++) {
		uint16_t k = 0;

		while (k < s->n && !(fuse && lcores_share(f, s->position[k], i)))
			k++;
		if (k == s->n)
			s->position[s->n++] = i;
		s->of[i] = k;
	}
}

static uint16_t
count_queues(const struct plan *plan)
{
	uint16_t n = 0;

	for (uint16_t p = 0; p < plan->n_ports; p++)
		n = (uint16_t)(n + (plan->enabled[p] ? plan->n_rxq : 0));
	return n;
}

static uint16_t
count_role(const struct slots *s, uint8_t role)
{
	uint16_t n = 0;

	for (uint16_t k = 0; k < s->n; k++)
		n = (uint16_t)(n + ((s->role[k] & role) != 0));
	return n;
}

/* The first slot with any of these roles, or the first of all. */
static uint16_t
first_with(const struct slots *s, uint8_t role)
{
	for (uint16_t k = 0; k < s->n; k++)
		if (s->role[k] & role)
			return k;
	return 0;
}

/* Roles for 'n' lcores of their own, 'slot' being where they lie.  The device's scheduler runs on
 * one of them, unless 'sched' is false: then it has none, or another lcore has it. */
static void
spread(struct slots *s, const uint16_t *slot, uint16_t n, uint16_t n_queues, bool sched,
       bool distributed)
{
	uint16_t n_rx = RTE_MIN(n_queues, RTE_MAX(n / LCORES_PER_RX, 1));
	uint16_t next = 0;

	if (distributed || n == 1) {
		/* Nothing is gained by an lcore that only receives where any may enqueue. */
		for (uint16_t i = 0; i < n; i++)
			s->role[slot[i]] |=
				ROLE_WORK | (i < n_queues ? ROLE_RX : 0) | (sched ? ROLE_SCHED : 0);
		return;
	}
	s->role[slot[next++]] |= ROLE_RX;
	if (sched)
		s->role[slot[n > 2 ? next++ : 0]] |= ROLE_SCHED;
	for (uint16_t k = 1; k < n_rx; k++)
		s->role[slot[next++]] |= ROLE_RX;
	while (next < n)
		s->role[slot[next++]] |= ROLE_WORK;
}

/* The scheduler goes to a service lcore if there is one. */
static void
roles_by_number(struct slots *s, const struct plan *plan, const struct plan_facts *f)
{
	uint16_t slot[PLAN_MAX_LCORES] = {0}, n_plain = (uint16_t)(f->n_lcores - f->n_service);
	uint16_t n = 0, n_queues = count_queues(plan);
	bool elsewhere = f->n_service > 0 && !f->distributed;

	if (elsewhere) {
		s->role[s->of[n_plain]] |= ROLE_SCHED;
		for (uint16_t i = 0; i < n_plain; i++)
			slot[n++] = s->of[i];
	} else {
		while (n < s->n) {
			slot[n] = n;
			n++;
		}
	}
	spread(s, slot, n, n_queues, !f->distributed && !elsewhere, f->distributed);
}

/* Gives 'role' to the lcores of a mask, or to the lowest of them alone. */
static int
give_mask(struct slots *s, const struct plan_facts *f, const char *name, uint64_t mask,
	  uint8_t role, bool one, struct err *err)
{
	for (unsigned id = 0; id < 64; id++) {
		uint16_t i = 0;

		if ((mask >> id & 1) == 0)
			continue;
		while (i < f->n_lcores && f->lcore_id[i] != id)
			i++;
		if (i == f->n_lcores)
			return err_usage(err, "--%s: lcore %u is not there (see -l)", name, id);
		s->role[s->of[i]] |= role;
		if (one)
			break;
	}
	return 0;
}

/* Roles that no mask gives: workers are the lcores without another role. */
static void
fill_roles(struct slots *s, const struct fwd_conf *conf)
{
	if (conf->worker_mask == 0) {
		for (uint16_t k = 0; k < s->n; k++)
			if (s->role[k] == 0)
				s->role[k] = ROLE_WORK;
		if (count_role(s, ROLE_WORK) == 0)
			s->role[0] |= ROLE_WORK;
	}
	if (conf->rx_mask == 0)
		s->role[first_with(s, 0xff)] |= ROLE_RX;
	if (conf->sched_mask == 0)
		s->role[first_with(s, ROLE_RX)] |= ROLE_SCHED;
}

static int
roles_by_masks(struct slots *s, const struct fwd_conf *conf, const struct plan_facts *f,
	       struct err *err)
{
	int rc = give_mask(s, f, "rx-mask", conf->rx_mask, ROLE_RX, false, err);

	if (rc == 0)
		rc = give_mask(s, f, "worker-mask", conf->worker_mask, ROLE_WORK, false, err);
	if (rc == 0)
		rc = give_mask(s, f, "sched-mask", f->distributed ? 0 : conf->sched_mask,
			       ROLE_SCHED, true, err);
	if (rc == 0)
		rc = give_mask(s, f, "tx-mask", conf->tx_mask, ROLE_TX, false, err);
	if (rc < 0)
		return rc;
	/* Whether they have to is to be seen; they are no workers by default. */
	for (uint16_t k = 0; k < s->n; k++)
		s->sends[k] = (s->role[k] & ROLE_TX) != 0;
	fill_roles(s, conf);
	return 0;
}

/* Workers send where that keeps the order and each has a transmit queue; else frames pass a queue
 * to those that do. */
static void
choose_senders(struct slots *s, const struct fwd_conf *conf, const struct plan_facts *f)
{
	uint16_t n_workers = count_role(s, ROLE_WORK), n_named = 0;
	bool must = n_workers > 1 && (conf->sched == SCHED_ORDERED || f->max_txq < n_workers);
	bool only_worker = n_workers == 1 && !conf->adapters;

	for (uint16_t k = 0; k < s->n; k++) {
		n_named = (uint16_t)(n_named + s->sends[k]);
		only_worker &= !s->sends[k] || (s->role[k] & ROLE_WORK);
		s->role[k] &= (uint8_t)~ROLE_TX;
	}
	/* The only worker needs no queue to itself. */
	if (n_named > 0 && !(n_named == 1 && only_worker)) {
		for (uint16_t k = 0; k < s->n; k++)
			s->role[k] |= s->sends[k] ? ROLE_TX : 0;
	} else if (must || conf->adapters) {
		s->role[first_with(s, ROLE_RX)] |= ROLE_TX;
	}
}

/* Each port's Tx adapter has a queue, and these go round the lcores that send. */
static int
deal_adapters(struct plan *plan, uint16_t n_tx, struct err *err)
{
	struct plan_roles *r = &plan->roles;
	uint16_t lcore = (uint16_t)(plan->n_lcores - 1);

	for (uint16_t i = MAX_RX_ADAPTERS; i < plan->n_lcores; i++)
		if (r->role[i] & ROLE_RX)
			return err_usage(err,
					 "--adapters: only the first %d lcores can receive (see "
					 "--rx-mask)",
					 MAX_RX_ADAPTERS);
	r->tx_span = 1;
	for (uint16_t p = 0; p < plan->n_ports; p++) {
		if (!plan->enabled[p])
			continue;
		do
			lcore = (uint16_t)((lcore + 1) % plan->n_lcores);
		while (!(r->role[lcore] & ROLE_TX));
		r->adapter_lcore[p] = (uint8_t)lcore;
		r->tx_first[p] = r->n_tx++;
	}
	if (n_tx > r->n_tx)
		return err_usage(err,
				 "--tx-mask: %u lcores are more than the Tx adapters of %u ports "
				 "have work for",
				 n_tx, r->n_tx);
	return 0;
}

/* Deals ports to the lcores that send.  Where a port has a transmit queue for each of them, all
 * send by it, each its flows; else as many as it has queues for. */
static int
deal_ports(struct plan *plan, const struct fwd_conf *conf, const struct plan_facts *f,
	   struct err *err)
{
	struct plan_roles *r = &plan->roles;
	uint16_t n_ports = 0, n_tx = 0;

	for (uint16_t i = 0; i < plan->n_lcores; i++)
		n_tx = (uint16_t)(n_tx + ((r->role[i] & ROLE_TX) != 0));
	if (r->adapters)
		return deal_adapters(plan, n_tx, err);
	r->n_tx = (uint8_t)n_tx;
	r->tx_span = (uint8_t)RTE_MIN(RTE_MAX(n_tx, 1), RTE_MAX(f->max_txq, 1));
	for (uint16_t p = 0; n_tx > 0 && p < plan->n_ports; p++)
		if (plan->enabled[p])
			r->tx_first[p] = (uint8_t)(n_ports++ * r->tx_span % n_tx);
	if (n_tx > n_ports * r->tx_span)
		return err_usage(err,
				 "--tx-mask: %u lcores are more than %u ports with %u transmit "
				 "queues each have work for",
				 n_tx, n_ports, r->tx_span);
	/* Frames of one vector may leave by different ports. */
	if (conf->vector > 0 && n_tx > r->tx_span)
		return err_usage(
			err,
			"--tx-mask: with --vector each of %u lcores needs a transmit queue "
			"at each port; a port here has %u",
			n_tx, r->tx_span);
	return 0;
}

static int
check_queues(const struct plan_roles *r, const struct plan_facts *f, struct err *err)
{
	if (r->n_queues + r->n_tx > f->max_event_queues)
		return err_usage(err,
				 "%u queues to stages and %u to who sends are more than the %u of "
				 "the event device",
				 r->n_queues, r->n_tx, f->max_event_queues);
	return 0;
}

/* The device's ports are numbered lcore by lcore.  A device with a scheduler is quicker when what
 * comes in and what is given back have ports of their own, for it takes from all in turn. */
static uint16_t
number_ports(struct plan *plan)
{
	struct plan_roles *r = &plan->roles;
	uint16_t n = 0;

	for (uint16_t i = 0; i < plan->n_lcores; i++) {
		uint8_t role = r->role[i];

		r->rx_port[i] = r->work_port[i] = r->tx_port[i] = PLAN_NO_PORT;
		if (role & ROLE_WORK)
			r->work_port[i] = (uint8_t)n++;
		if ((role & ROLE_RX) && r->distributed && (role & ROLE_WORK) && !r->adapters)
			r->rx_port[i] = r->work_port[i];
		else if (role & ROLE_RX)
			r->rx_port[i] = (uint8_t)n++;
		if ((role & ROLE_TX) && !r->adapters)
			r->tx_port[i] = (uint8_t)n++;
	}
	for (uint16_t p = 0; p < plan->n_ports; p++)
		r->adapter_port[p] = r->adapters && plan->enabled[p] ? (uint8_t)n++ : PLAN_NO_PORT;
	return n;
}

/* Credits: a new event must never take the last ones, which those under way may need. */
static void
size_device(struct plan_roles *r, const struct fwd_conf *conf, const struct plan_facts *f)
{
	bool many = f->distributed && r->n_event_ports > MANY_PORTS;
	uint32_t held;

	r->events = RTE_MIN(f->max_events, many ? EVENTS_MANY_PORTS : EVENTS_MAX);
	r->depth = many ? DEPTH_MANY_PORTS : DEPTH_MAX;
	if (conf->cq_depth > 0)
		r->depth = (uint16_t)RTE_MIN(conf->cq_depth, r->depth);
	held = r->n_event_ports * (uint32_t)(r->depth + PORT_CREDITS);
	r->threshold = r->events > held ? r->events - held : 0;
	r->threshold = RTE_MAX(r->threshold, r->events / 4);
}

/* Takes the last lcore that only works out of the plan, unless no other works. */
static bool
drop_worker(struct plan *plan)
{
	uint8_t *role = plan->roles.role;
	uint16_t last = 0, n_workers = 0;

	for (uint16_t i = 0; i < plan->n_lcores; i++) {
		n_workers = (uint16_t)(n_workers + ((role[i] & ROLE_WORK) != 0));
		last = role[i] == ROLE_WORK ? i : last;
	}
	if (n_workers < 2 || role[last] != ROLE_WORK)
		return false;
	plan->n_lcores--;
	for (uint16_t i = last; i < plan->n_lcores; i++) {
		role[i] = role[i + 1];
		plan->position[i] = plan->position[i + 1];
	}
	return true;
}

/* Slots with a role become the lcores of the plan, as long as the device has ports for them. */
static int
keep_lcores(struct plan *plan, const struct slots *s, const struct plan_facts *f, struct err *err)
{
	struct plan_roles *r = &plan->roles;

	for (uint16_t k = 0; k < s->n; k++) {
		if (s->role[k] == 0)
			continue;
		plan->position[plan->n_lcores] = s->position[k];
		r->role[plan->n_lcores++] = s->role[k];
	}
	r->n_folded = (uint16_t)(f->n_lcores - s->n);
	while ((r->n_event_ports = number_ports(plan)) > f->max_event_ports)
		if (!drop_worker(plan))
			return err_usage(err,
					 "these roles need %u ports of the event device, which has "
					 "%u (see --rx-mask, --tx-mask)",
					 r->n_event_ports, f->max_event_ports);
	return 0;
}

/* Whoever sends by a port has a transmit queue there. */
static void
give_txqs(struct plan *plan, uint16_t port)
{
	const struct plan_roles *r = &plan->roles;
	uint16_t k = 0;

	if (r->adapters) {
		plan_give_txq(plan, r->adapter_lcore[port], port);
		return;
	}
	for (uint16_t i = 0; i < plan->n_lcores; i++) {
		if (r->n_tx == 0 && (r->role[i] & ROLE_WORK))
			plan_give_txq(plan, i, port);
		if (r->n_tx == 0 || !(r->role[i] & ROLE_TX))
			continue;
		if ((k + r->n_tx - r->tx_first[port]) % r->n_tx < r->tx_span)
			plan_give_txq(plan, i, port);
		k++;
	}
}

/* Receive queues go round the lcores that receive. */
static int
place_queues(struct plan *plan, struct err *err)
{
	const uint8_t *role = plan->roles.role;
	uint16_t lcore = (uint16_t)(plan->n_lcores - 1);

	for (uint16_t p = 0; p < plan->n_ports; p++) {
		if (!plan->enabled[p])
			continue;
		for (uint16_t q = 0; q < plan->n_rxq; q++) {
			do
				lcore = (uint16_t)((lcore + 1) % plan->n_lcores);
			while (!(role[lcore] & ROLE_RX));
			if (plan->n_links == PLAN_MAX_LINKS)
				return err_usage(err, "more than %d receive queues",
						 PLAN_MAX_LINKS);
			plan->link[plan->n_links++] = (struct plan_link){
				.rx_port = p, .rxq = q, .egress = plan->pair[p], .lcore = lcore};
		}
		give_txqs(plan, p);
	}
	return 0;
}

int
plan_stages(struct plan *plan, const struct fwd_conf *conf, const struct plan_facts *facts,
	    struct err *err)
{
	struct plan_roles *r = &plan->roles;
	struct slots s;
	int rc = plan_ports(plan, conf, facts->n_ports, err);

	if (rc < 0)
		return rc;
	if (conf->sched == SCHED_ORDERED && facts->unordered)
		return err_usage(err, "--sched ordered: event_dsw has no ordered queues (event_sw "
				      "has)");
	r->n_stages = (uint8_t)conf->stages;
	r->n_queues = conf->fuse_stages ? 1 : r->n_stages;
	r->distributed = facts->distributed;
	r->adapters = conf->adapters;
	fold(&s, facts, conf->fuse);
	if ((conf->rx_mask | conf->tx_mask | conf->sched_mask | conf->worker_mask) != 0)
		rc = roles_by_masks(&s, conf, facts, err);
	else
		roles_by_number(&s, plan, facts);
	if (rc < 0)
		return rc;
	if (facts->distributed)
		for (uint16_t k = 0; k < s.n; k++)
			s.role[k] &= (uint8_t)~ROLE_SCHED;
	choose_senders(&s, conf, facts);
	rc = keep_lcores(plan, &s, facts, err);
	if (rc == 0)
		rc = deal_ports(plan, conf, facts, err);
	if (rc == 0)
		rc = check_queues(r, facts, err);
	if (rc < 0)
		return rc;
	r->cooperative = s.n > facts->n_cpus && !conf->fuse;
	size_device(r, conf, facts);
	return place_queues(plan, err);
}
