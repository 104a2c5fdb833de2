/* SPDX-License-Identifier: MIT */
#include "noise.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

/* Nothing that happens in passing takes a CPU for longer: several slices of a scheduler, a timer
 * tick or what a hypervisor usually takes at once.  Rings that bridge it do not keep its delay out
 * of the latency. */
#define STALL_NS (25 * NSEC_PER_MS)

/* A lcore that is away for more of the time has not the CPU that the chain was given: it competes
 * with a program that uses as much as it gets.  Ordinary background takes a tenth at worst. */
#define AWAY_SHARE 0.2

/* What another thread on the same CPU may take in one go: two slices. */
#define NEIGHBOUR_NS (8 * NSEC_PER_MS)

/* Share of a ring that is free while the chain keeps up: its tenants are bursts on their way, and
 * descriptors that the driver has not yet given back. */
#define FREE_SHARE 0.75

/* A generator that was away has four times as long before a full link counts as the chain's doing;
 * until then slots turn out late. */
#define LATE_FACTOR 5

/* ---- lcores ---- */

void
noise_lcore_init(struct noise_lcore *l, const char *hop)
{
	memset(l, 0xff, sizeof(*l));
	str_copy(l->hop, sizeof(l->hop), hop);
}

void
noise_init(struct trial_noise *n)
{
	memset(n, 0xff, sizeof(*n));
	n->n_lcores = n->n_cpus = 0;
}

static uint64_t
or_zero(uint64_t value)
{
	return value != NOISE_UNKNOWN ? value : 0;
}

/* 'value' without 'less', and not below 0; 0 when it is not known. */
static uint64_t
beyond(uint64_t value, uint64_t less)
{
	return value != NOISE_UNKNOWN && value > less ? value - less : 0;
}

/* The generator's lcore in the form of the others. */
static struct noise_lcore
generator_lcore(const struct trial_noise *n)
{
	struct noise_lcore l;

	noise_lcore_init(&l, "the generator");
	l.gap_max_ns = n->gap_max_ns;
	l.gaps_1ms = n->gaps_1ms;
	l.gaps_1ms_ns = n->gaps_1ms_ns;
	l.run_delay_ns = n->run_delay_ns;
	l.neighbours_ns = n->neighbours_ns;
	l.neighbours = n->neighbours;
	return l;
}

/* The i-th lcore, the generator's first. */
static struct noise_lcore
lcore_at(const struct trial_noise *n, size_t i)
{
	return i == 0 ? generator_lcore(n) : n->lcore[i - 1];
}

/* Longest absence, as far as the chain's own neighbours on the CPU do not explain it. */
static uint64_t
stall_ns(const struct noise_lcore *l)
{
	uint64_t gap = or_zero(l->gap_max_ns), wait = or_zero(l->wait_max_ns);

	return beyond(gap > wait ? gap : wait, or_zero(l->neighbours) * NEIGHBOUR_NS);
}

/* Time away in all, by the lcore's clock or by the kernel's, whichever saw more.  To wait for a
 * neighbour of the same chain is the chain's own doing. */
static uint64_t
away_ns(const struct noise_lcore *l)
{
	uint64_t gaps = beyond(l->gaps_1ms_ns, or_zero(l->neighbours_ns));
	uint64_t waited = 0, stall = stall_ns(l);

	if (l->neighbours_ns != NOISE_UNKNOWN)
		waited = beyond(l->run_delay_ns, l->neighbours_ns);
	gaps = gaps > waited ? gaps : waited;
	/* A stall may be none of the two: one while it yielded. */
	return gaps > stall ? gaps : stall;
}

/* ---- does it matter? ---- */

static double
free_slots(const struct trial_noise *n)
{
	return FREE_SHARE * (double)or_zero(n->ring_slots);
}

static bool
is_long(const struct trial_noise *n, const struct noise_lcore *l, double pps)
{
	uint64_t ns = stall_ns(l);

	if (ns > STALL_NS)
		return true;
	return n->ring_slots != NOISE_UNKNOWN && ns > NSEC_PER_MS &&
	       (double)ns / NSEC_PER_S * pps > free_slots(n);
}

