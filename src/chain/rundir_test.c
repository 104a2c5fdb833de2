/* SPDX-License-Identifier: MIT */
#include "rundir.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"

static char scratch[] = "/tmp/rundir_test.XXXXXX";

/* A path in the scratch directory; the last eight stay valid. */
static const char *
in(const char *name)
{
	static char paths[8][256];
	static size_t n;
	char *path = paths[n++ % 8];

	snprintf(path, sizeof(paths[0]), "%s/%s", scratch, name);
	return path;
}

static void
write_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, "x", 1), 1);
	close(fd);
}

static bool
exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

static int
clean_scratch(void **state)
{
	(void)state;
	unsetenv("XDG_RUNTIME_DIR");
	setenv("NFVCHAIN_RUN", in("run"), 1);
	return chdir("/");
}

static int
make_scratch(void **state)
{
	(void)state;
	return mkdtemp(scratch) == NULL ? -1 : 0;
}

static int
remove_scratch(void **state)
{
	char *command = xasprintf("rm -rf '%s'", scratch);
	int rc = system(command);

	(void)state;
	free(command);
	return rc;
}

static void
check_path(const char *expected)
{
	char *path = rundir_path("c");

	assert_string_equal(path, expected);
	free(path);
}

/* ---- where ---- */

static void
first_variable_wins(void **state)
{
	char expected[64];

	(void)state;
	setenv("XDG_RUNTIME_DIR", scratch, 1);
	check_path(in("run"));
	setenv("NFVCHAIN_RUN", "", 1);
	check_path(in("nfvchain/c"));
	/* What is not there, not ours or not absolute is as good as unset. */
	snprintf(expected, sizeof(expected), "/tmp/nfvchain-%u/c", geteuid());
	setenv("XDG_RUNTIME_DIR", in("absent"), 1);
	check_path(geteuid() == 0 ? "/run/nfvchain/c" : expected);
	setenv("XDG_RUNTIME_DIR", ".", 1);
	check_path(geteuid() == 0 ? "/run/nfvchain/c" : expected);
	unsetenv("XDG_RUNTIME_DIR");
	unsetenv("NFVCHAIN_RUN");
	check_path(geteuid() == 0 ? "/run/nfvchain/c" : expected);
}

static void
paths_become_absolute(void **state)
{
	(void)state;
	assert_int_equal(chdir(scratch), 0);
	setenv("NFVCHAIN_RUN", "sub/run//", 1);
	check_path(in("sub/run"));
	setenv("NFVCHAIN_RUN", "/a/", 1);
	check_path("/a");
}

/* ---- opening and closing ---- */

