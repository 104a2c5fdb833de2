/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "base/err.h"
#include "chain.h"

/* The traffic generator as the orchestrator drives it: TRex's stateless RPC, with our extensions
 * under x_nfvchain.  Or a real TRex, that has none of them: see tg_trex.h. */

struct tg;
struct trial;
struct trial_spec;

/* Connects to 'endpoint', retrying until 'timeout_ms', and acquires both ports. */
int tg_open(struct tg **tg, const char *endpoint, int timeout_ms, struct err *err);
/* See stl_be_patient. */
void tg_be_patient(struct tg *tg, int call_ms);
/* The same, and takes ports from another owner only if 'force': a generator that others use too. */
int tg_open_shared(struct tg **tg, const char *endpoint, int timeout_ms, bool force,
		   struct err *err);
/* Gives the ports back, for other clients to take. */
void tg_release(struct tg *tg);
void tg_close(struct tg *tg);

/* What port 0 is to send. */
struct tg_traffic {
	const struct imix *frames;
	uint32_t flows;
	bool ipv6;
	uint16_t vlan;
	const uint8_t *dst_mac; /* into the frames, instead of the port's destination; or NULL */
};

/* A real TRex? */
bool tg_is_trex(const struct tg *tg);
/* Where the frames of a TRex go, unless the traffic says: its own configuration is not ours. */
void tg_set_dest(struct tg *tg, const uint8_t mac[6]);
/* -ETIMEDOUT, with a sentence, when it does not answer within 'timeout_ms'. */
int tg_ping(struct tg *tg, int timeout_ms, struct err *err);

/* As the generator says. */
int tg_link_is_up(struct tg *tg, unsigned port, bool *up, struct err *err);

/* Pause between two questions, and how long counters stand still when nothing arrives any more. */
int tg_poll_ms(const struct tg *tg);
int tg_quiet_ms(const struct tg *tg);

/* Replaces the streams of port 0: one for each size of the mix, signed, with rates in proportion
 * to their weights and departures spread over the period. */
int tg_set_streams(struct tg *tg, const struct tg_traffic *traffic, struct err *err);

/* Starts port 0 for 'duration_s'; 'flat_out' without a schedule. */
int tg_start(struct tg *tg, double pps, double duration_s, bool flat_out, struct err *err);
int tg_stop(struct tg *tg, struct err *err);

/* Has the run ended?  And how many frames have come in at both ports since the start of the
 * program? */
int tg_poll(struct tg *tg, bool *sent, uint64_t *received, struct err *err);

/* Frames that port 0 has sent and port 1 has received since the start of the program. */
int tg_counts(struct tg *tg, uint64_t *sent, uint64_t *received, struct err *err);

/* Of a TRex: remembers its counters before a trial, and fills in what it knows of the trial since,
 * once nothing moves any more: all that 'measure' takes from x_nfvchain_trial of ours. */
int tg_begin(struct tg *tg, struct err *err);
int tg_finish(struct tg *tg, const struct trial_spec *spec, struct trial *t, struct err *err);

/* What x_nfvchain_trial says of port 0: a new reference. */
int tg_trial(struct tg *tg, json_t **result, struct err *err);

/* {dpdk, devices: [{promiscuous}]} of its two ports, read back from them: a new reference.  A
 * generator that is not ours does not tell its DPDK, which is then missing. */
int tg_facts(struct tg *tg, json_t **facts, struct err *err);