static bool
is_often(const struct noise_lcore *l, uint64_t elapsed_ns)
{
	return (double)away_ns(l) > AWAY_SHARE * (double)elapsed_ns;
}

/* "vnf1's lcore", with its number where the hop has several. */
static void
name_lcore(char *buf, size_t size, const struct trial_noise *n, const struct noise_lcore *l)
{
	unsigned same = 0;

	for (size_t i = 0; i < n->n_lcores; i++)
		same += strcmp(n->lcore[i].hop, l->hop) == 0;
	if (same > 1 && l->lcore != NOISE_UNKNOWN)
		snprintf(buf, size, "%s's lcore %llu", l->hop, (unsigned long long)l->lcore);
	else
		snprintf(buf, size, "%s's lcore", l->hop);
}

bool
noise_matters(const struct trial_noise *n, double pps, uint64_t elapsed_ns, char *why, size_t size)
{
	uint64_t worst = 0;
	char name[64];

	for (size_t i = 0; i <= n->n_lcores; i++) {
		const struct noise_lcore l = lcore_at(n, i);
		uint64_t away = away_ns(&l);
		bool is_stall = is_long(n, &l, pps);

		if ((!is_stall && !is_often(&l, elapsed_ns)) || away <= worst)
			continue;
		worst = away;
		name_lcore(name, sizeof(name), n, &l);
		if (is_stall)
			snprintf(why, size, "a stall of %.1f ms on %s",
				 (double)stall_ns(&l) / NSEC_PER_MS, name);
		else
			snprintf(why, size, "%s was kept from running for %.0f %% of the time",
				 name, 100.0 * (double)away / (double)elapsed_ns);
	}
	return worst > 0;
}

/* ---- what it explains ---- */

static double
overflow(double ns, double pps, double slots)
{
	return fmax(0, ns / NSEC_PER_S * pps - slots);
}

/* Of gaps whose number, sum and longest are known the frames beyond the slots are most when as many
 * as possible are as long as the longest. */
static double
lcore_explains(const struct trial_noise *n, const struct noise_lcore *l, double pps,
	       uint64_t elapsed_ns)
{
	double longest = (double)stall_ns(l), sum = (double)away_ns(l), slots = free_slots(n);
	double whole;

	if (is_often(l, elapsed_ns))
		return overflow(sum, pps, slots);
	if (longest <= 0)
		return 0;
	whole = floor(sum / longest);
	return whole * overflow(longest, pps, slots) + overflow(sum - whole * longest, pps, slots);
}

uint64_t
noise_explains(const struct trial_noise *n, double pps, uint64_t elapsed_ns)
{
	double frames = 0;

	for (size_t i = 0; i <= n->n_lcores; i++) {
		const struct noise_lcore l = lcore_at(n, i);

		frames += lcore_explains(n, &l, pps, elapsed_ns);
	}
	return (uint64_t)ceil(frames);
}

uint64_t
noise_explains_late(const struct trial_noise *n, double pps)
{
	return (uint64_t)ceil(LATE_FACTOR * (double)or_zero(n->gaps_sum_ns) / NSEC_PER_S * pps);
}

/* ---- JSON ---- */

struct field {
	const char *key;
	size_t offset;
};

#define FIELD(type, name)                          \
	{                                          \
#name, offsetof(struct type, name) \
	}

static const struct field whole_fields[] = {
	FIELD(trial_noise, gap_max_ns),	   FIELD(trial_noise, gaps_20us),
	FIELD(trial_noise, gaps_sum_ns),   FIELD(trial_noise, run_delay_ns),
	FIELD(trial_noise, steal_ns),	   FIELD(trial_noise, nivcsw),
	FIELD(trial_noise, gaps_1ms),	   FIELD(trial_noise, gaps_1ms_ns),
	FIELD(trial_noise, neighbours_ns), FIELD(trial_noise, neighbours),
	FIELD(trial_noise, psi_ns),	   FIELD(trial_noise, ring_slots),
};

static const struct field lcore_fields[] = {
	FIELD(noise_lcore, lcore),	   FIELD(noise_lcore, gap_max_ns),
	FIELD(noise_lcore, wait_max_ns),   FIELD(noise_lcore, gaps_20us),
	FIELD(noise_lcore, gaps_sum_ns),   FIELD(noise_lcore, gaps_1ms),
	FIELD(noise_lcore, gaps_1ms_ns),   FIELD(noise_lcore, run_delay_ns),
	FIELD(noise_lcore, neighbours_ns), FIELD(noise_lcore, neighbours),
	FIELD(noise_lcore, nivcsw),
};

