/* SPDX-License-Identifier: MIT */
/* The model, its defaults and its rules; chain_yaml.c reads it, chain_print.c writes it. */
#include "chain.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "bench/preset.h"
#include "pkt/frame.h"

#include "chain_rules.h"
#include "plan_parts.h"

#define BUILT(i) (1u << (i))

/* ---- words ---- */

const char *const chain_keys[] = {"version", "name",	"generator", "hops",
				  "links",   "traffic", "bench",     NULL};
const char *const chain_generator_keys[] = {"kind", "place", "cpus", "at", "dir", "sockets", NULL};
const char *const chain_hop_keys[] = {"name", "kind", "engine",	 "place",     "cpus", "lcores",
				      "nf",   "args", "command", "supervise", NULL};
const char *const chain_link_keys[] = {"kind", "ring",	  "queues", "model",
				       "file", "address", "peer",   NULL};
const char *const chain_traffic_keys[] = {"frames", "flows", "rate", "ipv6", "vlan", NULL};
const char *const chain_bench_keys[] = {"preset", "trial", "repeat", "step", NULL};

static const char *const generator_words[] = {
	[GENERATOR_NFVCHAIN] = "nfvchain-gen",
	[GENERATOR_TREX] = "trex",
	NULL,
};

static const char *const hop_words[] = {
	[HOP_FWD] = "nfvchain-fwd",	     [HOP_TESTPMD] = "testpmd",	  [HOP_EXEC] = "exec",
	[HOP_LINUX_BRIDGE] = "linux-bridge", [HOP_OVS_DPDK] = "ovs-dpdk", NULL,
};

static const char *const link_words[] = {
	[LINK_VHOST_USER] = "vhost-user",
	[LINK_MEMIF] = "memif",
	[LINK_RING] = "ring",
	[LINK_VETH] = "veth",
	[LINK_VETH_XDP] = "veth-xdp",
	[LINK_TAP] = "tap",
	[LINK_PCAP] = "pcap",
	[LINK_NETWORK] = "network",
	[LINK_STREAM] = "stream",
	[LINK_PCI] = "pci",
	NULL,
};

static const char *const model_words[] = {
	[NIC_VIRTIO] = "virtio",
	[NIC_E1000] = "e1000",
	[NIC_E1000E] = "e1000e",
	NULL,
};

static const char *const place_words[] = {
	[PLACE_PROCESS] = "process",
	[PLACE_VM] = "vm",
	NULL,
};

static const char *const engine_words[] = {"poll", "event", "pipeline", NULL};

const struct chain_words chain_generator_kinds = {
	"generator kind", generator_words, BUILT(GENERATOR_NFVCHAIN) | BUILT(GENERATOR_TREX)};
const struct chain_words chain_hop_kinds = {"hop kind", hop_words,
					    BUILT(HOP_FWD) | BUILT(HOP_TESTPMD) | BUILT(HOP_EXEC) |
						    BUILT(HOP_LINUX_BRIDGE) | BUILT(HOP_OVS_DPDK)};
const struct chain_words chain_link_kinds = {
	"link kind", link_words,
	BUILT(LINK_VHOST_USER) | BUILT(LINK_MEMIF) | BUILT(LINK_RING) | BUILT(LINK_VETH) |
		BUILT(LINK_VETH_XDP) | BUILT(LINK_TAP) | BUILT(LINK_PCAP) | BUILT(LINK_PCI) |
		BUILT(LINK_NETWORK) | BUILT(LINK_STREAM)};
const struct chain_words chain_places = {"place", place_words,
					 BUILT(PLACE_PROCESS) | BUILT(PLACE_VM)};
const struct chain_words chain_models = {"NIC model", model_words, ~0u};
const struct chain_words chain_engines = {"engine", engine_words, BUILT(0) | BUILT(1) | BUILT(2)};
const struct chain_words chain_presets = {"bench preset", preset_names, ~0u};

static size_t
count_words(const struct chain_words *w)
{
	size_t n = 0;

	while (w->words[n] != NULL)
		n++;
	return n;
}

