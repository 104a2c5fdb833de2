/* SPDX-License-Identifier: MIT */
#include "programs.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/proc.h"
#include "base/str.h"

#define NAME_MAX_LEN 32
#define WORDS_MAX 512 /* of a command line, and of an environment */
#define READY_PERIOD_MS 20
#define LOG_MAX (64u << 10) /* bytes of a log that one answer carries */
#define LOG_TAIL 2048u	    /* with the answer to a start */

/* A call that waits for something to happen to a program. */
struct waiting {
	struct call call;
	bool is_there;
	struct deadline deadline;
	struct loop_watch *timer;
};

struct program {
	char *name;
	char *socket; /* or NULL */
	char *log_path;
	struct proc proc;
	struct loop_watch *end; /* readable once it has ended */
	uint64_t start_ns;
	struct waiting start, stop;
	bool was_killed; /* it did not obey SIGINT in time */
};

/* ---- telling ---- */

/* The end of the log, for the caller to free; bytes that are no UTF-8 become '?'. */
static char *
read_log(const struct program *p, size_t max)
{
	int fd = open(p->log_path, O_RDONLY | O_CLOEXEC);
	char *text = xcalloc(max + 1, 1);
	struct stat st;
	ssize_t n = 0;

	if (fd >= 0 && fstat(fd, &st) == 0)
		n = pread(fd, text, max, st.st_size > (off_t)max ? st.st_size - (off_t)max : 0);
	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
	for (char *c = text; n > 0 && c < text + n; c++)
		if (((unsigned char)*c < ' ' && *c != '\n' && *c != '\t') ||
		    (unsigned char)*c > '~')
			*c = '?';
	return text;
}

static json_t *
log_json(const struct program *p, size_t max)
{
	char *text = read_log(p, max);
	json_t *json = json_string(text);

	free(text);
	return json;
}

static void
done(struct waiting *w)
{
	loop_unwatch(w->timer);
	*w = (struct waiting){0};
}

static void
begin(struct waiting *w, struct loop *loop, const struct call *call, uint64_t timeout_ms,
      uint64_t period_ms, void (*cb)(void *arg), void *arg)
{
	*w = (struct waiting){
		.call = *call, .is_there = true, .deadline = deadline_in_ms(timeout_ms)};
	w->timer = loop_timer(loop, period_ms, cb, arg);
}

/* ---- starting ---- */

/* Does somebody listen at the program's socket? */
static bool
is_ready(const struct program *p)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd;
	bool yes;

	if (p->socket == NULL)
		return true;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	str_copy(addr.sun_path, sizeof(addr.sun_path), p->socket);
	yes = fd >= 0 && connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0;
	if (fd >= 0)
		close(fd);
	return yes;
}

static void
answer_start(struct program *p)
{
	call_answer(&p->start.call,
		    json_pack("{s:i, s:I, s:o}", "pid", (int)p->proc.pid, "ready_ms",
			      (json_int_t)((clock_now_ns() - p->start_ns) / NSEC_PER_MS), "log",
			      log_json(p, LOG_TAIL)));
	done(&p->start);
}

/* Quotes the program: what it said last says most about why. */
static void
refuse_start(struct program *p, int errnum, const char *what)
{
	char words[512];
	struct err err = {0};

	proc_last_words(words, sizeof(words), &p->proc);
	err_set(&err, errnum, "%s %s%s%s", p->name, what, words[0] != '\0' ? ": " : "", words);
	call_refuse(&p->start.call, -errnum, &err);
	done(&p->start);
}

static void
on_look_ready(void *arg)
{
	struct program *p = arg;

	if (is_ready(p))
		answer_start(p);
	else if (deadline_passed(&p->start.deadline))
		refuse_start(p, ETIMEDOUT, "runs, but is not ready in time");
}

/* ---- ending ---- */

static void
answer_stop(const struct call *call, const struct program *p)
{
	char text[64];

	call_answer(call, json_pack("{s:i, s:s, s:b, s:o}", "status", p->proc.status, "text",
				    proc_print_status(text, sizeof(text), &p->proc), "killed",
				    p->was_killed, "log", log_json(p, LOG_TAIL)));
}

