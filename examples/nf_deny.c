/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nfvchain/nf.h>

/* A firewall of one table: drops TCP and UDP frames by their ports.
 *
 *     --nf ./nf_deny.so:53,8000-8100,src=49152-49155
 *
 * denies destination ports 53 and 8000 to 8100, and source ports 49152 to 49155.  What has no ports
 * passes, but for fragments: theirs are in another frame, so they are dropped under a reason of
 * their own.
 *
 * It remembers nothing from one frame to the next, so it is stateless: any lcore may see any frame,
 * in any order.  The table is only read once open has returned, so all lcores share it. */

enum { DROP_DENIED, DROP_FRAGMENT };

static const char *const drop_reasons[] = {
	[DROP_DENIED] = "denied",
	[DROP_FRAGMENT] = "fragment",
	NULL,
};

/* Indexed by port, as it is on the wire. */
struct deny {
	bool src[UINT16_MAX + 1];
	bool dst[UINT16_MAX + 1];
};

/* Ethernet, IPv4 and IPv6, byte by byte, so that nothing has to be aligned. */
enum { ETH_SIZE = 14, IPV4_SIZE = 20, IPV6_SIZE = 40, PORTS_SIZE = 4 };
enum { TYPE_IPV4 = 0x0800, TYPE_IPV6 = 0x86dd, PROTO_TCP = 6, PROTO_UDP = 17 };

static uint16_t
get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

/* The header at 'ip', of which 'room' bytes are there: bytes up to the ports, 0 when there are
 * none; a fragment without ports is told apart. */
static unsigned
ports_offset(const uint8_t *ip, unsigned room, uint16_t type, bool *fragment)
{
	unsigned size = 0;
	uint8_t proto = 0;

	if (type == TYPE_IPV4 && room >= IPV4_SIZE) {
		size = (ip[0] & 0x0fu) * 4;
		proto = ip[9];
		*fragment = (get16(ip + 6) & 0x1fff) != 0;
	} else if (type == TYPE_IPV6 && room >= IPV6_SIZE) {
		size = IPV6_SIZE;
		proto = ip[6];
	}
	if (*fragment || (proto != PROTO_TCP && proto != PROTO_UDP) || room < size + PORTS_SIZE)
		return 0;
	return size;
}

static uint8_t
judge(const struct deny *d, const uint8_t *frame, unsigned len)
{
	bool fragment = false;
	const uint8_t *ip = frame + ETH_SIZE;
	unsigned at;

	if (len < ETH_SIZE)
		return NF_FORWARD;
	at = ports_offset(ip, len - ETH_SIZE, get16(frame + ETH_SIZE - 2), &fragment);
	if (fragment)
		return NF_DROP(DROP_FRAGMENT);
	if (at != 0 && (d->src[get16(ip + at)] || d->dst[get16(ip + at + 2)]))
		return NF_DROP(DROP_DENIED);
	return NF_FORWARD;
}

static void
deny_burst(void *ctx, struct rte_mbuf **frames, uint16_t n, uint8_t *verdict)
{
	for (uint16_t i = 0; i < n; i++)
		verdict[i] = judge(ctx, rte_pktmbuf_mtod(frames[i], const uint8_t *),
				   rte_pktmbuf_data_len(frames[i]));
}

/* One word of the arguments: [src=]PORT[-PORT]. */
static int
add_word(struct deny *d, const char *word)
{
	bool is_src = strncmp(word, "src=", 4) == 0;
	unsigned first, last;
	int end = 0;

	word += is_src ? 4 : 0;
	if (sscanf(word, "%5u-%5u%n", &first, &last, &end) != 2) {
		last = sscanf(word, "%5u%n", &first, &end) == 1 ? first : 0;
	}
	if (end == 0 || word[end] != '\0' || first > last || last > UINT16_MAX)
		return -EINVAL;
	for (unsigned port = first; port <= last; port++)
		(is_src ? d->src : d->dst)[port] = true;
	return 0;
}

static int
deny_open(const struct nf_conf *conf, unsigned n_lcores, void **ctx, char *why, size_t why_size)
{
	struct deny *d = calloc(1, sizeof(*d));
	char *args = strdup(conf->args), *rest = args, *word;
	int rc = d != NULL && args != NULL ? 0 : -ENOMEM;

	if (rc == 0 && *args == '\0')
		rc = -EINVAL;
	while (rc == 0 && (word = strsep(&rest, ",")) != NULL)
		rc = add_word(d, word);
	if (rc < 0)
		snprintf(why, why_size, "which ports? (53,8000-8100,src=49152)");
	free(args);
	if (rc < 0) {
		free(d);
		return rc;
	}
	for (unsigned i = 0; i < n_lcores; i++)
		ctx[i] = d;
	return 0;
}

static void
deny_close(void **ctx, unsigned n_lcores)
{
	(void)n_lcores;
	free(ctx[0]);
}

static const struct nf deny = {
	NF_HEADER,
	.name = "deny",
	.summary = "drops TCP and UDP frames by their ports",
	.state = NF_STATELESS,
	.drop_reasons = drop_reasons,
	.open = deny_open,
	.burst = deny_burst,
	.close = deny_close,
};

const struct nf *nfvchain_nf(void);

const struct nf *
nfvchain_nf(void)
{
	return &deny;
}
