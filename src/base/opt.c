/* SPDX-License-Identifier: MIT */
#include "opt.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "opt_man.h"
#include "opt_row.h"
#include "str.h"

/* Width of help, and the widest column of flags before their help moves to a line of its own. */
#define HELP_COLS 79
#define HELP_FLAGS_MAX 30

/* ---- one row ---- */

static void *
field_of(const struct opt *row, void *conf)
{
	return (char *)conf + row->offset;
}

static int
row_set(const struct opt *row, const char *text, void *conf, struct err *err)
{
	int rc = row->set(field_of(row, conf), text, err);

	/* Whatever a setter calls it, a bad value is the user's mistake. */
	if (rc < 0 && err != NULL)
		err->class = ERR_USAGE;
	return rc;
}

/* Sets a row from a text that is not a flag, where a switch needs a word. */
static int
row_set_word(const struct opt *row, const char *text, void *conf, struct err *err)
{
	static const char *const yes[] = {"yes", "true", "on", "1"};
	static const char *const no[] = {"no", "false", "off", "0"};

	if (row->arg != NULL)
		return row_set(row, text, conf, err);
	for (size_t i = 0; i < N_ELEMS(yes); i++) {
		if (strcasecmp(text, yes[i]) == 0)
			return row_set(row, NULL, conf, err);
		if (strcasecmp(text, no[i]) == 0)
			return row_set(row, "no", conf, err);
	}
	return err_usage(err, "'%s' is neither yes nor no", text);
}

/* A list takes all its items from one origin: the first flag replaces what the environment said. */
static void
row_enter(const struct opt *row, void *conf, enum opt_origin *origin, enum opt_origin now)
{
	if (row->set == opt_set_list && *origin != now)
		opt_list_fini(field_of(row, conf));
	*origin = now;
}

/* Are the names equal, '_' and '-' being the same? */
static bool
same_name(const char *a, const char *b, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (b[i] == '\0' || (a[i] == '_' ? '-' : a[i]) != b[i])
			return false;
	return b[len] == '\0';
}

/* ---- environment ---- */

char *
opt_env_name(const struct opt_command *cmd, const struct opt *row)
{
	char *name = xasprintf("%s_%s", cmd->env_prefix, row->name);

	for (char *c = name; *c != '\0'; c++)
		*c = *c == '-' ? '_' : (char)toupper((unsigned char)*c);
	return name;
}

static int
read_env(const struct opt_command *cmd, void *conf, enum opt_origin *origin, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < cmd->n_opts && cmd->env_prefix != NULL && rc == 0; i++) {
		const struct opt *row = &cmd->opts[i];
		const char *text;
		char *name;

		if (row->flags & OPT_NO_ENV)
			continue;
		name = opt_env_name(cmd, row);
		text = getenv(name);
		/* Set to nothing is how a shell takes a variable back for one command. */
		if (text != NULL && text[0] != '\0') {
			row_enter(row, conf, &origin[i], OPT_ENV);
			rc = row_set_word(row, text, conf, err);
			err_wrap(err, rc, "%s", name);
		}
		free(name);
	}
	return rc;
}

/* ---- flags ---- */

struct parser {
	const struct opt_command *cmd;
	char **argv;
	int argc;
	int next; /* argument to look at next */
	int kept; /* positionals moved to the front so far */
	void (*show)(const struct opt_command *cmd, FILE *out); /* what OPT_HELPED prints */
	void *conf;
	enum opt_origin *origin;
	struct err *err;
};

/* The long name that was probably meant by 'word' (without dashes), with dashes, or NULL. */
static char *
nearest_flag(const struct opt_command *cmd, const char *word)
{
	char **names = xcalloc(2 * cmd->n_opts + 1, sizeof(*names));
	const char *nearest;
	char *flag = NULL;
	size_t n = 0;

	for (size_t i = 0; i < cmd->n_opts; i++) {
		const struct opt *row = &cmd->opts[i];

		if (row->flags & OPT_HIDDEN)
			continue;
		names[n++] = xstrdup(row->name);
		if (row->flags & OPT_NEGATABLE)
			names[n++] = xasprintf("no-%s", row->name);
	}
	names[n++] = xstrdup("help");
	nearest = str_nearest(word, (const char *const *)names, n);
	if (nearest != NULL)
		flag = xasprintf("--%s", nearest);
	for (size_t i = 0; i < n; i++)
		free(names[i]);
	free(names);
	return flag;
}

