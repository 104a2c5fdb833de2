/* SPDX-License-Identifier: MIT */
#pragma once

#include <signal.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/err.h"

/* A guest, as the host sees it: the agent inside (src/agent), at the other end of a connected
 * descriptor - QEMU's socket of the virtio-serial port 'nfvchain.ctl', a stream of libvirt's.
 *
 * One guest has one thread, which reads, writes and carries forwarded connections; the calls below
 * may come from any thread, several at once.  Each waits for its answer up to 'timeout_ms': then
 * -ETIMEDOUT, and the answer is ignored when it comes.  -EPIPE once the connection has ended,
 * -EINTR when '*stop' was set, -EREMOTEIO or the guest's own errno when the agent says no, with its
 * sentence.  Sentences begin with the guest's name. */

struct guest;

/* The port by its name; QEMU: -device virtserialport,name=... */
#define GUEST_PORT "nfvchain.ctl"
/* Of the requests and answers; the agent's must be the same. */
#define GUEST_PROTOCOL 1

/* Patience with a boot: three to five seconds under emulation on a quiet machine. */
#define GUEST_BOOT_MS 60000

struct guest_conf {
	const char *name; /* for messages, copied */
	int fd;		  /* connected, stays the caller's until guest_close has returned */
	int timeout_ms;	  /* for the agent's hello; GUEST_BOOT_MS after a start */
	/* Set by a signal handler: stop waiting.  May be NULL. */
	const volatile sig_atomic_t *stop;
};

/* Connects, or connects again: what an earlier connection had asked for is forgotten, programs in
 * the guest run on.  Returns once the agent has said hello. */
int guest_open(struct guest **g, const struct guest_conf *conf, struct err *err);
/* Closes forwarded connections; the guest goes on as it is. */
void guest_close(struct guest *g);

/* What the agent said of itself at the start: 'version', 'kernel', 'dpdk', 'hugepages' ('wanted',
 * 'total', 'free', 'size_kb'), 'nics' ('mac', 'pci', 'driver'), 'programs'.  Borrowed. */
const json_t *guest_facts(const struct guest *g);
/* Refuses a guest that has fewer hugepages than its kernel was asked for. */
int guest_check_hugepages(const struct guest *g, struct err *err);

/* Any request by name; steals 'params' (NULL for none).  '*result' is a new reference; 'result' may
 * be NULL. */
int guest_call(struct guest *g, const char *method, json_t *params, int timeout_ms, json_t **result,
	       struct err *err);

/* Writes a file below /run/nfvchain, which appears whole or not at all. */
int guest_put(struct guest *g, const char *path, const void *data, size_t len, unsigned mode,
	      int timeout_ms, struct err *err);

/* Gives the NIC with this MAC, or at this PCI address where no driver of the guest's kernel reads
 * MACs, to 'driver' ("uio_pci_generic", "vfio-pci", "virtio-pci"), and writes its PCI address into
 * 'pci' (16 bytes). */
int guest_bind(struct guest *g, const char *which, const char *driver, char pci[16], int timeout_ms,
	       struct err *err);

struct guest_program {
	const char *name;	 /* for later calls: letters, digits, '-', '_' */
	const char *const *argv; /* NULL-terminated */
	const char *const *env;	 /* "NAME=value" beside the agent's own, NULL-terminated, or NULL */
	/* The SOCK_SEQPACKET socket that it is asked at, below /run/nfvchain: it is ready once
	 * somebody listens there.  NULL: as soon as it runs. */
	const char *socket;
};

/* Starts a program and waits until it is ready.  One that dies first is an error, which quotes the
 * last line of its log. */
int guest_start(struct guest *g, const struct guest_program *program, int timeout_ms,
		struct err *err);
/* SIGINT, after 'timeout_ms' SIGKILL.  '*status' as waitpid gives it; one that ended before is told
 * the same. */
int guest_stop(struct guest *g, const char *name, int timeout_ms, int *status, struct err *err);
/* The last 'bytes' of a program's log, for the caller to free. */
int guest_log(struct guest *g, const char *name, size_t bytes, char **text, struct err *err);

/* Asks a program's control socket by JSON-RPC: 'name' was started with a 'socket'.  As
 * control_client_call. */
int guest_control(struct guest *g, const char *name, const char *method, json_t *params,
		  int timeout_ms, json_t **result, struct err *err);
/* Asks a DPDK telemetry socket at 'path' in the guest, such as
 * "/run/nfvchain/fwd/dpdk/rte/dpdk_telemetry.v2".  As telemetry_client_get. */
int guest_telemetry(struct guest *g, const char *path, const char *command, int timeout_ms,
		    json_t **value, struct err *err);

/* Listens on 127.0.0.1 here and carries each connection to 127.0.0.1:'guest_port' in the guest,
 * until guest_close.  '*port': which to listen at, 0 for any; then the one it is. */
int guest_forward(struct guest *g, uint16_t guest_port, uint16_t *port, struct err *err);

/* Asks the guest to switch itself off; the connection ends when it has. */
int guest_poweroff(struct guest *g, int timeout_ms, struct err *err);
