/* SPDX-License-Identifier: MIT */
#pragma once

#include <signal.h>

#include "chain/backend.h"
#include "chain/chain.h"
#include "chain/plan.h"

/* A chain that a command has up, from plan to clean-up, and the signals that end it. */

struct session {
	const struct chain *chain;
	struct chain_plan plan;
	struct backend backend;
	bool up;
};

/* SIGINT and SIGTERM set session_stop from now on, instead of ending the program. */
void session_catch_signals(void);
/* The signal that came, or 0. */
extern volatile sig_atomic_t session_stop;

/* Turns an interruption into its exit code, 130 or 143. */
int session_interrupted(struct err *err);

/* The CPUs that this process may use. */
int session_allowed_cpus(struct chain_cpus *cpus, struct err *err);

/* How VMs run, for all chains of this command: by its options.  The default is to see what works.
 */
struct session_vms {
	enum vm_accel_want accel;
	const char *connect; /* libvirt's URI, or NULL */
};

/* Rows of those options. */
#define SESSION_ACCEL_HELP "of VMs: KVM where it works, else emulation (auto)"
#define SESSION_CONNECT_HELP "libvirt that VMs run under (qemu:///system, where links need it)"
extern const char *const session_accels[];

extern struct session_vms session_vms;
/* Takes the values of --accel and --connect, either of which may be NULL; 'connect' stays the
 * caller's. */
int session_set_vms(const char *accel, const char *connect, struct err *err);

/* Take the ports of a TRex that runs already from others? */
extern bool session_force_ports;

/* Makes the plan of 'chain' for this machine. */
int session_plan(struct chain_plan *plan, const struct chain *chain, bool trex_ports, bool verbose,
		 struct err *err);

int session_up(struct session *s, const struct chain *chain, bool trex_ports, struct err *err);
/* The same for a chain between two files, which session_up refuses. */
int session_up_files(struct session *s, const struct chain *chain, struct err *err);
/* The same for one of several chains that are up at once: see rundir_path_arm. */
int session_plan_arm(struct chain_plan *plan, const struct chain *chain, char arm, bool trex_ports,
		     bool verbose, struct err *err);
int session_up_arm(struct session *s, const struct chain *chain, char arm, bool trex_ports,
		   struct err *err);
/* The same with the first hop under callgrind. */
int session_up_counted(struct session *s, const struct chain *chain, char arm, struct err *err);
/* Makes 'chain' of the chain that is up, whose one hop is in a VM: the machines stay, and the hop's
 * program is replaced.  All else of both must be the same.  When it fails, the session is still to
 * be taken down. */
int session_become(struct session *s, const struct chain *chain, struct err *err);
void session_down(struct session *s);
/* The same without any patience. */
void session_kill(struct session *s);