static int
unknown_flag(struct parser *p, const char *word)
{
	char *flag = nearest_flag(p->cmd, word);
	int rc;

	if (flag != NULL)
		rc = err_usage(p->err, "unknown option '--%s' (did you mean '%s'?)", word, flag);
	else
		rc = err_usage(p->err, "unknown option '--%s' (see --help)", word);
	free(flag);
	return rc;
}

static int
set_flag(struct parser *p, const struct opt *row, const char *text)
{
	int rc;

	row_enter(row, p->conf, &p->origin[row - p->cmd->opts], OPT_FLAG);
	rc = row_set(row, text, p->conf, p->err);
	return err_wrap(p->err, rc, "--%s", row->name);
}

/* Sets a flag that takes a value: the attached one, else the next argument. */
static int
set_value(struct parser *p, const struct opt *row, const char *attached)
{
	if (attached == NULL && p->next == p->argc)
		return err_usage(p->err, "option '--%s' needs a value (%s)", row->name, row->arg);
	return set_flag(p, row, attached != NULL ? attached : p->argv[p->next++]);
}

/* The row of a long flag of 'len' bytes; '*negated' when it was --no-NAME. */
static const struct opt *
find_long(const struct opt_command *cmd, const char *word, size_t len, bool *negated)
{
	for (size_t i = 0; i < cmd->n_opts; i++) {
		const struct opt *row = &cmd->opts[i];

		*negated = false;
		if (strlen(row->name) == len && strncmp(word, row->name, len) == 0)
			return row;
		*negated = true;
		if ((row->flags & OPT_NEGATABLE) && len > 3 && strncmp(word, "no-", 3) == 0 &&
		    strlen(row->name) == len - 3 && strncmp(word + 3, row->name, len - 3) == 0)
			return row;
	}
	return NULL;
}

static int
parse_long(struct parser *p, const char *word)
{
	size_t len = strcspn(word, "=");
	const char *attached = word[len] == '=' ? word + len + 1 : NULL;
	char *name = xasprintf("%.*s", (int)len, word);
	bool negated;
	const struct opt *row = find_long(p->cmd, word, len, &negated);
	int rc;

	if (row == NULL && (strcmp(name, "help") == 0 || strcmp(name, "man") == 0)) {
		p->show = name[0] == 'h' ? opt_help : opt_man;
		rc = OPT_HELPED;
	} else if (row == NULL) {
		rc = unknown_flag(p, name);
	} else if (row->arg != NULL && !negated) {
		rc = set_value(p, row, attached);
	} else if (attached != NULL) {
		rc = err_usage(p->err, "option '--%s' takes no value", name);
	} else {
		rc = set_flag(p, row, negated ? "no" : NULL);
	}
	free(name);
	return rc;
}

static const struct opt *
find_short(const struct opt_command *cmd, char key)
{
	for (size_t i = 0; i < cmd->n_opts; i++)
		if (cmd->opts[i].key == key)
			return &cmd->opts[i];
	return NULL;
}

/* A cluster of short flags, of which the last may take a value: "-vqr10mpps". */
static int
parse_short(struct parser *p, const char *keys)
{
	int rc = 0;

	while (*keys != '\0' && rc == 0) {
		char key = *keys++;
		const struct opt *row = find_short(p->cmd, key);

		if (row == NULL)
			return key == 'h' ? OPT_HELPED
					  : err_usage(p->err, "unknown option '-%c' (see --help)",
						      key);
		if (row->arg != NULL)
			return set_value(p, row, *keys != '\0' ? keys : NULL);
		rc = set_flag(p, row, NULL);
	}
	return rc;
}

