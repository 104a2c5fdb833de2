/* SPDX-License-Identifier: MIT */
#include "supervise.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backend_links.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"

#define READY_MS 15000
#define HELLO_MS 1000
#define REOPEN_MS 4000
#define REOPEN_AGAIN_MS 100
/* After the second death in a row, and twice as long after each further one. */
#define BACK_OFF_MS 100
#define MAX_BACK_OFF_MS 2000
/* A dying program closes its sockets before it is dead. */
#define DYING_MS 500
#define STEP_MS 5

enum phase {
	RUNNING,
	WAITING,  /* to be started */
	STARTING, /* until it answers */
	GIVEN_UP,
};

struct watched {
	bool wanted; /* it is to be started again */
	enum phase phase;
	/* Who it is connected to at its port 0 is new: to attach that port again. */
	bool reopen;
	bool told; /* why that does not go */
	unsigned n_restarts, n_in_row;
	uint64_t died_ns; /* first, if it has not been up since; 0: it is well */
	uint64_t due_ns, started_ns, reopen_ns;
	char why[256];
};

struct supervise {
	struct watched hop[CHAIN_MAX_HOPS];
	supervise_tell *tell;
	void *arg;
	bool keep_others;
};

/* ---- telling ---- */

static void __attribute__((format(printf, 4, 5)))
say(struct backend *b, enum supervise_what what, size_t i, const char *fmt, ...)
{
	const struct supervise *s = b->supervise;
	struct supervise_event event = {.what = what, .hop = i, .at_ns = clock_now_ns()};
	char text[384];
	va_list ap;

	va_start(ap, fmt);
	str_vprint(text, sizeof(text), fmt, ap);
	va_end(ap);
	event.text = text;
	if (s->tell != NULL)
		s->tell(s->arg, &event);
	else if (what != SUPERVISE_STARTED)
		LOG(WARN, "%s", text);
}

/* ---- links ---- */

static struct watched *
hop_of(const struct backend *b, size_t i)
{
	return &b->supervise->hop[i];
}

static bool
is_connected(const struct backend *b, size_t link)
{
	return b->chain->link[link].kind == LINK_VHOST_USER;
}

/* Does who listens at the other end of its port 0 do so?  The generator always does. */
static bool
can_connect(const struct backend *b, size_t i)
{
	return i == 0 || !is_connected(b, i) || hop_of(b, i - 1)->phase == RUNNING;
}

/* Attaches port 0 of hop 'i' again.  When that does not go, it is tried again, for as long as the
 * neighbour lives. */
static void
reopen(struct backend *b, size_t i)
{
	struct watched *w = hop_of(b, i);
	struct err why = {0};

	if (clock_now_ns() < w->reopen_ns || !can_connect(b, i) || b->hop[i].control == NULL)
		return;
	w->reopen_ns = clock_now_ns() + REOPEN_AGAIN_MS * NSEC_PER_MS;
	if (control_client_call(b->hop[i].control, "port_reopen", json_pack("{s:i}", "port", 0),
				REOPEN_MS, NULL, &why) < 0) {
		if (!w->told)
			LOG(INFO, "%s: port 0: %s", b->chain->hop[i].name, why.msg);
		w->told = true;
		return;
	}
	w->reopen = w->told = false;
}

/* ---- a death ---- */

static void
forget_sockets(struct backend *b, size_t i)
{
	struct backend_hop *h = &b->hop[i];

	control_client_close(h->control);
	telemetry_client_close(h->telemetry);
	json_decref(h->times);
	*h = (struct backend_hop){.tells_times = h->tells_times};
}

static void
give_up(struct backend *b, size_t i)
{
	struct watched *w = hop_of(b, i);
	char text[sizeof(w->why)];

	w->phase = GIVEN_UP;
	str_copy(text, sizeof(text), w->why);
	snprintf(w->why, sizeof(w->why), "died %u times in a row and is given up: %.180s",
		 w->n_in_row, text);
	say(b, SUPERVISE_GIVEN_UP, i, "%s %s", b->chain->hop[i].name, w->why);
}

/* 'why' is the sentence about it. */
static void
bury(struct backend *b, size_t i, const char *why)
{
	struct watched *w = hop_of(b, i);
	uint64_t now = clock_now_ns(), pause_ms = 0;

	forget_sockets(b, i);
	if (w->phase == RUNNING && now - w->started_ns > SUPERVISE_STABLE_MS * NSEC_PER_MS)
		w->n_in_row = 0;
	w->n_in_row++;
	if (w->died_ns == 0)
		w->died_ns = now;
	w->reopen = false;
	str_copy(w->why, sizeof(w->why), why);
	if (w->n_in_row >= SUPERVISE_GIVE_UP) {
		give_up(b, i);
		return;
	}
	if (w->n_in_row > 1)
		pause_ms = BACK_OFF_MS << (w->n_in_row - 2);
	if (pause_ms > MAX_BACK_OFF_MS)
		pause_ms = MAX_BACK_OFF_MS;
	w->due_ns = now + pause_ms * NSEC_PER_MS;
	w->phase = WAITING;
	say(b, SUPERVISE_DIED, i, "%s %s; it is started again%s", b->chain->hop[i].name, why,
	    pause_ms > 0 ? " after a while" : "");
}

