/* SPDX-License-Identifier: MIT */
#include "guest.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/channel.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/random.h"
#include "base/tunnel.h"

#include "guest_parts.h"

/* How often a call that waits looks at the user's signal. */
#define LOOK_MS 100
/* A hello is said again after this long: the port may not have been open yet, and a new one makes
 * the agent begin anew. */
#define HELLO_AGAIN_MS 2000

/* A request under way; the caller waits for it, the guest's thread answers it. */
struct asked {
	struct asked *next;
	uint32_t id;
	bool is_done;
	char *reply; /* NULL when the connection ended */
	size_t len;
};

struct guest {
	char *name;
	int fd;
	const volatile sig_atomic_t *stop;
	json_t *facts;

	/* Of the guest's thread alone. */
	struct loop *loop;
	struct channel *channel;
	struct tunnel *tunnel;
	struct guest_listener *listeners;

	pthread_t thread;
	bool has_thread;
	int wake_fd; /* says that there are jobs */

	pthread_mutex_t lock; /* of all that follows */
	pthread_cond_t answered;
	struct guest_job *jobs, **last_job;
	struct asked *asked;
	uint32_t last_id;
	char *end; /* why the connection is over, or NULL */
};

/* ---- jobs for the guest's thread ---- */

void
guest_do(struct guest *g, struct guest_job *job)
{
	uint64_t one = 1;

	job->next = NULL;
	pthread_mutex_lock(&g->lock);
	*g->last_job = job;
	g->last_job = &job->next;
	pthread_mutex_unlock(&g->lock);
	/* A counter that is full wakes as well. */
	if (write(g->wake_fd, &one, sizeof(one)) < 0 && errno != EAGAIN)
		abort();
}

static struct guest_job *
take_jobs(struct guest *g)
{
	struct guest_job *jobs;

	pthread_mutex_lock(&g->lock);
	jobs = g->jobs;
	g->jobs = NULL;
	g->last_job = &g->jobs;
	pthread_mutex_unlock(&g->lock);
	return jobs;
}

static void
on_wake(void *arg)
{
	struct guest *g = arg;
	uint64_t n;

	if (read(g->wake_fd, &n, sizeof(n)) < 0)
		return;
	for (struct guest_job *job = take_jobs(g), *next; job != NULL; job = next) {
		next = job->next;
		job->run(g, job);
		free(job);
	}
}

/* ---- the connection, in the guest's thread ---- */

static void
take_reply(struct guest *g, const struct frame *frame)
{
	struct asked *asked;

	pthread_mutex_lock(&g->lock);
	asked = g->asked;
	while (asked != NULL && asked->id != frame->id)
		asked = asked->next;
	/* Nobody waits any more for the answers of an earlier connection, or for late ones. */
	if (asked != NULL && !asked->is_done) {
		asked->reply = xcalloc(frame->len + 1, 1);
		memcpy(asked->reply, frame->body, frame->len);
		asked->len = frame->len;
		asked->is_done = true;
		pthread_cond_broadcast(&g->answered);
	}
	pthread_mutex_unlock(&g->lock);
}

static void
on_frame(void *arg, const struct frame *frame)
{
	struct guest *g = arg;

	if (frame->kind == FRAMING_REPLY)
		take_reply(g, frame);
	else
		tunnel_take(g->tunnel, frame, false);
}

/* The answer to our own restart; an agent that began anew by itself knows of no connection. */
static void
on_restart(void *arg)
{
	struct guest *g = arg;

	tunnel_drop_all(g->tunnel);
}

static void
on_end(void *arg, const char *why)
{
	struct guest *g = arg;

	tunnel_drop_all(g->tunnel);
	pthread_mutex_lock(&g->lock);
	g->end = xstrdup(why);
	for (struct asked *asked = g->asked; asked != NULL; asked = asked->next)
		asked->is_done = true;
	pthread_cond_broadcast(&g->answered);
	pthread_mutex_unlock(&g->lock);
}

struct tunnel *
guest_tunnel(struct guest *g)
{
	return g->tunnel;
}

struct loop *
guest_loop(struct guest *g)
{
	return g->loop;
}

struct guest_listener **
guest_listeners(struct guest *g)
{
	return &g->listeners;
}

