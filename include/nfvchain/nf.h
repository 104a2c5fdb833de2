/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <rte_mbuf.h>
#include <rte_version.h>

/* A network function: it sees a burst of frames and writes a verdict for each.
 *
 * It may change the bytes of a frame, and its own state.  It never frees, never sends and never
 * keeps a frame: the engine alone does, and so accounts for all of them.  The same function runs
 * under the polling, the event-driven and the pipeline engine without a change.
 *
 * A function of your own is a shared object with one exported symbol,
 *
 *     const struct nf *nfvchain_nf(void);
 *
 * given to the forwarder as --nf ./mine.so.  It is refused when 'abi' or 'dpdk' differ from the
 * forwarder's: both are set by NF_HEADER. */

#define NF_ABI 1u
#define NF_HEADER .abi = NF_ABI, .dpdk = RTE_VERSION

#define NF_MAX_BURST 256
#define NF_MAX_PORTS 16
#define NF_MAX_REASONS 16

/* What is to become of a frame. */
#define NF_FORWARD 0u			   /* to the port paired with the one it came from */
#define NF_PORT(i) (0x40u | (i))	   /* to port i, 0 to NF_MAX_PORTS - 1 */
#define NF_DROP(reason) (0x80u | (reason)) /* counted under drop_reasons[reason] */
#define NF_IS_PORT(v) (((v)&0xc0u) == 0x40u)
#define NF_IS_DROP(v) (((v)&0x80u) != 0)
#define NF_VALUE(v) ((v)&0x3fu)

/* What the function remembers between frames, so that a plan that would break it is refused. */
enum nf_state {
	NF_STATELESS,
	NF_PER_LCORE, /* each lcore has its own; no sharing */
	NF_PER_FLOW,  /* frames of one flow must be seen in order and by one lcore at a time */
};

/* A port as the function sees it. */
struct nf_port {
	uint8_t addr[6]; /* own address: source of what leaves here */
	uint8_t dest[6]; /* destination of what leaves here */
	uint16_t pair;	 /* port that NF_FORWARD sends to */
};

struct nf_conf {
	const char *args; /* text after the function's name, "" when there is none */
	uint16_t n_ports;
	struct nf_port port[NF_MAX_PORTS];
	uint8_t promiscuous;  /* frames for other destinations are welcome */
	uint8_t mac_updating; /* rewrite addresses (l2fwd's default) */
};

struct nf {
	uint32_t abi;
	uint32_t dpdk;
	const char *name;
	const char *summary;
	enum nf_state state;
	const char *const *drop_reasons; /* NULL-terminated, at most NF_MAX_REASONS; or NULL */
	/* Called once, before any frame: puts a context for each of 'n_lcores' lcores into 'ctx'.
	 * Returns 0, or a negative errno with a sentence in 'why'. */
	int (*open)(const struct nf_conf *conf, unsigned n_lcores, void **ctx, char *why,
		    size_t why_size);
	/* Sees 'n' frames, 1 to NF_MAX_BURST, and fills 'verdict[0..n-1]'.  'ctx' is the calling
	 * lcore's.  frames[i]->port is the port it came from. */
	void (*burst)(void *ctx, struct rte_mbuf **frames, uint16_t n, uint8_t *verdict);
	/* Called once, after the last frame; 'ctx' as open filled it in (NULL where it did not). */
	void (*close)(void **ctx, unsigned n_lcores);
};
