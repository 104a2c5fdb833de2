/* SPDX-License-Identifier: MIT */
#include <signal.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "live_screen.h"
#include "session.h"

/* The console's verb for the live screen. */

struct tui_conf {
	uint64_t every_ns;
};

static const struct opt tui_opts[] = {
	{"every", 0, "TIME", "how long from sample to sample (1s)", opt_set_duration,
	 OPT_FIELD(struct tui_conf, every_ns), NULL, OPT_NO_ENV},
};

const struct console_opts console_tui_opts = {tui_opts, N_ELEMS(tui_opts)};

int
console_tui(struct console *c, int argc, char **argv, struct err *err)
{
	struct tui_conf conf = {.every_ns = NSEC_PER_S};
	static const struct opt_command verb = {
		.name = "tui",
		.summary = "Shows ports and rates, live, until q.",
		.opts = tui_opts,
		.n_opts = N_ELEMS(tui_opts),
	};
	struct live_screen s = {
		.console = c, .title = c->at, .colours = getenv("NO_COLOR") == NULL};
	int rc = opt_parse(&verb, &argc, &argv, &conf, NULL, err);

	if (rc == 0 && argc > 0)
		rc = err_usage(err, "'%s' is not an option of tui", argv[0]);
	if (rc == 0 && (conf.every_ns < 100 * NSEC_PER_MS || conf.every_ns > 3600 * NSEC_PER_S))
		rc = err_usage(err, "--every: from 100ms to an hour");
	if (rc != 0)
		return rc;
	s.every_ms = (int)(conf.every_ns / NSEC_PER_MS);
	s.live = live_open(NULL, NULL);
	rc = live_screen(&s, err);
	live_close(s.live);
	/* Ctrl-C ends the screen, not the console. */
	if (session_stop == SIGINT)
		session_stop = 0;
	return rc;
}