/* "a, b and c are": the words that are built, and the verb that goes with so many. */
static char *
print_built(const struct chain_words *w)
{
	int n_built = __builtin_popcount(w->built), seen = 0;
	struct str s = {0};

	for (size_t i = 0; w->words[i] != NULL; i++) {
		if ((w->built & BUILT(i)) == 0)
			continue;
		str_addf(&s, "%s%s",
			 seen == 0	       ? ""
			 : seen + 1 == n_built ? " and "
					       : ", ",
			 w->words[i]);
		seen++;
	}
	str_addf(&s, n_built == 1 ? " is" : " are");
	return str_take(&s);
}

int
chain_word_parse(const struct chain_words *w, const char *word, size_t *i, struct err *err)
{
	const char *nearest;
	char *built;
	int rc;

	for (size_t k = 0; w->words[k] != NULL; k++)
		if (strcmp(w->words[k], word) == 0) {
			*i = k;
			return 0;
		}
	nearest = str_nearest(word, w->words, count_words(w));
	if (nearest != NULL)
		return err_usage(err, "unknown %s '%.100s' (did you mean '%s'?)", w->what, word,
				 nearest);
	built = print_built(w);
	rc = err_usage(err, "unknown %s '%.100s' (%s built)", w->what, word, built);
	free(built);
	return rc;
}

int
chain_word_check(const struct chain_words *w, size_t i, struct err *err)
{
	char *built;
	int rc;

	if (i < count_words(w) && (w->built & BUILT(i)) != 0)
		return 0;
	built = print_built(w);
	rc = err_usage(err, "%s '%s' is not built yet (%s)", w->what,
		       i < count_words(w) ? w->words[i] : "?", built);
	free(built);
	return rc;
}

const char *
link_kind_name(enum link_kind kind)
{
	return (size_t)kind < count_words(&chain_link_kinds) ? link_words[kind] : "?";
}

int
link_kind_parse(const char *word, enum link_kind *kind, struct err *err)
{
	size_t i;
	int rc = chain_word_parse(&chain_link_kinds, word, &i, err);

	if (rc == 0)
		*kind = (enum link_kind)i;
	return rc;
}

const char *
hop_kind_name(enum hop_kind kind)
{
	return (size_t)kind < count_words(&chain_hop_kinds) ? hop_words[kind] : "?";
}

int
hop_kind_parse(const char *word, enum hop_kind *kind, struct err *err)
{
	size_t i;
	int rc = chain_word_parse(&chain_hop_kinds, word, &i, err);

	if (rc == 0)
		*kind = (enum hop_kind)i;
	return rc;
}

/* ---- rules ---- */

static int
check_name(const char *what, const char *name, size_t max, struct err *err)
{
	if (name == NULL || name[0] == '\0')
		return err_usage(err, "%s must not be empty", what);
	for (const char *p = name; *p != '\0'; p++)
		if (!isalnum((unsigned char)*p) && strchr("-_", *p) == NULL)
			return err_usage(err,
					 "%s '%.100s' has other characters than letters, "
					 "digits, - and _",
					 what, name);
	if (name[0] == '-')
		return err_usage(err, "%s '%.100s' must not begin with -", what, name);
	if (strlen(name) > max)
		return err_usage(err, "%s '%.100s' is longer than %zu characters", what, name, max);
	return 0;
}

int
chain_rule_name(const struct chain *chain, struct err *err)
{
	return check_name("chain name", chain->name, CHAIN_MAX_NAME, err);
}

static int
check_cpus(const struct chain_cpus *cpus, struct err *err)
{
	for (size_t i = 0; i < cpus->n; i++) {
		if (cpus->cpu[i] < 0 || cpus->cpu[i] > CHAIN_MAX_CPU)
			return err_usage(err, "CPU %d is not from 0 to %d", cpus->cpu[i],
					 CHAIN_MAX_CPU);
		for (size_t k = 0; k < i; k++)
			if (cpus->cpu[k] == cpus->cpu[i])
				return err_usage(err, "CPU %d is given twice", cpus->cpu[i]);
	}
	return 0;
}

int
chain_rule_generator(const struct chain_generator *gen, const char **key, struct err *err)
{
	int rc;

	*key = "kind";
	rc = chain_word_check(&chain_generator_kinds, gen->kind, err);
	if (rc < 0)
		return rc;
	*key = "place";
	rc = chain_word_check(&chain_places, gen->place, err);
	if (rc < 0)
		return rc;
	rc = chain_rule_trex(gen, key, err);
	if (rc < 0)
		return rc;
	*key = "cpus";
	return check_cpus(&gen->cpus, err);
}

