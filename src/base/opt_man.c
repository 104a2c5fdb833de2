/* SPDX-License-Identifier: MIT */
#include "opt_man.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "opt_row.h"

void
opt_man_text(const char *text, FILE *out)
{
	/* A dot or a quote at the start of a line is a command. */
	if (text[0] == '.' || text[0] == '\'')
		fputs("\\&", out);
	for (const char *c = text; *c != '\0'; c++) {
		if (*c == '\\')
			fputs("\\e", out);
		else if (*c == '-')
			fputs("\\-", out);
		else
			fputc(*c, out);
		if (*c == '\n' && (c[1] == '.' || c[1] == '\''))
			fputs("\\&", out);
	}
}

/* Length of the part of a command's name that is typed: "nfvchain-fwd" of "nfvchain-fwd [EAL]". */
static size_t
typed_len(const struct opt_command *cmd)
{
	const char *bracket = strstr(cmd->name, " [");

	return bracket != NULL ? (size_t)(bracket - cmd->name) : strlen(cmd->name);
}

void
opt_man_title(const char *name, const char *summary, FILE *out)
{
	size_t len = strlen(summary);

	fprintf(out, ".TH \"");
	for (const char *c = name; *c != '\0'; c++)
		if (*c == '-')
			fputs("\\-", out);
		else
			fputc(*c == ' ' ? '-' : toupper((unsigned char)*c), out);
	/* No date: the same sources make the same page. */
	fprintf(out, "\" 1 \"\" \"nfvchain %s\" \"User Commands\"\n.SH NAME\n", NFVCHAIN_VERSION);
	opt_man_text(name, out);
	/* A summary is a sentence; here it stands behind a dash. */
	fprintf(out, " \\- %c", tolower((unsigned char)summary[0]));
	for (size_t i = 1; i < len && !(i == len - 1 && summary[i] == '.'); i++)
		fprintf(out, "%s%c", summary[i] == '-' ? "\\" : "", summary[i]);
	fputc('\n', out);
}

void
opt_man_synopsis(const struct opt_command *cmd, FILE *out)
{
	size_t len = typed_len(cmd);

	fprintf(out, ".B ");
	for (size_t i = 0; i < len; i++)
		fprintf(out, "%s%c", cmd->name[i] == '-' ? "\\" : "", cmd->name[i]);
	fputc('\n', out);
	if (cmd->name[len] != '\0') {
		opt_man_text(cmd->name + len + 1, out);
		fputc(' ', out);
	}
	fprintf(out, "[\\fIOPTION\\fR]...");
	if (cmd->positional != NULL) {
		fputc(' ', out);
		opt_man_text(cmd->positional, out);
	}
	fputc('\n', out);
}

static void
print_row(const struct opt *row, FILE *out)
{
	char *text = opt_row_text(row);

	fprintf(out, ".TP\n");
	if (row->key != 0)
		fprintf(out, "\\fB\\-%c\\fR, ", row->key);
	fprintf(out, "\\fB\\-\\-%s", row->flags & OPT_NEGATABLE ? "[no\\-]" : "");
	opt_man_text(row->name, out);
	fprintf(out, "\\fR");
	if (row->arg != NULL) {
		fprintf(out, " \\fI");
		opt_man_text(row->arg, out);
		fprintf(out, "\\fR");
	}
	fputc('\n', out);
	opt_man_text(text, out);
	fputc('\n', out);
	free(text);
}

void
opt_man_options(const struct opt_command *cmd, FILE *out)
{
	bool taken = false;

	for (size_t i = 0; i < cmd->n_opts; i++) {
		if (!(cmd->opts[i].flags & OPT_HIDDEN))
			print_row(&cmd->opts[i], out);
		taken = taken || cmd->opts[i].key == 'h';
	}
	fprintf(out, ".TP\n%s\\fB\\-\\-help\\fR\nshow a short text and exit\n",
		taken ? "" : "\\fB\\-h\\fR, ");
}

void
opt_man_examples(const struct opt_command *cmd, FILE *out)
{
	if (cmd->examples == NULL)
		return;
	fprintf(out, ".PP\n.nf\n.RS\n");
	opt_man_text(cmd->examples, out);
	fprintf(out, "%s.RE\n.fi\n", cmd->examples[strlen(cmd->examples) - 1] == '\n' ? "" : "\n");
}

/* The variables, or nothing where there are none. */
static void
print_environment(const struct opt_command *cmd, FILE *out)
{
	bool any = false;

	for (size_t i = 0; i < cmd->n_opts && cmd->env_prefix != NULL; i++) {
		const struct opt *row = &cmd->opts[i];
		char *name;

		if (row->flags & (OPT_NO_ENV | OPT_HIDDEN))
			continue;
		if (!any)
			fprintf(out, ".SH ENVIRONMENT\nAn option wins over its variable.\n");
		any = true;
		name = opt_env_name(cmd, row);
		fprintf(out, ".TP\n.B %s\nas \\fB\\-\\-", name);
		opt_man_text(row->name, out);
		fprintf(out, "\\fR\n");
		free(name);
	}
}

void
opt_man_end(FILE *out)
{
	fprintf(out, ".SH EXIT STATUS\n"
		     ".TP\n.B 0\ndid what was asked\n"
		     ".TP\n.B 1\ncould not; the sentence says why\n"
		     ".TP\n.B 2\nwrong option, file or value; nothing was touched\n"
		     ".TP\n.B 3\nthe machine lacks something\n"
		     ".TP\n.B 4\nan assertion or a comparison failed\n"
		     ".TP\n.B 5\nframes or buffers that nobody accounts for\n"
		     ".TP\n.B 6\ninconclusive: the machine was too noisy for a verdict\n"
		     ".TP\n.BR 130 \", \" 143\ninterrupted, after everything was taken down\n"
		     ".SH SEE ALSO\n"
		     ".BR nfvchain (1),\n.BR nfvchain\\-fwd (1),\n.BR nfvchain\\-gen (1)\n");
}

void
opt_man(const struct opt_command *cmd, FILE *out)
{
	char name[64];

	snprintf(name, sizeof(name), "%.*s", (int)typed_len(cmd), cmd->name);
	opt_man_title(name, cmd->summary, out);
	fprintf(out, ".SH SYNOPSIS\n");
	opt_man_synopsis(cmd, out);
	fprintf(out, ".SH DESCRIPTION\n");
	opt_man_text(cmd->summary, out);
	fprintf(out, "\n.SH OPTIONS\n");
	opt_man_options(cmd, out);
	print_environment(cmd, out);
	if (cmd->examples != NULL)
		fprintf(out, ".SH EXAMPLES\n");
	opt_man_examples(cmd, out);
	opt_man_end(out);
}
