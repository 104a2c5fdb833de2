/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/opt.h"
#include "base/str.h"
#include "command.h"
#include "live_find.h"
#include "session.h"

/* nfvchain logs CHAIN [NAME]: what the programs of a chain that is up have said. */

#define MAX_LOGS (2 * (CHAIN_MAX_HOPS + 1)) /* of each program, and of each VM its console */
#define LOOK_MS 200

struct logs_conf {
	bool follow;
};

#define FIELD(member) OPT_FIELD(struct logs_conf, member)

static const struct opt logs_opts[] = {
	{"follow", 'f', NULL, "go on with what comes, until Ctrl-C", opt_set_switch, FIELD(follow),
	 NULL, OPT_NO_ENV},
};

const struct opt_command logs_command = {
	.name = "nfvchain logs",
	.positional = "CHAIN [NAME]",
	.summary = "Prints what the programs of a chain that is up have said, or one of them.",
	.examples = "nfvchain logs snake\nnfvchain logs snake vnf1 -f\n",
	.env_prefix = "NFVCHAIN",
	.opts = logs_opts,
	.n_opts = N_ELEMS(logs_opts),
};

struct log_file {
	char *name; /* "vnf1", or "vnf1.console" */
	int fd;
	bool mid_line;
};

struct logs {
	size_t n;
	struct log_file file[MAX_LOGS];
	bool names; /* before each line */
};

static void
logs_fini(struct logs *l)
{
	for (size_t i = 0; i < l->n; i++) {
		close(l->file[i].fd);
		free(l->file[i].name);
	}
}

/* "vnf1" of "vnf1.log", "vnf1.console" as it is; for the caller to free, NULL of another file. */
static char *
log_name(const char *file)
{
	size_t len = strlen(file);

	if (len > 4 && strcmp(file + len - 4, ".log") == 0)
		return xasprintf("%.*s", (int)len - 4, file);
	if (len > 8 && strcmp(file + len - 8, ".console") == 0)
		return xstrdup(file);
	return NULL;
}

/* Is it one of those in "vnf1+vnf2", the log of a process with several hops? */
static bool
is_among(const char *names, const char *wanted, size_t len)
{
	for (const char *p = names; p != NULL; p = strchr(p, '+')) {
		p += p > names;
		if (strncmp(p, wanted, len) == 0 && (p[len] == '+' || p[len] == '\0'))
			return true;
	}
	return false;
}

static bool
is_wanted(const char *name, const char *wanted)
{
	size_t len = wanted != NULL ? strlen(wanted) : 0;

	return wanted == NULL || is_among(name, wanted, len) ||
	       (strncmp(name, wanted, len) == 0 && strcmp(name + len, ".console") == 0);
}

static void
add_file(struct logs *l, const char *dir, const char *file, const char *wanted)
{
	char *name = log_name(file), *path = xasprintf("%s/%s", dir, file);
	int fd = -1;

	if (name != NULL && l->n < MAX_LOGS && is_wanted(name, wanted))
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd >= 0)
		l->file[l->n++] = (struct log_file){.name = name, .fd = fd};
	else
		free(name);
	free(path);
}

static int
by_name(const void *a, const void *b)
{
	const struct log_file *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static int
find_logs(struct logs *l, const struct live_chain *c, const char *wanted, struct err *err)
{
	DIR *dir = opendir(c->run_dir);
	const struct dirent *e;

	if (dir == NULL && errno == ENOENT)
		return err_set(err, ENOENT,
			       "chain '%s' is not up ('nfvchain ps' lists those that are)",
			       c->name);
	if (dir == NULL)
		return err_set(err, errno, "%s: %s", c->run_dir, strerror(errno));
	while ((e = readdir(dir)) != NULL)
		add_file(l, c->run_dir, e->d_name, wanted);
	closedir(dir);
	qsort(l->file, l->n, sizeof(l->file[0]), by_name);
	l->names = l->n > 1;
	if (l->n == 0 && wanted != NULL)
		return err_usage(err, "chain '%s' has no '%s'", c->name, wanted);
	return 0;
}

/* What a program says goes to a terminal: nothing but text does. */
static void
put_text(struct logs *l, struct log_file *f, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (!f->mid_line && l->names)
			printf("%s: ", f->name);
		f->mid_line = c != '\n';
		if (c == '\n' || c == '\t' || (c >= ' ' && c != 127))
			putchar(c);
		else if (c != '\r')
			putchar('?');
	}
}

/* True when there was something. */
static bool
print_more(struct logs *l, struct log_file *f)
{
	char text[4096];
	bool any = false;
	ssize_t n;

	while (!session_stop && (n = read(f->fd, text, sizeof(text))) > 0) {
		put_text(l, f, text, (size_t)n);
		any = true;
	}
	if (any && f->mid_line && l->names) {
		putchar('\n');
		f->mid_line = false;
	}
	return any;
}

static void
print_logs(struct logs *l, const struct logs_conf *conf, const char *run_dir)
{
	do {
		for (size_t i = 0; i < l->n; i++)
			(void)print_more(l, &l->file[i]);
		fflush(stdout);
		if (conf->follow)
			clock_sleep_ms(LOOK_MS);
	} while (conf->follow && !session_stop && access(run_dir, F_OK) == 0);
}

int
cmd_logs(int argc, char **argv, struct err *err)
{
	struct logs_conf conf = {0};
	struct live_chain chain = {0};
	struct logs logs = {0};
	int rc = opt_parse(&logs_command, &argc, &argv, &conf, NULL, err);

	if (rc == 0 && argc > 2)
		rc = err_usage(err, "a chain, and one of its programs ('%s' is one too many)",
			       argv[2]);
	if (rc == 0)
		rc = live_chain_find(&chain, argc > 0 ? argv[0] : "snake", NULL, err);
	if (rc == 0)
		rc = find_logs(&logs, &chain, argc > 1 ? argv[1] : NULL, err);
	if (rc == 0) {
		if (conf.follow)
			session_catch_signals();
		print_logs(&logs, &conf, chain.run_dir);
	}
	logs_fini(&logs);
	live_chain_fini(&chain);
	return rc;
}
