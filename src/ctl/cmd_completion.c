/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/opt.h"

#include "command.h"

/* nfvchain completion: the option tables as a function of the shell. */

static const char *const shells[] = {"bash", "zsh"};

const struct opt_command completion_command = {
	.name = "nfvchain completion",
	.positional = "bash|zsh",
	.summary = "Prints a script that completes commands, options, their values and chain files "
		   "in a shell.",
	.examples =
		"source <(nfvchain completion bash)\n"
		"nfvchain completion bash > ~/.local/share/bash-completion/completions/nfvchain\n"
		"source <(nfvchain completion zsh)\n",
};

/* What comes before the branches.  "--link=memif" is three words to bash and one to zsh. */
static const char head[] =
	"_nfvchain()\n"
	"{\n"
	"\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
	"\tlocal command= words= kind=words word before=\n"
	"\tCOMPREPLY=()\n"
	"\t[[ $cur != '=' ]] || cur=\n"
	"\t[[ $prev != '=' ]] || prev=${COMP_WORDS[COMP_CWORD-2]}\n"
	"\tif [[ $cur == --*=* ]]; then\n"
	"\t\tprev=${cur%%=*} before=${cur%%=*}= cur=${cur#*=}\n"
	"\tfi\n"
	"\t[[ $COMP_CWORD == 1 ]] || command=${COMP_WORDS[1]}\n"
	"\tcase $command in\n";

static const char tail[] =
	"\tesac\n"
	"\twhile IFS= read -r word; do\n"
	"\t\tCOMPREPLY+=(\"$before$word\")\n"
	"\tdone < <(case $kind in\n"
	"\t\twords) compgen -W \"$words\" -- \"$cur\" ;;\n"
	"\t\tchains) compgen -d -- \"$cur\"; compgen -f -X '!*.yaml' -- \"$cur\" ;;\n"
	"\t\tdirectories) compgen -d -- \"$cur\" ;;\n"
	"\t\tfiles) compgen -f -- \"$cur\" ;;\n"
	"\tesac)\n"
	"\tcase $kind in\n"
	"\tchains | directories | files) compopt -o filenames 2>/dev/null ;;\n"
	"\tesac\n"
	"\treturn 0\n"
	"}\n"
	"complete -F _nfvchain nfvchain\n";

static void
print_commands(FILE *out)
{
	for (size_t i = 0; i < n_commands; i++)
		fprintf(out, "%s ", commands[i].name);
}

static void
print_script(FILE *out)
{
	fprintf(out, "%s\t'') words='", head);
	print_commands(out);
	fprintf(out, "help --help --version' ;;\n\thelp) words='");
	print_commands(out);
	fprintf(out, "' ;;\n");
	for (size_t i = 0; i < n_commands; i++) {
		fprintf(out, "\t%s)\n", commands[i].name);
		opt_complete(commands[i].options, out);
		fprintf(out, "\t\t;;\n");
	}
	fputs(tail, out);
}

int
cmd_completion(int argc, char **argv, struct err *err)
{
	int rc = opt_parse(&completion_command, &argc, &argv, NULL, NULL, err);

	if (rc != 0)
		return rc;
	if (argc != 1)
		return err_usage(err, "for which shell? (bash or zsh)");
	if (strcmp(argv[0], shells[0]) != 0 && strcmp(argv[0], shells[1]) != 0)
		return err_usage(err, "no completion for '%s' (bash and zsh have one)", argv[0]);
	printf("# Completion of nfvchain %s for %s, from its own option tables.\n",
	       NFVCHAIN_VERSION, argv[0]);
	if (strcmp(argv[0], "zsh") == 0)
		printf("autoload -U +X compinit && compinit\n"
		       "autoload -U +X bashcompinit && bashcompinit\n");
	print_script(stdout);
	return 0;
}
