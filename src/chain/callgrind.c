/* SPDX-License-Identifier: MIT */
#include "callgrind.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

#define MAX_ANSWER 65536

/* Basic blocks between two looks whether somebody asks: the fewest that valgrind offers. */
#define POLL_BLOCKS "500"

#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)
#define HOLD_MS TEXT(CALLGRIND_HOLD_MS)

/* Each answer has this line once, and the last of its lines that matter are those of threads. */
#define ANSWER_MARK "executed-bbs: "

/* ---- the program ---- */

/* Is there such a program in $PATH? */
static bool
is_installed(const char *name)
{
	const char *path = getenv("PATH");
	bool found = false;

	while (path != NULL && !found) {
		const char *end = strchrnul(path, ':');
		char *file = xasprintf("%.*s/%s", (int)(end - path), path, name);

		found = access(file, X_OK) == 0;
		free(file);
		path = *end != '\0' ? end + 1 : NULL;
	}
	return found;
}

/* Under valgrind DPDK gets no hugepages; ours would take those that there are. */
static void
keep_off_hugepages(struct plan_proc *pp)
{
	const char *given = getenv("NFVCHAIN_EAL_ARGS");

	pp->env[pp->n_env++] =
		xasprintf("NFVCHAIN_EAL_ARGS=%s --no-huge", given != NULL ? given : "");
}

int
callgrind_wrap(struct plan_proc *pp, const char *run_dir, struct err *err)
{
	/* A shell that becomes the program takes valgrind along.  What valgrind writes at the end
	 * nobody reads. */
	char *words[] = {
		xstrdup("valgrind"),
		xstrdup("-q"),
		xstrdup("--tool=callgrind"),
		xstrdup("--trace-children=yes"),
		xstrdup("--callgrind-out-file=/dev/null"),
		xstrdup("--vgdb-poll=" POLL_BLOCKS),
		xasprintf("--vgdb-prefix=%s/vgdb", run_dir),
	};
	const size_t n = N_ELEMS(words);
	bool fits = pp->argc + n < PLAN_MAX_ARGV && pp->n_env + 2 < N_ELEMS(pp->env);

	if (!fits || !is_installed("valgrind") || !is_installed("vgdb")) {
		for (size_t i = 0; i < n; i++)
			free(words[i]);
		return fits ? err_machine(err, "valgrind is not installed (Debian: valgrind)")
			    : err_usage(err, "too many words in the command line of %s", pp->name);
	}
	memmove(pp->argv + n, pp->argv, pp->argc * sizeof(pp->argv[0]));
	memcpy(pp->argv, words, sizeof(words));
	pp->argc += n;
	if (pp->ours)
		keep_off_hugepages(pp);
	pp->ours = false;
	/* Looking up a symbol at its first use is no work on a frame. */
	pp->env[pp->n_env++] = xstrdup("LD_BIND_NOW=1");
	return 0;
}

/* ---- asking ---- */

void
callgrind_open(struct callgrind *c, const struct proc *p, const char *run_dir)
{
	/* All in one session, for the program goes on only behind its end: a second answer says
	 * that it may have.  Without the third option vgdb would attach to a program that is
	 * stopped. */
	static const char *const commands[] = {
		"--max-invoke-ms=0",
		"-c",
		"status",
		"internal",
		"-c",
		"v.wait",
		HOLD_MS,
		"-c",
		"status",
		"internal",
	};
	size_t n = 0;

	*c = (struct callgrind){.answer_path = xasprintf("%s/vgdb.log", run_dir)};
	c->argv[n++] = xstrdup("vgdb");
	c->argv[n++] = xasprintf("--vgdb-prefix=%s/vgdb", run_dir);
	c->argv[n++] = xasprintf("--pid=%d", (int)p->pid);
	for (size_t i = 0; i < N_ELEMS(commands); i++)
		c->argv[n++] = xstrdup(commands[i]);
}

