/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent.h"
#include "base/log.h"
#include "init.h"

/* nfvchain-agent: the first process of a guest, or for tests an ordinary one at a descriptor. */

#define PORT "nfvchain.ctl"
/* virtio-serial is there as soon as PCI is looked through. */
#define PORT_MS 20000

struct conf {
	struct agent_conf agent;
	int fd; /* the channel; -1: the virtio-serial port */
};

static void
usage(FILE *out)
{
	fprintf(out, "Runs in a guest of nfvchain and does what the host asks.\n\n"
		     "Usage: nfvchain-agent [OPTION]...   (the first process of a machine needs "
		     "none)\n\n"
		     "  --fd N        serve this descriptor, not the port '" PORT "'\n"
		     "  --run DIR     where the host may put files (/run/nfvchain)\n"
		     "  --sys DIR     where sysfs is (/sys)\n"
		     "  --proc DIR    where procfs is (/proc)\n"
		     "  --image FILE  facts of the image (/etc/nfvchain/image.json)\n");
}

static int
parse(struct conf *conf, int argc, char **argv)
{
	static const struct option options[] = {
		{"fd", required_argument, NULL, 'f'},
		{"run", required_argument, NULL, 'r'},
		{"sys", required_argument, NULL, 's'},
		{"proc", required_argument, NULL, 'p'},
		{"image", required_argument, NULL, 'i'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (c == 'f')
			conf->fd = atoi(optarg);
		else if (c == 'r')
			conf->agent.run = optarg;
		else if (c == 's')
			conf->agent.sys = optarg;
		else if (c == 'p')
			conf->agent.proc = optarg;
		else if (c == 'i')
			conf->agent.image = optarg;
		else
			usage(c == 'h' ? stdout : stderr);
		if (c == 'h' || c == '?')
			return c == 'h' ? 0 : ERR_USAGE;
	}
	return -1;
}

static int
serve(const struct conf *conf, int fd, struct err *err)
{
	bool is_init = getpid() == 1;
	struct loop *loop;
	struct agent agent;
	bool off = false;
	int rc = loop_open(&loop, err);

	if (rc < 0)
		return rc;
	rc = agent_open(&agent, &conf->agent, loop, fd, conf->fd < 0, err);
	if (rc == 0) {
		if (is_init)
			init_collect(loop, &agent.programs);
		loop_run(loop);
		off = agent.is_going_off;
		agent_close(&agent);
	}
	loop_close(loop);
	if (is_init && off)
		init_power_off();
	return rc;
}

int
main(int argc, char **argv)
{
	struct conf conf = {.agent = {.run = "/run/nfvchain",
				      .sys = "/sys",
				      .proc = "/proc",
				      .image = "/etc/nfvchain/image.json"},
			    .fd = -1};
	struct err err = {0};
	int fd, rc;

	log_init("nfvchain-agent", LOG_NOTICE);
	signal(SIGPIPE, SIG_IGN);
	rc = parse(&conf, argc, argv);
	if (rc >= 0)
		return rc;
	if (getpid() == 1)
		init_system();
	mkdir(conf.agent.run, 0755);
	fd = conf.fd >= 0 ? conf.fd : init_open_port(PORT, PORT_MS, &err);
	if (fd < 0)
		rc = fd;
	else if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
		rc = err_set(&err, errno, "descriptor %d: %s", fd, strerror(errno));
	else
		rc = serve(&conf, fd, &err);
	if (rc < 0)
		LOG(ERR, "%s", err.msg);
	return rc < 0 ? err_exit_code(&err) : 0;
}