static int
check_text(const char *what, const char *text, struct err *err)
{
	if (strlen(text) > CHAIN_MAX_TEXT)
		return err_usage(err, "'%s' is longer than %d bytes", what, CHAIN_MAX_TEXT);
	return 0;
}

static int
check_texts(const char *what, char *const *texts, size_t n, size_t max, struct err *err)
{
	int rc = 0;

	if (n > max)
		return err_usage(err, "'%s' has more than %zu entries", what, max);
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = check_text(what, texts[i], err);
	return rc;
}

/* Settings that only one kind of hop has. */
static int
check_belonging(const struct chain_hop *hop, const char **key, struct err *err)
{
	if (hop->kind != HOP_FWD && hop->n_nf > 0) {
		*key = "nf";
		return err_usage(err, "'nf' belongs to hop kind nfvchain-fwd");
	}
	if (hop->kind == HOP_EXEC && hop->n_args > 0) {
		*key = "args";
		return err_usage(err, "'args' of an exec hop belong into its 'command'");
	}
	*key = "command";
	if (hop->kind != HOP_EXEC && hop->command != NULL)
		return err_usage(err, "'command' belongs to hop kind exec");
	if (hop->kind == HOP_EXEC && hop->command == NULL)
		return err_usage(err, "an exec hop needs a 'command'");
	return 0;
}

/* Texts that become arguments of the hop's program. */
static int
check_arguments(const struct chain_hop *hop, const char **key, struct err *err)
{
	int rc;

	*key = "nf";
	rc = check_texts(*key, hop->nf, hop->n_nf, CHAIN_MAX_NF, err);
	for (size_t i = 0; rc == 0 && i < hop->n_nf; i++)
		if (hop->nf[i][0] == '\0')
			return err_usage(err, "'nf' has an empty entry");
	if (rc == 0) {
		*key = "args";
		rc = check_texts(*key, hop->args, hop->n_args, CHAIN_MAX_WORDS, err);
	}
	if (rc == 0 && hop->command != NULL) {
		*key = "command";
		rc = check_text(*key, hop->command, err);
		if (rc == 0)
			rc = plan_template_check(hop->command, err);
	}
	return rc;
}

static int
check_hop_words(const struct chain_hop *hop, const char **key, struct err *err)
{
	size_t engine;
	int rc;

	*key = "kind";
	rc = chain_word_check(&chain_hop_kinds, hop->kind, err);
	if (rc < 0)
		return rc;
	*key = "place";
	rc = chain_word_check(&chain_places, hop->place, err);
	if (rc == 0 && hop->place == PLACE_VM && hop->kind != HOP_FWD && hop->kind != HOP_TESTPMD)
		rc = err_usage(err,
			       "hop kind '%s' in a VM is not built yet (nfvchain-fwd and testpmd "
			       "are)",
			       hop_words[hop->kind]);
	if (rc < 0)
		return rc;
	*key = "engine";
	rc = chain_word_parse(&chain_engines, hop->engine, &engine, err);
	return rc < 0 ? rc : chain_word_check(&chain_engines, engine, err);
}

int
chain_rule_hop(const struct chain_hop *hop, const char **key, struct err *err)
{
	int rc;

	*key = "name";
	rc = check_name("hop name", hop->name, CHAIN_MAX_HOP_NAME, err);
	if (rc == 0 && (strcmp(hop->name, "generator") == 0 || strcmp(hop->name, "gen") == 0))
		return err_usage(err, "hop name '%s' is the generator's", hop->name);
	if (rc == 0)
		rc = check_hop_words(hop, key, err);
	if (rc == 0 && (hop->lcores < 1 || hop->lcores > CHAIN_MAX_CPUS)) {
		*key = "lcores";
		return err_usage(err, "'lcores' must be from 1 to %d", CHAIN_MAX_CPUS);
	}
	if (rc == 0) {
		*key = "cpus";
		rc = check_cpus(&hop->cpus, err);
	}
	if (rc == 0)
		rc = check_belonging(hop, key, err);
	if (rc == 0)
		rc = chain_rule_foreign(hop, key, err);
	return rc < 0 ? rc : check_arguments(hop, key, err);
}

