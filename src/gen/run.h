/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/hist.h"
#include "dpdk/counters.h"
#include "dpdk/gaps.h"
#include "dpdk/port.h"
#include "pkt/classify.h"
#include "pkt/seqtrack.h"
#include "pkt/template.h"
#include "run_heap.h"
#include "run_times.h"
#include "stream.h"

/* One profile's transmission on one port: a schedule fixed in advance, and what came of it.  Made
 * by the RPC thread, handed to the worker, and from then on written by the worker alone until it is
 * retired.  Several may be active on a port at once.
 *
 *     NEW -> ACTIVE <-> PAUSED -> SENT
 *
 * The RPC thread asks for changes by the functions run_request_stop, run_pause and run_set_factor,
 * which never wait; the worker makes them before its next round of this run. */

/* A time in ns since the start of the run with 32 bits of fraction, so that no rate drifts. */
struct run_time {
	uint64_t ns;
	uint32_t frac;
};

struct run_vm;

#define RUN_NO_STREAM UINT32_MAX

/* Where a stream stands. */
enum run_stream_state {
	RUN_STREAM_IDLE,    /* not started, or ended */
	RUN_STREAM_WAITING, /* for its next slot */
	RUN_STREAM_HELD,    /* as long as it is paused, or its run is */
};

/* A stream, or what one queue has of it.
 *
 * It starts 'isg' after the run or the stream before it, has a burst of slots, 'step' apart, and
 * more of them each 'ibg' after the last slot of the one before; its end starts the stream 'next',
 * unless that has not ended or this was the last of its actions. */
struct run_stream {
	struct run_time due;  /* of the next slot */
	struct run_time step; /* between slots of the stream */
	uint64_t slots_left;  /* of the burst; UINT64_MAX: endless */
	uint64_t seq;	      /* next sequence = frames sent */
	uint32_t flow;	      /* seq mod flows */
	uint32_t n_built;     /* frames built and not sent yet */
	uint32_t next_flow;   /* (seq + n_built) mod flows */
	uint16_t len;
	bool signature;
	bool usual_payload; /* behind the signature lies frame_fill's pattern */
	bool dummy;	    /* its slots pass without a frame */
	bool variable;	    /* its rate follows the run's factor */
	bool continuous;
	bool paused; /* held whenever it would wait */
	enum run_stream_state state;
	const uint8_t *frame; /* 'len' bytes */
	uint32_t id;	      /* the client's */
	uint32_t flows;	      /* that it has here */
	uint32_t *flow_of;    /* their numbers, ascending; NULL: all of the stream, from 0 */
	uint32_t *gap;	      /* steps from the slot of each to that of the next here; NULL: 1 */
	uint32_t next_slot;   /* whose slot is next, where there are gaps */
	uint64_t sig_word;    /* first word of its signatures, sequence 0 */

	/* Frames without a signature: */
	struct run_vm *vm;     /* that makes them, or NULL */
	uint32_t holds;	       /* what buffers hold in which there was one (tx_mbuf.h) */
	uint16_t head;	       /* bytes that are written anew in each */
	uint16_t mark;	       /* by which they are counted where they arrive, or 0 */
	uint16_t hw_id;	       /* of the trailer */
	uint8_t flow_seq;      /* of the trailer */
	bool stamps;	       /* they end in a trailer */
	struct classify_ip ip; /* where the mark goes */

	/* What comes after this burst: */
	uint64_t burst_slots;
	uint32_t n_bursts, bursts_left; /* behind the first, behind this one; UINT32_MAX: endless */
	uint32_t actions_left;		/* ends that start another stream, one more; 0: no limit */
	uint32_t next;			/* index in its lane, or RUN_NO_STREAM */
	struct run_time isg, ibg;
	uint64_t first_ns; /* of the burst: waits that are longer are of the rate */
	uint64_t held_ns;  /* since when it is held */
	double pps;	   /* at factor 1 */

	/* Slots, and bytes with FCS; of a stream that is the only one of its lane, the lane's. */
	counter_t intended, sent, sent_bytes, refused, late;
	struct run_times *times; /* its own, or the run's */
	uint64_t last_late_ns;	 /* of the frame sent last, or RUN_TIMES_NONE */
	struct frame_template tmpl;
	struct seqtrack track;
};

/* What one transmit queue of the port has to do: its flows of each stream, with the slots that the
 * stream's schedule has for them and with sequence numbers of their own.  So no queue waits for
 * another, and what a full one refuses is its own alone.  With one queue, all. */