static void
private_locked_and_gone_afterwards(void **state)
{
	struct rundir dir;
	struct err err = {0};
	struct stat st;

	(void)state;
	umask(0);
	assert_int_equal(rundir_open(&dir, "c", &err), 0);
	assert_string_equal(dir.path, in("run"));
	assert_true(dir.lock_fd >= 0);
	assert_int_equal(stat(in("run"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(stat(in("run.lock"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	write_file(in("run/f"));
	assert_int_equal(mkdir(in("run/d"), 0700), 0);
	write_file(in("run/d/f"));
	rundir_close(&dir);
	assert_false(exists(in("run")));
	assert_true(exists(in("run.lock")));
	rundir_close(&dir);
	rundir_close(NULL);
	rundir_close(&(struct rundir){0});
	umask(022);
}

static void
missing_parent_is_made_private(void **state)
{
	struct rundir dir;
	struct err err = {0};
	struct stat st;

	(void)state;
	unsetenv("NFVCHAIN_RUN");
	setenv("XDG_RUNTIME_DIR", scratch, 1);
	assert_int_equal(rundir_open(&dir, "c", &err), 0);
	assert_string_equal(dir.path, in("nfvchain/c"));
	assert_int_equal(stat(in("nfvchain"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	rundir_close(&dir);
}

static void
two_chains_have_two_directories(void **state)
{
	struct rundir a, b;
	struct err err = {0};

	(void)state;
	unsetenv("NFVCHAIN_RUN");
	setenv("XDG_RUNTIME_DIR", scratch, 1);
	assert_int_equal(rundir_open(&a, "a", &err), 0);
	assert_int_equal(rundir_open(&b, "b", &err), 0);
	rundir_close(&a);
	assert_true(exists(in("nfvchain/b")));
	rundir_close(&b);
}

static void
held_lock_names_its_holder(void **state)
{
	struct rundir first, second;
	struct err err = {0};
	char *expected = xasprintf("chain 'c' is up (pid %d)", getpid());

	(void)state;
	assert_int_equal(rundir_open(&first, "c", &err), 0);
	write_file(in("run/f"));
	assert_int_equal(rundir_open(&second, "c", &err), -EBUSY);
	assert_string_equal(err.msg, expected);
	assert_null(second.path);
	rundir_close(&second);
	/* The refused one has touched nothing. */
	assert_true(exists(in("run/f")));
	rundir_close(&first);
	assert_int_equal(rundir_open(&second, "c", &err), 0);
	rundir_close(&second);
	free(expected);
}

/* ---- what an earlier run left ---- */

static void
make_socket(const char *path)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	memcpy(addr.sun_path, path, strlen(path));
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	close(fd);
}

/* Opens the directory in a process that is killed with the lock in its hands. */
static void
die_with_lock(void)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		struct rundir dir;

		if (rundir_open(&dir, "c", NULL) < 0)
			_exit(1);
		raise(SIGKILL);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
}

static void
remains_of_a_killed_run_are_cleared(void **state)
{
	struct rundir dir;
	struct err err = {0};

	(void)state;
	die_with_lock();
	assert_int_equal(mkdir(in("run/rt"), 0700), 0);
	assert_int_equal(mkdir(in("run/rt/gen"), 0500), 0);
	write_file(in("run/rt/f"));
	make_socket(in("run/link0.sock"));
	assert_int_equal(mkfifo(in("run/fifo"), 0600), 0);
	assert_int_equal(rundir_open(&dir, "c", &err), 0);
	assert_false(exists(in("run/rt")));
	assert_false(exists(in("run/link0.sock")));
	assert_false(exists(in("run/fifo")));
	rundir_close(&dir);
}

/* Removal removes links, never what they lead to. */
static void
removal_follows_no_link(void **state)
{
	struct rundir dir;
	struct err err = {0};

	(void)state;
	assert_int_equal(mkdir(in("precious"), 0700), 0);
	write_file(in("precious/f"));
	assert_int_equal(rundir_open(&dir, "c", &err), 0);
	assert_int_equal(symlink(in("precious"), in("run/dir")), 0);
	assert_int_equal(symlink(in("precious/f"), in("run/file")), 0);
	rundir_close(&dir);
	assert_false(exists(in("run")));
	assert_true(exists(in("precious/f")));
}

/* ---- refusals ---- */

static void
check_refused(const char *path, int rc, const char *message)
{
	char *expected = xasprintf("run directory: %s", message);
	struct err err = {0};
	struct rundir dir;

	setenv("NFVCHAIN_RUN", path, 1);
	assert_int_equal(rundir_open(&dir, "c", &err), rc);
	assert_string_equal(err.msg, expected);
	assert_null(dir.path);
	rundir_close(&dir);
	free(expected);
}

static void
check_refused_as(const char *path, int rc, const char *why)
{
	char *message = xasprintf("'%s' %s", path, why);

	check_refused(path, rc, message);
	free(message);
}

/* NFVCHAIN_RUN=$HOME must cost nobody his files, not even the second time. */
static void
strangers_files_are_left_alone(void **state)
{
	(void)state;
	assert_int_equal(mkdir(in("home"), 0755), 0);
	write_file(in("home/letter"));
	for (int i = 0; i < 2; i++)
		check_refused_as(in("home"), -EINVAL, "is not empty and no run directory");
	assert_true(exists(in("home/letter")));
}

static void
links_are_not_followed(void **state)
{
	struct rundir dir;
	struct err err = {0};

	(void)state;
	assert_int_equal(mkdir(in("real"), 0700), 0);
	assert_int_equal(symlink(in("real"), in("link")), 0);
	check_refused_as(in("link"), -ENOTDIR, "is a symbolic link");
	setenv("NFVCHAIN_RUN", in("link/run"), 1);
	assert_int_equal(rundir_open(&dir, "c", &err), -ENOTDIR);
	write_file(in("real/f"));
	assert_int_equal(symlink(in("real/f"), in("l2.lock")), 0);
	setenv("NFVCHAIN_RUN", in("l2"), 1);
	assert_int_equal(rundir_open(&dir, "c", &err), -ELOOP);
	assert_non_null(strstr(err.msg, "l2.lock' is a symbolic link"));
}

static void
what_is_no_directory_is_refused(void **state)
{
	(void)state;
	write_file(in("file"));
	check_refused_as(in("file"), -ENOTDIR, "is not a directory");
	check_refused("/", -EINVAL, "'/' is no name for a directory");
	check_refused_as(in("x/.."), -EINVAL, "is no name for a directory");
	assert_false(exists(in("a/b")));
	setenv("NFVCHAIN_RUN", in("a/b/c"), 1);
	assert_int_equal(rundir_open(&(struct rundir){0}, "c", NULL), -ENOENT);
}

static void
places_open_to_all_are_refused(void **state)
{
	struct rundir dir;
	struct err err = {0};

	(void)state;
	assert_int_equal(mkdir(in("open"), 0700), 0);
	assert_int_equal(chmod(in("open"), 0777), 0);
	setenv("NFVCHAIN_RUN", in("open/run"), 1);
	assert_int_equal(rundir_open(&dir, "c", &err), -EPERM);
	assert_non_null(strstr(err.msg, "open' may be written by anybody (mode 777)"));
	/* As /tmp is: nobody can take away what we make. */
	assert_int_equal(chmod(in("open"), 01777), 0);
	assert_int_equal(rundir_open(&dir, "c", &err), 0);
	rundir_close(&dir);
}

static void
other_users_directories_are_refused(void **state)
{
	struct rundir dir;
	struct err err = {0};

	(void)state;
	if (geteuid() != 0) {
		print_message("only root can make a directory of another user\n");
		skip();
	}
	assert_int_equal(mkdir(in("theirs"), 0700), 0);
	assert_int_equal(chown(in("theirs"), 65534, 65534), 0);
	check_refused_as(in("theirs"), -EPERM, "belongs to another user (uid 65534)");
	setenv("NFVCHAIN_RUN", in("theirs/run"), 1);
	assert_int_equal(rundir_open(&dir, "c", &err), -EPERM);
	/* Not even with a sticky bit where the place is not the user's own choice. */
	unsetenv("NFVCHAIN_RUN");
	setenv("XDG_RUNTIME_DIR", in("xdg"), 1);
	assert_int_equal(mkdir(in("xdg"), 0700), 0);
	assert_int_equal(mkdir(in("xdg/nfvchain"), 0700), 0);
	assert_int_equal(chown(in("xdg/nfvchain"), 65534, 65534), 0);
	assert_int_equal(chmod(in("xdg/nfvchain"), 01777), 0);
	assert_int_equal(rundir_open(&dir, "c", &err), -EPERM);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(first_variable_wins, clean_scratch),
		cmocka_unit_test_setup(paths_become_absolute, clean_scratch),
		cmocka_unit_test_setup(private_locked_and_gone_afterwards, clean_scratch),
		cmocka_unit_test_setup(missing_parent_is_made_private, clean_scratch),
		cmocka_unit_test_setup(two_chains_have_two_directories, clean_scratch),
		cmocka_unit_test_setup(held_lock_names_its_holder, clean_scratch),
		cmocka_unit_test_setup(remains_of_a_killed_run_are_cleared, clean_scratch),
		cmocka_unit_test_setup(removal_follows_no_link, clean_scratch),
		cmocka_unit_test_setup(strangers_files_are_left_alone, clean_scratch),
		cmocka_unit_test_setup(links_are_not_followed, clean_scratch),
		cmocka_unit_test_setup(what_is_no_directory_is_refused, clean_scratch),
		cmocka_unit_test_setup(places_open_to_all_are_refused, clean_scratch),
		cmocka_unit_test_setup(other_users_directories_are_refused, clean_scratch),
	};

	return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