static void
bury_dead(struct backend *b, size_t i)
{
	const struct proc *p = &b->proc[i + 1];
	char status[64], words[160], why[256];

	proc_print_status(status, sizeof(status), p);
	words[0] = '\0';
	/* Of a kill the log knows nothing. */
	if (WIFEXITED(p->status))
		proc_last_words(words, sizeof(words), p);
	snprintf(why, sizeof(why), "%s%s%s", status, words[0] != '\0' ? ": " : "", words);
	bury(b, i, why);
}

/* ---- a start ---- */

/* What the dead one listened at would be in the way. */
static void
clear_sockets(const struct plan_proc *pp)
{
	for (size_t k = 0; k < N_ELEMS(pp->listens); k++)
		if (pp->listens[k] != NULL)
			unlink(pp->listens[k]);
	if (pp->control_path != NULL)
		unlink(pp->control_path);
	if (pp->telemetry_path != NULL)
		unlink(pp->telemetry_path);
}

static void
launch(struct backend *b, size_t i)
{
	const struct plan_proc *pp = &b->plan->proc[i + 1];
	struct proc_conf conf = backend_proc_conf(pp);
	struct watched *w = hop_of(b, i);
	struct err why = {0};

	conf.ns = backend_links_ns(b, pp);
	clear_sockets(pp);
	proc_close(&b->proc[i + 1]);
	w->started_ns = clock_now_ns();
	w->reopen = false;
	w->phase = STARTING;
	if (proc_start(&b->proc[i + 1], &conf, &why) < 0)
		bury(b, i, why.msg);
}

static bool
is_socket(const char *path)
{
	struct stat st;

	return path == NULL || (stat(path, &st) == 0 && S_ISSOCK(st.st_mode));
}

/* Does it answer, with all its sockets there?  By then its ports are open. */
static bool
is_ready(struct backend *b, size_t i)
{
	const struct plan_proc *pp = &b->plan->proc[i + 1];
	struct backend_hop *h = &b->hop[i];
	struct err ignored = {0};

	if (!is_socket(pp->listens[0]) || !is_socket(pp->listens[1]))
		return false;
	if (pp->control_path != NULL) {
		if (h->control == NULL &&
		    control_client_open(&h->control, pp->control_path, 0, &ignored) < 0) {
			h->control = NULL;
			return false;
		}
		return control_client_call(h->control, "hello", NULL, HELLO_MS, NULL, &ignored) ==
		       0;
	}
	if (pp->telemetry_path != NULL && h->telemetry == NULL &&
	    telemetry_client_open(&h->telemetry, pp->telemetry_path, 0, &ignored) < 0)
		h->telemetry = NULL;
	return pp->telemetry_path == NULL || h->telemetry != NULL;
}

/* It answers: now whoever was connected to it. */
static void
welcome(struct backend *b, size_t i)
{
	struct watched *w = hop_of(b, i), *next = hop_of(b, i + 1);

	w->phase = RUNNING;
	w->n_restarts++;
	say(b, SUPERVISE_STARTED, i, "%s was started again", b->chain->hop[i].name);
	if (i + 1 == b->chain->n_hops || !is_connected(b, i + 1))
		return;
	/* One that is not yet started will find the new one. */
	if (next->phase == RUNNING || next->phase == STARTING) {
		next->reopen = true;
		next->reopen_ns = 0;
	}
}

static void
await_start(struct backend *b, size_t i)
{
	struct watched *w = hop_of(b, i);
	char why[128];

	if (is_ready(b, i)) {
		welcome(b, i);
	} else if (clock_now_ns() - w->started_ns > READY_MS * NSEC_PER_MS) {
		proc_stop(&b->proc[i + 1], 0);
		snprintf(why, sizeof(why), "was not ready after %d s", READY_MS / 1000);
		bury(b, i, why);
	}
}

/* ---- steps ---- */

static void
step(struct backend *b, size_t i)
{
	struct watched *w = hop_of(b, i);

	if ((w->phase == RUNNING || w->phase == STARTING) && w->wanted &&
	    !proc_alive(&b->proc[i + 1]))
		bury_dead(b, i);
	if (w->phase == WAITING && clock_now_ns() >= w->due_ns && can_connect(b, i))
		launch(b, i);
	else if (w->phase == STARTING)
		await_start(b, i);
	if (w->phase == RUNNING && w->reopen)
		reopen(b, i);
}