static void
on_end(void *arg)
{
	struct program *p = arg;
	char text[64];

	if (!proc_wait(&p->proc, 0))
		return;
	loop_unwatch(p->end);
	p->end = NULL;
	if (p->start.is_there)
		refuse_start(p, ECHILD, proc_print_status(text, sizeof(text), &p->proc));
	if (p->stop.is_there) {
		answer_stop(&p->stop.call, p);
		done(&p->stop);
	}
}

static void
on_stop_deadline(void *arg)
{
	struct program *p = arg;

	p->was_killed = true;
	kill(-p->proc.pid, SIGKILL);
}

/* ---- the table ---- */

static void
program_free(struct program *p)
{
	done(&p->start);
	done(&p->stop);
	loop_unwatch(p->end);
	if (p->end != NULL)
		kill(-p->proc.pid, SIGKILL);
	proc_close(&p->proc);
	free(p->name);
	free(p->socket);
	free(p->log_path);
	free(p);
}

/* NULL, with the sentence for -ESRCH, when there is none. */
static struct program *
find(const struct programs *programs, const char *name, struct err *err)
{
	for (size_t i = 0; i < programs->n; i++)
		if (strcmp(programs->program[i]->name, name) == 0)
			return programs->program[i];
	err_set(err, ESRCH, "no program '%.32s' was started", name);
	return NULL;
}

int
programs_socket(const struct programs *programs, const char *name, const char **path,
		struct err *err)
{
	const struct program *p = find(programs, name, err);

	if (p == NULL)
		return -ESRCH;
	if (p->socket == NULL)
		return err_set(err, ENOTCONN, "%s was started without a socket", name);
	*path = p->socket;
	return 0;
}

json_t *
programs_json(const struct programs *programs, size_t i)
{
	const struct program *p = programs->program[i];
	char text[64];

	return json_pack("{s:s, s:s}", "name", p->name, "state",
			 proc_print_status(text, sizeof(text), &p->proc));
}

bool
programs_own(const struct programs *programs, int pid)
{
	for (size_t i = 0; i < programs->n; i++) {
		const struct proc *proc = &programs->program[i]->proc;

		if ((proc->pid == pid && !proc->reaped) || proc->keeper == pid)
			return true;
	}
	return false;
}

void
programs_init(struct programs *programs, struct loop *loop, const char *dir)
{
	*programs = (struct programs){.loop = loop, .dir = dir};
}

void
programs_fini(struct programs *programs)
{
	while (programs->n > 0)
		program_free(programs->program[--programs->n]);
}

/* ---- requests ---- */

static int
check_name(const char *name, struct err *err)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)name[i]) && name[i] != '-' && name[i] != '_')
			len = 0;
	if (len > 0 && len <= NAME_MAX_LEN)
		return 0;
	return err_set(err, EINVAL, "'%.40s' is not a name for a program", name);
}

/* The texts of an array, NULL-terminated, borrowed; NULL with a sentence when it is none. */
static char **
read_words(const json_t *array, const char *what, struct err *err)
{
	size_t n = json_array_size(array);
	char **words;

	if (!json_is_array(array) || n > WORDS_MAX) {
		err_set(err, EINVAL, "%s: not a list of at most %d texts", what, WORDS_MAX);
		return NULL;
	}
	words = xcalloc(n + 1, sizeof(*words));
	for (size_t i = 0; i < n; i++) {
		/* exec wants them without const, and does not write to them. */
		words[i] = (char *)(uintptr_t)json_string_value(json_array_get(array, i));
		if (words[i] == NULL) {
			err_set(err, EINVAL, "%s[%zu]: not a text", what, i);
			free(words);
			return NULL;
		}
	}
	return words;
}

/* Room for a program of this name: that of one that has ended, or a new one.  NULL, with the
 * sentence for -EEXIST, when there is none. */
