/* SPDX-License-Identifier: MIT */
#include "hop_socket.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "rpc/control.h"

static char dir[] = "/tmp/nfvchain-hop-XXXXXX";

/* Answers "counters" with its parameters, and nothing else. */
static int
ask(void *arg, const char *method, json_t *params, json_t **result, struct err *err)
{
	int *n = arg;

	++*n;
	if (strcmp(method, "counters") == 0) {
		*result = params;
		return 0;
	}
	json_decref(params);
	if (strcmp(method, "hello") == 0)
		return err_set(err, ENOSYS, "no hello here");
	return err_set(err, ETIMEDOUT, "the guest is silent");
}

static void
a_call_is_carried_there_and_back(void **state)
{
	char *path = xasprintf("%s/vnf1.ctl", dir);
	struct hop_socket *socket;
	struct control_client *client;
	struct err err = {0};
	json_t *result = NULL;
	int n = 0;

	(void)state;
	assert_int_equal(hop_socket_open(&socket, path, ask, &n, &err), 0);
	assert_int_equal(control_client_open(&client, path, 5000, &err), 0);
	assert_int_equal(control_client_call(client, "counters", json_pack("{s:b}", "buckets", 1),
					     5000, &result, &err),
			 0);
	assert_true(json_is_true(json_object_get(result, "buckets")));
	json_decref(result);
	/* What failed there fails here, with its sentence. */
	assert_int_equal(control_client_call(client, "hello", NULL, 5000, &result, &err), -ENOSYS);
	assert_non_null(strstr(err.msg, "no hello here"));
	assert_true(control_client_call(client, "quiesce", NULL, 5000, &result, &err) < 0);
	assert_non_null(strstr(err.msg, "the guest is silent"));
	assert_int_equal(n, 3);
	/* Not everything is carried. */
	assert_int_equal(control_client_call(client, "drain", NULL, 5000, &result, &err), -ENOSYS);
	assert_int_equal(n, 3);
	control_client_close(client);
	hop_socket_close(socket);
	assert_int_equal(access(path, F_OK), -1);
	free(path);
}

static void
a_path_that_cannot_be_is_refused(void **state)
{
	char *path = xasprintf("%s/none/vnf1.ctl", dir);
	struct hop_socket *socket;
	struct err err = {0};
	int n = 0;

	(void)state;
	assert_true(hop_socket_open(&socket, path, ask, &n, &err) < 0);
	assert_null(socket);
	assert_non_null(strstr(err.msg, path));
	free(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call_is_carried_there_and_back),
		cmocka_unit_test(a_path_that_cannot_be_is_refused),
	};
	int rc;

	if (mkdtemp(dir) == NULL)
		return 1;
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	rmdir(dir);
	return rc;
}
