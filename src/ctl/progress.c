/* SPDX-License-Identifier: MIT */
#include "progress.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/rate.h"
#include "base/str.h"

/* Width of a terminal that does not say how wide it is. */
#define DEFAULT_COLS 80

static struct {
	enum progress_mode mode;
	bool live;    /* one line that is written again and again */
	bool is_open; /* the cursor stands in that line */
} progress;

void
progress_init(enum progress_mode mode)
{
	const char *term = getenv("TERM");
	bool can_move = isatty(STDERR_FILENO) && term != NULL && strcmp(term, "dumb") != 0;

	progress.mode = mode;
	progress.live = mode == PROGRESS_AUTO && can_move;
	progress.is_open = false;
}

static void
put(const char *text, size_t len)
{
	/* Progress that cannot be shown is no reason to stop. */
	while (write(STDERR_FILENO, text, len) < 0 && errno == EINTR)
		;
}

static size_t
columns(void)
{
	struct winsize size = {0};

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
		return DEFAULT_COLS;
	return size.ws_col;
}

/* Cuts to 'cols' characters; reasons quote programs, so nothing in them may move the cursor. */
static void
fit(char *text, size_t cols)
{
	size_t n = 0;

	for (char *c = text; *c != '\0'; c++) {
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
		/* Bytes that go on with a character of UTF-8 take no column. */
		n += ((unsigned char)*c & 0xc0) != 0x80;
		if (n > cols) {
			*c = '\0';
			return;
		}
	}
}

/* One line in one write, so that it never mixes with what others write. */
static void
show(char *text)
{
	struct str line = {0};

	/* The last column stays free: some terminals wrap as soon as it is filled. */
	fit(text, progress.live ? columns() - 1 : SIZE_MAX);
	if (progress.live)
		str_addf(&line, "\r%s\033[K", text);
	else
		str_addf(&line, "%s\n", text);
	put(line.text, line.len);
	progress.is_open = progress.live;
	str_fini(&line);
}

void
progress_step(const char *fmt, ...)
{
	va_list ap;
	char *text;

	if (progress.mode == PROGRESS_NONE)
		return;
	va_start(ap, fmt);
	text = xvasprintf(fmt, ap);
	va_end(ap);
	show(text);
	free(text);
}

static void
add_eta(struct str *s, double eta_s)
{
	if (!(eta_s >= 0))
		return;
	if (eta_s < 100)
		str_addf(s, "  eta %.0f s", ceil(eta_s));
	else
		str_addf(s, "  eta %.0f min", ceil(eta_s / 60));
}

void
progress_trial(const char *frames, unsigned k, unsigned total, const struct trial *t, double eta_s)
{
	bool is_size = frames[strspn(frames, "0123456789")] == '\0';
	struct str s = {0};
	char load[32];

	if (progress.mode == PROGRESS_NONE)
		return;
	if (t->spec.flat_out)
		str_copy(load, sizeof(load), "flat out");
	else
		rate_print_pps(load, sizeof(load), t->spec.rate_pps);
	str_addf(&s, "trial %u/%s%u  %s%s  %s  %s", k, total > 1 ? "~" : "", total, frames,
		 is_size ? " B" : "", load, trial_verdict_name(t->verdict));
	/* The time to go stands before the reason, which may be cut. */
	if (k < total)
		add_eta(&s, eta_s);
	str_addf(&s, "  %s", t->reason);
	show(s.text);
	str_fini(&s);
}

void
progress_done(void)
{
	if (progress.is_open)
		put("\n", 1);
	progress.is_open = false;
}