struct run_lane {
	const struct run *run;
	struct run_stream *streams; /* of the run's */
	uint16_t n_streams;
	bool simple;	      /* one stream and one burst of it: nothing ever waits in the heap */
	bool chained;	      /* some stream's end starts another */
	uint16_t n_held;      /* streams that are held */
	uint64_t open_until;  /* ends no sooner than that, by the run's clock */
	struct run_heap heap; /* the streams that wait, unless it is simple */
	counter_t intended, sent, refused, late;
};

enum run_state { RUN_NEW, RUN_ACTIVE, RUN_SENT, RUN_PAUSED };
/* Why a run is SENT. */
enum run_end { RUN_END_NONE, RUN_END_DONE, RUN_END_DURATION, RUN_END_STOPPED };

/* Why the worker looks at a run more closely before a round of it; bits. */
#define RUN_STOP 1    /* to be ended */
#define RUN_CHANGES 2 /* there are changes to be made */
#define RUN_HOLD 4    /* it is paused, or has not started yet */

enum run_change_kind { RUN_CHANGE_PAUSE, RUN_CHANGE_RESUME, RUN_CHANGE_FACTOR };

/* What the RPC thread asks for. */
struct run_change {
	enum run_change_kind kind;
	double factor;
	uint32_t *streams; /* numbers of the run's; NULL: all, or the run itself */
	double *factors;   /* of each of these; NULL: the one above */
	size_t n;
};

#define RUN_CHANGES_MAX 16

/* Kinds of received frames; see bench/trial.h. */
enum rx_kind {
	RX_OK,
	RX_DUPLICATE,
	RX_CORRUPT,
	RX_TRUNCATED,
	RX_MISDELIVERED,
	RX_REFLECTED,
	RX_KINDS,
};

struct run {
	uint16_t tx_port;
	uint16_t stream_base; /* signature's stream number of streams[0] */
	uint16_t n_streams;   /* over all lanes */
	uint16_t n_signed;    /* of these */
	uint16_t n_owned;
	uint16_t n_times;
	uint16_t n_lanes;
	uint16_t n_sending; /* lanes that have not come to their end; the worker's */
	uint16_t max_len;
	struct run_stream *streams; /* lane by lane */
	struct stream *owned;	    /* copies the frames point into */
	uint32_t *by_id;	    /* numbers of 'streams', ascending by id */
	struct run_times *times;    /* 'n_times' of them */
	bool flat_out;		    /* no schedule: as fast as the link takes frames */
	bool trims;		    /* some stream's frames differ in length */
	uint64_t duration_ns;	    /* UINT64_MAX: endless */
	uint64_t wait_ns;	    /* how long a refused frame waits */
	uint64_t late_ns;	    /* a slot the worker comes to later than this is late */

	_Atomic int state;
	_Atomic int end;
	_Atomic int attend;   /* RUN_STOP, RUN_CHANGES, RUN_HOLD */
	uint64_t start_at_ns; /* by clock_now_ns; 0: at once */
	uint64_t start_tsc;   /* by the signatures' clock, which never stops */
	uint64_t clock_tsc;   /* by the schedule's, which stops in a pause */
	uint64_t paused_tsc;  /* since when it is paused */
	uint64_t paused_ns;   /* how long it has been, in all */
	counter_t elapsed_ns;
	struct run_change changes[RUN_CHANGES_MAX];
	_Atomic uint32_t n_asked; /* of these, by the RPC thread */
	_Atomic uint32_t n_made;  /* by the worker */

	struct run_lane lane[PORT_MAX_QUEUES];
	counter_t sent_bytes;
	counter_t rx[RX_KINDS];
	counter_t rx_port[2], rx_bytes[2]; /* frames of this run, by port */
	counter_t unidentified; /* of the corrupt and truncated: sequence cannot be told */
	counter_t overdue;	/* frames of earlier runs that arrived during this one */
	counter_t foreign;	/* frames that are none of ours */
	struct gaps gaps;	/* of the worker's rounds, from the first to the last of this run */
	counter_t nivcsw;	/* involuntary switches of the worker meanwhile */
	long nivcsw_before;	/* the worker's count at the start */
	struct hist latency;
	struct hist rounds; /* lengths of the worker's rounds that moved frames */
};

