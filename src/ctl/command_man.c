/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "base/mem.h"
#include "base/opt_man.h"

#include "command.h"

static const char summary[] =
	"Runs chains of network functions, measures them, accounts for each frame.";

static void
print_command(const struct opt_command *cmd, FILE *out)
{
	fprintf(out, ".SS ");
	opt_man_text(cmd->name, out);
	fputc('\n', out);
	opt_man_text(cmd->summary, out);
	fputc('\n', out);
	opt_man_options(cmd, out);
	opt_man_examples(cmd, out);
}

void
command_man(FILE *out)
{
	opt_man_title("nfvchain", summary, out);
	fprintf(out, ".SH SYNOPSIS\n");
	for (size_t i = 0; i < n_commands; i++) {
		fprintf(out, "%s", i > 0 ? ".br\n" : "");
		opt_man_synopsis(commands[i].options, out);
	}
	fprintf(out, ".br\n.B nfvchain help\n[\\fICOMMAND\\fR]\n.br\n.B nfvchain \\-\\-version\n"
		     ".SH DESCRIPTION\n");
	opt_man_text(summary, out);
	fprintf(out, "\n.PP\n\\fICHAIN\\fR is a file in YAML; without one a default chain is "
		     "used.\n.SH COMMANDS\n");
	for (size_t i = 0; i < n_commands; i++)
		print_command(commands[i].options, out);
	fprintf(out, ".SH ENVIRONMENT\nMost options have a variable: "
		     "NFVCHAIN_FRAME_SIZE=64 is \\fB\\-\\-frame\\-size\\fR 64.  An option wins "
		     "over its variable, that over the chain file.\n");
	opt_man_end(out);
}
