/* SPDX-License-Identifier: MIT */
/* Command lines.  Tests hold every word of them: what starts a program is an interface. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/units.h"

#include "plan.h"
#include "plan_parts.h"

#define SPARE_MBUFS 4096 /* beside those in rings: caches and bursts */
#define PAGE 4096u
#define MBUF_EXTRA 512u	     /* mbuf, headroom, the pool's own header */
#define TESTPMD_HEADROOM 128 /* RTE_PKTMBUF_HEADROOM */
#define PACKET_EXTRA 64
#define FILE_HOLD "60s"
#define PLAIN_FRAME 1518 /* up to here nobody needs to be told the size */

/* What words of one process are made from. */
struct words {
	struct plan_proc *proc;
	const struct chain_plan *plan;
	const struct chain *chain;
	const struct plan_facts *facts;
	int hop;
};

static void
take(struct words *w, char *word)
{
	/* The array's last element stays NULL; plan_argv refuses a full one. */
	if (w->proc->argc < PLAN_MAX_ARGV - 1)
		w->proc->argv[w->proc->argc++] = word;
	else
		free(word);
}

static void __attribute__((format(printf, 2, 3))) add(struct words *w, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	take(w, xvasprintf(fmt, ap));
	va_end(ap);
}

/* ---- values ---- */

static const uint8_t *
mac_of(const struct words *w, int port)
{
	return w->hop < 0 ? w->plan->gen_mac[port] : w->plan->hop_mac[w->hop][port];
}

static const uint8_t *
peer_mac(const struct words *w, int port)
{
	return plan_peer_mac(w->plan, w->chain, w->hop, port);
}

static char *
mac_text(const uint8_t mac[6])
{
	char text[18];

	return xstrdup(mac_print(text, sizeof(text), mac));
}

static const struct chain_link *
link_at(const struct words *w, int port)
{
	return &w->chain->link[plan_link_of(w->chain, w->hop, port)];
}

/* Descriptors of the device; a ring between hops of a process is none. */
static unsigned
device_ring(const struct chain_link *link)
{
	return link->kind == LINK_RING ? 0 : link->ring;
}

/* Descriptors per queue: one figure for both ports, each driver takes what its ring has. */
static unsigned
ring_of(const struct words *w)
{
	unsigned a = device_ring(link_at(w, 0)), b = device_ring(link_at(w, 1));

	return a > b ? a : b;
}

/* The same for sending.  QEMU has 256 for a NIC that is not vhost-user's, and virtio's driver
 * refuses what is made for a longer queue. */
static unsigned
tx_ring_of(const struct words *w)
{
	for (int port = 0; w->proc->in_vm && port < 2; port++)
		if (link_at(w, port)->kind != LINK_VHOST_USER)
			return VM_MIN_RING;
	return ring_of(w);
}

/* Buffers with which every ring of a hop may be full at once. */
static unsigned
mbufs_of(const struct words *w)
{
	return 4 * ring_of(w) * link_at(w, 0)->queues + SPARE_MBUFS;
}

/* What a program that is not ours needs with '--no-huge': there a buffer never crosses a page. */
static unsigned
memory_mb(const struct words *w)
{
	unsigned room = plan_buffer_room(w->plan->max_frame) + MBUF_EXTRA;
	uint64_t bytes = (uint64_t)mbufs_of(w) * ((room + PAGE - 1) / PAGE * PAGE);
	unsigned mb = PLAN_MEM_EXTRA_MB + (unsigned)(bytes >> 20);

	return mb > PLAN_MEM_MB ? mb : PLAN_MEM_MB;
}

/* Of several hops in a process, the first has port 0, the last has port 1. */
static void
add_vdevs(struct words *w)
{
	for (int port = 0; port < 2; port++) {
		struct words at = *w;
		char *text;

		at.hop = port == 1 ? plan_row_last(w->chain, w->hop) : w->hop;
		if (link_at(&at, port)->kind == LINK_PCI) {
			add(w, "-a");
			add(w, "%s", plan_pci_port(w->chain, at.hop, port));
			continue;
		}
		text = plan_vdev(w->plan, w->chain, w->facts, at.hop, port);
		add(w, "--vdev=%s", text);
		free(text);
	}
}

