/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/opt.h"
#include "base/str.h"

#include "command.h"

/* nfvchain COMMAND: the table of commands, and what all of them have in common. */

const struct command commands[] = {
	{"bench", "bring a chain up, measure it, account for every frame, take it down", cmd_bench,
	 &bench_command},
	{"compare", "say whether B is better, worse or equal to A, in turns", cmd_compare,
	 &compare_command},
	{"sweep", "say which engine suits where: work, skew, lcores, stages, flows", cmd_sweep,
	 &sweep_command},
	{"report", "show a result again: HTML, text, CSV, Markdown, JSON", cmd_report,
	 &report_command},
	{"plan", "say what would run where, and touch nothing", cmd_plan, &plan_command},
	{"up", "bring a chain up and keep it up until Ctrl-C", cmd_up, &up_command},
	{"ps", "say which chains are up, and what is left of others", cmd_ps, &ps_command},
	{"down", "take chains down: what runs, and what somebody left", cmd_down, &down_command},
	{"status", "say once what a chain that is up does", cmd_status, &status_command},
	{"logs", "print what the programs of a chain that is up have said", cmd_logs,
	 &logs_command},
	{"fault", "disturb a hop of a chain that is up, on purpose, for a while", cmd_fault,
	 &fault_command},
	{"top", "show a chain that is up, live: rates, drops, how busy each hop is", cmd_top,
	 &top_command},
	{"metrics", "give the counters of a chain that is up to Prometheus", cmd_metrics,
	 &metrics_command},
	{"start", "send a traffic profile from a running generator, ours or TRex", cmd_start,
	 &start_command},
	{"console", "command a running generator by the words of TRex's console", cmd_console,
	 &console_command},
	{"image", "build what virtual machines boot, or tell what is in it", cmd_image,
	 &image_command},
	{"doctor", "say what this machine lacks, and what to type", cmd_doctor, &doctor_command},
	{"completion", "print a script that completes these commands in a shell", cmd_completion,
	 &completion_command},
};
const size_t n_commands = N_ELEMS(commands);

static void
print_usage(FILE *out)
{
	fprintf(out, "Runs chains of network functions, measures them, accounts for each frame.\n\n"
		     "Usage: nfvchain COMMAND [OPTION]...\n\nCommands:\n");
	for (size_t i = 0; i < N_ELEMS(commands); i++)
		fprintf(out, "  %-12s%s\n", commands[i].name, commands[i].summary);
	fprintf(out,
		"\n'nfvchain COMMAND --help' says more, 'nfvchain --version' which version this "
		"is.\nFor a first figure: nfvchain bench\n");
}

static void
print_version(void)
{
	printf("nfvchain %s, gcc %s\n", NFVCHAIN_VERSION, __VERSION__);
}

static const struct command *
find_command(const char *name)
{
	for (size_t i = 0; i < N_ELEMS(commands); i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

static int
unknown(const char *word, struct err *err)
{
	const char *words[N_ELEMS(commands) + 3] = {"--help", "--version", "help"};
	const char *nearest;

	for (size_t i = 0; i < N_ELEMS(commands); i++)
		words[3 + i] = commands[i].name;
	nearest = str_nearest(word, words, N_ELEMS(words));
	if (nearest != NULL)
		return err_usage(err, "unknown %s '%s' (did you mean '%s'?)",
				 word[0] == '-' ? "option" : "command", word, nearest);
	if (word[0] != '-' && access(word, F_OK) == 0)
		return err_usage(err, "unknown command '%s' (did you mean 'nfvchain bench %s'?)",
				 word, word);
	return err_usage(err, "unknown %s '%s' (see nfvchain --help)",
			 word[0] == '-' ? "option" : "command", word);
}

static int
run_command(int argc, char **argv, struct err *err)
{
	const struct command *command = find_command(argv[0]);

	return command != NULL ? command->run(argc, argv, err) : unknown(argv[0], err);
}

/* "help", "help COMMAND", and "help --man", by which the build makes the manual page. */
static int
help(int argc, char **argv, struct err *err)
{
	char flag[] = "--help";
	char *asked[] = {argc > 1 ? argv[1] : NULL, flag, NULL};

	if (argc > 1 && strcmp(argv[1], "--man") == 0)
		command_man(stdout);
	else if (argc > 1)
		return run_command(2, asked, err);
	else
		print_usage(stdout);
	return 0;
}

/* 'argv' without the program's name, which has at least one word. */
static int
run(int argc, char **argv, struct err *err)
{
	const char *word = argv[0];

	if (strcmp(word, "help") == 0)
		return help(argc, argv, err);
	if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
		return help(1, argv, err);
	if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0) {
		print_version();
		return 0;
	}
	return run_command(argc, argv, err);
}

/* A result that did not reach its reader must not look like success.  Who closed the pipe has read
 * what they wanted, and needs no message. */
static int
check_output(int status)
{
	errno = 0;
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	if (errno != EPIPE)
		LOG(ERR, "standard output: %s", strerror(errno != 0 ? errno : EIO));
	return status != 0 ? status : ERR_FAILED;
}

int
main(int argc, char **argv)
{
	struct err err = {0};
	int rc;

	log_init("nfvchain", LOG_NOTICE);
	signal(SIGPIPE, SIG_IGN);
	if (argc < 2) {
		print_usage(stderr);
		return ERR_USAGE;
	}
	rc = run(argc - 1, argv + 1, &err);
	if (rc < 0)
		LOG(ERR, "%s", err.msg[0] != '\0' ? err.msg : strerror(-rc));
	return check_output(rc < 0 ? err_exit_code(&err) : 0);
}
