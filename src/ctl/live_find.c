/* SPDX-License-Identifier: MIT */
#include "live_find.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "chain/onlook.h"
#include "chain/rundir.h"

/* Where the chain's keeper says; else the chain's own socket, else what '--trex-ports' opens. */
static char *
find_generator(const char *run_dir)
{
	struct onlook_facts facts;
	char *path = xasprintf("%s/rpc", run_dir), *at;

	if (onlook_read(&facts, run_dir, NULL) == 0 && facts.endpoint != NULL)
		at = xstrdup(facts.endpoint);
	else
		at = access(path, F_OK) == 0 ? xasprintf("ipc://%s", path)
					     : xstrdup("tcp://127.0.0.1:4501");
	onlook_facts_fini(&facts);
	free(path);
	return at;
}

/* What its run directory says the chain is; without it hops are found by their sockets. */
static void
read_chain(struct live_chain *c)
{
	char *path = rundir_chain_path(c->run_dir);
	struct err ignored = {0};

	if (access(path, R_OK) == 0 &&
	    (chain_load(&c->chain, path, &ignored) < 0 || strcmp(c->chain.name, c->name) != 0))
		chain_fini(&c->chain);
	free(path);
}

int
live_chain_find(struct live_chain *c, const char *word, const char *at, struct err *err)
{
	const bool is_file = strpbrk(word, "./") != NULL;
	int rc = is_file ? chain_load(&c->chain, word, err) : 0;

	if (rc < 0)
		return rc;
	c->name = xstrdup(is_file ? c->chain.name : word);
	c->run_dir = rundir_path(c->name);
	if (!is_file)
		read_chain(c);
	c->told_at = at != NULL;
	c->console.at = at != NULL ? xstrdup(at) : NULL;
	c->console.read_only = true;
	profile_places_find(&c->console.places);
	return 0;
}

bool
live_chain_may_be_up(const struct live_chain *c)
{
	return c->told_at || access(c->run_dir, F_OK) == 0;
}

int
live_chain_connect(struct live_chain *c, struct err *err)
{
	int rc;

	if (!c->told_at) {
		free(c->console.at);
		c->console.at = find_generator(c->run_dir);
	}
	rc = console_connect(&c->console, err);
	if (rc < 0 && !live_chain_may_be_up(c))
		return err_set(err, -rc, "chain '%s' is not up ('nfvchain up' brings it up)",
			       c->name);
	if (rc == 0)
		c->live = live_open(c->run_dir, c->chain.n_hops > 0 ? &c->chain : NULL);
	return rc;
}

void
live_chain_disconnect(struct live_chain *c)
{
	live_close(c->live);
	c->live = NULL;
	stl_close(c->console.stl);
	c->console.stl = NULL;
}

void
live_chain_fini(struct live_chain *c)
{
	live_chain_disconnect(c);
	console_fini(&c->console);
	chain_fini(&c->chain);
	free(c->name);
	free(c->run_dir);
}