/* The NICs of a guest, bound to a driver for user space by its agent. */
static void
add_guest_eal(struct words *w, const char *prefix)
{
	add(w, "--lcores");
	take(w, plan_lcores(w->plan, w->chain, w->hop));
	for (int port = 0; port < 2; port++) {
		add(w, "-a");
		take(w, plan_pci_address(port));
	}
	add(w, "--file-prefix=%s", prefix);
}

/* Beside us here, and in the path of a guest. */
static void
add_program(struct words *w, const char *name)
{
	if (w->proc->in_vm)
		add(w, "%s", name);
	else
		add(w, "%s/%s", w->facts->bin_dir, name);
}

/* Do several hops share the process? */
static bool
is_row(const struct words *w)
{
	return w->hop >= 0 && plan_row_last(w->chain, w->hop) > w->hop;
}

/* Has the process a link of that kind to anybody outside? */
static bool
has_kind(const struct words *w, enum link_kind kind)
{
	const struct chain_link *behind =
		&w->chain->link[plan_link_of(w->chain, plan_row_last(w->chain, w->hop), 1)];

	return link_at(w, 0)->kind == kind || behind->kind == kind;
}

/* EAL's part; no hugepage or memory option: ours find out by themselves. */
static void
add_eal(struct words *w, const char *prefix)
{
	if (w->proc->in_vm) {
		add_guest_eal(w, prefix);
		return;
	}
	add(w, "--lcores");
	take(w, is_row(w) ? plan_row_lcores(w->plan, w->chain, w->hop)
			  : plan_lcores(w->plan, w->chain, w->hop));
	/* A NIC wants memory whose place it can be told. */
	if (!w->proc->ours && !has_kind(w, LINK_PCI)) {
		add(w, "--no-huge");
		add(w, "-m");
		add(w, "%u", memory_mb(w));
	}
	if (has_kind(w, LINK_VETH_XDP)) {
		/* Else EAL leaves gaps between buffers, for memory channels' sake; and the kernel
		 * takes a pool of hugepages for none of AF_XDP's. */
		add(w, "-n");
		add(w, "1");
		if (w->proc->ours)
			add(w, "--no-huge");
	}
	if (!has_kind(w, LINK_PCI))
		add(w, "--no-pci");
	add(w, "--file-prefix=%s", prefix);
	add_vdevs(w);
}

/* "--eth-addr 0,MAC" and the like, for both ports. */
static void
add_macs(struct words *w, const char *option, const uint8_t *(*of)(const struct words *w, int port))
{
	for (int port = 0; port < 2; port++) {
		char *mac = mac_text(of(w, port));

		add(w, "%s", option);
		add(w, "%d,%s", port, mac);
		free(mac);
	}
}

static void
add_number(struct words *w, const char *option, unsigned value)
{
	add(w, "%s", option);
	add(w, "%u", value);
}

/* ---- programs ---- */

static void
add_generator(struct words *w)
{
	add_program(w, "nfvchain-gen");
	add(w, "--rpc");
	add(w, "%s", w->plan->rpc_endpoint);
	add(w, "--pub");
	add(w, "%s", w->plan->pub_endpoint != NULL ? w->plan->pub_endpoint : "none");
	add_macs(w, "--eth-addr", mac_of);
	add_macs(w, "--eth-dest", peer_mac);
	add_number(w, "--queues", link_at(w, 0)->queues);
	add_number(w, "--rxd", ring_of(w));
	add_number(w, "--txd", tx_ring_of(w));
	add_number(w, "--max-frame", w->plan->max_frame);
	add(w, "--");
	add_eal(w, "gen");
}