int
chain_rule_unique(const struct chain *chain, size_t i, struct err *err)
{
	for (size_t k = 0; k < i; k++)
		if (strcmp(chain->hop[k].name, chain->hop[i].name) == 0)
			return err_usage(err, "hops %zu and %zu are both named '%s'", k + 1, i + 1,
					 chain->hop[i].name);
	return 0;
}

int
chain_rule_neighbours(const struct chain *chain, size_t i, struct err *err)
{
	if (i > 0 && chain->link[i - 1].queues != chain->link[i].queues)
		return err_usage(err,
				 "links %zu and %zu have %u and %u queues, and the hop between "
				 "them needs as many on both sides",
				 i - 1, i, chain->link[i - 1].queues, chain->link[i].queues);
	return 0;
}

uint16_t
chain_min_frame(const struct chain_traffic *traffic)
{
	struct frame_spec spec;

	frame_spec_init(&spec);
	spec.vlan = traffic->vlan;
	spec.ipv6 = traffic->ipv6;
	return frame_min_signed_size(&spec);
}

int
chain_rule_traffic(const struct chain_traffic *traffic, const char **key, struct err *err)
{
	uint16_t min;

	*key = "vlan";
	if (traffic->vlan > 4094)
		return err_usage(err, "'vlan' must be from 0 to 4094");
	*key = "flows";
	if (traffic->flows < 1 || traffic->flows > FRAME_MAX_FLOWS)
		return err_usage(err, "'flows' must be from 1 to %u", FRAME_MAX_FLOWS);
	*key = "frames";
	if (traffic->n_frames < 1 || traffic->n_frames > N_ELEMS(traffic->frames))
		return err_usage(err, "'frames' must have 1 to %zu entries",
				 N_ELEMS(traffic->frames));
	min = chain_min_frame(traffic);
	for (size_t i = 0; i < traffic->n_frames; i++)
		if (imix_min_size(&traffic->frames[i]) < min)
			return err_usage(err,
					 "frames of %u bytes have no room for the signature "
					 "(%u is the smallest for this traffic)",
					 imix_min_size(&traffic->frames[i]), min);
	return 0;
}

int
chain_rule_bench(const struct chain_bench *bench, const char **key, struct err *err)
{
	size_t preset;
	int rc;

	*key = "preset";
	rc = chain_word_parse(&chain_presets, bench->preset, &preset, err);
	if (rc < 0)
		return rc;
	*key = "trial";
	if (bench->trial_ns != 0 &&
	    (bench->trial_ns < CHAIN_MIN_TRIAL_NS || bench->trial_ns > CHAIN_MAX_TRIAL_NS))
		return err_usage(err, "'trial' must be from 1ms to 24h");
	*key = "repeat";
	if (bench->repeat > CHAIN_MAX_REPEAT)
		return err_usage(err, "'repeat' must be from 1 to %d", CHAIN_MAX_REPEAT);
	*key = "step";
	if (bench->step_ratio > 0 && !(bench->step_ratio >= 1.0001 && bench->step_ratio <= 2))
		return err_usage(err, "'step' must be a ratio from 1.0001 to 2 (1.02 is 2 %%)");
	return 0;
}

static int
check_hops(const struct chain *chain, struct err *err)
{
	const char *key;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < chain->n_hops; i++) {
		rc = chain_rule_hop(&chain->hop[i], &key, err);
		if (rc < 0)
			return err_wrap(err, rc, "hop %zu", i + 1);
		rc = chain_rule_unique(chain, i, err);
	}
	for (size_t i = 0; rc == 0 && i < chain->n_hops + 1; i++) {
		rc = chain_rule_link(&chain->link[i], &key, err);
		if (rc < 0)
			return err_wrap(err, rc, "link %zu", i);
		rc = chain_rule_neighbours(chain, i, err);
		if (rc == 0)
			rc = chain_rule_ends(chain, i, err);
		if (rc == 0)
			rc = chain_rule_files(chain, i, err);
		if (rc == 0)
			rc = chain_rule_pci(chain, i, err);
		if (rc == 0)
			rc = chain_rule_trex_link(chain, i, err);
	}
	for (size_t i = 0; rc == 0 && i < chain->n_hops; i++)
		rc = chain_rule_supervise(chain, i, err);
	return rc;
}

