/* SPDX-License-Identifier: MIT */
#include "fault.h"

#include <errno.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_pause.h>

#include "forwarder.h"
#include "pkt/frame.h"
#include "stage_times.h"

static const char *const names[] = {"none",    "drop",	   "lose",	"duplicate", "reorder",
				    "corrupt", "truncate", "wrong_mac", "slow"};

int
fault_kind_parse(const char *word, enum fault_kind *kind)
{
	for (unsigned i = 0; i < RTE_DIM(names); i++) {
		if (strcmp(word, names[i]) == 0) {
			*kind = (enum fault_kind)i;
			return 0;
		}
	}
	return -EINVAL;
}

const char *
fault_kind_name(enum fault_kind kind)
{
	return names[kind];
}

static void
flip_payload_bit(struct rte_mbuf *m)
{
	uint8_t *data = rte_pktmbuf_mtod(m, uint8_t *);
	struct frame_view v;
	size_t at = m->data_len - 1u;

	/* Inside the signature, where a receiver must notice: its bytes 8 to 13 are a time. */
	if (frame_parse(data, m->data_len, &v) && v.payload + 10u < m->data_len)
		at = v.payload + 10u;
	data[at] ^= 0x10;
}

static void
aim_at_nobody(struct rte_mbuf *m)
{
	static const uint8_t nobody[6] = {0x02, 0xff, 0xff, 0xff, 0xff, 0xfe};

	memcpy(rte_pktmbuf_mtod(m, uint8_t *), nobody, sizeof(nobody));
}

static void
burn(uint32_t cycles)
{
	uint64_t until = rte_rdtsc() + cycles;

	while (rte_rdtsc() < until)
		rte_pause();
}

static struct rte_mbuf *
copy_of(struct fwd_lcore *w, struct rte_mbuf *m)
{
	struct rte_mbuf *copy = rte_pktmbuf_copy(m, w->fwd->pool, 0, UINT32_MAX);

	if (copy != NULL) {
		copy->port = m->port;
		times_copied(w, copy);
		counter_add(&w->created, 1);
	}
	return copy;
}

static void
keep(struct fwd_lcore *w, struct rte_mbuf *m, uint8_t verdict)
{
	w->fault.kept = m;
	w->fault.kept_verdict = verdict;
	w->fault.kept_left = w->fault.distance;
	counter_add(&w->in_flight, 1);
}

static struct rte_mbuf *
take_kept(struct fwd_lcore *w, uint8_t *verdict)
{
	struct rte_mbuf *m = w->fault.kept;

	if (m == NULL)
		return NULL;
	*verdict = w->fault.kept_verdict;
	w->fault.kept = NULL;
	counter_add(&w->in_flight, (uint64_t)-1);
	return m;
}

/* Treats one frame; false when it is gone from the burst.  '*extra' is a frame to add. */
static bool
treat(struct fwd_lcore *w, struct rte_mbuf *m, uint8_t verdict, struct rte_mbuf **extra)
{
	struct fault *f = &w->fault;

	switch (f->kind) {
	case FAULT_DROP:
		counter_add(&w->drop[REASON_FAULT], 1);
		times_dropped(w, &m, 1);
		rte_pktmbuf_free(m);
		return false;
	case FAULT_LOSE:
		rte_pktmbuf_free(m);
		return false;
	case FAULT_DUPLICATE:
		*extra = copy_of(w, m);
		return true;
	case FAULT_REORDER:
		keep(w, m, verdict);
		return false;
	case FAULT_CORRUPT:
		flip_payload_bit(m);
		return true;
	case FAULT_TRUNCATE:
		(void)rte_pktmbuf_trim(m, 4);
		return true;
	case FAULT_SLOW:
		burn(f->cycles);
		return true;
	case FAULT_WRONG_MAC:
		aim_at_nobody(m);
		return true;
	default:
		return true;
	}
}

/* Is it this frame's turn? */
static bool
due(struct fault *f)
{
	if (f->left == 0 || f->kept != NULL)
		return false;
	if (f->share_ppm > 0) {
		f->share_sum += f->share_ppm;
		if (f->share_sum < 1000000)
			return false;
		f->share_sum -= 1000000;
		f->left--;
		return true;
	}
	if (f->wait > 0) {
		f->wait--;
		return false;
	}
	f->wait = f->spacing - 1;
	f->left--;
	return true;
}

static void
maybe_disarm(struct fault *f)
{
	if (f->left == 0 && f->kept == NULL)
		atomic_store_explicit(&f->armed, 0, memory_order_release);
}

uint16_t
fault_apply(struct fwd_lcore *w, struct rte_mbuf **frames, uint8_t *verdict, uint16_t n)
{
	struct fault *f = &w->fault;
	struct rte_mbuf *in[CONF_MAX_BURST];
	uint8_t kinds[CONF_MAX_BURST];
	uint16_t out = 0, room = FAULT_ROOM;

	if (f->until_tsc > 0 && rte_rdtsc() >= f->until_tsc)
		f->left = 0;
	memcpy(in, frames, n * sizeof(*in));
	memcpy(kinds, verdict, n);
	for (uint16_t i = 0; i < n; i++) {
		struct rte_mbuf *extra = NULL;

		/* An lcore may serve several ports: a kept frame goes back among its own. */
		if (f->kept != NULL && in[i]->port == f->kept->port && f->kept_left-- == 0) {
			frames[out] = take_kept(w, &verdict[out]);
			out++;
		}
		if (!NF_IS_DROP(kinds[i]) && room > 1 && due(f)) {
			atomic_fetch_add_explicit(&f->done, 1, memory_order_relaxed);
			if (!treat(w, in[i], kinds[i], &extra))
				continue;
		}
		frames[out] = in[i];
		verdict[out++] = kinds[i];
		if (extra != NULL) {
			frames[out] = extra;
			verdict[out++] = kinds[i];
			room--;
		}
	}
	maybe_disarm(f);
	return out;
}

struct rte_mbuf *
fault_flush(struct fwd_lcore *w, uint8_t *verdict)
{
	struct rte_mbuf *m = take_kept(w, verdict);

	maybe_disarm(&w->fault);
	return m;
}
