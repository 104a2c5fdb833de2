/* SPDX-License-Identifier: MIT */
#include "real_rig.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <rte_cycles.h>
#include <rte_ethdev.h>

#include "base/clock.h"
#include "dpdk/tsc.h"

void
real_rig_init(struct real_rig *real, struct worker_rig *r)
{
	memset(real, 0, sizeof(*real));
	real->r = r;
	r->w.tsc_hz = tsc_hz();
	r->w.tsc_to_ns = 1e9 / (double)r->w.tsc_hz;
}

/* What the wall clock says of a burst that is due at 'due_ns' of the run, less that. */
static void
note_wall(struct real_rig *real, uint64_t due_ns)
{
	const int64_t ns = (int64_t)(clock_now_ns() - due_ns);

	if (due_ns < real->duration_ns / 8 && (!real->has_first || ns < real->first_ns)) {
		real->first_ns = ns;
		real->has_first = true;
	}
	if (due_ns > real->duration_ns / 8 * 7 && (!real->has_last || ns < real->last_ns)) {
		real->last_ns = ns;
		real->has_last = true;
	}
}

/* The link's beginning: all frames get the time at which they are at its end. */
static uint16_t
enter(uint16_t port, uint16_t queue, struct rte_mbuf *pkts[], uint16_t n, void *arg)
{
	const uint64_t now_tsc = rte_rdtsc();
	struct real_rig *real = arg;
	const struct gen_tx *tx = &real->r->w.ports[0].slots[0].tx[0];

	(void)port, (void)queue, (void)pkts;
	if (n > 0 && tx->n_slots > 0 && !real->run->flat_out)
		note_wall(real, tx->due_ns[0]);
	for (uint16_t i = 0; i < n; i++)
		real->due_tsc[real->head++ % REAL_RIG_ROOM] = now_tsc + real->delay_tsc;
	return n;
}

/* Keeps the latency of a frame that was alone, which the worker has noted since. */
static void
note_sample(struct real_rig *real)
{
	uint64_t n = real->latency_n(real), sum = real->latency_sum(real);

	if (n == real->seen_n + 1 && real->n_samples < real->most_samples)
		real->samples[real->n_samples++] = sum - real->seen_sum;
	real->seen_n = n;
	real->seen_sum = sum;
}

static void
stop_if_over(struct real_rig *real)
{
	if ((int64_t)(rte_rdtsc() - real->deadline_tsc) > 0)
		real->overdue = true;
	if (real->overdue ||
	    (atomic_load(&real->run->state) == RUN_SENT && real->head == real->tail))
		atomic_store(&real->r->w.stop, 1);
}

/* Its end. */
static uint16_t
leave(uint16_t port, uint16_t queue, struct rte_mbuf *pkts[], uint16_t n, uint16_t most, void *arg)
{
	const uint64_t now_tsc = rte_rdtsc();
	struct real_rig *real = arg;

	(void)port, (void)queue;
	assert_int_equal(n, 0);
	if (real->samples != NULL)
		note_sample(real);
	while (n < most && real->tail != real->head &&
	       (int64_t)(now_tsc - real->due_tsc[real->tail % REAL_RIG_ROOM]) >= 0) {
		pkts[n] = rig_take(real->r->port[0].out);
		assert_non_null(pkts[n++]);
		real->tail++;
	}
	if (n == 0)
		stop_if_over(real);
	return n;
}

void
real_rig_run(struct real_rig *real, double duration_s, bool flat_out, double most_s)
{
	struct worker_rig *r = real->r;
	struct run *run = worker_rig_make_run(r, 0, duration_s, flat_out);
	const struct rte_eth_rxtx_callback *in, *out;

	real->run = run;
	real->head = real->tail = 0;
	real->has_first = real->has_last = false;
	real->duration_ns = (uint64_t)(duration_s * 1e9);
	real->deadline_tsc = rte_rdtsc() + (uint64_t)(most_s * (double)r->w.tsc_hz);
	real->seen_n = real->seen_sum = 0;
	real->n_samples = 0;
	atomic_store(&r->w.stop, 0);
	out = rte_eth_add_tx_callback(r->port[0].id, 0, enter, real);
	in = rte_eth_add_rx_callback(r->port[1].id, 0, leave, real);
	assert_non_null(in);
	assert_non_null(out);
	gen_offer(&r->w.ports[0], 0, run);
	worker_main(&r->w);
	if (real->samples != NULL)
		note_sample(real);
	rte_eth_remove_tx_callback(r->port[0].id, 0, out);
	rte_eth_remove_rx_callback(r->port[1].id, 0, in);
	run_free(r->run[0]);
	r->run[0] = run;
	assert_false(real->overdue);
}

double
real_rig_drift_ppm(const struct real_rig *real)
{
	if (!real->has_first || !real->has_last)
		return NAN;
	return (double)(real->first_ns - real->last_ns) / ((double)real->duration_ns * 0.875) * 1e6;
}
