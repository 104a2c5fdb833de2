/* SPDX-License-Identifier: MIT */
#include "up_again.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "chain/census.h"
#include "chain/marks.h"
#include "chain/onlook.h"
#include "chain/rundir.h"
#include "chain/takedown.h"
#include "rpc/control.h"
#include "session.h"

#define WHOLE_MS 30000
#define LOOK_MS 50
#define ASK_MS 1000

/* ---- what differs ---- */

/* All of a file, or NULL; for the caller to free. */
static char *
read_text(const char *path)
{
	char *text = xcalloc(1, 1 << 16);
	FILE *file = fopen(path, "re");
	size_t n = file != NULL ? fread(text, 1, (1 << 16) - 1, file) : 0;

	if (file != NULL)
		fclose(file);
	if (n == 0) {
		free(text);
		return NULL;
	}
	return text;
}

/* The first line that is another one. */
static int
refuse_other(const char *name, pid_t owner, const char *there, const char *here, struct err *err)
{
	size_t line = 1;

	while (*there != '\0' && strcspn(there, "\n") == strcspn(here, "\n") &&
	       strncmp(there, here, strcspn(there, "\n") + 1) == 0) {
		there += strcspn(there, "\n") + 1;
		here += strcspn(here, "\n") + 1;
		line++;
	}
	return err_set(err, EBUSY,
		       "another chain '%s' is up (pid %d): where it has '%.*s', this one has "
		       "'%.*s' (line %zu of both, as printed); 'nfvchain down %s' ends it",
		       name, owner, (int)strcspn(there, "\n"), there, (int)strcspn(here, "\n"),
		       here, line, name);
}

static int
check_same(const struct chain *chain, const struct rundir_info *info, bool trex_ports,
	   struct err *err)
{
	char *path = rundir_chain_path(info->path), *there = read_text(path);
	char *here = chain_print(chain);
	struct onlook_facts facts;
	int rc = 0;

	if (there != NULL && strcmp(there, here) != 0)
		rc = refuse_other(chain->name, info->owner, there, here, err);
	if (onlook_read(&facts, info->path, NULL) == 0 && rc == 0 && trex_ports &&
	    facts.endpoint != NULL && strncmp(facts.endpoint, "tcp:", 4) != 0)
		rc = err_set(err, EBUSY,
			     "chain '%s' is up without --trex-ports (pid %d); 'nfvchain down %s' "
			     "ends it",
			     chain->name, info->owner, chain->name);
	onlook_facts_fini(&facts);
	free(path);
	free(there);
	free(here);
	return rc;
}

/* ---- what is dead ---- */

static bool
answers(const char *run_dir, const char *hop)
{
	char *path = xasprintf("%s/%s.ctl", run_dir, hop);
	struct control_client *client = NULL;
	struct err ignored = {0};
	bool does = control_client_open(&client, path, 0, &ignored) == 0;

	if (does)
		does = control_client_call(client, "hello", NULL, ASK_MS, NULL, &ignored) == 0;
	control_client_close(client);
	free(path);
	return does;
}

static bool
is_alive(const struct chain *chain, size_t i, const char *run_dir, const struct marked *found,
	 size_t n)
{
	const struct chain_hop *hop = &chain->hop[i];

	/* Guests are their keeper's. */
	if (hop->place == PLACE_VM)
		return true;
	if (hop->kind == HOP_FWD)
		return answers(run_dir, hop->name);
	for (size_t k = 0; k < n; k++)
		if (strcmp(found[k].name, hop->name) == 0)
			return true;
	return false;
}

/* Which hops do not run: bit i. */
static unsigned
find_dead(const struct chain *chain, const char *run_dir)
{
	struct marked *found = NULL;
	struct err ignored = {0};
	unsigned dead = 0;
	size_t n = 0;

	(void)marked_find(chain->name, run_dir, &found, &n, &ignored);
	for (size_t i = 0; i < chain->n_hops; i++)
		if (!is_alive(chain, i, run_dir, found, n))
			dead |= 1u << i;
	marked_free(found, n);
	return dead;
}

static bool
has_owner(const char *run_dir, pid_t pid)
{
	struct rundir_info now;
	bool has;

	rundir_look(&now, run_dir);
	has = now.owner == pid;
	rundir_info_fini(&now);
	return has;
}

/* Has whoever keeps it start them, and waits. */
static int
heal(const struct chain *chain, const struct rundir_info *info, bool *done, struct err *err)
{
	struct deadline d = deadline_in_ms(WHOLE_MS);
	unsigned first = find_dead(chain, info->path), dead = first;

	if (dead != 0)
		kill(info->owner, UP_AGAIN_SIGNAL);
	while (dead != 0 && !deadline_passed(&d) && session_stop == 0) {
		clock_sleep_ms(LOOK_MS);
		/* One that could not keep it has taken it down. */
		if (!has_owner(info->path, info->owner))
			return 0;
		dead = find_dead(chain, info->path);
	}
	for (size_t i = 0; i < chain->n_hops; i++) {
		if ((dead & 1u << i) != 0)
			return err_set(err, ETIMEDOUT,
				       "chain '%s' is up (pid %d), but its hop '%s' does not come "
				       "up; 'nfvchain logs %s %s' may tell why",
				       chain->name, info->owner, chain->hop[i].name, chain->name,
				       chain->hop[i].name);
		if ((first & 1u << i) != 0)
			printf("started %s again\n", chain->hop[i].name);
	}
	printf("chain '%s' is up%s (pid %d)\n", chain->name, first == 0 ? " already" : "",
	       info->owner);
	*done = true;
	return 0;
}

/* ---- what is left ---- */

static void
tell(void *arg, const char *chain, const char *what)
{
	(void)arg;
	printf("%s: %s\n", chain, what);
	fflush(stdout);
}

static const struct census_chain *
find_chain(const struct census *c, const char *name)
{
	for (size_t i = 0; i < c->n; i++)
		if (strcmp(c->chain[i].name, name) == 0)
			return &c->chain[i];
	return NULL;
}

static int
clear_left(const struct census *c, const struct census_chain *ch, struct err *err)
{
	const struct takedown_conf conf = {.tell = tell};

	printf("%s: what is left of it goes first\n", ch->name);
	return takedown(c, ch, &conf, err);
}

int
up_again(const struct chain *chain, bool trex_ports, bool *done, struct err *err)
{
	char *run_dir = rundir_path(chain->name);
	const struct census_conf conf = {.chain = chain->name};
	const struct census_chain *ch;
	struct rundir_info info;
	struct census c = {0};
	int rc = 0;

	*done = false;
	rundir_look(&info, run_dir);
	free(run_dir);
	if (info.exists || info.owner > 0)
		rc = census_take(&c, &conf, err);
	ch = find_chain(&c, chain->name);
	/* Who measures has it for himself: that is told when its lock is asked for. */
	if (rc == 0 && ch != NULL && info.owner > 0 && ch->command != NULL &&
	    strcmp(ch->command, "up") == 0) {
		rc = check_same(chain, &info, trex_ports, err);
		if (rc == 0)
			rc = heal(chain, &info, done, err);
	} else if (rc == 0 && ch != NULL && info.owner == 0 && census_has_things(ch)) {
		rc = clear_left(&c, ch, err);
	}
	census_fini(&c);
	rundir_info_fini(&info);
	return rc;
}
