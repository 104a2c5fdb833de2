/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "command.h"
#include "console.h"
#include "console_terminal.h"
#include "session.h"

/* nfvchain console: lines from a terminal, a file or a pipe, to a generator, ours or TRex. */

struct console_conf {
	char *at, *batch;
	bool force, read_only;
};

#define FIELD(member) OPT_FIELD(struct console_conf, member)

static const struct opt console_opts[] = {
	{"at", 0, "ENDPOINT", "of the generator (tcp://127.0.0.1:4501)", opt_set_text, FIELD(at),
	 NULL, 0},
	{"batch", 'b', "FILE", "do the lines of a file, and end at the first that fails",
	 opt_set_text, FIELD(batch), NULL, OPT_NO_ENV},
	{"force", 'f', NULL, "take ports from their owners", opt_set_switch, FIELD(force), NULL,
	 OPT_NO_ENV},
	{"read-only", 'r', NULL, "take no ports: only look on", opt_set_switch, FIELD(read_only),
	 NULL, OPT_NO_ENV},
};

const struct opt_command console_command = {
	.name = "nfvchain console",
	.positional = NULL,
	.summary = "Commands a running generator, ours or TRex, with the words of TRex's console.",
	.examples =
		"nfvchain up --trex-ports &\nnfvchain console\n"
		"printf 'start -f imix -m 10kpps -p 0 -d 5 --sync\\nstats\\n' | nfvchain console\n",
	.env_prefix = "NFVCHAIN",
	.opts = console_opts,
	.n_opts = N_ELEMS(console_opts),
};

/* The lines of 'in' in turn, named 'name' where one fails. */
static int
run_batch(struct console *c, FILE *in, const char *name, struct err *err)
{
	char *line = NULL;
	size_t room = 0;
	int rc = 0;

	for (unsigned n = 1; rc == 0 && !session_stop && getline(&line, &room, in) >= 0; n++) {
		rc = console_line(c, line, err);
		fflush(stdout);
		if (rc < 0)
			err_wrap(err, rc, "%s:%u", name, n);
	}
	free(line);
	return rc == CONSOLE_QUIT ? 0 : rc;
}

static int
run_file(struct console *c, const char *path, struct err *err)
{
	FILE *in = fopen(path, "re");
	int rc;

	if (in == NULL)
		return err_usage(err, "%s: %s", path, strerror(errno));
	rc = run_batch(c, in, path, err);
	fclose(in);
	return rc;
}

static int
run(struct console *c, const struct console_conf *conf, struct err *err)
{
	int rc = console_connect(c, err);

	if (rc < 0)
		return rc;
	session_catch_signals();
	if (conf->batch != NULL)
		rc = run_file(c, conf->batch, err);
	else if (!isatty(STDIN_FILENO))
		rc = run_batch(c, stdin, "stdin", err);
	else
		rc = console_terminal(c, err);
	if (rc == 0 && session_stop)
		rc = err_class(err, (enum err_class)(128 + session_stop),
			       "interrupted; ports send on as they did");
	return rc;
}

int
cmd_console(int argc, char **argv, struct err *err)
{
	struct console_conf conf = {.at = xstrdup("tcp://127.0.0.1:4501")};
	struct console c = {0};
	int rc = opt_parse(&console_command, &argc, &argv, &conf, NULL, err);

	if (rc == 0 && argc > 0)
		rc = err_usage(err, "'%s' is not an option", argv[0]);
	if (rc == 0 && conf.force && conf.read_only)
		rc = err_usage(err, "--force takes ports, --read-only takes none");
	if (rc == 0) {
		c.at = xstrdup(conf.at);
		c.force = conf.force;
		c.read_only = conf.read_only;
		profile_places_find(&c.places);
		rc = run(&c, &conf, err);
		console_fini(&c);
	}
	free(conf.at);
	free(conf.batch);
	return rc;
}
