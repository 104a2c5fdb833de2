/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/opt.h"
#include "chain/census.h"

#include "command.h"
#include "session.h"

/* nfvchain ps: which chains are up here, and what is left of those that nobody took down. */

struct ps_conf {
	bool json;
	char *connect;
};

#define FIELD(member) OPT_FIELD(struct ps_conf, member)

static const struct opt ps_opts[] = {
	{"json", 0, NULL, "print all that was found as JSON", opt_set_switch, FIELD(json), NULL,
	 OPT_NO_ENV},
	{"connect", 0, "URI", "libvirt to look at (qemu:///system, if it answers)", opt_set_text,
	 FIELD(connect), NULL, 0},
};

const struct opt_command ps_command = {
	.name = "nfvchain ps",
	.summary = "Says which chains are up, and what is left of those that nobody took down.  "
		   "Changes nothing.",
	.examples = "nfvchain ps\n"
		    "nfvchain ps --json\n",
	.env_prefix = "NFVCHAIN",
	.opts = ps_opts,
	.n_opts = N_ELEMS(ps_opts),
};

/* "2d 3h", "3h 20min", "4min 5s", "12s". */
static void
print_age(char *buf, size_t size, double s)
{
	if (s >= 86400)
		snprintf(buf, size, "%dd %dh", (int)(s / 86400), (int)(s / 3600) % 24);
	else if (s >= 3600)
		snprintf(buf, size, "%dh %dmin", (int)(s / 3600), (int)(s / 60) % 60);
	else if (s >= 60)
		snprintf(buf, size, "%dmin %ds", (int)(s / 60), (int)s % 60);
	else
		snprintf(buf, size, "%ds", (int)s);
}

static void
print_chain(const struct census_chain *ch)
{
	char pid[16] = "-", age[32] = "-";
	char *things = census_print_things(ch);

	if (ch->owner > 0) {
		snprintf(pid, sizeof(pid), "%d", ch->owner);
		print_age(age, sizeof(age), ch->up_s);
	}
	printf("%-20s  %-5s  %-8s  %7s  %-10s  %s\n", ch->name, ch->owner > 0 ? "up" : "left",
	       ch->command != NULL ? ch->command : "-", pid, age, things);
	free(things);
}

static void
print(const struct census *c)
{
	bool any_left = false;

	if (c->n == 0) {
		printf("no chain is up, and nothing is left of any\n");
		return;
	}
	printf("%-20s  %-5s  %-8s  %7s  %-10s  %s\n", "CHAIN", "STATE", "COMMAND", "PID", "SINCE",
	       "HAS");
	for (size_t i = 0; i < c->n; i++) {
		print_chain(&c->chain[i]);
		any_left |= c->chain[i].owner == 0;
	}
	if (any_left)
		printf("'nfvchain down CHAIN' removes what is left, 'nfvchain down --all' takes "
		       "down all of it\n");
}

int
cmd_ps(int argc, char **argv, struct err *err)
{
	struct census_conf census_conf = {0};
	struct ps_conf conf = {0};
	struct census c = {0};
	int rc = opt_parse(&ps_command, &argc, &argv, &conf, NULL, err);

	if (rc == 0 && argc > 0)
		rc = err_usage(err, "it takes no chain ('%s'): all are listed", argv[0]);
	if (rc == 0) {
		census_conf.uri = conf.connect;
		rc = census_take(&c, &census_conf, err);
	}
	if (rc == 0 && conf.json) {
		json_t *json = census_to_json(&c);

		rc = json_write(json, stdout);
		json_decref(json);
	} else if (rc == 0) {
		print(&c);
	}
	census_fini(&c);
	free(conf.connect);
	return rc;
}
