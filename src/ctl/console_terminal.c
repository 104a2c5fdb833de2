/* SPDX-License-Identifier: MIT */
#include "console_terminal.h"

#include <editline/readline.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "session.h"

#define TICK_MS 1000
#define HISTORY_LINES 1000

static const char prompt[] = "nfvchain> ";

/* libedit's callbacks have no argument. */
static struct {
	struct console *c;
	bool quit;
	bool installed;
} terminal;

/* ---- history ---- */

/* The file, its directories made; for the caller to free. */
static char *
history_path(void)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	char *path;

	if (state != NULL && state[0] != '\0')
		path = xasprintf("%s/nfvchain/console", state);
	else if (home != NULL && home[0] != '\0')
		path = xasprintf("%s/.local/state/nfvchain/console", home);
	else
		return NULL;
	for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		(void)mkdir(path, 0700);
		*slash = '/';
	}
	return path;
}

static void
remember(const char *line)
{
	HIST_ENTRY *last =
		history_length > 0 ? history_get(history_base + history_length - 1) : NULL;

	if (line[strspn(line, " \t")] != '\0' && (last == NULL || strcmp(last->line, line) != 0))
		add_history(line);
}

/* ---- completion ---- */

/* Where the word begins that is completed. */
static size_t completing_at;

static char *
next_offer(const char *word, int i)
{
	return console_complete(rl_line_buffer, completing_at, word, (size_t)i);
}

/* Where there is nothing of ours to offer, libedit offers the names of files. */
static char **
complete(const char *word, int start, int end)
{
	(void)end;
	completing_at = (size_t)start;
	return rl_completion_matches(word, next_offer);
}

/* ---- lines ---- */

static void install(void);

static void
remove_prompt(void)
{
	if (terminal.installed)
		rl_callback_handler_remove();
	terminal.installed = false;
}

/* A line of the generator's; what the user has typed so far stands below it again. */
static void
tell(const char *line)
{
	printf("\r\033[K*** %s\n", line);
	fflush(stdout);
	if (terminal.installed) {
		rl_on_new_line();
		rl_forced_update_display();
	}
}

/* By any signal but Ctrl-C's, which stays for whoever ends the program; Ctrl-C is forgotten. */
static bool
is_told_to_end(void)
{
	if (session_stop == SIGINT)
		session_stop = 0;
	return session_stop != 0;
}

static void
do_line(const char *line)
{
	struct err err = {0};
	int rc;

	rc = console_line(terminal.c, line, &err);
	if (rc < 0)
		fprintf(stderr, "%s\n", err.msg);
	else if (session_stop)
		printf("\n");
	fflush(stdout);
	terminal.quit |= rc == CONSOLE_QUIT || is_told_to_end();
}

static void
got_line(char *line)
{
	if (line == NULL) { /* Ctrl-D */
		printf("\n");
		terminal.quit = true;
		return;
	}
	/* The verb may take its time, and Ctrl-C then is for it: the terminal is as usual. */
	remove_prompt();
	remember(line);
	do_line(line);
	free(line);
	if (!terminal.quit)
		install();
}

static void
install(void)
{
	rl_callback_handler_install(prompt, got_line);
	terminal.installed = true;
}

static void
tick(void)
{
	struct err err = {0};

	if (console_tick(terminal.c, tell, &err) < 0)
		tell(err.msg);
}

/* At the prompt Ctrl-C ends the line. */
static void
interrupted(void)
{
	terminal.quit |= is_told_to_end();
	remove_prompt();
	printf("\n");
	if (!terminal.quit)
		install();
}

static void
await_input(void)
{
	struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
	uint64_t next_ms = 0;

	while (!terminal.quit) {
		uint64_t now_ms = clock_now_ns() / NSEC_PER_MS;
		int n = poll(&in, 1, next_ms > now_ms ? (int)(next_ms - now_ms) : 0);

		/* A Ctrl-C comes before what was typed behind it. */
		if (session_stop != 0) {
			interrupted();
		} else if (n > 0) {
			rl_callback_read_char();
		} else {
			tick();
			next_ms = clock_now_ns() / NSEC_PER_MS + TICK_MS;
		}
	}
}

int
console_terminal(struct console *c, struct err *err)
{
	char *path = history_path();

	(void)err;
	terminal.c = c;
	terminal.quit = false;
	rl_readline_name = "nfvchain";
	rl_attempted_completion_function = complete;
	using_history();
	stifle_history(HISTORY_LINES);
	if (path != NULL)
		(void)read_history(path);
	printf("%s, %u ports; 'help' lists what there is, Ctrl-D ends\n", c->at, stl_ports(c->stl));
	install();
	await_input();
	remove_prompt();
	if (path != NULL)
		(void)write_history(path);
	free(path);
	return 0;
}
