/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"

#include "guest.h"
#include "guest_parts.h"

/* Ports of this machine that lead into a guest. */

struct guest_listener {
	struct guest_job job; /* first: it is one until the guest's thread has it */
	struct guest_listener *next;
	struct guest *guest;
	int fd;
	uint16_t guest_port;
	struct loop_watch *watch;
};

static void
on_client(void *arg)
{
	struct guest_listener *l = arg;
	int fd = accept4(l->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd >= 0)
		tunnel_carry(guest_tunnel(l->guest), fd, l->guest_port);
}

/* The job is freed when this returns, so what lasts is a copy. */
static void
run_listen(struct guest *g, struct guest_job *job)
{
	struct guest_listener *l = xcalloc(1, sizeof(*l)), **all = guest_listeners(g);

	memcpy(l, job, sizeof(*l));
	l->next = *all;
	*all = l;
	l->watch = loop_fd(guest_loop(g), l->fd, on_client, l);
}

static int
listen_at(int fd, uint16_t *port, struct err *err)
{
	struct sockaddr_in addr = {.sin_family = AF_INET,
				   .sin_port = htons(*port),
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(addr);
	int one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&addr, size) < 0 || listen(fd, (int)TUNNEL_MAX) < 0 ||
	    getsockname(fd, (struct sockaddr *)&addr, &size) < 0)
		return err_set(err, errno, "127.0.0.1:%u: %s", *port, strerror(errno));
	*port = ntohs(addr.sin_port);
	return 0;
}

int
guest_forward(struct guest *g, uint16_t guest_port, uint16_t *port, struct err *err)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct guest_listener *l;
	int rc;

	if (fd < 0)
		return err_set(err, errno, "%s: socket: %s", guest_name(g), strerror(errno));
	rc = listen_at(fd, port, err);
	if (rc < 0) {
		close(fd);
		return err_wrap(err, rc, "%s", guest_name(g));
	}
	l = xcalloc(1, sizeof(*l));
	*l = (struct guest_listener){
		.job.run = run_listen, .guest = g, .fd = fd, .guest_port = guest_port};
	guest_do(g, &l->job);
	return 0;
}

void
guest_close_listeners(struct guest *g)
{
	struct guest_listener **all = guest_listeners(g);

	while (*all != NULL) {
		struct guest_listener *l = *all;

		*all = l->next;
		loop_unwatch(l->watch);
		close(l->fd);
		free(l);
	}
}
