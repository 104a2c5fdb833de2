/* SPDX-License-Identifier: MIT */
#include "multiplier.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"

/* What rounding may put a rate above the link. */
#define ROUNDING 1.0001

static const char *const types[] = {"raw", "bps", "bpsl1", "pps", "percentage"};
static const char *const ops[] = {"abs", "add", "sub"};

static int
choose(const json_t *object, const char *name, const char *const *words, size_t n, int *value,
       struct jsonrpc_error *e)
{
	const char *text;

	if (jsonrpc_text(object, name, &text, e) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (strcmp(text, words[i]) == 0) {
			*value = (int)i;
			return 0;
		}
	}
	return jsonrpc_fail(e, JSONRPC_PARAMS, "mul: unknown %s '%s'", name, text);
}

int
multiplier_parse(struct multiplier *m, const json_t *params, struct jsonrpc_error *e)
{
	const json_t *mul = json_object_get(params, "mul");
	int type = 0, op = 0;

	if (!json_is_object(mul))
		return jsonrpc_fail(e, JSONRPC_PARAMS, "parameter 'mul' must be an object");
	if (choose(mul, "type", types, N_ELEMS(types), &type, e) < 0 ||
	    choose(mul, "op", ops, N_ELEMS(ops), &op, e) < 0 ||
	    jsonrpc_double(mul, "value", &m->value, e) < 0)
		return -1;
	if (!isfinite(m->value))
		return jsonrpc_fail(e, JSONRPC_PARAMS, "mul: the value is not finite");
	m->type = (enum multiplier_type)type;
	m->op = (enum multiplier_op)op;
	return 0;
}

int
multiplier_parse_start(struct multiplier *m, const json_t *params, struct jsonrpc_error *e)
{
	int rc = multiplier_parse(m, params, e);

	if (rc < 0)
		return rc;
	if (m->value < 0)
		return jsonrpc_fail(e, JSONRPC_PARAMS, "mul: the value is negative");
	if (m->value == 0)
		return jsonrpc_fail(e, JSONRPC_PARAMS, "multiplier can't be zero");
	if (m->op != MULTIPLIER_ABS)
		return jsonrpc_fail(e, JSONRPC_PARAMS,
				    "start message can only specify absolute speed rate");
	return 0;
}

/* What is left of 'wanted' for the variable streams, in units of what they send at factor 1. */
static int
share(double wanted, double variable, double fixed, const char *unit, double *factor,
      struct jsonrpc_error *e)
{
	if (wanted < fixed)
		return jsonrpc_fail(e, JSONRPC_FAILED,
				    "current stream configuration enforces a minimum rate of "
				    "'%g' %s",
				    fixed, unit);
	*factor = variable > 0 ? (wanted - fixed) / variable : 1;
	return 0;
}

/* The factor that 'm' names, before its operation. */
static int
named_factor(const struct multiplier *m, const struct graph *g, const struct multiplier_link *link,
	     double *factor, struct jsonrpc_error *e)
{
	const struct graph_rate *v = &g->variable, *f = &g->fixed;

	switch (m->type) {
	case MULTIPLIER_BPS:
		return share(m->value, v->bps_l2, f->bps_l2, "BPS L2", factor, e);
	case MULTIPLIER_BPSL1:
		return share(m->value, v->bps_l1, f->bps_l1, "BPS L1", factor, e);
	case MULTIPLIER_PPS:
		return share(m->value, v->pps, f->pps, "pps", factor, e);
	case MULTIPLIER_PERCENTAGE:
		if (m->op == MULTIPLIER_ABS)
			return share(m->value / 100 * link->speed_bps, v->bps_l1, f->bps_l1,
				     "BPS L1", factor, e);
		*factor = link->current * m->value / 100;
		return 0;
	case MULTIPLIER_RAW:
		break;
	}
	*factor = m->value;
	return 0;
}

/* Refuses what the link cannot carry; what only rounding puts above it is brought down to it. */
static int
fit_link(const struct graph *g, const struct multiplier_link *link, double *factor,
	 struct jsonrpc_error *e)
{
	double l1 = graph_peak(g, *factor).bps_l1;

	if (l1 > link->speed_bps * ROUNDING)
		return jsonrpc_fail(e, JSONRPC_FAILED,
				    "Expected L1 B/W: '%g Gbps' exceeds port line rate: '%g Gbps'",
				    l1 / 1e9, link->speed_bps / 1e9);
	if (l1 > link->speed_bps && g->variable.bps_l1 > 0)
		*factor = (link->speed_bps - g->fixed.bps_l1) / g->variable.bps_l1;
	return 0;
}

int
multiplier_factor(const struct multiplier *m, const struct graph *g,
		  const struct multiplier_link *link, double *factor, struct jsonrpc_error *e)
{
	int rc = named_factor(m, g, link, factor, e);

	if (rc < 0)
		return rc;
	if (m->type == MULTIPLIER_PERCENTAGE && m->op == MULTIPLIER_ABS && link->speed_bps <= 0)
		return jsonrpc_fail(e, JSONRPC_FAILED,
				    "Effective bandwidth is zero, this means that your dpdk driver "
				    "does not know the link throughput (virtual), please use "
				    "absolute bandwidth  0");
	if (m->op == MULTIPLIER_ADD)
		*factor = link->current + *factor;
	else if (m->op == MULTIPLIER_SUB)
		*factor = link->current - *factor;
	if (m->op == MULTIPLIER_SUB && *factor <= 0)
		return jsonrpc_fail(e, JSONRPC_FAILED,
				    "Update request will lower traffic to less than zero");
	if (!(*factor > 0) || !isfinite(*factor))
		return jsonrpc_fail(e, JSONRPC_FAILED, "Factor must be positive, got: %g", *factor);
	return link->force || link->speed_bps <= 0 ? 0 : fit_link(g, link, factor, e);
}