static int
take_positional(struct parser *p, char *arg)
{
	if (p->cmd->positional == NULL)
		return err_usage(p->err, "unexpected argument '%s' (see --help)", arg);
	p->argv[p->kept++] = arg;
	return 0;
}

static int
parse_args(struct parser *p)
{
	bool flags = true;
	int rc = 0;

	for (p->next = 1; p->next < p->argc && rc == 0;) {
		char *arg = p->argv[p->next++];

		if (!flags || arg[0] != '-' || arg[1] == '\0')
			rc = take_positional(p, arg);
		else if (strcmp(arg, "--") == 0)
			flags = false;
		else if (arg[1] == '-')
			rc = parse_long(p, arg + 2);
		else
			rc = parse_short(p, arg + 1);
	}
	return rc;
}

int
opt_parse(const struct opt_command *cmd, int *argc, char ***argv, void *conf,
	  enum opt_origin *origin, struct err *err)
{
	enum opt_origin *own = xcalloc(cmd->n_opts + 1, sizeof(*own));
	struct parser p = {.cmd = cmd,
			   .argv = *argv,
			   .argc = *argc,
			   .conf = conf,
			   .err = err,
			   .show = opt_help};
	int env_rc, rc;

	p.origin = own;
	/* A bad variable must not keep --help from being read, nor hide a mistake that was typed
	 * just now; so it is reported last. */
	env_rc = read_env(cmd, conf, own, err);
	rc = parse_args(&p);
	if (rc == 0)
		rc = env_rc;
	if (rc == OPT_HELPED)
		p.show(cmd, stdout);
	if (rc == 0 && *argc > 0) {
		p.argv[p.kept] = NULL;
		*argc = p.kept;
	}
	if (origin != NULL)
		memcpy(origin, own, cmd->n_opts * sizeof(*own));
	free(own);
	return rc;
}

/* ---- keys of a file ---- */

static char *
key_name(const char *name)
{
	char *key = xstrdup(name);

	for (char *c = key; *c != '\0'; c++)
		if (*c == '-')
			*c = '_';
	return key;
}

static int
unknown_key(const struct opt_command *cmd, const char *name, struct err *err)
{
	char **keys = xcalloc(cmd->n_opts + 1, sizeof(*keys));
	const char *nearest;
	size_t n = 0;
	int rc;

	for (size_t i = 0; i < cmd->n_opts; i++)
		if (!(cmd->opts[i].flags & OPT_HIDDEN))
			keys[n++] = key_name(cmd->opts[i].name);
	nearest = str_nearest(name, (const char *const *)keys, n);
	if (nearest != NULL)
		rc = err_usage(err, "unknown key '%s' (did you mean '%s'?)", name, nearest);
	else
		rc = err_usage(err, "unknown key '%s'", name);
	for (size_t i = 0; i < n; i++)
		free(keys[i]);
	free(keys);
	return rc;
}

int
opt_apply(const struct opt_command *cmd, const char *name, const char *text, void *conf,
	  struct err *err)
{
	for (size_t i = 0; i < cmd->n_opts; i++) {
		const struct opt *row = &cmd->opts[i];
		int rc;

		if (!same_name(name, row->name, strlen(name)))
			continue;
		rc = row_set_word(row, text, conf, err);
		return err_wrap(err, rc, "%s", name);
	}
	return unknown_key(cmd, name, err);
}

/* ---- help ---- */

/* "-r, --rate RATE"; the caller frees it. */
static char *
flag_text(const struct opt *row)
{
	char key[8] = "    ";

	if (row->key != 0)
		snprintf(key, sizeof(key), "-%c, ", row->key);
	return xasprintf("%s--%s%s%s%s", key, row->flags & OPT_NEGATABLE ? "[no-]" : "", row->name,
			 row->arg != NULL ? " " : "", row->arg != NULL ? row->arg : "");
}

