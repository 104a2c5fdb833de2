/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "opt.h"

/* What follows a flag that takes a value. */
static const char *
values_kind(const struct opt *row)
{
	if (row->values != NULL)
		return "words";
	if (strcmp(row->arg, "DIR") == 0)
		return "directories";
	if (strcmp(row->arg, "PATH") == 0 || strcmp(row->arg, "FILE") == 0)
		return "files";
	return "nothing";
}

static void
print_flags(const struct opt_command *cmd, FILE *out)
{
	for (size_t i = 0; i < cmd->n_opts; i++) {
		const struct opt *row = &cmd->opts[i];

		if (row->flags & OPT_HIDDEN)
			continue;
		fprintf(out, "--%s ", row->name);
		if (row->flags & OPT_NEGATABLE)
			fprintf(out, "--no-%s ", row->name);
	}
	fprintf(out, "--help");
}

/* The case of a flag that waits for its value. */
static void
print_value_case(const struct opt *row, FILE *out)
{
	fprintf(out, "\t\t");
	if (row->key != 0)
		fprintf(out, "-%c | ", row->key);
	fprintf(out, "--%s) kind=%s words='", row->name, values_kind(row));
	for (size_t i = 0; row->values != NULL && row->values[i] != NULL; i++)
		fprintf(out, "%s%s", i > 0 ? " " : "", row->values[i]);
	fprintf(out, "' ;;\n");
}

/* What is typed where no flag is. */
static void
print_positional(const char *positional, FILE *out)
{
	if (strchr(positional, '|') == NULL) {
		fprintf(out, "\t\t*) [[ $cur == -* ]] || kind=%s ;;\n",
			strstr(positional, "CHAIN") != NULL    ? "chains"
			: strstr(positional, "RESULT") != NULL ? "files"
							       : "nothing");
		return;
	}
	fprintf(out, "\t\t*) [[ $cur == -* ]] || words='");
	for (const char *c = positional; *c != '\0'; c++)
		fputc(*c == '|' ? ' ' : *c, out);
	fprintf(out, "' ;;\n");
}

void
opt_complete(const struct opt_command *cmd, FILE *out)
{
	fprintf(out, "\t\twords='");
	print_flags(cmd, out);
	fprintf(out, "'\n\t\tcase $prev in\n");
	for (size_t i = 0; i < cmd->n_opts; i++)
		if (cmd->opts[i].arg != NULL && !(cmd->opts[i].flags & OPT_HIDDEN))
			print_value_case(&cmd->opts[i], out);
	if (cmd->positional != NULL)
		print_positional(cmd->positional, out);
	fprintf(out, "\t\tesac\n");
}
