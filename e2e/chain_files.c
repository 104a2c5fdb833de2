/* SPDX-License-Identifier: MIT */
/* Chain files that nobody would write are rejected with a line, or read and printed again as the
 * same chain, and planned or refused with a sentence.
 *
 *     e2e-chain-files COUNT SEED FILE...
 *
 * Mutants of the files, by bytes and by their nodes, and chains made from the grammar's words
 * alone. What is asked of each is what fuzz/fuzz_chain.c asks of any bytes, which ends the program
 * when it is not so; then the mutant is printed. */
#include <ctype.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/random.h"
#include "base/str.h"
#include "chain/chain.h"

#define MAX_FILES 64
#define MAX_LEN 65000 /* what the rules are asked about */
#define MOST_CHANGES 4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct text {
	char *p;
	size_t len;
};

static struct text files[MAX_FILES], mutant;
static size_t n_files;

/* Words of the grammar, and values at the edge of what it takes. */
static const char *const words[] = {
	"version",
	"name",
	"generator",
	"hops",
	"links",
	"traffic",
	"bench",
	"kind",
	"place",
	"cpus",
	"at",
	"dir",
	"sockets",
	"engine",
	"lcores",
	"nf",
	"args",
	"command",
	"supervise",
	"ring",
	"queues",
	"file",
	"frames",
	"flows",
	"rate",
	"ipv6",
	"vlan",
	"preset",
	"trial",
	"repeat",
	"step",
	"nfvchain-gen",
	"trex",
	"nfvchain-fwd",
	"testpmd",
	"exec",
	"linux-bridge",
	"ovs-dpdk",
	"poll",
	"event",
	"pipeline",
	"process",
	"vm",
	"vhost-user",
	"memif",
	"ring",
	"veth",
	"veth-xdp",
	"tap",
	"pcap",
	"network",
	"stream",
	"pci",
	"l2fwd",
	"work:300",
	"wire",
	"imix",
	"1mpps",
	"10%",
	"true",
	"false",
	"null",
	"~",
	"yes",
	"0",
	"1",
	"-1",
	"2",
	"16",
	"17",
	"64",
	"255",
	"256",
	"1024",
	"1023",
	"4096",
	"9216",
	"9217",
	"32768",
	"65536",
	"4294967296",
	"18446744073709551616",
	"1e400",
	"0x10",
	"0o17",
	".inf",
	"''",
	"\"\"",
	"\"\\0\"",
	"[]",
	"{}",
	"[[]]",
	"&a [*a]",
	"*a",
	"!!int x",
	"!!binary AA==",
	"|",
	"? a : b",
	"<<",
	"---",
	"...",
	"#",
	"\t",
	"'",
	"\"",
	"[",
	"{",
	"in.pcap",
	"/dev/null",
	"tcp://127.0.0.1:4501",
	"{vdev0} {vdev1}",
	"{vdev0",
	"0-1",
	"0,0",
	"1023",
	"1024",
	"64:1",
	"64:0",
	"1518:4294967295",
	"1s",
	"1ns",
	"quick",
	"csit-ndr",
	"\xff\xfe",
	"\xc3\xa4",
	"0000:00:04.0",
	"address",
};

static size_t
below(struct random *r, size_t n)
{
	return (size_t)random_below(r, n);
}

static struct text
text_of(const char *path)
{
	FILE *in = fopen(path, "re");
	struct text t = {.p = xcalloc(1, MAX_LEN)};

	if (in != NULL) {
		t.len = fread(t.p, 1, MAX_LEN, in);
		fclose(in);
	}
	if (t.len == 0) {
		fprintf(stderr, "'%s' cannot be read\n", path);
		exit(1);
	}
	return t;
}

/* ---- changes ---- */

/* Puts 'n' bytes of 'with' in the place of 'old' at 'at'. */
static void
replace(struct text *t, size_t at, size_t old, const char *with, size_t n)
{
	if (t->len - old + n > MAX_LEN)
		return;
	memmove(t->p + at + n, t->p + at + old, t->len - at - old);
	memcpy(t->p + at, with, n);
	t->len = t->len - old + n;
}

static void
change_byte(struct random *r, struct text *t)
{
	char byte = (char)random_next(r);
	size_t at = below(r, t->len + 1);

	switch (below(r, 3)) {
	case 0:
		replace(t, at, 0, &byte, 1);
		break;
	case 1:
		replace(t, at, at < t->len, "", 0);
		break;
	default:
		replace(t, at, at < t->len, &byte, 1);
	}
}

