/* SPDX-License-Identifier: MIT */
/* Each kind of link carries frames of any content and length as they are, with its rings nearly
 * full, and every frame is accounted for.
 *
 *     e2e-links PROGRAM COUNT KIND... */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/units.h"
#include "chain/backend_links.h"
#include "chain/plan_parts.h"
#include "ctl/session.h"

#define FILL 0.9
#define READY_MS 20000
#define MIN_LEN 14 /* a frame of nothing but addresses and a type */
#define FCS 4
#define FRAMES_A_SECOND 2000 /* on the worst machine */

static char *
text_of(const char *path)
{
	FILE *in = fopen(path, "re");
	struct str s = {0};
	char part[4096];
	size_t n;

	while (in != NULL && (n = fread(part, 1, sizeof(part), in)) > 0)
		str_addn(&s, part, n);
	if (in != NULL)
		fclose(in);
	return str_take(&s);
}

/* The line that the program prints at its end, or NULL. */
static json_t *
find_result(const char *path)
{
	char *text = text_of(path), *line = text != NULL ? strstr(text, "{\"all\"") : NULL;
	json_t *json = line != NULL ? json_loads(line, JSON_DISABLE_EOF_CHECK, NULL) : NULL;

	free(text);
	return json;
}

static void
mac_word(char **word, const uint8_t mac[6])
{
	char text[18];

	*word = xstrdup(mac_print(text, sizeof(text), mac));
}

/* Puts our program in the generator's place, with the generator's devices. */
static void
replace_generator(struct chain_plan *plan, const struct chain *chain, const char *program,
		  uint64_t count)
{
	struct plan_proc *p = &plan->proc[0];
	enum link_kind kind = chain->link[0].kind;
	size_t dash = 0, n = 0;

	while (strcmp(p->argv[dash], "--") != 0)
		free(p->argv[dash++]);
	/* Enough words stood there. */
	p->argv[n++] = xstrdup(program);
	p->argv[n++] = xasprintf("%lu", count);
	p->argv[n++] = xasprintf("%u", (unsigned)(FILL * chain->link[0].ring));
	p->argv[n++] = xasprintf("%d", MIN_LEN);
	p->argv[n++] = xasprintf("%u", plan->max_frame - FCS);
	p->argv[n++] = xstrdup(kind == LINK_VETH || kind == LINK_TAP ? "0" : "1");
	p->argv[n++] = xstrdup(plan_is_kernels(kind) ? "1" : "0");
	mac_word(&p->argv[n++], plan->hop_mac[0][0]);
	mac_word(&p->argv[n++], plan->gen_mac[1]);
	for (size_t i = dash; i < p->argc; i++)
		p->argv[n++] = p->argv[i];
	p->argc = n;
	p->argv[n] = NULL;
	p->ours = false;
	free(plan->rpc_endpoint);
	plan->rpc_endpoint = NULL;
}

static int
await_ready(struct backend *b, const struct deadline *d, struct err *err)
{
	bool ready = false;
	int rc = 0;

	while (rc == 0 && !ready) {
		char *text = text_of(b->plan->proc[0].log_path);

		ready = text != NULL && strstr(text, "ready\n") != NULL;
		free(text);
		if (!ready && deadline_passed(d))
			return err_set(err, ETIMEDOUT, "not ready in time");
		rc = backend_wait(b, 20, err);
	}
	return rc;
}

static int
await_result(struct backend *b, uint64_t count, json_t **result, struct err *err)
{
	struct deadline d = deadline_in_ms(READY_MS + count * 1000 / FRAMES_A_SECOND);
	int rc = await_ready(b, &d, err);

	if (rc == 0 && kill(b->proc[0].pid, SIGUSR1) < 0)
		rc = err_set(err, errno, "no signal can be sent: %s", strerror(errno));
	while (rc == 0 && (*result = find_result(b->plan->proc[0].log_path)) == NULL) {
		if (deadline_passed(&d))
			return err_set(err, ETIMEDOUT, "no result in time");
		rc = backend_wait(b, 20, err);
	}
	return rc;
}

static uint64_t
number(const json_t *json, const char *name)
{
	return (uint64_t)json_integer_value(json_object_get(json, name));
}

static int
expect(const char *what, uint64_t is, uint64_t should, struct err *err)
{
	return is == should ? 0 : err_set(err, EILSEQ, "%s %lu, not %lu", what, is, should);
}

