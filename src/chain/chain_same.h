/* SPDX-License-Identifier: MIT */
#pragma once

#include <string.h>

#include "chain.h"

/* Field-by-field comparison of two models, for tests and fuzzing: comparing what is printed would
 * not notice a field that is never printed. */

static inline bool
same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static inline bool
same_texts(char *const *a, size_t n_a, char *const *b, size_t n_b)
{
	for (size_t i = 0; n_a == n_b && i < n_a; i++)
		if (!same_text(a[i], b[i]))
			return false;
	return n_a == n_b;
}

static inline bool
same_cpus(const struct chain_cpus *a, const struct chain_cpus *b)
{
	return a->n == b->n && memcmp(a->cpu, b->cpu, a->n * sizeof(a->cpu[0])) == 0;
}

static inline bool
same_hop(const struct chain_hop *a, const struct chain_hop *b)
{
	return same_text(a->name, b->name) && a->kind == b->kind &&
	       same_text(a->engine, b->engine) && a->place == b->place &&
	       same_cpus(&a->cpus, &b->cpus) && a->lcores == b->lcores &&
	       same_texts(a->nf, a->n_nf, b->nf, b->n_nf) && same_text(a->command, b->command) &&
	       same_texts(a->args, a->n_args, b->args, b->n_args) && a->supervise == b->supervise;
}

static inline bool
same_link(const struct chain_link *a, const struct chain_link *b)
{
	return a->kind == b->kind && a->ring == b->ring && a->queues == b->queues &&
	       a->model == b->model && same_text(a->file, b->file) &&
	       same_text(a->address, b->address) && same_text(a->peer, b->peer);
}

static inline bool
same_imix(const struct imix *a, const struct imix *b)
{
	if (a->n != b->n || strcmp(a->name, b->name) != 0)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (a->part[i].size != b->part[i].size || a->part[i].weight != b->part[i].weight)
			return false;
	return true;
}

static inline bool
same_traffic(const struct chain_traffic *a, const struct chain_traffic *b)
{
	for (size_t i = 0; a->n_frames == b->n_frames && i < a->n_frames; i++)
		if (!same_imix(&a->frames[i], &b->frames[i]))
			return false;
	if (a->has_rate && (a->rate.unit != b->rate.unit ||
			    (a->rate.unit != RATE_MAX &&
			     (a->rate.value < b->rate.value || a->rate.value > b->rate.value))))
		return false;
	return a->n_frames == b->n_frames && a->flows == b->flows && a->has_rate == b->has_rate &&
	       a->ipv6 == b->ipv6 && a->vlan == b->vlan;
}

static inline bool
same_bench(const struct chain_bench *a, const struct chain_bench *b)
{
	return same_text(a->preset, b->preset) && a->trial_ns == b->trial_ns &&
	       a->repeat == b->repeat &&
	       !(a->step_ratio < b->step_ratio || a->step_ratio > b->step_ratio);
}

static inline bool
same_chain(const struct chain *a, const struct chain *b)
{
	if (a->n_hops != b->n_hops)
		return false;
	for (size_t i = 0; i < a->n_hops; i++)
		if (!same_hop(&a->hop[i], &b->hop[i]))
			return false;
	for (size_t i = 0; i < a->n_hops + 1; i++)
		if (!same_link(&a->link[i], &b->link[i]))
			return false;
	return same_text(a->name, b->name) && a->generator.kind == b->generator.kind &&
	       a->generator.place == b->generator.place &&
	       same_cpus(&a->generator.cpus, &b->generator.cpus) &&
	       same_text(a->generator.at, b->generator.at) &&
	       same_text(a->generator.dir, b->generator.dir) &&
	       same_texts(a->generator.socket, a->generator.n_sockets, b->generator.socket,
			  b->generator.n_sockets) &&
	       same_traffic(&a->traffic, &b->traffic) && same_bench(&a->bench, &b->bench);
}