static bool
has_option(const struct chain_hop *hop, const char *option)
{
	size_t len = strlen(option);

	for (size_t i = 0; i < hop->n_args; i++)
		if (strncmp(hop->args[i], option, len) == 0 &&
		    (hop->args[i][len] == '\0' || hop->args[i][len] == '='))
			return true;
	return false;
}

static void
add_args(struct words *w, const struct chain_hop *hop)
{
	for (size_t i = 0; i < hop->n_args; i++)
		add(w, "%s", hop->args[i]);
}

/* What a hop itself is, wherever it runs. */
static void
add_hop(struct words *w, const struct chain_hop *hop)
{
	add(w, "--engine");
	add(w, "%s", hop->engine);
	for (size_t i = 0; i < hop->n_nf; i++) {
		add(w, "--nf");
		add(w, "%s", hop->nf[i]);
	}
	add_macs(w, "--eth-addr", mac_of);
	add_macs(w, "--eth-dest", peer_mac);
	if (ring_of(w) > 0) {
		add_number(w, "--rxd", ring_of(w));
		add_number(w, "--txd", tx_ring_of(w));
	}
	add_number(w, "--rxq", link_at(w, 0)->queues);
	add_number(w, "--max-frame", w->plan->max_frame);
	add(w, "--control");
	add(w, "%s", w->plan->proc[w->hop + 1].control_path);
	if (plan_shares_cpu(w->plan, w->chain, w->hop) && !has_option(hop, "--idle")) {
		add(w, "--idle");
		/* A yield inside a guest gives the CPU to nobody outside. */
		add(w, w->proc->in_vm ? "sleep" : "yield");
	}
	/* Nobody sends in time, so nothing is late: a frame waits for as long as its neighbour is
	 * kept from running. */
	if (chain_has_files(w->chain) && !has_option(hop, "--hold")) {
		add(w, "--hold");
		add(w, FILE_HOLD);
	}
	/* What is in a file is for whoever it was for. */
	if (link_at(w, 0)->kind == LINK_PCAP) {
		add(w, "--promiscuous");
		add(w, "--paused");
	}
}

static void
add_row(struct words *w)
{
	int last = plan_row_last(w->chain, w->hop);

	for (int i = w->hop; i <= last; i++) {
		struct words at = *w;

		at.hop = i;
		add(w, "--hop");
		add(w, "%s", w->chain->hop[i].name);
		add(w, "--lcore-mask");
		add(w, "0x%llx", (unsigned long long)plan_lcore_mask(w->plan, w->chain, i));
		if (i < last)
			add_number(w, "--hop-ring", link_at(&at, 1)->ring);
		add_hop(&at, &w->chain->hop[i]);
		add_args(w, &w->chain->hop[i]);
	}
}

static void
add_fwd(struct words *w, const struct chain_hop *hop)
{
	add_program(w, "nfvchain-fwd");
	add_eal(w, hop->name);
	add(w, "--");
	if (is_row(w)) {
		add_row(w);
		return;
	}
	add_hop(w, hop);
	add_args(w, hop);
}

static unsigned
testpmd_buffer(const struct words *w)
{
	unsigned size = plan_buffer_room(w->plan->max_frame) + TESTPMD_HEADROOM;

	if (has_kind(w, LINK_VETH_XDP))
		return PLAN_XDP_BUFFER;
	/* Its driver wants room for what rounds up a frame in its ring. */
	return has_kind(w, LINK_VETH) || has_kind(w, LINK_TAP) ? size + PACKET_EXTRA : size;
}

