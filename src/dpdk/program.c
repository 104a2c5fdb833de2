/* SPDX-License-Identifier: MIT */
#include "program.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/units.h"
#include "idle.h"

const char *const program_idle_words[] = {"auto", "spin", "yield", "sleep", NULL};

int
program_set_port_mac(void *field, const char *text, struct err *err)
{
	struct port_mac *macs = field;
	char *copy = xstrdup(text), *save = NULL;
	int rc = 0;

	if (text[strspn(text, "; ")] == '\0')
		rc = err_usage(err, "'%s' is not PORT,MAC (try 1,02:00:00:00:00:01)", text);
	for (char *word = strtok_r(copy, "; ", &save); rc == 0 && word != NULL;
	     word = strtok_r(NULL, "; ", &save)) {
		char *sep = strpbrk(word, ",=");
		uint64_t port;

		if (sep == NULL) {
			rc = err_usage(err, "'%s' is not PORT,MAC (try 1,02:00:00:00:00:01)", word);
			break;
		}
		*sep = '\0';
		rc = uint_parse(word, 0, PROGRAM_MAX_PORTS - 1, &port, err);
		if (rc == 0)
			rc = mac_parse(sep + 1, macs[port].mac, err);
		if (rc == 0)
			macs[port].set = true;
	}
	free(copy);
	return rc;
}

int
program_set_idle(void *field, const char *text, struct err *err)
{
	if (idle_policy_parse(text, field) < 0)
		return err_usage(err, "'%s' is none of auto, spin, yield, sleep", text);
	return 0;
}

int
program_set_fd(void *field, const char *text, struct err *err)
{
	uint64_t fd;
	int rc = uint_parse(text, 0, 1u << 20, &fd, err);

	if (rc == 0)
		*(int *)field = (int)fd;
	return rc;
}

void
program_block_signals(void)
{
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
}
