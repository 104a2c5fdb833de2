/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/opt.h"
#include "base/str.h"
#include "chain/census.h"
#include "chain/chain.h"
#include "chain/takedown.h"

#include "command.h"

/* nfvchain down: takes chains down from outside. */

struct down_conf {
	bool all;
	bool quiet;
	char *connect;
};

#define FIELD(member) OPT_FIELD(struct down_conf, member)

static const struct opt down_opts[] = {
	{"all", 0, NULL, "every chain of yours, whatever its name", opt_set_switch, FIELD(all),
	 NULL, OPT_NO_ENV},
	{"connect", 0, "URI", "libvirt to look at (qemu:///system, if it answers)", opt_set_text,
	 FIELD(connect), NULL, 0},
	{"quiet", 'q', NULL, "do not say what was removed", opt_set_switch, FIELD(quiet), NULL, 0},
};

const struct opt_command down_command = {
	.name = "nfvchain down",
	.positional = "[CHAIN]",
	.summary = "Takes a chain down, by its name or its file: ends the nfvchain that has it up, "
		   "and removes what one that was killed has left.",
	.examples = "nfvchain down snake\n"
		    "nfvchain down chains/vm-snake.yaml\n"
		    "nfvchain down --all\n",
	.env_prefix = "NFVCHAIN",
	.opts = down_opts,
	.n_opts = N_ELEMS(down_opts),
};

struct told {
	bool quiet;
	size_t n;
};

static void
tell(void *arg, const char *chain, const char *what)
{
	struct told *told = arg;

	told->n++;
	if (told->quiet)
		return;
	printf("%s: %s\n", chain, what);
	fflush(stdout);
}

/* ---- which ---- */

static bool
is_file(const char *word)
{
	const char *dot = strrchr(word, '.');

	return strchr(word, '/') != NULL ||
	       (dot != NULL && (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0));
}

/* The name of the chain that 'word' means, for the caller to free. */
static int
name_of(const char *word, char **name, struct err *err)
{
	struct chain chain = {0};
	int rc;

	if (!is_file(word)) {
		*name = xstrdup(word);
		return 0;
	}
	rc = chain_load(&chain, word, err);
	if (rc == 0)
		*name = xstrdup(chain.name);
	chain_fini(&chain);
	return rc;
}

/* Without a name: the one chain that there is. */
static int
check_alone(const struct census *c, struct err *err)
{
	struct str names = {0};
	int rc = 0;

	for (size_t i = 0; i < c->n; i++)
		str_addf(&names, "%s%s", i > 0 ? ", " : "", c->chain[i].name);
	if (c->n > 1)
		rc = err_usage(err, "which one? There are %s; --all takes down all of them",
			       str_text(&names));
	str_fini(&names);
	return rc;
}

/* ---- down ---- */

/* Keeps the first failure; the others go all the same. */
static int
first(int rc, int now, struct err *err, const struct err *why, const char *name)
{
	if (now >= 0 || rc < 0)
		return rc;
	*err = *why;
	return err_wrap(err, now, "chain '%s'", name);
}

static int
end_owners(const struct census *c, const struct takedown_conf *conf, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < c->n; i++) {
		struct err why = {0};
		int now = takedown_owner(&c->chain[i], conf, &why);

		rc = first(rc, now, err, &why, c->chain[i].name);
	}
	return rc;
}

static int
clear_all(const struct census *c, const struct takedown_conf *conf, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < c->n; i++) {
		struct err why = {0};
		int now = takedown(c, &c->chain[i], conf, &why);

		rc = first(rc, now, err, &why, c->chain[i].name);
	}
	return rc;
}

static int
down(const struct down_conf *conf, const char *name, struct err *err)
{
	struct census_conf census_conf = {.chain = name, .uri = conf->connect};
	struct told told = {.quiet = conf->quiet};
	struct takedown_conf takedown_conf = {.tell = tell, .arg = &told};
	struct census c = {0};
	int rc = census_take(&c, &census_conf, err);

	if (rc == 0 && name == NULL && !conf->all)
		rc = check_alone(&c, err);
	if (rc == 0)
		rc = end_owners(&c, &takedown_conf, err);
	/* What is still there when those have taken down theirs. */
	if (rc == 0 && told.n > 0) {
		census_fini(&c);
		rc = census_take(&c, &census_conf, err);
	}
	if (rc == 0)
		rc = clear_all(&c, &takedown_conf, err);
	census_fini(&c);
	if (rc == 0 && told.n == 0 && !conf->quiet)
		printf("nothing %s%s is here\n", name != NULL ? "of chain " : "of any chain",
		       name != NULL ? name : "");
	return rc;
}

int
cmd_down(int argc, char **argv, struct err *err)
{
	struct down_conf conf = {0};
	char *name = NULL;
	int rc = opt_parse(&down_command, &argc, &argv, &conf, NULL, err);

	if (rc == 0 && argc > 1)
		rc = err_usage(err, "one chain at a time, or --all ('%s' is one too many)",
			       argv[1]);
	if (rc == 0 && argc > 0 && conf.all)
		rc = err_usage(err, "--all takes down every chain; '%s' is one", argv[0]);
	if (rc == 0 && argc > 0)
		rc = name_of(argv[0], &name, err);
	if (rc == 0)
		rc = down(&conf, name, err);
	free(name);
	free(conf.connect);
	return rc;
}