static void
add_testpmd(struct words *w, const struct chain_hop *hop)
{
	unsigned queues = link_at(w, 0)->queues;

	add(w, "%s",
	    w->facts->testpmd != NULL && !w->proc->in_vm ? w->facts->testpmd : "dpdk-testpmd");
	add_eal(w, hop->name);
	add(w, "--");
	add(w, "--forward-mode=mac");
	for (int port = 0; port < 2; port++) {
		char *mac = mac_text(peer_mac(w, port));

		add(w, "--eth-peer=%d,%s", port, mac);
		free(mac);
	}
	add(w, "--rxd=%u", ring_of(w));
	add(w, "--txd=%u", tx_ring_of(w));
	if (queues > 1) {
		add(w, "--rxq=%u", queues);
		add(w, "--txq=%u", queues);
	}
	if (hop->lcores > 1)
		add(w, "--nb-cores=%u", hop->lcores);
	add(w, "--total-num-mbufs=%u", mbufs_of(w));
	add(w, "--mbuf-size=%u", testpmd_buffer(w));
	/* Drivers of the kernel's interfaces say that they know no longer frames, and carry them.
	 */
	if (w->plan->max_frame > PLAIN_FRAME && !plan_is_kernels(link_at(w, 0)->kind) &&
	    !plan_is_kernels(link_at(w, 1)->kind))
		add(w, "--max-pkt-len=%u", w->plan->max_frame);
	add(w, "--auto-start");
	add(w, "--no-lsc-interrupt");
	/* With statistics to print it does not take the end of its input for a "quit".  DPDK 25.11
	 * takes 16 bits of seconds. */
	add(w, "--stats-period=36000");
	add_args(w, hop);
}

static void
add_ovs(struct words *w)
{
	char *device[2];

	for (int port = 0; port < 2; port++)
		device[port] = plan_vdev(w->plan, w->chain, w->facts, w->hop, port);
	w->proc->file_text = plan_ovs_script(w->plan, w->chain, w->hop, device);
	w->proc->file_path = xasprintf("%s/%s.sh", w->facts->run_dir, w->proc->name);
	add(w, "sh");
	add(w, "%s", w->proc->file_path);
	free(device[0]);
	free(device[1]);
}

/* ---- templates ---- */

static const char *const placeholders[] = {"vdev0", "vdev1", "lcores", "prefix", "dest0",
					   "dest1", "addr0", "addr1",  "mem",	 NULL};

/* Value of a placeholder, for the caller to free. */
static char *
placeholder_value(const struct words *w, const char *name)
{
	size_t len = strlen(name);
	int port = name[len - 1] == '1';

	if (strncmp(name, "vdev", 4) == 0)
		return plan_vdev(w->plan, w->chain, w->facts, w->hop, port);
	if (strncmp(name, "dest", 4) == 0)
		return mac_text(peer_mac(w, port));
	if (strncmp(name, "addr", 4) == 0)
		return mac_text(mac_of(w, port));
	if (strcmp(name, "lcores") == 0)
		return plan_lcores(w->plan, w->chain, w->hop);
	if (strcmp(name, "prefix") == 0)
		return xstrdup(w->proc->name);
	return xasprintf("%u", memory_mb(w));
}

/* Length of the "{name}" at 'p', and its name; 0 when this brace begins no such thing. */
static size_t
placeholder_at(const char *p, char name[32])
{
	size_t len = 0;

	if (*p != '{')
		return 0;
	for (p++; isalnum((unsigned char)p[len]) || p[len] == '_'; len++)
		;
	if (len == 0 || len >= 32 || p[len] != '}')
		return 0;
	memcpy(name, p, len);
	name[len] = '\0';
	return len + 2;
}

/* Which placeholder 'name' is, or -1. */
static int
placeholder_find(const char *name)
{
	for (int i = 0; placeholders[i] != NULL; i++)
		if (strcmp(placeholders[i], name) == 0)
			return i;
	return -1;
}

static int
unknown_placeholder(const char *name, struct err *err)
{
	const char *nearest = str_nearest(name, placeholders, N_ELEMS(placeholders) - 1);

	return err_usage(err, "'command' has an unknown placeholder {%s}%s%s%s", name,
			 nearest ? " (did you mean {" : "", nearest ? nearest : "",
			 nearest ? "}?)" : "");
}