int
chain_check(const struct chain *chain, struct err *err)
{
	const char *key;
	int rc = chain_rule_name(chain, err);

	if (rc < 0)
		return rc;
	if (chain->n_hops < 1 || chain->n_hops > CHAIN_MAX_HOPS)
		return err_usage(err, "chain '%s': %zu hops; a chain has 1 to %d", chain->name,
				 chain->n_hops, CHAIN_MAX_HOPS);
	rc = chain_rule_generator(&chain->generator, &key, err);
	if (rc == 0)
		rc = check_hops(chain, err);
	if (rc == 0)
		rc = chain_rule_traffic(&chain->traffic, &key, err);
	if (rc == 0)
		rc = chain_rule_bench(&chain->bench, &key, err);
	return err_wrap(err, rc, "chain '%s'", chain->name);
}

/* ---- the model ---- */

int
chain_set_engine(struct chain *chain, const char *engine, struct err *err)
{
	size_t n = 0, i;
	int rc = chain_word_parse(&chain_engines, engine, &i, err);

	for (size_t k = 0; rc == 0 && k < chain->n_hops; k++) {
		if (chain->hop[k].kind != HOP_FWD)
			continue;
		free(chain->hop[k].engine);
		chain->hop[k].engine = xstrdup(engine_words[i]);
		n++;
	}
	if (rc == 0 && n == 0)
		rc = err_usage(err, "no hop of this chain is an nfvchain-fwd that could be '%s'",
			       engine);
	return err_wrap(err, rc, "--engine");
}

static int
add_arg(struct chain_hop *hop, const char *arg, struct err *err)
{
	for (size_t i = 0; i < hop->n_args; i++)
		if (strcmp(hop->args[i], arg) == 0)
			return 0;
	if (hop->n_args == N_ELEMS(hop->args))
		return err_usage(err, "hop '%s' has %zu arguments, there is no room for one more",
				 hop->name, hop->n_args);
	hop->args[hop->n_args++] = xstrdup(arg);
	return 0;
}

int
chain_add_arg(struct chain *chain, const char *arg, struct err *err)
{
	size_t n = 0;
	int rc = 0;

	for (size_t k = 0; rc == 0 && k < chain->n_hops; k++) {
		if (chain->hop[k].kind != HOP_FWD)
			continue;
		rc = add_arg(&chain->hop[k], arg, err);
		n++;
	}
	if (rc == 0 && n == 0)
		rc = err_usage(err, "no hop of this chain is an nfvchain-fwd");
	return rc;
}

void
chain_default(struct chain *chain, size_t n_hops)
{
	/* One hop too many is for chain_check to refuse. */
	*chain = (struct chain){.name = xstrdup("snake"), .n_hops = n_hops};
	for (size_t i = 0; i < n_hops && i < CHAIN_MAX_HOPS; i++)
		chain->hop[i] = (struct chain_hop){
			.name = xasprintf("vnf%zu", i + 1),
			.engine = xstrdup(engine_words[0]),
			.lcores = 1,
		};
	for (size_t i = 0; i < N_ELEMS(chain->link); i++)
		chain->link[i] = (struct chain_link){.ring = CHAIN_RING, .queues = 1};
	chain->traffic = (struct chain_traffic){.n_frames = 1, .flows = 1};
	imix_parse("64", &chain->traffic.frames[0], NULL);
	chain->bench = (struct chain_bench){.preset = xstrdup(CHAIN_PRESET)};
}

static void
hop_fini(struct chain_hop *hop)
{
	free(hop->name);
	free(hop->engine);
	free(hop->command);
	for (size_t i = 0; i < hop->n_nf; i++)
		free(hop->nf[i]);
	for (size_t i = 0; i < hop->n_args; i++)
		free(hop->args[i]);
}

void
chain_fini(struct chain *chain)
{
	if (chain == NULL)
		return;
	free(chain->name);
	free(chain->generator.at);
	free(chain->generator.dir);
	for (size_t i = 0; i < chain->generator.n_sockets; i++)
		free(chain->generator.socket[i]);
	free(chain->bench.preset);
	for (size_t i = 0; i < CHAIN_MAX_HOPS; i++)
		hop_fini(&chain->hop[i]);
	for (size_t i = 0; i < N_ELEMS(chain->link); i++)
		chain_link_fini(&chain->link[i]);
	*chain = (struct chain){0};
}
