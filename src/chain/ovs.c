/* SPDX-License-Identifier: MIT */
#include "ovs.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <jansson.h>

#include "base/mem.h"

#define ANSWER_S 4

int
ovs_check(struct err *err)
{
	static const char *const files[] = {OVS_VSWITCHD, OVS_SCHEMA, "/usr/bin/ovs-vsctl"};

	for (size_t i = 0; i < N_ELEMS(files); i++)
		if (access(files[i], F_OK) != 0)
			return err_machine(err,
					   "no Open vSwitch with DPDK is installed, '%s' is "
					   "not there (sudo apt install " OVS_PACKAGE ")",
					   files[i]);
	return 0;
}

/* ---- asking ---- */

static int
connect_to(const char *dir, struct err *err)
{
	const struct timeval patience = {.tv_sec = ANSWER_S};
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd, n = snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/ctl", dir);

	if (n < 0 || (size_t)n >= sizeof(addr.sun_path))
		return err_set(err, ENAMETOOLONG, "socket path '%s/ctl' is too long", dir);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_set(err, errno, "socket: %s", strerror(errno));
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (connect(fd, (const struct sockaddr *)&addr, sizeof(addr)) < 0) {
		int rc = err_set(err, errno, "'%s': %s", addr.sun_path, strerror(errno));

		close(fd);
		return rc;
	}
	return fd;
}

/* One answer, for the caller to release. */
static int
receive(int fd, json_t **answer, struct err *err)
{
	json_error_t error;

	/* It keeps the connection open, and the text ends where its bracket closes. */
	*answer = json_loadfd(fd, JSON_DISABLE_EOF_CHECK, &error);
	return *answer != NULL ? 0 : err_set(err, ETIMEDOUT, "no answer: %s", error.text);
}

/* What a command of ovs-appctl's prints, for the caller to free. */
static int
ask(const char *dir, json_t *request, char **text, struct err *err)
{
	char *words = json_dumps(request, JSON_COMPACT);
	int fd = connect_to(dir, err), rc = fd;
	const json_t *result;
	json_t *answer = NULL;

	json_decref(request);
	if (rc >= 0 && send(fd, words, strlen(words), MSG_NOSIGNAL) < 0)
		rc = err_set(err, errno, "'%s/ctl': %s", dir, strerror(errno));
	if (rc >= 0)
		rc = receive(fd, &answer, err);
	result = json_object_get(answer, "result");
	if (rc >= 0 && !json_is_string(result))
		rc = err_set(err, EPROTO, "Open vSwitch refuses to tell its counters");
	*text = rc >= 0 ? xstrdup(json_string_value(result)) : NULL;
	json_decref(answer);
	free(words);
	if (fd >= 0)
		close(fd);
	return rc < 0 ? rc : 0;
}

/* ---- reading ---- */

int
ovs_parse_ports(const char *text, uint64_t *tx_dropped, struct err *err)
{
	unsigned n = 0;

	*tx_dropped = 0;
	for (const char *at = text; (at = strstr(at, " (dpdk")) != NULL; n++) {
		const char *tx = strstr(at, "TX packets:");
		uint64_t dropped;

		at++;
		if (tx == NULL ||
		    sscanf(tx, "TX packets:%*u errors:%*u dropped:%" SCNu64, &dropped) != 1)
			return err_set(err, EPROTO, "a port of Open vSwitch tells no drops");
		*tx_dropped += dropped;
	}
	return n == 2 ? 0 : err_set(err, EPROTO, "Open vSwitch has %u ports, not 2", n);
}

int
ovs_parse_upcalls(const char *text, uint64_t *failed, struct err *err)
{
	static const char words[] = "miss with failed upcall:";
	unsigned n = 0;

	*failed = 0;
	for (const char *at = text; (at = strstr(at, words)) != NULL; n++) {
		uint64_t one;

		at += sizeof(words) - 1;
		if (sscanf(at, " %" SCNu64, &one) != 1)
			break;
		*failed += one;
	}
	return n > 0 ? 0 : err_set(err, EPROTO, "Open vSwitch tells nothing of its upcalls");
}

int
ovs_read_drops(const char *dir, struct ledger_hop *hop, struct err *err)
{
	uint64_t tx_dropped = 0, failed = 0;
	char *ports = NULL, *pmds = NULL;
	int rc = ask(dir,
		     json_pack("{s:i, s:s, s:[s, s]}", "id", 0, "method", "dpctl/show", "params",
			       "-s", "netdev@ovs-netdev"),
		     &ports, err);

	if (rc == 0)
		rc = ask(dir,
			 json_pack("{s:i, s:s, s:[]}", "id", 0, "method",
				   "dpif-netdev/pmd-stats-show", "params"),
			 &pmds, err);
	if (rc == 0)
		rc = ovs_parse_ports(ports, &tx_dropped, err);
	if (rc == 0)
		rc = ovs_parse_upcalls(pmds, &failed, err);
	if (rc == 0) {
		ledger_drop(hop, "tx_full", tx_dropped);
		ledger_drop(hop, "upcall_failed", failed);
	}
	free(ports);
	free(pmds);
	return rc;
}