/* Compiles the enabled streams of a profile, those that start by themselves and those that others
 * start.  'factor' multiplies their rates, but for latency streams.  'stream_base' must not have
 * been used by the last runs.  NULL with a sentence when nothing would be sent.
 *
 * With several queues each flow goes to queue flow_hash() mod 'n_queues', and with it all frames
 * that have its addresses and ports: those that are sent as given have one flow.  Streams of one
 * chain, and bursts, stay together. */
struct run_conf {
	uint16_t tx_port;
	uint16_t stream_base;
	uint16_t n_queues; /* 1 to PORT_MAX_QUEUES */
	double factor;
	double speed_bps;
	double duration_s;    /* below 0: endless */
	uint64_t start_at_ns; /* by clock_now_ns; 0: at once */
	bool flat_out;
	const uint8_t *src_mac;
	const uint8_t *dst_mac;
};
struct run *run_new(const struct stream *streams, size_t n, const struct run_conf *conf,
		    struct jsonrpc_error *e);
void run_free(struct run *run);

/* From here on by the RPC thread, of a run that the worker may have.  The worker ends the run
 * before its next round of it. */
void run_request_stop(struct run *run);
/* Stops the run's clock, or lets it run on, with it that of all streams that were paused alone. */
int run_pause(struct run *run, bool pause, struct jsonrpc_error *e);
/* The same for some of its streams. */
int run_pause_streams(struct run *run, const uint32_t *ids, size_t n, bool pause,
		      struct jsonrpc_error *e);
/* Makes 'factor' what multiplies the rates of the variable streams, all of them or the 'n' of 'ids'
 * unless that is NULL.  What is left of the wait for their next frame is scaled. */
int run_set_factor(struct run *run, double factor, const uint32_t *ids, size_t n,
		   struct jsonrpc_error *e);

/* The same with a factor for each of the 'n' streams. */
int run_set_factors(struct run *run, const double *factors, const uint32_t *ids, size_t n,
		    struct jsonrpc_error *e);

/* "new", "active", "paused", "sent". */
const char *run_state_name(const struct run *run);
/* Has it come to its end?  Then everything else of it can be read. */
bool run_is_sent(const struct run *run);

/* What came of a stream's slots: intended = sent + refused + late + those under way. */
struct run_counters {
	uint64_t intended, sent, sent_bytes, refused, late;
};
/* Of the stream with this id; false when the run has none.  sent_bytes are with FCS. */
bool run_stream_counters(const struct run *run, uint32_t id, struct run_counters *c);

/* A time as one number, in units of 2^-64 ns: adding a step takes two instructions. */
typedef unsigned __int128 run_fine_time;

static inline run_fine_time
run_time_fine(const struct run_time *t)
{
	return (run_fine_time)t->ns << 64 | (uint64_t)t->frac << 32;
}

static inline struct run_time
run_time_of(run_fine_time fine)
{
	return (struct run_time){(uint64_t)(fine >> 64), (uint32_t)(fine >> 32)};
}

static inline void
run_advance(struct run_time *t, const struct run_time *step)
{
	*t = run_time_of(run_time_fine(t) + run_time_fine(step));
}

/* From ns to as fine as it gets; at most 2^64 of them. */
static inline struct run_time
run_time_from(double ns)
{
	uint64_t whole = (uint64_t)ns;

	return (struct run_time){whole, (uint32_t)((ns - (double)whole) * 4294967296.0)};
}

/* The run starts at 'tsc'. */
static inline void
run_set_start(struct run *run, uint64_t tsc)
{
	run->start_tsc = run->clock_tsc = tsc;
}

/* Moves the stream's next slot on by so many of its steps. */
static inline void
run_skip(struct run_stream *s, uint32_t steps)
{
	s->due = run_time_of(run_time_fine(&s->due) + run_time_fine(&s->step) * steps);
}

/* Settles how long a refused frame waits, from the streams' rates. */
void run_set_patience(struct run *run);

/* Slots of the run that were planned, sent, refused, late: sums over its lanes. */
uint64_t run_intended(const struct run *run);
uint64_t run_sent(const struct run *run);
uint64_t run_refused(const struct run *run);
uint64_t run_late(const struct run *run);

/* Sequence numbers sent and never received, over all signed streams; for a run that has ended. */
uint64_t run_never_seen(const struct run *run);
uint64_t run_reordered(const struct run *run);
/* Identified frames that were not the first with their sequence, whatever else was wrong with them.
 */
uint64_t run_repeated(const struct run *run);
