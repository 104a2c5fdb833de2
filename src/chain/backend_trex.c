/* SPDX-License-Identifier: MIT */
#include "backend_trex.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/str.h"
#include "base/units.h"

#include "backend_vm.h"
#include "guest.h"
#include "stl.h"
#include "trex_release.h"

/* It waits one second for links by itself, and initialises its drivers before. */
#define READY_MS 30000
#define GUEST_READY_MS 120000
#define TRY_MS 1000
#define LOG_BYTES 8192
#define PATIENCE_MS 15000
/* A machine under load takes its time to answer too. */
#define RUNNING_MS 10000
#define LINK_MS 10000
#define LINK_POLL_MS 100

int
backend_write_file(const struct plan_proc *pp, struct err *err)
{
	FILE *f = fopen(pp->file_path, "we");
	int rc = f == NULL ? -1 : 0;

	if (rc == 0 && fputs(pp->file_text, f) < 0)
		rc = -1;
	if (f != NULL && fclose(f) != 0)
		rc = -1;
	return rc < 0 ? err_set(err, errno, "%s: %s", pp->file_path, strerror(errno)) : 0;
}

/* The last line that says something, in place. */
static const char *
last_line(char *text)
{
	size_t len = strlen(text);

	while (len > 0 && strchr(" -\n\r", text[len - 1]) != NULL)
		text[--len] = '\0';
	return strrchr(text, '\n') != NULL ? strrchr(text, '\n') + 1 : text;
}

/* A server that runs and does not answer, or in a guest one that has ended. */
static void
explain_silence(struct backend *b, struct err *err)
{
	struct guest *guest = backend_guest(b, 0);
	char *text = NULL, words[512];

	if (guest == NULL) {
		proc_last_words(words, sizeof(words), &b->proc[0]);
	} else if (guest_log(guest, b->plan->proc[0].name, LOG_BYTES, &text, NULL) == 0) {
		LOG(INFO, "TRex said: %s", text);
		str_copy(words, sizeof(words), last_line(text));
	} else {
		words[0] = '\0';
	}
	free(text);
	err_set(err, ETIMEDOUT, "TRex does not answer; its log ends with: %s", words);
}

/* Its server's port is the condition; a server that has ended is not waited for. */
static int
await_server(struct backend *b, const char *endpoint, struct err *err)
{
	bool starts = !b->plan->proc[0].elsewhere;
	struct deadline d = deadline_in_ms(!starts		    ? RUNNING_MS
					   : b->plan->proc[0].in_vm ? GUEST_READY_MS
								    : READY_MS);
	int rc;

	for (;;) {
		memset(err, 0, sizeof(*err));
		rc = tg_open_shared(&b->tg, endpoint, TRY_MS, starts || b->plan->force, err);
		if (rc != -ETIMEDOUT || deadline_passed(&d))
			break;
		rc = backend_check(b, err);
		if (rc < 0)
			return rc;
	}
	if (rc == 0 && !tg_is_trex(b->tg))
		return err_usage(err, "%s is an nfvchain-gen, no TRex", endpoint);
	if (rc == -ETIMEDOUT && starts)
		explain_silence(b, err);
	return rc;
}

int
backend_greet_trex(struct backend *b, struct err *err)
{
	if (b->chain->generator.kind != GENERATOR_TREX || b->plan->rpc_endpoint == NULL)
		return 0;
	return err_wrap(err, await_server(b, b->plan->rpc_endpoint, err), "generator");
}

/* A link of a chain that has just come up is up a moment later. */
static int
await_links(struct backend *b, struct err *err)
{
	struct deadline d = deadline_in_ms(LINK_MS);

	for (unsigned port = 0; port < 2;) {
		bool up = false;
		int rc = tg_link_is_up(b->tg, port, &up, err);

		if (rc < 0)
			return rc;
		if (up) {
			port++;
			continue;
		}
		if (deadline_passed(&d))
			return err_set(err, ENETDOWN, "link of port %u is down after %d s", port,
				       LINK_MS / 1000);
		rc = backend_wait(b, LINK_POLL_MS, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int
backend_await_trex(struct backend *b, struct err *err)
{
	int rc = b->tg != NULL ? 0 : await_server(b, b->rpc_endpoint, err);

	/* With one CPU for everything it answers when it has time, and its end, or its machine's,
	 * is seen otherwise. */
	if (rc == 0 && !b->plan->proc[0].elsewhere)
		tg_be_patient(b->tg, PATIENCE_MS);
	if (rc == 0)
		rc = await_links(b, err);
	if (rc == 0)
		tg_set_dest(b->tg, b->plan->hop_mac[0][0]);
	return rc;
}

int
backend_make_initrd(struct backend *b, const struct plan_vm *vm, struct err *err)
{
	struct overlay files = {0};
	int rc;

	if (vm->image_initrd == NULL)
		return 0;
	rc = trex_release_files(&files, b->chain->generator.dir, err);
	if (rc == 0)
		rc = overlay_write(&files, vm->image_initrd, vm->spec.initrd, err);
	overlay_fini(&files);
	return rc;
}

static int
read_mac(struct stl *stl, unsigned port, uint8_t mac[6], struct err *err)
{
	json_t *status = NULL;
	const char *text;
	int rc = stl_call_port(stl, port, "get_port_status", NULL, &status, err);

	if (rc == 0)
		rc = json_get_text(status, "attr.layer_cfg.ether.src", &text, err);
	if (rc == 0)
		rc = mac_parse(text, mac, err);
	json_decref(status);
	return err_wrap(err, rc, "port %u", port);
}

int
backend_trex_macs(const char *endpoint, uint8_t mac[2][6], struct err *err)
{
	struct stl *stl;
	int rc = stl_open(&stl, endpoint, RUNNING_MS, err);

	if (rc < 0)
		return rc;
	if (stl_ports(stl) < 2)
		rc = err_machine(err, "it has %u port, and a chain takes two", stl_ports(stl));
	for (unsigned i = 0; rc == 0 && i < 2; i++)
		rc = read_mac(stl, i, mac[i], err);
	stl_close(stl);
	return err_wrap(err, rc, "the TRex at %s", endpoint);
}