static struct program *
make_room(struct programs *programs, const char *name, struct err *err)
{
	struct program *p;
	size_t i = 0;

	while (i < programs->n && strcmp(programs->program[i]->name, name) != 0)
		i++;
	if (i == PROGRAMS_MAX) {
		err_set(err, EEXIST, "%d programs were started already", PROGRAMS_MAX);
		return NULL;
	}
	if (i < programs->n && programs->program[i]->end != NULL) {
		err_set(err, EEXIST, "%s runs already", name);
		return NULL;
	}
	if (i < programs->n)
		program_free(programs->program[i]);
	else
		programs->n++;
	p = xcalloc(1, sizeof(*p));
	programs->program[i] = p;
	p->name = xstrdup(name);
	p->log_path = xasprintf("%s/%s.log", programs->dir, name);
	unlink(p->log_path);
	return p;
}

static int
run(const struct call *call, struct program *p, const json_t *params, uint64_t ms, struct err *err)
{
	struct programs *programs = &call->agent->programs;
	char **argv = read_words(json_object_get(params, "argv"), "argv", err);
	char **env = argv != NULL ? read_words(json_object_get(params, "env"), "env", err) : NULL;
	struct proc_conf conf = {.name = p->name,
				 .argv = argv,
				 .env = (const char *const *)env,
				 .log_path = p->log_path,
				 .cwd = programs->dir};
	int rc = -EINVAL;

	if (env != NULL && argv[0] == NULL)
		rc = err_set(err, EINVAL, "argv: is empty");
	else if (env != NULL)
		rc = proc_start(&p->proc, &conf, err);
	free(argv);
	free(env);
	if (rc < 0)
		return rc;
	p->start_ns = clock_now_ns();
	p->end = loop_fd(programs->loop, p->proc.pidfd, on_end, p);
	begin(&p->start, programs->loop, call, ms, READY_PERIOD_MS, on_look_ready, p);
	return 0;
}

int
call_start(const struct call *call, const json_t *params, struct err *err)
{
	const json_t *socket = json_object_get(params, "socket");
	const char *name;
	struct program *p;
	uint64_t ms;
	int rc = json_get_text(params, "name", &name, err);

	if (rc == 0)
		rc = check_name(name, err);
	if (rc == 0)
		rc = json_get_u64(params, "timeout_ms", &ms, err);
	if (rc == 0 && json_is_string(socket))
		rc = agent_check_path(json_string_value(socket), call->agent->conf.run, err);
	if (rc < 0)
		return rc;
	p = make_room(&call->agent->programs, name, err);
	if (p == NULL)
		return -EEXIST;
	p->socket = xstrdup(json_string_value(socket));
	return run(call, p, params, ms, err);
}

int
call_stop(const struct call *call, const json_t *params, struct err *err)
{
	const char *name;
	struct program *p;
	uint64_t ms;
	int rc = json_get_text(params, "name", &name, err);

	if (rc == 0)
		rc = json_get_u64(params, "timeout_ms", &ms, err);
	if (rc < 0)
		return rc;
	p = find(&call->agent->programs, name, err);
	if (p == NULL)
		return -ESRCH;
	if (p->end == NULL) {
		answer_stop(call, p);
		return 0;
	}
	/* One that was asked for on an earlier connection is nobody's. */
	if (p->stop.is_there && p->stop.call.epoch == call->agent->epoch)
		return err_set(err, EALREADY, "%s is being stopped", name);
	done(&p->stop);
	begin(&p->stop, call->agent->loop, call, ms, ms, on_stop_deadline, p);
	kill(-p->proc.pid, SIGINT);
	return 0;
}

int
call_log(const struct call *call, const json_t *params, struct err *err)
{
	const char *name;
	struct program *p;
	uint64_t bytes;
	int rc = json_get_text(params, "name", &name, err);

	if (rc == 0)
		rc = json_get_u64(params, "bytes", &bytes, err);
	if (rc < 0)
		return rc;
	p = find(&call->agent->programs, name, err);
	if (p == NULL)
		return -ESRCH;
	call_answer(call,
		    json_pack("{s:o}", "text", log_json(p, bytes < LOG_MAX ? bytes : LOG_MAX)));
	return 0;
}