/* Reads one character of a word: 1 with it in '*c', 0 for a quote, which is no character. */
static int
word_char(const char **p, char *quote, char *c)
{
	char now = *(*p)++;
	bool escapes = *quote == '\0' ? **p != '\0' : *quote == '"' && strchr("\"\\", **p) != NULL;

	if (now == '\\' && escapes && **p != '\0') {
		*c = *(*p)++;
		return 1;
	}
	if (now == *quote || (*quote == '\0' && (now == '"' || now == '\''))) {
		*quote = now == *quote ? '\0' : now;
		return 0;
	}
	*c = now;
	return 1;
}

/* Takes one word from '*p' into 'word', placeholders replaced ('w' NULL: dropped and noted in
 * '*seen'), and moves '*p' behind it.  Returns 1, or 0 at the end. */
static int
next_word(const char **p, const struct words *w, struct str *word, unsigned *seen, struct err *err)
{
	char quote = '\0', c = '\0', name[32];

	*p += strspn(*p, " \t\r\n");
	if (**p == '\0')
		return 0;
	str_addn(word, "", 0);
	while (**p != '\0' && (quote != '\0' || strchr(" \t\r\n", **p) == NULL)) {
		size_t len = placeholder_at(*p, name);

		if (len == 0) {
			if (word_char(p, &quote, &c) > 0)
				str_addn(word, &c, 1);
			continue;
		}
		if (placeholder_find(name) < 0)
			return unknown_placeholder(name, err);
		*seen |= 1u << placeholder_find(name);
		*p += len;
		if (w != NULL) {
			char *value = placeholder_value(w, name);

			str_addn(word, value, strlen(value));
			free(value);
		}
	}
	if (quote != '\0')
		return err_usage(err, "'command' has an open quote (%c)", quote);
	return 1;
}

int
plan_template_check(const char *command, struct err *err)
{
	unsigned seen = 0;
	size_t n = 0;
	int rc;

	for (const char *p = command;; n++) {
		struct str word = {0};

		rc = next_word(&p, NULL, &word, &seen, err);
		if (rc > 0 && n == 0 && word.len == 0)
			rc = err_usage(err, "'command' must begin with the name of a program");
		str_fini(&word);
		if (rc <= 0)
			break;
	}
	for (int i = 0; rc == 0 && i < 2; i++)
		if ((seen & 1u << i) == 0)
			rc = err_usage(err, "'command' has no {%s}, and a hop has two ports",
				       placeholders[i]);
	if (rc == 0 && n > PLAN_MAX_ARGV - 2)
		rc = err_usage(err, "'command' has more than %d words", PLAN_MAX_ARGV - 2);
	return rc;
}

static int
add_exec(struct words *w, const struct chain_hop *hop, struct err *err)
{
	const char *p = hop->command;
	unsigned seen = 0;
	int rc;

	for (;;) {
		struct str word = {0};

		rc = next_word(&p, w, &word, &seen, err);
		if (rc <= 0) {
			str_fini(&word);
			return rc;
		}
		take(w, str_take(&word));
	}
}

int
plan_argv(struct chain_plan *plan, const struct chain *chain, const struct plan_facts *facts,
	  int hop, struct err *err)
{
	struct words w = {&plan->proc[hop + 1], plan, chain, facts, hop};
	int rc = 0;

	if (w.proc->kernels || plan_proc_is_fused(w.proc) || (hop < 0 && chain_has_files(chain)))
		return 0;
	if (hop < 0 && chain->generator.kind == GENERATOR_TREX)
		rc = plan_trex(plan, chain, facts, err);
	else if (hop < 0)
		add_generator(&w);
	else if (chain->hop[hop].kind == HOP_FWD)
		add_fwd(&w, &chain->hop[hop]);
	else if (chain->hop[hop].kind == HOP_TESTPMD)
		add_testpmd(&w, &chain->hop[hop]);
	else if (chain->hop[hop].kind == HOP_OVS_DPDK)
		add_ovs(&w);
	else
		rc = add_exec(&w, &chain->hop[hop], err);
	if (rc == 0 && w.proc->argc == PLAN_MAX_ARGV - 1)
		rc = err_usage(err, "more than %d words in its command line", PLAN_MAX_ARGV - 2);
	return rc;
}