static void *
serve(void *arg)
{
	struct guest *g = arg;
	sigset_t all;

	/* Signals are the caller's threads' business. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, NULL);
	loop_run(g->loop);
	return NULL;
}

/* ---- asking, in any thread ---- */

struct send_job {
	struct guest_job job;
	bool restarts;
	uint32_t id;
	size_t len;
	char text[];
};

static void
run_send(struct guest *g, struct guest_job *job)
{
	const struct send_job *send = (const struct send_job *)job;

	if (send->restarts)
		channel_restart(g->channel);
	channel_send(g->channel, FRAMING_REQUEST, send->id, send->text, send->len);
}

/* Steals 'params'; -EINVAL when they are no object or too long to send. */
static int
post(struct guest *g, struct asked *asked, const char *method, json_t *params, bool restarts,
     struct err *err)
{
	json_t *request = json_pack("{s:s, s:o}", "method", method, "params",
				    params != NULL ? params : json_object());
	char *text = json_dumps(request, JSON_COMPACT);
	size_t len = text != NULL ? strlen(text) : 0;
	struct send_job *job;

	json_decref(request);
	if (text == NULL || len > FRAMING_MAX_BODY) {
		free(text);
		return err_set(err, EINVAL, "the parameters are too long, or no JSON");
	}
	job = xcalloc(1, sizeof(*job) + len);
	*job = (struct send_job){.job.run = run_send, .restarts = restarts, .len = len};
	memcpy(job->text, text, len);
	free(text);
	pthread_mutex_lock(&g->lock);
	asked->id = job->id = ++g->last_id;
	asked->next = g->asked;
	g->asked = asked;
	asked->is_done = g->end != NULL;
	pthread_mutex_unlock(&g->lock);
	guest_do(g, &job->job);
	return 0;
}

/* Forgets a request, answered or not. */
static void
forget(struct guest *g, struct asked *asked)
{
	struct asked **at = &g->asked;

	pthread_mutex_lock(&g->lock);
	while (*at != asked)
		at = &(*at)->next;
	*at = asked->next;
	pthread_mutex_unlock(&g->lock);
}

static void
wait_a_little(struct guest *g, const struct deadline *d)
{
	int ms = deadline_left_ms(d) < LOOK_MS ? deadline_left_ms(d) : LOOK_MS;
	uint64_t at = clock_now_ns() + (uint64_t)ms * NSEC_PER_MS;
	struct timespec until = {.tv_sec = (time_t)(at / NSEC_PER_S),
				 .tv_nsec = (long)(at % NSEC_PER_S)};

	pthread_cond_timedwait(&g->answered, &g->lock, &until);
}

/* Waits for the answer, which stays in 'asked'. */
static int
await(struct guest *g, struct asked *asked, const struct deadline *d, struct err *err)
{
	bool stopped = false;
	int rc = 0;

	pthread_mutex_lock(&g->lock);
	while (!asked->is_done && !deadline_passed(d) && !stopped) {
		wait_a_little(g, d);
		stopped = g->stop != NULL && *g->stop != 0;
	}
	if (!asked->is_done)
		rc = stopped ? err_set(err, EINTR, "interrupted")
			     : err_set(err, ETIMEDOUT, "no answer in time");
	else if (asked->reply == NULL)
		rc = err_set(err, EPIPE, "the connection is over: %s", g->end);
	pthread_mutex_unlock(&g->lock);
	return rc;
}

/* What a reply says. */
static int
read_reply(const struct asked *asked, json_t **result, struct err *err)
{
	json_error_t why;
	json_t *reply = json_loadb(asked->reply, asked->len, 0, &why);
	const json_t *error = json_object_get(reply, "error");
	json_t *found = json_object_get(reply, "result");
	json_int_t errnum = json_integer_value(json_object_get(reply, "errno"));
	int rc = 0;

	if (json_is_string(error))
		rc = err_set(err, errnum > 0 && errnum < 4096 ? (int)errnum : EREMOTEIO, "%s",
			     json_string_value(error));
	else if (found == NULL)
		rc = err_set(err, EPROTO, "the answer is not what an agent says");
	else if (result != NULL)
		*result = json_incref(found);
	json_decref(reply);
	return rc;
}

static int
ask(struct guest *g, const char *method, json_t *params, bool restarts, int timeout_ms,
    json_t **result, struct err *err)
{
	struct deadline d = deadline_in_ms(timeout_ms > 0 ? (uint64_t)timeout_ms : 0);
	struct asked asked = {0};
	int rc;

	if (result != NULL)
		*result = NULL;
	rc = post(g, &asked, method, params, restarts, err);
	if (rc < 0)
		return rc;
	rc = await(g, &asked, &d, err);
	forget(g, &asked);
	if (rc == 0)
		rc = read_reply(&asked, result, err);
	free(asked.reply);
	return rc;
}

int
guest_call(struct guest *g, const char *method, json_t *params, int timeout_ms, json_t **result,
	   struct err *err)
{
	int rc = ask(g, method, params, false, timeout_ms, result, err);

	return err_wrap(err, rc, "%s", g->name);
}

/* ---- open and close ---- */

/* Says hello until the agent answers: it boots meanwhile. */
static int
greet(struct guest *g, int timeout_ms, struct err *err)
{
	struct deadline d = deadline_in_ms(timeout_ms > 0 ? (uint64_t)timeout_ms : 0);
	uint64_t protocol;
	int rc, left;

	do {
		left = deadline_left_ms(&d);
		rc = ask(g, "hello", NULL, true, left < HELLO_AGAIN_MS ? left : HELLO_AGAIN_MS,
			 &g->facts, err);
	} while (rc == -ETIMEDOUT && !deadline_passed(&d));
	if (rc == -ETIMEDOUT)
		return err_set(err, ETIMEDOUT, "its agent said nothing in %d s", timeout_ms / 1000);
	if (rc == 0)
		rc = json_get_u64(g->facts, "protocol", &protocol, err);
	if (rc < 0)
		return rc;
	if (protocol == GUEST_PROTOCOL)
		return 0;
	return err_set(err, EPROTO, "its agent speaks version %" PRIu64 " of the protocol, not %d",
		       protocol, GUEST_PROTOCOL);
}

static int
start_thread(struct guest *g, struct err *err)
{
	const struct channel_ops ops = {on_frame, on_restart, on_end, g};
	int rc = loop_open(&g->loop, err);

	if (rc < 0)
		return rc;
	g->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (g->wake_fd < 0)
		return err_set(err, errno, "eventfd: %s", strerror(errno));
	if (fcntl(g->fd, F_SETFL, O_NONBLOCK) < 0)
		return err_set(err, errno, "descriptor %d: %s", g->fd, strerror(errno));
	loop_fd(g->loop, g->wake_fd, on_wake, g);
	rc = channel_open(&g->channel, g->loop, g->fd, false, &ops, err);
	if (rc < 0)
		return rc;
	g->tunnel = tunnel_new(g->loop, g->channel);
	rc = pthread_create(&g->thread, NULL, serve, g);
	if (rc != 0)
		return err_set(err, rc, "its thread: %s", strerror(rc));
	g->has_thread = true;
	return 0;
}

int
guest_open(struct guest **guest, const struct guest_conf *conf, struct err *err)
{
	struct guest *g = xcalloc(1, sizeof(*g));
	pthread_condattr_t monotonic;
	int rc;

	*guest = NULL;
	*g = (struct guest){
		.name = xstrdup(conf->name),
		.fd = conf->fd,
		.stop = conf->stop,
		.wake_fd = -1,
		/* Unlike those of an earlier connection, whose answers may still come. */
		.last_id = (uint32_t)random_mix(clock_now_ns() + (uint64_t)getpid())};
	g->last_job = &g->jobs;
	pthread_mutex_init(&g->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&g->answered, &monotonic);
	pthread_condattr_destroy(&monotonic);
	rc = start_thread(g, err);
	if (rc == 0)
		rc = greet(g, conf->timeout_ms, err);
	err_wrap(err, rc, "%s", conf->name);
	if (rc < 0)
		guest_close(g);
	else
		*guest = g;
	return rc;
}

void
guest_close(struct guest *g)
{
	if (g == NULL)
		return;
	if (g->has_thread) {
		loop_stop(g->loop);
		pthread_join(g->thread, NULL);
	}
	guest_close_listeners(g);
	tunnel_free(g->tunnel);
	channel_close(g->channel);
	loop_close(g->loop);
	for (struct guest_job *job = g->jobs, *next; job != NULL; job = next) {
		next = job->next;
		free(job);
	}
	if (g->wake_fd >= 0)
		close(g->wake_fd);
	pthread_cond_destroy(&g->answered);
	pthread_mutex_destroy(&g->lock);
	json_decref(g->facts);
	free(g->end);
	free(g->name);
	free(g);
}

const json_t *
guest_facts(const struct guest *g)
{
	return g->facts;
}

const char *
guest_name(const struct guest *g)
{
	return g->name;
}