char *
opt_row_text(const struct opt *row)
{
	struct str out = {0};

	str_addf(&out, "%s", row->help);
	for (size_t i = 0; row->values != NULL && row->values[i] != NULL; i++)
		str_addf(&out, "%s%s", i == 0 ? " (" : ", ", row->values[i]);
	if (row->values != NULL && row->values[0] != NULL)
		str_addf(&out, ")");
	return str_take(&out);
}

/* Prints 'text' from column 'col' on, where the cursor is, broken at blanks. */
static void
print_wrapped(const char *text, size_t col, FILE *out)
{
	size_t at = col;

	while (*text != '\0') {
		size_t len = strcspn(text, " ");

		if (at > col && at + 1 + len > HELP_COLS) {
			fprintf(out, "\n%*s", (int)col, "");
			at = col;
		}
		at += (size_t)fprintf(out, "%s%.*s", at > col ? " " : "", (int)len, text);
		text += len;
		text += strspn(text, " ");
	}
	fputc('\n', out);
}

static void
print_row(const char *flag, const char *text, size_t col, FILE *out)
{
	int used = fprintf(out, "  %s", flag);

	if (used + 2 > (int)col) {
		fputc('\n', out);
		used = 0;
	}
	fprintf(out, "%*s", (int)col - used, "");
	print_wrapped(text, col, out);
}

/* Column in which help starts: behind the widest flag that is not out of proportion. */
static size_t
help_column(const struct opt_command *cmd)
{
	size_t widest = strlen("-h, --help");

	for (size_t i = 0; i < cmd->n_opts; i++) {
		char *flag = flag_text(&cmd->opts[i]);
		size_t len = strlen(flag);

		if (!(cmd->opts[i].flags & OPT_HIDDEN) && len <= HELP_FLAGS_MAX && len > widest)
			widest = len;
		free(flag);
	}
	return 2 + widest + 2;
}

static void
print_examples(const char *examples, FILE *out)
{
	fprintf(out, "\nExamples:\n");
	while (*examples != '\0') {
		size_t len = strcspn(examples, "\n");

		fprintf(out, "%s%.*s\n", len > 0 ? "  " : "", (int)len, examples);
		examples += len;
		examples += *examples == '\n';
	}
}

/* Tells how to set the same in the environment, by the example of the first row that allows it. */
static void
print_env(const struct opt_command *cmd, FILE *out)
{
	for (size_t i = 0; i < cmd->n_opts && cmd->env_prefix != NULL; i++) {
		const struct opt *row = &cmd->opts[i];
		char *name, *text;

		if (row->flags & (OPT_NO_ENV | OPT_HIDDEN))
			continue;
		name = opt_env_name(cmd, row);
		text = xasprintf("The environment sets them too: %s=%s is --%s%s%s.", name,
				 row->arg != NULL ? row->arg : "yes", row->name,
				 row->arg != NULL ? " " : "", row->arg != NULL ? row->arg : "");
		fputc('\n', out);
		print_wrapped(text, 0, out);
		free(text);
		free(name);
		return;
	}
}

void
opt_help(const struct opt_command *cmd, FILE *out)
{
	size_t col = help_column(cmd);

	print_wrapped(cmd->summary, 0, out);
	fprintf(out, "\nUsage: %s [OPTION]...%s%s\n", cmd->name, cmd->positional ? " " : "",
		cmd->positional ? cmd->positional : "");
	if (cmd->examples != NULL)
		print_examples(cmd->examples, out);
	fprintf(out, "\nOptions:\n");
	for (size_t i = 0; i < cmd->n_opts; i++) {
		char *flag = flag_text(&cmd->opts[i]), *text = opt_row_text(&cmd->opts[i]);

		if (!(cmd->opts[i].flags & OPT_HIDDEN))
			print_row(flag, text, col, out);
		free(flag);
		free(text);
	}
	print_row(find_short(cmd, 'h') ? "    --help" : "-h, --help", "show this text", col, out);
	print_env(cmd, out);
}
