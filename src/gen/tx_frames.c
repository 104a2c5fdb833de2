/* SPDX-License-Identifier: MIT */
#include "tx_frames.h"

#include <rte_cycles.h>

#include "latency.h"
#include "run_frames.h"
#include "tx_mbuf.h"

/* What a stream's frames begin with, in a local variable: the compiler knows then that no frame
 * overwrites it, and keeps it in registers. */
typedef uint8_t head_step __attribute__((vector_size(16)));
#define STEPS 4

struct head_loop {
	head_step step[STEPS];
	const uint8_t *frame;
	uint16_t last; /* offset of the last step, which may overlap */
	uint16_t rest; /* bytes behind it */
	uint32_t holds;
};

static inline struct head_loop
head_loop(const struct run_stream *s)
{
	const uint16_t short_head = RTE_MIN(s->head, STEPS * sizeof(head_step));
	struct head_loop l = {
		.frame = s->frame,
		.last = (uint16_t)(short_head - sizeof(head_step)),
		.rest = (uint16_t)(s->head - short_head),
		.holds = s->holds,
	};

	for (unsigned i = 0; i + 1 < STEPS; i++)
		memcpy(&l.step[i], s->frame + i * sizeof(head_step), sizeof(head_step));
	memcpy(&l.step[STEPS - 1], s->frame + l.last, sizeof(head_step));
	return l;
}

/* The first frame of the stream in this buffer: all of it. */
static __rte_noinline void
fill(struct rte_mbuf *m, const struct run_stream *s, uint8_t *data)
{
	memcpy(data, s->frame, s->len);
	*tx_holds_of(m) = s->holds;
}

/* Makes the buffer one of the stream's frame as the client gave it. */
static __rte_always_inline uint8_t *
start_frame(struct rte_mbuf *m, const struct run_stream *s, const struct mbuf_head *mh,
	    const struct head_loop *l)
{
	uint8_t *data = set_buffer(m, mh);

	if (unlikely(*tx_holds_of(m) != l->holds)) {
		fill(m, s, data);
		return data;
	}
	for (unsigned i = 0; i + 1 < STEPS; i++)
		memcpy(data + i * sizeof(head_step), &l->step[i], sizeof(head_step));
	memcpy(data + l->last, &l->step[STEPS - 1], sizeof(head_step));
	if (unlikely(l->rest > 0))
		memcpy(data + STEPS * sizeof(head_step), l->frame + STEPS * sizeof(head_step),
		       l->rest);
	return data;
}

/* Nothing but the frame as it is. */
static void
build_constant(const struct run_stream *s, struct rte_mbuf **mbufs, uint16_t n)
{
	const struct mbuf_head mh = mbuf_head(s->len);
	const struct head_loop l = head_loop(s);

	for (uint16_t i = 0; i < n; i++)
		(void)start_frame(mbufs[i], s, &mh, &l);
}

static void
trim(struct rte_mbuf *m, uint16_t len)
{
	m->data_len = len;
	m->pkt_len = len;
}

/* Keeps the state while no frame is under way, for that costs the least. */
static inline void
keep(struct run_vm *vm, const struct run_stream *s)
{
	if (s->n_built > 0)
		return;
	memcpy(vm->kept, vm->built, vm->state_size);
	vm->kept_seq = s->seq;
}

static void
build_by_program(struct run_stream *s, struct rte_mbuf **mbufs, uint16_t n)
{
	const struct mbuf_head mh = mbuf_head(s->len);
	const struct head_loop l = head_loop(s);
	struct run_vm *vm = s->vm;

	keep(vm, s);
	for (uint16_t i = 0; i < n; i++) {
		uint8_t *data = start_frame(mbufs[i], s, &mh, &l);
		uint16_t len = vm_run(vm->program, vm->built, data, s->len);

		if (len != s->len)
			trim(mbufs[i], len);
	}
}

/* What comes into a frame behind its program. */
static void
finish_frame(const struct run_stream *s, struct rte_mbuf *m, uint32_t seq, uint64_t tsc)
{
	uint8_t *data = rte_pktmbuf_mtod(m, uint8_t *);

	if (s->mark != 0 && s->vm != NULL)
		classify_mark(data, &s->ip, s->mark);
	if (s->stamps)
		latency_stamp(data, m->data_len, s->hw_id, s->flow_seq, seq, tsc);
	if (s->vm != NULL && s->vm->checksums)
		vm_checksums(s->vm->program, data, m->data_len);
}

void
tx_build_given(struct run_stream *s, struct rte_mbuf **mbufs, uint16_t n)
{
	uint32_t seq = LATENCY_FIRST_SEQ + (uint32_t)(s->seq + s->n_built);
	uint64_t tsc;

	if (s->vm == NULL)
		build_constant(s, mbufs, n);
	else
		build_by_program(s, mbufs, n);
	if (likely(!s->stamps && (s->mark == 0 || s->vm == NULL)))
		return;
	tsc = s->stamps ? rte_rdtsc() : 0;
	for (uint16_t i = 0; i < n; i++)
		finish_frame(s, mbufs[i], seq++, tsc);
}

void
tx_unbuild_vm(struct run_stream *s)
{
	struct run_vm *vm = s->vm;

	vm_advance(vm->program, vm->kept, (uint32_t)(s->seq - vm->kept_seq));
	vm->kept_seq = s->seq;
	memcpy(vm->built, vm->kept, vm->state_size);
}