/* A stretch of a file in the place of one here, perhaps of this file. */
static void
splice(struct random *r, struct text *t)
{
	const struct text *from = &files[below(r, n_files)];
	size_t at = below(r, t->len + 1), old = below(r, (t->len - at < 40 ? t->len - at : 40) + 1);
	size_t begin = below(r, from->len), n = from->len - begin;

	replace(t, at, old, from->p + begin, below(r, (n < 120 ? n : 120) + 1));
}

static bool
is_word_char(char c)
{
	return isalnum((unsigned char)c) || strchr("-_.:/%", c) != NULL;
}

/* Finds the word at or behind 'at'; its length, 0 at the end. */
static size_t
find_word(const struct text *t, size_t *at)
{
	size_t n = 0;

	while (*at < t->len && (t->p[*at] == '\0' || !is_word_char(t->p[*at])))
		++*at;
	while (*at + n < t->len && t->p[*at + n] != '\0' && is_word_char(t->p[*at + n]))
		n++;
	return n;
}

/* A node is a word here: a key, or a scalar. */
static void
change_node(struct random *r, struct text *t)
{
	const char *word = words[below(r, N_ELEMS(words))];
	size_t at = below(r, t->len + 1), n = find_word(t, &at), other, n_other;
	const struct text *from = &files[below(r, n_files)];

	/* The colon behind a key stays. */
	n -= n > 0 && t->p[at + n - 1] == ':';
	other = below(r, from->len);
	n_other = find_word(from, &other);
	if (below(r, 3) == 0 && n_other > 0)
		replace(t, at, n, from->p + other, n_other);
	else
		replace(t, at, n, word, strlen(word));
}

/* Where the line around 'at' begins; its length with its end in '*n'. */
static size_t
line_at(const struct text *t, size_t at, size_t *n)
{
	size_t end = at;

	while (at > 0 && t->p[at - 1] != '\n')
		at--;
	while (end < t->len && t->p[end] != '\n')
		end++;
	*n = end - at + (end < t->len);
	return at;
}

/* Lines are nodes with what is in them, at some depth. */
static void
change_line(struct random *r, struct text *t)
{
	char line[4096];
	size_t n, at = line_at(t, below(r, t->len + 1), &n), to, ignored;

	if (n == 0 || n > sizeof(line))
		return;
	memcpy(line, t->p + at, n);
	switch (below(r, 4)) {
	case 0:
		replace(t, at, n, "", 0);
		break;
	case 1:
		replace(t, at, 0, line, n);
		break;
	case 2:
		replace(t, at, n, "", 0);
		to = line_at(t, below(r, t->len + 1), &ignored);
		replace(t, to, 0, line, n);
		break;
	default:
		replace(t, at, line[0] == ' ' && below(r, 2) == 0, "  ", below(r, 3));
	}
}

static void
mutate(struct random *r, struct text *t)
{
	static void (*const change[])(struct random *, struct text *) = {
		change_byte, splice, change_node, change_node, change_node, change_line,
	};
	const struct text *from = &files[below(r, n_files)];

	memcpy(t->p, from->p, from->len);
	t->len = from->len;
	for (size_t n = 1 + below(r, MOST_CHANGES); n > 0 && t->len > 0; n--)
		change[below(r, N_ELEMS(change))](r, t);
}

/* ---- chains made of words ---- */

static const char *
pick(struct random *r, const char *const *list, size_t n)
{
	return list[below(r, n)];
}

#define PICK(r, ...) \
	pick(r, (const char *const[]){__VA_ARGS__}, N_ELEMS(((const char *const[]){__VA_ARGS__})))

static const char *
pick_link(struct random *r)
{
	return PICK(r, "vhost-user", "vhost-user", "memif", "veth", "tap", "veth-xdp", "stream",
		    "network", "{kind: memif, ring: 512}", "{ring: 1024}",
		    "{kind: veth, ring: 256}", "{kind: vhost-user, queues: 2}",
		    "{kind: pcap, file: a.pcap}", "{kind: pcap, file: b.pcap}");
}

static void
add_hop(struct random *r, struct str *out)
{
	const char *kind =
		PICK(r, "nfvchain-fwd", "nfvchain-fwd", "nfvchain-fwd", "testpmd", "exec");

	str_addf(out, "  - {kind: %s", kind);
	if (below(r, 3) == 0)
		str_addf(out, ", name: %s", PICK(r, "a", "b", "vnf1", "vnf2", "gen", "-x"));
	if (below(r, 3) == 0)
		str_addf(out, ", engine: %s", PICK(r, "poll", "event", "pipeline"));
	if (below(r, 4) == 0)
		str_addf(out, ", place: %s", PICK(r, "process", "vm"));
	if (below(r, 4) == 0)
		str_addf(out, ", cpus: %s", PICK(r, "0", "[0, 1]", "0-1", "[1, 1]", "63"));
	if (below(r, 4) == 0)
		str_addf(out, ", lcores: %zu", below(r, 66));
	if (below(r, 4) == 0)
		str_addf(out, ", nf: %s",
			 PICK(r, "[l2fwd]", "[wire, \"work:300\"]", "[\"\"]", "[]"));
	if (strcmp(kind, "exec") == 0 || below(r, 20) == 0)
		str_addf(out, ", command: \"%s\"",
			 PICK(r, "x {vdev0} {vdev1}", "x {vdev0}", "{mem} 'a b' {vdev0}{vdev1}", "",
			      "x {vdev2} {vdev0} {vdev1}"));
	str_addf(out, "}\n");
}

