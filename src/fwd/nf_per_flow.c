/* SPDX-License-Identifier: MIT */
#include <string.h>

#include <nfvchain/nf.h>

/* For tests: a function that says it keeps state for each flow.  It is built as users build theirs,
 * so that both the unit test and the scripts can name it. */

static int
per_flow_open(const struct nf_conf *conf, unsigned n_lcores, void **ctx, char *why, size_t why_size)
{
	(void)conf, (void)n_lcores, (void)ctx, (void)why, (void)why_size;
	return 0;
}

static void
per_flow_burst(void *ctx, struct rte_mbuf **frames, uint16_t n, uint8_t *verdict)
{
	(void)ctx, (void)frames;
	memset(verdict, NF_FORWARD, n);
}

static const struct nf per_flow = {
	NF_HEADER,
	.name = "per_flow",
	.summary = "forwards, and claims to remember each flow",
	.state = NF_PER_FLOW,
	.open = per_flow_open,
	.burst = per_flow_burst,
};

const struct nf *nfvchain_nf(void);

const struct nf *
nfvchain_nf(void)
{
	return &per_flow;
}
