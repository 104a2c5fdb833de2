/* SPDX-License-Identifier: MIT */
#include "fault_act.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

#define CALL_MS 4000

/* ---- helpers ---- */

/* When we die it hears of it. */
static void
become_helper(int death_signal)
{
	struct sigaction sa = {.sa_handler = SIG_DFL};
	sigset_t none;

	for (int signum = 1; signum < NSIG; signum++)
		sigaction(signum, &sa, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setpgid(0, 0);
	prctl(PR_SET_NAME, "nfvchain-fault");
	prctl(PR_SET_PDEATHSIG, death_signal);
}

/* Nothing of ours stays open in one: programs of the chain end when nobody holds their lines. */
static void
close_others(int keep)
{
	if (keep > 0)
		(void)close_range(0, (unsigned)keep - 1, 0);
	(void)close_range((unsigned)keep + 1, ~0u, 0);
}

/* Stops it and lets it go on after its time; told earlier by SIGTERM. */
static _Noreturn void
stop_main(int pidfd, uint64_t ns)
{
	struct deadline d = deadline_in_ms(ns / NSEC_PER_MS);
	sigset_t term;

	become_helper(SIGTERM);
	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_BLOCK, &term, NULL);
	(void)syscall(SYS_pidfd_send_signal, pidfd, SIGSTOP, NULL, 0);
	while (!deadline_passed(&d)) {
		int ms = deadline_left_ms(&d);
		struct timespec ts = {ms / 1000, (long)(ms % 1000) * 1000000};

		if (sigtimedwait(&term, NULL, &ts) == SIGTERM)
			break;
	}
	(void)syscall(SYS_pidfd_send_signal, pidfd, SIGCONT, NULL, 0);
	_exit(0);
}

/* As busy as can be, on those CPUs. */
static _Noreturn void
hog_main(const cpu_set_t *cpus, uint64_t ns)
{
	uint64_t until = clock_now_ns() + ns;

	become_helper(SIGKILL);
	sched_setaffinity(0, sizeof(*cpus), cpus);
	while (clock_now_ns() < until)
		;
	_exit(0);
}

static int
start_helper(struct fault_act *act, const struct fault_order *order,
	     const struct fault_target *target, struct err *err)
{
	int pidfd = (int)syscall(SYS_pidfd_open, target->pid, 0), rc = 0;
	cpu_set_t cpus;

	if (pidfd < 0)
		return err_set(err, errno, "%s: %s", target->name, strerror(errno));
	if (sched_getaffinity(target->pid, sizeof(cpus), &cpus) < 0)
		rc = err_set(err, errno, "CPUs of %s: %s", target->name, strerror(errno));
	if (rc == 0)
		act->helper = fork();
	if (rc == 0 && act->helper == 0) {
		close_others(pidfd);
		if (order->kind == FAULT_ORDER_STOP)
			stop_main(pidfd, order->for_ns);
		hog_main(&cpus, order->for_ns);
	}
	if (rc == 0 && act->helper < 0) {
		act->helper = 0;
		rc = err_set(err, errno, "fork: %s", strerror(errno));
	}
	close(pidfd);
	return rc;
}

static void
end_helper(struct fault_act *act)
{
	if (act->helper <= 0)
		return;
	kill(act->helper, SIGTERM);
	while (waitpid(act->helper, NULL, 0) < 0 && errno == EINTR)
		;
	act->helper = 0;
}

/* ---- forwarders ---- */

static int
tell_forwarder(struct fault_act *act, const struct fault_order *order,
	       const struct fault_target *target, struct err *err)
{
	json_int_t ms = (json_int_t)(order->for_ns / NSEC_PER_MS);
	const char *method = "fault";
	json_t *params;
	int rc;

	if (target->control == NULL)
		return err_usage(err, "%s is no nfvchain-fwd, and does not %s on demand",
				 target->name, fault_order_kind_name(order->kind));
	if (order->kind == FAULT_ORDER_FLAP) {
		method = "port_reopen";
		params = json_pack("{s:i, s:I}", "port", 0, "closed_ms", ms);
	} else if (order->kind == FAULT_ORDER_SLOW) {
		params = json_pack("{s:s, s:I, s:I}", "kind", "slow", "cycles",
				   (json_int_t)order->amount, "duration_ms", ms);
	} else {
		params = json_pack("{s:s, s:I, s:I}", "kind", "drop", "share_ppm",
				   (json_int_t)(order->amount * 1e6 + 0.5), "duration_ms", ms);
	}
	rc = control_client_call(target->control, method, params, CALL_MS, NULL, err);
	/* A port that is closed opens by itself. */
	act->told = rc == 0 && order->kind != FAULT_ORDER_FLAP;
	return err_wrap(err, rc, "%s", target->name);
}

/* ---- both ---- */

int
fault_act_begin(struct fault_act *act, const struct fault_order *order,
		const struct fault_target *target, struct err *err)
{
	*act = (struct fault_act){0};
	switch (order->kind) {
	case FAULT_ORDER_KILL:
		if (kill(target->pid, SIGKILL) < 0)
			return err_set(err, errno, "%s: %s", target->name, strerror(errno));
		return 0;
	case FAULT_ORDER_STOP:
	case FAULT_ORDER_HOG:
		return start_helper(act, order, target, err);
	default:
		return tell_forwarder(act, order, target, err);
	}
}

void
fault_act_end(struct fault_act *act, struct control_client *control)
{
	struct err ignored = {0};

	end_helper(act);
	if (act->told && control != NULL)
		(void)control_client_call(control, "fault", json_pack("{s:s}", "kind", "none"),
					  CALL_MS, NULL, &ignored);
	act->told = false;
}