static const struct field cpu_fields[] = {
	FIELD(noise_cpu, cpu),
	FIELD(noise_cpu, steal_ns),
	FIELD(noise_cpu, spin_slow_ppm),
};

static void
write_fields(json_t *json, const void *from, const struct field *fields, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t value;

		memcpy(&value, (const char *)from + fields[i].offset, sizeof(value));
		json_object_set_new(json, fields[i].key,
				    value != NOISE_UNKNOWN ? json_u64(value) : json_null());
	}
}

static int
read_fields(void *to, const json_t *json, const struct field *fields, size_t n, struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		const json_t *at = json_object_get(json, fields[i].key);
		uint64_t value = NOISE_UNKNOWN;
		int rc = 0;

		if (at != NULL && !json_is_null(at))
			rc = json_get_u64(json, fields[i].key, &value, err);
		if (rc < 0)
			return rc;
		memcpy((char *)to + fields[i].offset, &value, sizeof(value));
	}
	return 0;
}

json_t *
noise_to_json(const struct trial_noise *n)
{
	json_t *json = json_object(), *lcores = json_array(), *cpus = json_array();

	write_fields(json, n, whole_fields, N_ELEMS(whole_fields));
	for (size_t i = 0; i < n->n_lcores; i++) {
		json_t *one = json_object();

		json_object_set_new(one, "hop", json_string(n->lcore[i].hop));
		write_fields(one, &n->lcore[i], lcore_fields, N_ELEMS(lcore_fields));
		json_array_append_new(lcores, one);
	}
	for (size_t i = 0; i < n->n_cpus; i++) {
		json_t *one = json_object();

		write_fields(one, &n->cpu[i], cpu_fields, N_ELEMS(cpu_fields));
		json_array_append_new(cpus, one);
	}
	json_object_set_new(json, "lcores", lcores);
	json_object_set_new(json, "cpus", cpus);
	return json;
}

static int
lcore_from_json(struct noise_lcore *l, const json_t *json, struct err *err)
{
	const char *hop;
	int rc = json_get_text(json, "hop", &hop, err);

	if (rc < 0)
		return rc;
	noise_lcore_init(l, "");
	if (!str_copy(l->hop, sizeof(l->hop), hop))
		return err_set(err, EINVAL, "hop: longer than %zu", sizeof(l->hop) - 1);
	return read_fields(l, json, lcore_fields, N_ELEMS(lcore_fields), err);
}

static int
lists_from_json(struct trial_noise *n, const json_t *json, struct err *err)
{
	const json_t *lcores = json_object_get(json, "lcores");
	const json_t *cpus = json_object_get(json, "cpus");
	int rc = 0;

	if (json_array_size(lcores) > NOISE_MAX_LCORES || json_array_size(cpus) > NOISE_MAX_CPUS)
		return err_set(err, EINVAL, "more lcores or CPUs than any trial has");
	while (rc == 0 && n->n_lcores < json_array_size(lcores)) {
		rc = lcore_from_json(&n->lcore[n->n_lcores], json_array_get(lcores, n->n_lcores),
				     err);
		if (rc < 0)
			return err_wrap(err, rc, "lcores[%zu]", n->n_lcores);
		n->n_lcores++;
	}
	while (rc == 0 && n->n_cpus < json_array_size(cpus)) {
		rc = read_fields(&n->cpu[n->n_cpus], json_array_get(cpus, n->n_cpus), cpu_fields,
				 N_ELEMS(cpu_fields), err);
		if (rc < 0)
			return err_wrap(err, rc, "cpus[%zu]", n->n_cpus);
		n->n_cpus++;
	}
	return 0;
}

int
noise_from_json(struct trial_noise *n, const json_t *json, struct err *err)
{
	int rc;

	noise_init(n);
	rc = read_fields(n, json, whole_fields, N_ELEMS(whole_fields), err);
	return rc < 0 ? rc : lists_from_json(n, json, err);
}
