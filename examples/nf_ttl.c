/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <nfvchain/nf.h>

/* What every router does to an IPv4 frame: one hop less to live, and a header checksum to match.
 *
 *     --nf ./nf_ttl.so
 *
 * The checksum is not computed anew: it follows from what changed (RFC 1624, equation 3), which
 * leaves a frame that was corrupt as corrupt as it was.  IPv6 has a hop limit and no checksum.
 * Anything else passes. */

enum { DROP_EXPIRED, DROP_SHORT };

static const char *const drop_reasons[] = {
	[DROP_EXPIRED] = "expired", /* its last hop was the one before */
	[DROP_SHORT] = "short",	    /* the header is not all there */
	NULL,
};

enum { ETH_SIZE = 14, IPV4_SIZE = 20, IPV6_SIZE = 40 };
enum { TYPE_IPV4 = 0x0800, TYPE_IPV6 = 0x86dd };

static uint16_t
get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static void
put16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

/* The checksum 'check' once a word it covers has changed. */
static uint16_t
update_check(uint16_t check, uint16_t from, uint16_t to)
{
	uint32_t sum = (uint16_t)~check + (uint32_t)(uint16_t)~from + to;

	sum = (sum >> 16) + (sum & 0xffff);
	sum += sum >> 16;
	return (uint16_t)~sum;
}

static uint8_t
age_ipv4(uint8_t *ip, unsigned room)
{
	uint16_t before;

	if (room < IPV4_SIZE)
		return NF_DROP(DROP_SHORT);
	if (ip[8] <= 1)
		return NF_DROP(DROP_EXPIRED);
	/* Time to live and protocol are a word. */
	before = get16(ip + 8);
	ip[8]--;
	put16(ip + 10, update_check(get16(ip + 10), before, get16(ip + 8)));
	return NF_FORWARD;
}

static uint8_t
age_ipv6(uint8_t *ip, unsigned room)
{
	if (room < IPV6_SIZE)
		return NF_DROP(DROP_SHORT);
	if (ip[7] <= 1)
		return NF_DROP(DROP_EXPIRED);
	ip[7]--;
	return NF_FORWARD;
}

static uint8_t
age(uint8_t *frame, unsigned len)
{
	if (len < ETH_SIZE)
		return NF_FORWARD;
	switch (get16(frame + ETH_SIZE - 2)) {
	case TYPE_IPV4:
		return age_ipv4(frame + ETH_SIZE, len - ETH_SIZE);
	case TYPE_IPV6:
		return age_ipv6(frame + ETH_SIZE, len - ETH_SIZE);
	default:
		return NF_FORWARD;
	}
}

static void
ttl_burst(void *ctx, struct rte_mbuf **frames, uint16_t n, uint8_t *verdict)
{
	(void)ctx;
	for (uint16_t i = 0; i < n; i++)
		verdict[i] = age(rte_pktmbuf_mtod(frames[i], uint8_t *),
				 rte_pktmbuf_data_len(frames[i]));
}

static int
ttl_open(const struct nf_conf *conf, unsigned n_lcores, void **ctx, char *why, size_t why_size)
{
	(void)n_lcores, (void)ctx;
	if (conf->args[0] == '\0')
		return 0;
	snprintf(why, why_size, "takes no arguments, not '%s'", conf->args);
	return -EINVAL;
}

static const struct nf ttl = {
	NF_HEADER,
	.name = "ttl",
	.summary = "takes one hop off the time to live",
	.state = NF_STATELESS,
	.drop_reasons = drop_reasons,
	.open = ttl_open,
	.burst = ttl_burst,
};

const struct nf *nfvchain_nf(void);

const struct nf *
nfvchain_nf(void)
{
	return &ttl;
}