void
callgrind_close(struct callgrind *c)
{
	proc_close(&c->vgdb);
	for (size_t i = 0; c->argv[i] != NULL; i++)
		free(c->argv[i]);
	free(c->answer_path);
	*c = (struct callgrind){0};
}

int
callgrind_ask(struct callgrind *c, struct err *err)
{
	const struct proc_conf conf = {
		.name = "vgdb",
		.argv = c->argv,
		.log_path = c->answer_path,
	};

	proc_close(&c->vgdb);
	unlink(c->answer_path);
	return proc_start(&c->vgdb, &conf, err);
}

/* Whole lines of 'text' only: the last may be half written. */
static size_t
whole_lines(const char *text)
{
	const char *end = strrchr(text, '\n');

	return end != NULL ? (size_t)(end - text) + 1 : 0;
}

/* The number behind "NAME-ID: " at the beginning of a line. */
static bool
find_events(const char *text, size_t len, unsigned id, uint64_t *value)
{
	char *key = xasprintf("\nevents-%u: ", id);
	const char *at = memmem(text, len, key, strlen(key));

	if (at != NULL)
		*value = strtoull(at + strlen(key), NULL, 10);
	free(key);
	return at != NULL;
}

enum callgrind_answer
callgrind_parse(const char *text, struct callgrind_counts *counts)
{
	size_t len = whole_lines(text), mark_len = strlen(ANSWER_MARK);
	const char *first = memmem(text, len, ANSWER_MARK, mark_len), *second, *threads;
	char *next;

	*counts = (struct callgrind_counts){0};
	if (first == NULL)
		return CALLGRIND_NOTHING;
	len -= (size_t)(first - text);
	second = memmem(first + mark_len, len - mark_len, ANSWER_MARK, mark_len);
	if (second != NULL)
		len = (size_t)(second - first);
	threads = memmem(first, len, "\nthreads:", strlen("\nthreads:"));
	if (threads == NULL)
		return CALLGRIND_NOTHING;
	threads += strlen("\nthreads:");
	while (*threads == ' ') {
		unsigned long id = strtoul(threads, &next, 10);

		if (next == threads)
			break;
		threads = next;
		if (id >= CALLGRIND_MAX_THREADS)
			continue;
		if (!find_events(first, len, (unsigned)id, &counts->thread[id]))
			return CALLGRIND_NOTHING;
	}
	return second != NULL ? CALLGRIND_WENT_ON : CALLGRIND_HELD;
}

static enum callgrind_answer
read_answer(const struct callgrind *c, struct callgrind_counts *counts)
{
	int fd = open(c->answer_path, O_RDONLY | O_CLOEXEC);
	enum callgrind_answer answer;
	char *text;
	ssize_t n;

	*counts = (struct callgrind_counts){0};
	if (fd < 0)
		return CALLGRIND_NOTHING;
	text = xcalloc(MAX_ANSWER + 1, 1);
	n = read(fd, text, MAX_ANSWER);
	close(fd);
	answer = n > 0 ? callgrind_parse(text, counts) : CALLGRIND_NOTHING;
	free(text);
	return answer;
}

bool
callgrind_answered(const struct callgrind *c, struct callgrind_counts *counts)
{
	return read_answer(c, counts) != CALLGRIND_NOTHING;
}

bool
callgrind_went_on(struct callgrind *c)
{
	struct callgrind_counts ignored;

	/* A session ends with vgdb, whyever that ended. */
	return !proc_alive(&c->vgdb) || read_answer(c, &ignored) != CALLGRIND_HELD;
}

uint64_t
callgrind_busiest(const struct callgrind_counts *from, const struct callgrind_counts *to,
		  uint64_t *all)
{
	uint64_t most = 0;

	*all = 0;
	for (int i = 0; i < CALLGRIND_MAX_THREADS; i++) {
		/* A thread that is new began from 0; one that is gone has nothing to say. */
		uint64_t n = to->thread[i] > from->thread[i] ? to->thread[i] - from->thread[i] : 0;

		*all += n;
		most = n > most ? n : most;
	}
	return most;
}
