/* SPDX-License-Identifier: MIT */
#include "proc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "clock.h"
#include "mem.h"

/* Long enough for a loaded machine; no test waits that long when all is well. */
#define PATIENCE_MS 20000

static char dir[] = "/tmp/proc_testXXXXXX";
static char *log_path;

static int
setup(void **state)
{
	(void)state;
	unlink(log_path);
	return 0;
}

/* Starts /bin/sh with 'script'; its output goes to the log. */
static int
start_sh_as(struct proc *p, const char *script, struct proc_conf conf, struct err *err)
{
	char sh[] = "/bin/sh", flag[] = "-c", name[] = "sh";
	char *text = xstrdup(script);
	char *argv[] = {sh, flag, text, name, NULL};
	int rc;

	conf.name = "vnf1";
	conf.argv = argv;
	conf.log_path = log_path;
	rc = proc_start(p, &conf, err);
	free(text);
	return rc;
}

static void
start_sh(struct proc *p, const char *script)
{
	struct err err = {0};

	if (start_sh_as(p, script, (struct proc_conf){0}, &err) < 0)
		fail_msg("%s", err.msg);
}

/* The log so far; the caller frees it. */
static char *
read_log(void)
{
	char *text = xcalloc(1, 8192);
	int fd = open(log_path, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_true(read(fd, text, 8191) >= 0);
	close(fd);
	return text;
}

/* Waits until the log says 'word' and returns the number behind it. */
static int
await_word(const char *word)
{
	struct deadline deadline = deadline_in_ms(PATIENCE_MS);

	while (!deadline_passed(&deadline)) {
		char *text = read_log();
		const char *at = strstr(text, word);
		bool whole = at != NULL && strchr(at, '\n') != NULL;
		int n = whole ? atoi(at + strlen(word)) : 0;

		free(text);
		if (whole)
			return n;
		clock_sleep_ms(2);
	}
	fail_msg("the child never said '%s'", word);
	return 0;
}

/* Is there a process 'pid' that is no zombie? */
static bool
lives(pid_t pid)
{
	char path[64], line[256] = "";
	const char *after;
	FILE *in;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	in = fopen(path, "re");
	if (in == NULL)
		return false;
	after = fgets(line, sizeof(line), in) != NULL ? strrchr(line, ')') : NULL;
	fclose(in);
	return after != NULL && after[2] != 'Z' && after[2] != 'X';
}

static void
await_death(pid_t pid)
{
	struct deadline deadline = deadline_in_ms(PATIENCE_MS);

	while (lives(pid) && !deadline_passed(&deadline))
		clock_sleep_ms(2);
	assert_false(lives(pid));
}

static unsigned
count_fds(void)
{
	unsigned n = 0;

	for (int fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void
a_program_that_cannot_run_is_told_at_the_start(void **state)
{
	char missing[] = "no-such-program-here", slash[] = "/etc/passwd";
	char *argv[] = {missing, NULL};
	struct proc_conf conf = {.name = "vnf1", .argv = argv};
	unsigned fds = count_fds();
	struct err err = {0};
	struct proc p, zero = {0};

	(void)state;
	assert_int_equal(proc_start(&p, &conf, &err), -ENOENT);
	assert_string_equal(err.msg, "vnf1: no-such-program-here: No such file or directory");
	assert_int_equal(err.class, ERR_MACHINE);
	assert_memory_equal(&p, &zero, sizeof(p));
	argv[0] = slash;
	conf.lifeline = true;
	assert_int_equal(proc_start(&p, &conf, &err), -EACCES);
	assert_string_equal(err.msg, "vnf1: /etc/passwd: Permission denied");
	conf.cwd = "/nowhere";
	assert_int_equal(proc_start(&p, &conf, &err), -ENOENT);
	assert_string_equal(err.msg, "vnf1: directory '/nowhere': No such file or directory");
	assert_int_equal(err.class, ERR_FAILED);
	conf.log_path = "/nowhere/log";
	assert_int_equal(proc_start(&p, &conf, &err), -ENOENT);
	assert_string_equal(err.msg, "vnf1: log '/nowhere/log': No such file or directory");
	assert_memory_equal(&p, &zero, sizeof(p));
	/* No descriptor and no zombie is left. */
	assert_int_equal(count_fds(), fds);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void
assert_ends(const char *script, const char *want)
{
	struct proc p;
	char buf[64];

	start_sh(&p, script);
	assert_true(proc_wait(&p, PATIENCE_MS));
	assert_string_equal(proc_print_status(buf, sizeof(buf), &p), want);
	proc_close(&p);
}

static void
the_end_is_put_into_words(void **state)
{
	struct proc p = {0};
	char buf[64];

	(void)state;
	assert_string_equal(proc_print_status(buf, sizeof(buf), &p), "was not started");
	assert_ends("exit 0", "exited with 0");
	assert_ends("exit 3", "exited with 3");
	assert_ends("kill -SEGV $$", "killed by SIGSEGV");
	start_sh(&p, "echo pid $$; exec sleep 1000");
	assert_true(proc_alive(&p));
	assert_false(proc_wait(&p, 1));
	assert_string_equal(proc_print_status(buf, sizeof(buf), &p), "is running");
	assert_int_equal(await_word("pid "), p.pid);
	proc_stop(&p, PATIENCE_MS);
	assert_false(proc_alive(&p));
	assert_string_equal(proc_print_status(buf, sizeof(buf), &p), "killed by SIGTERM");
	proc_stop(&p, PATIENCE_MS);
	proc_close(&p);
	proc_close(&p);
	proc_close(NULL);
}

static void
the_log_is_appended_and_has_last_words(void **state)
{
	struct proc p;
	char buf[64];
	char *text;

	(void)state;
	start_sh(&p, "echo one; echo 'EAL: \033[31mno ports\033[0m ' >&2; echo ---; echo; exit 1");
	assert_true(proc_wait(&p, PATIENCE_MS));
	assert_string_equal(proc_last_words(buf, sizeof(buf), &p), "EAL: no ports");
	assert_string_equal(proc_last_words(buf, 5, &p), "EAL:");
	proc_close(&p);
	/* What an earlier child said is still there, but not this one's last words. */
	start_sh(&p, "exit 1");
	assert_true(proc_wait(&p, PATIENCE_MS));
	assert_string_equal(proc_last_words(buf, sizeof(buf), &p), "");
	proc_close(&p);
	text = read_log();
	assert_ptr_equal(strstr(text, "one\n"), text);
	free(text);
	start_sh(&p, "i=0; while [ $i -lt 2000 ]; do echo line $i; i=$((i + 1)); done");
	assert_true(proc_wait(&p, PATIENCE_MS));
	assert_string_equal(proc_last_words(buf, sizeof(buf), &p), "line 1999");
	proc_close(&p);
}

static void
stop_kills_a_child_that_ignores_it_and_its_grandchild(void **state)
{
	struct proc p;
	char buf[64];
	pid_t grandchild;

	(void)state;
	start_sh(&p, "trap '' TERM; sleep 1000 & echo grandchild $!; while :; do wait; done");
	grandchild = await_word("grandchild ");
	assert_true(lives(grandchild));
	proc_stop(&p, 50);
	assert_string_equal(proc_print_status(buf, sizeof(buf), &p), "killed by SIGKILL");
	await_death(grandchild);
	proc_close(&p);
}

static void
stop_is_patient_with_a_grandchild(void **state)
{
	struct proc p;

	(void)state;
	/* The shell obeys at once; who it started still has to clean up. */
	start_sh(&p, "(trap 'sleep 0.2; echo cleaned up; exit' TERM; echo ready;"
		     " while :; do sleep 0.05; done) & trap 'exit 0' TERM; wait");
	await_word("ready");
	proc_stop(&p, PATIENCE_MS);
	await_word("cleaned up");
	proc_close(&p);
}

static void
stop_wakes_a_child_that_was_suspended(void **state)
{
	struct proc p;
	char buf[64];

	(void)state;
	start_sh(&p, "trap 'exit 5' TERM; echo ready; kill -STOP $$; while :; do sleep 0.01; done");
	await_word("ready");
	proc_stop(&p, PATIENCE_MS);
	assert_string_equal(proc_print_status(buf, sizeof(buf), &p), "exited with 5");
	proc_close(&p);
}

static void
who_is_left_of_a_dead_child_dies_too(void **state)
{
	struct proc p;
	pid_t grandchild;

	(void)state;
	start_sh(&p, "sleep 1000 & echo grandchild $!");
	grandchild = await_word("grandchild ");
	assert_true(proc_wait(&p, PATIENCE_MS));
	await_death(grandchild);
	proc_close(&p);
}

static void
the_lifeline_ends_with_us(void **state)
{
	struct proc_conf conf = {.lifeline = true};
	struct err err = {0};
	struct proc p;
	char buf[64];

	(void)state;
	/* "$1 $2" is "--lifeline FD"; reading it blocks until our end is closed. */
	assert_int_equal(
		start_sh_as(&p, "echo flag $1; eval \"cat <&$2\"; echo gone; exit 7", conf, &err),
		0);
	await_word("flag --lifeline");
	assert_false(proc_wait(&p, 20));
	assert_int_equal(fcntl(p.lifeline_fd, F_GETFD), FD_CLOEXEC);
	close(p.lifeline_fd);
	p.lifeline_fd = -1;
	assert_true(proc_wait(&p, PATIENCE_MS));
	assert_string_equal(proc_print_status(buf, sizeof(buf), &p), "exited with 7");
	assert_string_equal(proc_last_words(buf, sizeof(buf), &p), "gone");
	proc_close(&p);
}

static void
a_foreign_child_dies_with_its_parent(void **state)
{
	pid_t middle, child;

	(void)state;
	middle = fork();
	assert_true(middle >= 0);
	if (middle == 0) {
		struct proc p;

		start_sh(&p, "echo child $$; exec sleep 1000");
		await_word("child ");
		kill(getpid(), SIGKILL);
		_exit(1);
	}
	assert_int_equal(waitpid(middle, NULL, 0), middle);
	child = await_word("child ");
	await_death(child);
}

/* Behind a script that does not exec, and neither stopped nor told by anybody. */
static void
what_a_foreign_child_started_dies_with_us_too(void **state)
{
	pid_t middle;

	(void)state;
	middle = fork();
	assert_true(middle >= 0);
	if (middle == 0) {
		struct proc p;

		start_sh(&p, "sleep 1000 & echo grandchild $!; wait");
		await_word("grandchild ");
		kill(getpid(), SIGKILL);
		_exit(1);
	}
	assert_int_equal(waitpid(middle, NULL, 0), middle);
	await_death(await_word("grandchild "));
}

static void
the_child_inherits_nothing_by_accident(void **state)
{
	struct proc p;
	sigset_t usr1, old;
	int leak = open("/dev/null", O_RDONLY); /* on purpose without O_CLOEXEC */
	char *text;

	(void)state;
	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	sigprocmask(SIG_BLOCK, &usr1, &old);
	signal(SIGINT, SIG_IGN);
	start_sh(&p, "grep -E 'Sig(Blk|Ign)' /proc/self/status; readlink /proc/$$/fd/0;"
		     " ls /proc/$$/fd; echo group $(cut -d ' ' -f 5 /proc/$$/stat)");
	assert_true(proc_wait(&p, PATIENCE_MS));
	signal(SIGINT, SIG_DFL);
	sigprocmask(SIG_SETMASK, &old, NULL);
	close(leak);
	text = read_log();
	assert_non_null(strstr(text, "SigBlk:\t0000000000000000\n"));
	/* SIGPIPE, SIGIO, and nothing else. */
	assert_non_null(strstr(text, "SigIgn:\t0000000010001000\n"));
	assert_non_null(strstr(text, "\n/dev/null\n0\n1\n2\ngroup "));
	assert_int_equal(await_word("group "), p.pid);
	free(text);
	proc_close(&p);
}

static void
surroundings_are_as_asked(void **state)
{
	static const char *const env[] = {"PROC_TEST_A=new", "PROC_TEST_B=b c", NULL};
	cpu_set_t ours;
	int cpu = 0;
	struct proc_conf conf = {.env = env, .cwd = "/", .cpus = &cpu, .n_cpus = 1, .nice = 3};
	struct err err = {0};
	struct proc p;
	char *text, *want;

	(void)state;
	setenv("PROC_TEST_A", "old", 1);
	setenv("PROC_TEST_C", "kept", 1);
	assert_int_equal(sched_getaffinity(0, sizeof(ours), &ours), 0);
	while (!CPU_ISSET(cpu, &ours))
		cpu++;
	assert_int_equal(
		start_sh_as(&p,
			    "echo $PROC_TEST_A,$PROC_TEST_B,$PROC_TEST_C; env | grep -c "
			    "PROC_TEST_A; pwd; nice; grep Cpus_allowed_list /proc/self/status",
			    conf, &err),
		0);
	assert_true(proc_wait(&p, PATIENCE_MS));
	text = read_log();
	want = xasprintf("new,b c,kept\n1\n/\n%d\nCpus_allowed_list:\t%d\n",
			 getpriority(PRIO_PROCESS, 0) + 3, cpu);
	assert_string_equal(text, want);
	free(text);
	free(want);
	proc_close(&p);
	cpu = 5000;
	assert_true(start_sh_as(&p, "exit 0", conf, &err) < 0);
	assert_string_equal(err.msg, "vnf1: none of its CPUs can be used: Invalid argument");
	cpu = -1;
	assert_int_equal(start_sh_as(&p, "exit 0", conf, &err), -EINVAL);
	assert_string_equal(err.msg, "vnf1: CPU -1: no such CPU");
}

static void
nothing_is_left_after_close(void **state)
{
	unsigned fds = count_fds();
	struct err err = {0};
	struct proc p;
	pid_t pid;

	(void)state;
	for (int i = 0; i < 4; i++) {
		const struct proc_conf conf = {.lifeline = i % 2 == 0};

		assert_int_equal(start_sh_as(&p, "exec sleep 1000", conf, &err), 0);
		pid = p.pid;
		assert_int_equal(count_fds(), fds + 2);
		proc_close(&p);
		assert_int_equal(count_fds(), fds);
		assert_int_equal(kill(pid, 0), -1);
		assert_int_equal(errno, ESRCH);
	}
	/* No keeper either, dead or alive. */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void
the_pidfd_tells_a_poller_of_the_end(void **state)
{
	struct pollfd pfd = {.events = POLLIN};
	struct proc p;

	(void)state;
	start_sh(&p, "exit 0");
	pfd.fd = p.pidfd;
	assert_int_equal(poll(&pfd, 1, PATIENCE_MS), 1);
	assert_false(proc_alive(&p));
	proc_close(&p);
}

static void
descriptors_0_to_2_may_be_closed(void **state)
{
	pid_t middle;
	int status;

	(void)state;
	/* A daemon may have no stdin: then our own descriptors get these numbers. */
	middle = fork();
	assert_true(middle >= 0);
	if (middle == 0) {
		struct proc_conf conf = {.lifeline = true};
		struct err err;
		struct proc p;

		for (int fd = 0; fd < 3; fd++)
			close(fd);
		if (start_sh_as(&p, "echo out; echo err >&2; eval \"cat <&$2\"; echo fd $2", conf,
				&err) < 0)
			_exit(1);
		close(p.lifeline_fd);
		p.lifeline_fd = -1;
		_exit(proc_wait(&p, PATIENCE_MS) && p.status == 0 ? 0 : 2);
	}
	assert_int_equal(waitpid(middle, &status, 0), middle);
	assert_int_equal(status, 0);
	await_word("out");
	await_word("err");
	assert_true(await_word("fd ") > 2);
}

static int
make_dir(void **state)
{
	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	log_path = xasprintf("%s/log", dir);
	return 0;
}

static int
remove_dir(void **state)
{
	(void)state;
	unlink(log_path);
	free(log_path);
	return rmdir(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_program_that_cannot_run_is_told_at_the_start, setup),
		cmocka_unit_test_setup(the_end_is_put_into_words, setup),
		cmocka_unit_test_setup(the_log_is_appended_and_has_last_words, setup),
		cmocka_unit_test_setup(stop_kills_a_child_that_ignores_it_and_its_grandchild,
				       setup),
		cmocka_unit_test_setup(stop_is_patient_with_a_grandchild, setup),
		cmocka_unit_test_setup(stop_wakes_a_child_that_was_suspended, setup),
		cmocka_unit_test_setup(who_is_left_of_a_dead_child_dies_too, setup),
		cmocka_unit_test_setup(the_lifeline_ends_with_us, setup),
		cmocka_unit_test_setup(a_foreign_child_dies_with_its_parent, setup),
		cmocka_unit_test_setup(what_a_foreign_child_started_dies_with_us_too, setup),
		cmocka_unit_test_setup(the_child_inherits_nothing_by_accident, setup),
		cmocka_unit_test_setup(surroundings_are_as_asked, setup),
		cmocka_unit_test_setup(nothing_is_left_after_close, setup),
		cmocka_unit_test_setup(the_pidfd_tells_a_poller_of_the_end, setup),
		cmocka_unit_test_setup(descriptors_0_to_2_may_be_closed, setup),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