static bool
is_healed(const struct backend *b, size_t i)
{
	const struct watched *w = hop_of(b, i);

	return w->phase == RUNNING && !w->reopen &&
	       (i + 1 == b->chain->n_hops || !hop_of(b, i + 1)->reopen);
}

static void
note_healed(struct backend *b, size_t i)
{
	struct watched *w = hop_of(b, i);

	if (w->died_ns == 0 || !is_healed(b, i))
		return;
	say(b, SUPERVISE_HEALED, i, "%s forwards again, %.0f ms after its death (restart %u)",
	    b->chain->hop[i].name, (double)(clock_now_ns() - w->died_ns) / NSEC_PER_MS,
	    w->n_restarts);
	w->died_ns = 0;
}

int
supervise_step(struct backend *b, struct err *err)
{
	const char *why;

	if (b->supervise == NULL)
		return 0;
	for (size_t i = 0; i < b->chain->n_hops; i++)
		step(b, i);
	for (size_t i = 0; i < b->chain->n_hops; i++) {
		note_healed(b, i);
		why = supervise_given_up(b, i);
		if (why != NULL && !b->supervise->keep_others)
			return err_set(err, ECHILD, "%s %s", b->chain->hop[i].name, why);
	}
	return 0;
}

/* ---- the whole ---- */

void
supervise_begin(struct backend *b)
{
	struct supervise *s;
	bool any = false;

	for (size_t i = 0; i < b->chain->n_hops; i++)
		any |= b->chain->hop[i].supervise;
	if (!any)
		return;
	s = xcalloc(1, sizeof(*s));
	for (size_t i = 0; i < b->chain->n_hops; i++) {
		s->hop[i].wanted = b->chain->hop[i].supervise;
		s->hop[i].started_ns = clock_now_ns();
	}
	b->supervise = s;
}

void
supervise_end(struct backend *b)
{
	free(b->supervise);
	b->supervise = NULL;
}

void
supervise_hear(struct backend *b, supervise_tell *tell, void *arg)
{
	if (b->supervise == NULL)
		return;
	b->supervise->tell = tell;
	b->supervise->arg = arg;
}

void
supervise_keep_others(struct backend *b)
{
	if (b->supervise != NULL)
		b->supervise->keep_others = true;
}

bool
supervise_has(const struct backend *b, size_t i)
{
	const int hop = b->plan->proc[i].hop;

	return b->supervise != NULL && hop >= 0 && b->supervise->hop[hop].wanted;
}

bool
supervise_is_running(const struct backend *b, size_t i)
{
	enum phase phase;

	if (!supervise_has(b, i))
		return true;
	phase = b->supervise->hop[b->plan->proc[i].hop].phase;
	return phase == RUNNING || phase == STARTING;
}

bool
supervise_is_up(const struct backend *b, size_t i)
{
	return b->supervise == NULL || is_healed(b, i);
}

bool
supervise_is_busy(const struct backend *b)
{
	if (b->supervise == NULL)
		return false;
	for (size_t i = 0; i < b->chain->n_hops; i++) {
		const struct watched *w = hop_of(b, i);

		if (w->phase == WAITING || w->phase == STARTING || w->reopen)
			return true;
	}
	return false;
}

int
supervise_settle(struct backend *b, size_t i, struct err *err)
{
	int rc = 0;

	while (rc == 0 && b->supervise != NULL && hop_of(b, i)->phase != RUNNING) {
		if (hop_of(b, i)->phase == GIVEN_UP)
			return err_set(err, ECHILD, "%s %s", b->chain->hop[i].name,
				       hop_of(b, i)->why);
		rc = backend_wait(b, STEP_MS, err);
	}
	return rc;
}

bool
supervise_has_died(struct backend *b, size_t i)
{
	struct deadline d = deadline_in_ms(DYING_MS);
	unsigned before = supervise_restarts(b, i);
	struct err ignored = {0};

	if (!supervise_has(b, i + 1))
		return false;
	do {
		if (backend_wait(b, STEP_MS, &ignored) < 0)
			return false;
		if (hop_of(b, i)->phase != RUNNING || hop_of(b, i)->n_restarts != before)
			return true;
	} while (!deadline_passed(&d));
	return false;
}

unsigned
supervise_restarts(const struct backend *b, size_t i)
{
	return b->supervise != NULL ? b->supervise->hop[i].n_restarts : 0;
}

const char *
supervise_given_up(const struct backend *b, size_t i)
{
	return b->supervise != NULL && hop_of(b, i)->phase == GIVEN_UP ? hop_of(b, i)->why : NULL;
}

size_t
supervise_retry(struct backend *b)
{
	size_t n = 0;

	for (size_t i = 0; b->supervise != NULL && i < b->chain->n_hops; i++) {
		struct watched *w = hop_of(b, i);

		if (w->phase != GIVEN_UP)
			continue;
		w->phase = WAITING;
		w->n_in_row = 0;
		w->due_ns = 0;
		n++;
	}
	return n;
}
