/* SPDX-License-Identifier: MIT */
#include "log.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "str.h"

static struct {
	char program[64];
	enum log_level level;
	bool colour;
} conf = {.level = LOG_NOTICE};

/* Only what needs attention gets a word. */
static const char *const level_words[] = {
	[LOG_ERR] = "error: ", [LOG_WARN] = "warning: ", [LOG_NOTICE] = "",
	[LOG_INFO] = "",       [LOG_DEBUG] = "",
};

static const char *const level_words_colour[] = {
	[LOG_ERR] = "\033[1;31merror:\033[0m ",
	[LOG_WARN] = "\033[1;33mwarning:\033[0m ",
	[LOG_NOTICE] = "",
	[LOG_INFO] = "",
	[LOG_DEBUG] = "",
};

static bool
wants_colour(void)
{
	const char *no_color = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	if (no_color != NULL && no_color[0] != '\0')
		return false;
	return isatty(STDERR_FILENO) && term != NULL && strcmp(term, "dumb") != 0;
}

void
log_init(const char *program, enum log_level level)
{
	str_copy(conf.program, sizeof(conf.program), program);
	conf.level = level;
	conf.colour = wants_colour();
}

bool
log_enabled(enum log_level level)
{
	return level <= conf.level;
}

/* Messages quote files and peers, which must not get to steer the terminal. */
static void
mask_controls(char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if ((c < ' ' && c != '\n' && c != '\t') || c == 0x7f)
			text[i] = '?';
	}
}

void
log_line(enum log_level level, const char *fmt, ...)
{
	/* What fits PIPE_BUF is written whole also when processes share a pipe. */
	char line[PIPE_BUF];
	const char *program = conf.program[0] ? conf.program : program_invocation_short_name;
	const char *word = (conf.colour ? level_words_colour : level_words)[level];
	int saved = errno;
	size_t head, len;
	va_list ap;

	head = (size_t)snprintf(line, sizeof(line), "%.63s: %s", program, word);
	va_start(ap, fmt);
	len = head + str_vprint(line + head, sizeof(line) - head - 1, fmt, ap);
	va_end(ap);
	mask_controls(line + head, len - head);
	while (len > head && line[len - 1] == '\n')
		len--;
	line[len++] = '\n';
	while (write(STDERR_FILENO, line, len) < 0 && errno == EINTR)
		;
	errno = saved;
}
