/* SPDX-License-Identifier: MIT */
#pragma once

#include <signal.h>
#include <stdbool.h>

#include "base/proc.h"
#include "bench/ledger.h"
#include "plan.h"
#include "rpc/control.h"
#include "rpc/telemetry.h"
#include "rundir.h"
#include "tg.h"

/* A chain that is up: its processes, and the sockets to ask them by.  This is the back end for
 * processes on this machine. */

struct backend_hop {
	struct control_client *control;	    /* nfvchain-fwd */
	struct telemetry_client *telemetry; /* other DPDK programs; NULL when it has no socket */
	bool tells_times;		    /* it runs with --stage-times */
	json_t *times; /* its counters when the trial began, with how times are distributed, or NULL
			*/
	pid_t busy_tid; /* its thread that polls, 0 as long as nobody asked */
};

struct backend_vms;
struct backend_links;
struct supervise;

struct backend {
	const struct chain *chain;
	const struct chain_plan *plan;
	struct rundir dir;
	size_t n_started;
	struct proc proc[PLAN_MAX_PROCS]; /* in the order of the plan */
	struct backend_hop hop[CHAIN_MAX_HOPS];
	char *rpc_endpoint;	     /* where the generator is spoken to */
	struct backend_vms *vms;     /* NULL when the chain has none; see backend_vm.h */
	struct backend_links *links; /* NULL when none is the kernel's; see backend_links.h */
	struct tg *tg;
	pid_t generator_tid;	     /* its thread that polls, 0 as long as nobody asked */
	struct sensors *sensors;     /* of the trials it carries; NULL before the first */
	struct supervise *supervise; /* NULL: nobody is started again; see supervise.h */
	bool frozen;		     /* all its processes are stopped */
	char dpdk_version[64];	     /* as the first hop of ours says, or "" */
	/* Set by a signal handler: stop waiting and return -EINTR. */
	const volatile sig_atomic_t *stop;
};

/* Starts everything in order and waits until each is ready.  'dir' is taken over.  On failure what
 * was started is stopped again, and the sentence quotes the program's last words. */
int backend_up(struct backend *b, const struct chain *chain, const struct chain_plan *plan,
	       struct rundir *dir, const volatile sig_atomic_t *stop, struct err *err);
/* Stops everything, hops first, and removes the run directory.  Takes a half-started one. */
void backend_down(struct backend *b);

/* The same at once, for a chain whose counters nobody will read any more: nothing drains. */
void backend_kill(struct backend *b);

/* Sleeps for 'ms', or less: -EINTR when the user wants to stop, -ECHILD with a sentence when a
 * program has died. */
int backend_wait(struct backend *b, int ms, struct err *err);
/* Has anything died?  As backend_wait(0).  Hops that are supervised are started again here. */
int backend_check(struct backend *b, struct err *err);

/* Stops all processes of the chain where they are, and returns once none of them runs, so that it
 * leaves its CPUs to another chain; meanwhile no call to it can be answered. */
int backend_freeze(struct backend *b, struct err *err);
/* Lets a frozen chain go on. */
void backend_thaw(struct backend *b);
/* The same for hop 'i' alone. */
int backend_pause_hop(struct backend *b, size_t i, struct err *err);
void backend_resume_hop(struct backend *b, size_t i);
/* And for the generator, which then answers nobody. */
int backend_pause_generator(struct backend *b, struct err *err);
void backend_resume_generator(struct backend *b);
/* The thread of hop 'i' that polls, its main thread when none does. */
pid_t backend_busy_thread(struct backend *b, size_t i);

/* Why a call to a program of the chain failed with 'rc': when one has died, or does so within a
 * moment, for a dying one closes its sockets first, that is the better sentence and the result is
 * -ECHILD; else both stay as they are. */
int backend_explain(struct backend *b, int rc, struct err *err);

/* How to start a process of the plan; points into the plan. */
struct proc_conf backend_proc_conf(const struct plan_proc *pp);

/* Does hop 'i' run a program of ours, that can be asked? */
bool backend_can_ask(const struct backend *b, size_t i);
/* Asks it by JSON-RPC, wherever it is: see control_client_call.  One that is supervised and dies
 * meanwhile is asked again once it is back. */
int backend_ask(struct backend *b, size_t i, const char *method, json_t *params, int timeout_ms,
		json_t **result, struct err *err);

/* Counters of hop 'i' since it started; 'exact' lets it come to rest first.  A hop that cannot be
 * read is filled in as not known. */
int backend_read_hop(struct backend *b, size_t i, bool exact, struct ledger_hop *hop,
		     struct err *err);
/* The same by telemetry, of a program that is not ours and was not supervised. */
int backend_read_foreign(struct backend *b, size_t i, struct ledger_hop *hop, struct err *err);
/* The counters of hop 'i' with how the times of its stages are distributed, for the caller to
 * free; NULL when it does not measure them, as far as the last backend_read_hop showed. */
int backend_read_times(struct backend *b, size_t i, json_t **counters, struct err *err);
