/* SPDX-License-Identifier: MIT */
#include "trex_line.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/opt.h"
#include "base/str.h"
#include "trex_cfg.h"

enum meaning {
	INTERACTIVE,
	CFG,
	PREFIX,
	VERBOSE,
	LIMIT_PORTS,
	HELP,
	NO_EFFECT, /* of TRex's own threads, drivers, keyboard and helpers */
	STATEFUL,
};

static const struct flag {
	const char *name;
	bool has_value;
	enum meaning meaning;
} flags[] = {
	{"-i", false, INTERACTIVE},
	{"--cfg", true, CFG},
	{"--prefix", true, PREFIX},
	{"-v", true, VERBOSE},
	{"--limit-ports", true, LIMIT_PORTS},
	{"--help", false, HELP},
	{"-h", false, HELP},
	{"--stl", false, NO_EFFECT},
	{"-c", true, NO_EFFECT},
	{"-s", false, NO_EFFECT},
	{"--software", false, NO_EFFECT},
	{"--hdrh", false, NO_EFFECT},
	{"--no-key", false, NO_EFFECT},
	{"--no-termio", false, NO_EFFECT},
	{"--iom", true, NO_EFFECT},
	{"--no-watchdog", false, NO_EFFECT},
	{"--allow-coredump", false, NO_EFFECT},
	{"--rt", false, NO_EFFECT},
	{"--sleeps", false, NO_EFFECT},
	{"--queue-drop", false, NO_EFFECT},
	{"--mbuf-factor", true, NO_EFFECT},
	{"--rpc-logfile", true, NO_EFFECT},
	{"--close-at-end", false, NO_EFFECT},
	{"--no-ofed-check", false, NO_EFFECT},
	{"--no-flow-control-change", false, NO_EFFECT},
	{"--no-hw-flow-stat", false, NO_EFFECT},
	{"--no-scapy-server", false, NO_EFFECT},
	{"--unbind-unused-ports", false, NO_EFFECT},
	{"--ignore-528-issue", false, NO_EFFECT},
	{"--checksum-offload-disable", false, NO_EFFECT},
	{"--tso-disable", false, NO_EFFECT},
	{"--lro-disable", false, NO_EFFECT},
	{"--disable-ieee-1588", false, NO_EFFECT},
	{"--arp-refresh-period", true, NO_EFFECT},
	{"--limit-arp-request", true, NO_EFFECT},
	{"--mlx5-so", false, NO_EFFECT},
	{"--mlx4-so", false, NO_EFFECT},
	{"--bnxt-so", false, NO_EFFECT},
	{"--ntacc-so", false, NO_EFFECT},
	{"-f", true, STATEFUL},
	{"-d", true, STATEFUL},
	{"-m", true, STATEFUL},
	{"-l", true, STATEFUL},
	{"--astf", false, STATEFUL},
	{"--astf-server-only", false, STATEFUL},
	{"--learn-mode", true, STATEFUL},
	{"--client-cfg", true, STATEFUL},
	{"--client_cfg", true, STATEFUL},
	{"--emu", false, STATEFUL},
};

bool
trex_line_is(const char *program)
{
	const char *slash = strrchr(program, '/');
	const char *name = slash != NULL ? slash + 1 : program;

	return strcmp(name, "t-rex-64") == 0 || strcmp(name, "_t-rex-64") == 0;
}

static const struct flag *
find(const char *word)
{
	for (size_t i = 0; i < N_ELEMS(flags); i++)
		if (strcmp(flags[i].name, word) == 0)
			return &flags[i];
	return NULL;
}

static int
unknown(const char *word, struct err *err)
{
	const char *names[N_ELEMS(flags)], *nearest;

	for (size_t i = 0; i < N_ELEMS(flags); i++)
		names[i] = flags[i].name;
	nearest = str_nearest(word, names, N_ELEMS(flags));
	if (nearest != NULL)
		return err_usage(err, "'%s' is none of TRex's flags that are known here; '%s'?",
				 word, nearest);
	return err_usage(err, "'%s' is none of TRex's flags that are known here", word);
}

static void
help(void)
{
	printf("usage: t-rex-64 -i [--cfg FILE] [FLAG]...\n\n"
	       "nfvchain-gen under TRex's name: a stateless server for TRex's console and "
	       "library.\n\n"
	       "  -i                interactive, the only mode here\n"
	       "  --cfg FILE        TRex's configuration (" TREX_LINE_CFG ")\n"
	       "  --prefix NAME     EAL's file prefix\n"
	       "  -v LEVEL          above 0: say each step\n"
	       "\nThese are taken and have no effect:\n ");
	for (size_t i = 0; i < N_ELEMS(flags); i++)
		if (flags[i].meaning == NO_EFFECT)
			printf(" %s", flags[i].name);
	printf("\n");
}

/* What the line says, beside what goes into the settings at once. */
struct line {
	bool interactive;
	const char *cfg, *prefix;
};

static int
apply(struct line *line, struct gen_conf *conf, const struct flag *f, const char *value,
      struct err *err)
{
	switch (f->meaning) {
	case INTERACTIVE:
		line->interactive = true;
		return 0;
	case CFG:
		line->cfg = value;
		return 0;
	case PREFIX:
		line->prefix = value;
		return 0;
	case VERBOSE:
		conf->verbose = strcmp(value, "0") != 0;
		return 0;
	case LIMIT_PORTS:
		return strcmp(value, "2") == 0
			       ? 0
			       : err_usage(err, "--limit-ports: this generator has two ports");
	case HELP:
		help();
		return OPT_HELPED;
	case STATEFUL:
		return err_usage(err,
				 "%s is of a mode that is not built: this is TRex's stateless "
				 "server alone (-i), which clients tell what to send",
				 f->name);
	default:
		return 0;
	}
}

static int
read_flags(struct line *line, struct gen_conf *conf, int argc, char **argv, struct err *err)
{
	for (int i = 1; i < argc; i++) {
		const struct flag *f = find(argv[i]);
		int rc;

		if (f == NULL)
			return unknown(argv[i], err);
		if (f->has_value && ++i == argc)
			return err_usage(err, "%s needs a value", f->name);
		rc = apply(line, conf, f, argv[i], err);
		if (rc != 0)
			return rc;
	}
	return 0;
}

int
trex_line_parse(struct gen_conf *conf, int argc, char **argv, struct err *err)
{
	struct line line = {.interactive = false};
	char word[128];
	int rc = read_flags(&line, conf, argc, argv, err);

	if (rc != 0)
		return rc;
	if (!line.interactive)
		return err_usage(err, "without -i TRex runs a stateful batch, which is not built");
	if (line.cfg == NULL && access(TREX_LINE_CFG, R_OK) == 0)
		line.cfg = TREX_LINE_CFG;
	if (line.cfg == NULL && getenv("NFVCHAIN_EAL_ARGS") == NULL)
		return err_machine(err, "which ports? " TREX_LINE_CFG
					" is not there (--cfg FILE, or NFVCHAIN_EAL_ARGS with "
					"--vdev=...)");
	if (line.cfg != NULL)
		rc = trex_cfg_read(line.cfg, conf, &conf->eal, err);
	if (rc == 0 && line.prefix != NULL) {
		snprintf(word, sizeof(word), "--file-prefix=%s", line.prefix);
		rc = opt_set_list(&conf->eal, word, err);
	}
	return rc;
}