/* What came of the frames, and that hop and links account for all of them. */
static int
judge(struct backend *b, const json_t *r, uint64_t count, struct err *err)
{
	uint64_t foreign = number(r, "foreign"), through = count - foreign;
	struct ledger l = {.n_hops = b->chain->n_hops, .seq_unknown = true};
	int rc = expect("sent", number(r, "sent"), count, err);

	if (rc == 0)
		rc = expect("frames changed", number(r, "changed"), 0, err);
	if (rc == 0)
		rc = expect("frames from nowhere", number(r, "extra"), 0, err);
	if (rc == 0)
		rc = expect("wrong addresses", number(r, "wrong_mac"), 0, err);
	if (rc == 0)
		rc = expect("received and lost", number(r, "received") + number(r, "lost"), through,
			    err);
	if (rc == 0)
		rc = expect("longest frame", number(r, "largest"),
			    (uint64_t)(b->plan->max_frame - FCS), err);
	for (size_t i = 0; rc == 0 && i < l.n_hops; i++)
		rc = backend_read_hop(b, i, true, &l.hop[i], err);
	if (rc < 0)
		return rc;
	l.gen[0].tx = count;
	l.gen[1].rx = number(r, "received");
	l.gen[1].miss = backend_links_missed(b, 0, 1);
	ledger_close(&l, 0);
	rc = expect("balanced", l.balanced, 1, err);
	if (rc == 0)
		rc = expect("lost by the ledger", (uint64_t)l.lost, 0, err);
	/* Where nobody waits the kernel may have no room, when it is kept from running. */
	if (rc == 0)
		rc = expect("lost", number(r, "lost") + foreign, l.drops + l.miss, err);
	if (rc == 0 && !plan_is_kernels(b->chain->link[0].kind))
		rc = expect("missed", l.miss, 0, err);
	return rc == 0 && l.miss == 0 ? expect("dropped by the hop", l.drops, foreign, err) : rc;
}

static void
tell_hop(struct backend *b, size_t number)
{
	struct ledger_hop hop;
	struct err err = {0};

	if (backend_read_hop(b, number, true, &hop, &err) < 0) {
		fprintf(stderr, "%s\n", err.msg);
		return;
	}
	for (size_t i = 0; i < 2; i++)
		fprintf(stderr, "%s: port %zu rx %lu tx %lu miss %lu\n", hop.name, i,
			hop.port[i].rx, hop.port[i].tx, hop.port[i].miss);
	for (size_t i = 0; i < hop.n_drops; i++)
		fprintf(stderr, "%s: %s %lu\n", hop.name, hop.drop[i].name, hop.drop[i].n);
}

static int
run(struct session *s, const char *program, uint64_t count, struct err *err)
{
	uint64_t began = clock_now_ns();
	struct rundir dir;
	json_t *r = NULL;
	int rc = session_plan(&s->plan, s->chain, false, false, err);

	if (rc < 0)
		return rc;
	replace_generator(&s->plan, s->chain, program, count);
	rc = rundir_open(&dir, s->chain->name, err);
	if (rc == 0)
		rc = backend_up(&s->backend, s->chain, &s->plan, &dir, NULL, err);
	if (rc < 0) {
		chain_plan_fini(&s->plan);
		return rc;
	}
	s->up = true;
	rc = await_result(&s->backend, count, &r, err);
	if (rc == 0)
		rc = judge(&s->backend, r, count, err);
	if (rc < 0) {
		char *log = text_of(s->plan.proc[0].log_path);

		fprintf(stderr, "%s", log);
		for (size_t i = 0; i < s->chain->n_hops; i++)
			tell_hop(&s->backend, i);
		free(log);
	}
	if (r != NULL)
		printf("%-10s  %lu frames of %d to %lu bytes, %lu MB, in %.1f s: changed %lu, lost "
		       "%lu\n",
		       link_kind_name(s->chain->link[s->chain->n_hops / 2].kind), number(r, "sent"),
		       MIN_LEN + FCS, number(r, "largest") + FCS, number(r, "bytes") / 1000000,
		       (double)(clock_now_ns() - began) / 1e9, number(r, "changed"),
		       number(r, "lost"));
	json_decref(r);
	session_down(s);
	return rc;
}

/* A ring is between hops: three in a process, with links that are known at their ends. */
static char *
chain_of(const char *word, enum link_kind kind)
{
	if (kind == LINK_RING)
		return xasprintf("version: 1\nname: frames-%s\nhops: [nfvchain-fwd, {nf: [l2fwd, "
				 "'work:20']}, nfvchain-fwd]\nlinks: [{ring: 1024}, {kind: ring, "
				 "ring: 64}, {kind: ring, ring: 64}, {ring: 1024}]\ntraffic: "
				 "{frames: %u}\n",
				 word, plan_link_max_frame(kind));
	return xasprintf(
		"version: 1\nname: frames-%s\nhops: [nfvchain-fwd]\nlinks: {kind: %s, ring: "
		"1024}\ntraffic: {frames: %u}\n",
		word, word, plan_link_max_frame(kind));
}

static int
run_kind(const char *program, uint64_t count, const char *word, struct err *err)
{
	struct session s = {0};
	struct chain chain;
	enum link_kind kind;
	char *yaml;
	int rc = link_kind_parse(word, &kind, err);

	if (rc < 0)
		return rc;
	yaml = chain_of(word, kind);
	s.chain = &chain;
	rc = chain_parse(&chain, "links", yaml, strlen(yaml), err);
	if (rc == 0)
		rc = run(&s, program, count, err);
	chain_fini(&chain);
	free(yaml);
	return err_wrap(err, rc, "%s", word);
}

int
main(int argc, char **argv)
{
	int failed = 0;

	if (argc < 4)
		return 2;
	for (int i = 3; i < argc; i++) {
		struct err err = {0};

		if (run_kind(argv[1], strtoull(argv[2], NULL, 10), argv[i], &err) == 0)
			continue;
		printf("FAIL %s\n", err.msg);
		failed = err.class == ERR_MACHINE && failed != 1 ? 77 : 1;
	}
	return failed;
}