static void
add_links(struct random *r, struct str *out, size_t n_hops)
{
	size_t n = n_hops + 1 + (below(r, 20) == 0);

	if (below(r, 2) == 0) {
		str_addf(out, "links: %s\n", pick_link(r));
		return;
	}
	str_addf(out, "links:\n");
	for (size_t i = 0; i < n; i++)
		str_addf(out, "  - %s\n", pick_link(r));
}

static void
generate(struct random *r, struct text *t)
{
	size_t n_hops = 1 + below(r, below(r, 10) == 0 ? 17 : 4);
	struct str out = {0};

	str_addf(&out, "version: 1\nname: %s\n", PICK(r, "x", "snake", "a_b-c", "'1'", "-x"));
	if (below(r, 4) == 0)
		str_addf(&out, "generator: {kind: %s, place: %s, cpus: %zu}\n",
			 PICK(r, "nfvchain-gen", "trex"), PICK(r, "process", "vm"), below(r, 4));
	str_addf(&out, "hops:\n");
	for (size_t i = 0; i < n_hops; i++)
		add_hop(r, &out);
	if (below(r, 4) != 0)
		add_links(r, &out, n_hops);
	if (below(r, 3) == 0)
		str_addf(&out, "traffic: {frames: %s, flows: %s, vlan: %zu, ipv6: %s, rate: %s}\n",
			 PICK(r, "64", "[64, imix]", "9216", "\"64:1,1518:3\"", "[]"),
			 PICK(r, "1", "10k", "1000000", "1000001"), below(r, 4100),
			 PICK(r, "true", "false"), PICK(r, "1mpps", "10%", "1gbps", "max", "0"));
	if (below(r, 3) == 0)
		str_addf(&out, "bench: {preset: %s, trial: %s, repeat: %zu, step: %s}\n",
			 PICK(r, "quick", "csit-ndr", "rfc2544", "x"),
			 PICK(r, "1s", "1ms", "1us", "25h"), below(r, 1002),
			 PICK(r, "1.02", "1.5", "2.1", "1"));
	t->len = out.len < MAX_LEN ? out.len : MAX_LEN;
	memcpy(t->p, str_text(&out), t->len);
	str_fini(&out);
}

/* ---- all of it ---- */

static void
on_abort(int signum)
{
	(void)signum;
	(void)!write(2, "this chain file does not do:\n", 29);
	(void)!write(2, mutant.p, mutant.len);
	_exit(1);
}

static bool
is_chain(const struct text *t)
{
	struct err err = {0};
	struct chain chain;
	bool is = memchr(t->p, '>', t->len) == NULL &&
		  chain_parse(&chain, "x", t->p, t->len, &err) == 0;

	if (is)
		chain_fini(&chain);
	return is;
}

int
main(int argc, char **argv)
{
	unsigned long count = argc > 3 ? strtoul(argv[1], NULL, 10) : 0, n_chains = 0;
	uint64_t seed = argc > 3 ? strtoull(argv[2], NULL, 10) : 0;

	if (argc < 4 || argc - 3 > MAX_FILES)
		return 2;
	for (int i = 3; i < argc; i++)
		files[n_files++] = text_of(argv[i]);
	mutant.p = xcalloc(1, MAX_LEN);
	signal(SIGABRT, on_abort);
	signal(SIGSEGV, on_abort);
	for (unsigned long i = 0; i < count; i++) {
		struct random r;

		random_init(&r, seed, i);
		if (below(&r, 4) == 0)
			generate(&r, &mutant);
		else
			mutate(&r, &mutant);
		LLVMFuzzerTestOneInput((const uint8_t *)mutant.p, mutant.len);
		n_chains += is_chain(&mutant);
	}
	printf("%lu chain files from seed %" PRIu64
	       ": %lu rejected with a line, %lu read and printed "
	       "again\n",
	       count, seed, count - n_chains, n_chains);
	/* Else nobody has looked at one of the two. */
	return n_chains < count / 50 || count - n_chains < count / 50;
}
