/* SPDX-License-Identifier: MIT */
/* Namespaces and the pairs between them, as root and as an ordinary user. */
#include "netns.h"

#include <errno.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "rtnl.h"

#define NOBODY 65534

static int
fill(void *arg, const struct netns_set *set, struct err *err)
{
	const uint8_t macs[2][6] = {{2, 0, 0, 0, 0, 1}, {2, 0, 0, 0, 0, 2}};
	const struct rtnl_iface ends[2] = {{"left", macs[0], 9000, set->ns[0].net_fd},
					   {"right", macs[1], 9000, set->ns[1].net_fd}};
	int rc = rtnl_make_pair(set->link_fd[0], ends, err);

	if (rc == 0)
		rc = rtnl_start(set->link_fd[0], "left", err);
	if (rc == 0)
		rc = rtnl_start(set->link_fd[1], "right", err);
	return rc;
}

static int
refuse(void *arg, const struct netns_set *set, struct err *err)
{
	return err_machine(err, "not today");
}

/* 0, or the number of what was wrong: in a child there is no assert. */
static int
try_pair(void)
{
	struct rtnl_counts counts = {0};
	struct netns_set set = {0};
	struct err err = {0};
	int rc;

	if (netns_open(&set, 2, fill, NULL, &err) < 0)
		return err.class == ERR_MACHINE ? 77 : 1;
	if (rtnl_counts(set.link_fd[0], "left", &counts, &err) < 0 || counts.index == 0)
		return 2;
	if (rtnl_counts(set.link_fd[1], "right", &counts, &err) < 0)
		return 3;
	/* Each is where it belongs, and nowhere else; and nobody spoke. */
	if (rtnl_counts(set.link_fd[1], "left", &counts, &err) != -ENODEV)
		return 4;
	if (if_nametoindex("left") != 0 || counts.rx != 0 || counts.tx != 0)
		return 5;
	rc = set.n == 2 && (set.ns[0].user_fd >= 0) == (geteuid() != 0) ? 0 : 6;
	netns_close(&set);
	netns_close(&set);
	return rc;
}

static int
run_as(uid_t uid)
{
	pid_t pid = fork();
	int status = 0;

	/* Who changed its user is not dumpable, and its files of /proc are root's. */
	if (pid == 0)
		_exit(setuid(uid) < 0 || prctl(PR_SET_DUMPABLE, 1) < 0 ? 99 : try_pair());
	assert_true(pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
root_has_pairs_of_its_own(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(run_as(0), 0);
}

static void
an_ordinary_user_has_them_too_or_is_told(void **state)
{
	int rc;

	(void)state;
	rc = run_as(geteuid() == 0 ? NOBODY : geteuid());
	if (rc == 77)
		skip();
	assert_int_equal(rc, 0);
}

static void
a_refusal_is_handed_on(void **state)
{
	struct netns_set set;
	struct err err = {0};

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(netns_open(&set, 1, refuse, NULL, &err), -ENODEV);
	assert_string_equal(err.msg, "not today");
	assert_int_equal(err_exit_code(&err), ERR_MACHINE);
	netns_close(&set);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(root_has_pairs_of_its_own),
		cmocka_unit_test(an_ordinary_user_has_them_too_or_is_told),
		cmocka_unit_test(a_refusal_is_handed_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
