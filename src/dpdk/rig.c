/* SPDX-License-Identifier: MIT */
#include "rig.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <rte_bus_vdev.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>

#include "base/mem.h"
#include "cpus.h"
#include "eal.h"

#define RING_FLAGS (RING_F_SP_ENQ | RING_F_SC_DEQ | RING_F_EXACT_SZ)

static struct eal eal;
static char run_dir[64];

/* 'lcores' as EAL takes them. */
static int
start(void **state, char *lcores)
{
	char words[][48] = {"rig",
			    "--lcores",
			    "",
			    "--no-huge",
			    "-m",
			    "256",
			    "--no-pci",
			    "--no-telemetry",
			    "--log-level=*:error",
			    ""};
	char *argv[N_ELEMS(words) + 1] = {NULL};
	struct err err = {0};

	(void)state;
	snprintf(words[N_ELEMS(words) - 1], sizeof(words[0]), "--file-prefix=rig-%d",
		 (int)getpid());
	for (size_t i = 0; i < N_ELEMS(words); i++)
		argv[i] = words[i];
	argv[2] = lcores;
	/* EAL leaves folders behind even after a clean end. */
	snprintf(run_dir, sizeof(run_dir), "/tmp/nfvchain-rig-XXXXXX");
	if (mkdtemp(run_dir) == NULL) {
		print_error("mkdtemp(%s) failed\n", run_dir);
		return -1;
	}
	setenv("RUNTIME_DIRECTORY", run_dir, 1);
	unsetenv("NFVCHAIN_EAL_ARGS");
	if (eal_start(&eal, N_ELEMS(words), argv, 64, &err) < 0) {
		print_error("%s\n", err.msg);
		rig_stop(state);
		return -1;
	}
	return 0;
}

int
rig_start(void **state)
{
	char lcores[] = "0";

	return start(state, lcores);
}

int
rig_start_lcores(void **state, unsigned n)
{
	char lcores[48 + CPUS_TEXT], list[CPUS_TEXT];
	struct cpus allowed;
	struct err err;

	if (cpus_allowed(&allowed, &err) < 0)
		return -1;
	snprintf(lcores, sizeof(lcores), "(0-%u)@(%s)", n - 1,
		 cpus_print(list, sizeof(list), &allowed));
	return start(state, lcores);
}

static int
remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

int
rig_stop(void **state)
{
	(void)state;
	eal_stop(&eal);
	return nftw(run_dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static struct rte_ring *
new_ring(const char *port, const char *end, uint16_t queue, unsigned room)
{
	char name[RTE_RING_NAMESIZE];
	struct rte_ring *ring;

	snprintf(name, sizeof(name), "%.16s-%s%u", port, end, queue);
	ring = rte_ring_create(name, room, SOCKET_ID_ANY, RING_FLAGS);
	assert_non_null(ring);
	return ring;
}

void
rig_port_open_queues(struct rig_port *port, uint16_t n, unsigned in_room, unsigned out_room)
{
	static unsigned n_opened;
	int id;

	assert_true(n >= 1 && n <= RIG_MAX_QUEUES);
	snprintf(port->name, sizeof(port->name), "rig%u", n_opened++);
	for (uint16_t q = 0; q < n; q++) {
		port->ins[q] = new_ring(port->name, "in", q, in_room);
		port->outs[q] = new_ring(port->name, "out", q, out_room);
	}
	port->n_queues = n;
	port->in = port->ins[0];
	port->out = port->outs[0];
	id = rte_eth_from_rings(port->name, port->ins, n, port->outs, n, SOCKET_ID_ANY);
	assert_true(id >= 0);
	port->id = (uint16_t)id;
}

void
rig_port_open(struct rig_port *port, unsigned in_room, unsigned out_room)
{
	rig_port_open_queues(port, 1, in_room, out_room);
}

void
rig_port_close(struct rig_port *port)
{
	char device[64];

	snprintf(device, sizeof(device), "net_ring_%s", port->name);
	(void)rte_vdev_uninit(device);
	for (uint16_t q = 0; q < port->n_queues; q++) {
		rig_discard(port->ins[q], UINT32_MAX);
		rig_discard(port->outs[q], UINT32_MAX);
		rte_ring_free(port->ins[q]);
		rte_ring_free(port->outs[q]);
	}
	*port = (struct rig_port){0};
}

struct rte_mbuf *
rig_take(struct rte_ring *ring)
{
	void *m;

	return rte_ring_dequeue(ring, &m) == 0 ? m : NULL;
}

unsigned
rig_discard(struct rte_ring *ring, unsigned max)
{
	struct rte_mbuf *m;
	unsigned n = 0;

	while (n < max && (m = rig_take(ring)) != NULL) {
		rte_pktmbuf_free(m);
		n++;
	}
	return n;
}
