/* SPDX-License-Identifier: MIT */
/* Writes a chain as YAML, every setting spelled out, so that a result can carry what was run. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

#include "chain.h"
#include "chain_rules.h"

/* Decodes the UTF-8 character at 's' ('len' bytes are there): its size and '*c', or 0. */
static size_t
decode(const unsigned char *s, size_t len, uint32_t *c)
{
	static const uint32_t lowest[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t n = s[0] < 0x80 ? 1 : s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : s[0] >= 0xc0 ? 2 : 0;

	if (n == 0 || n > len || s[0] >= 0xf8)
		return 0;
	*c = n == 1 ? s[0] : s[0] & (0x7fu >> n);
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		*c = *c << 6 | (s[i] & 0x3f);
	}
	return *c < lowest[n] || *c > 0x10ffff || (*c >= 0xd800 && *c < 0xe000) ? 0 : n;
}

/* May stand in double quotes as it is: neither a control nor anything that breaks a line. */
static bool
is_printable(uint32_t c)
{
	if (c < 0xa0)
		return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
	return c != 0x2028 && c != 0x2029 && c != 0xfeff && (c & 0xfffe) != 0xfffe;
}

static void
add_quoted(struct str *out, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t len = strlen(text), n;

	str_addn(out, "\"", 1);
	for (size_t i = 0; i < len; i += n) {
		uint32_t c = 0xfffd;

		n = decode(s + i, len - i, &c);
		if (n > 0 && is_printable(c))
			str_addn(out, text + i, n);
		else if (c < 0x80)
			str_addf(out, c == '"' || c == '\\' ? "\\%c" : "\\x%02x", c);
		else
			str_addf(out, c > 0xffff ? "\\U%08x" : "\\u%04x", n > 0 ? c : 0xfffd);
		n += n == 0;
	}
	str_addn(out, "\"", 1);
}

/* A text, without quotes where no reader can take it for anything else. */
static void
add_text(struct str *out, const char *text)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz";
	bool is_word = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(text) &&
		       text[0] != '\0' && strchr(letters, text[0]) != NULL;

	if (is_word && strcmp(text, "null") != 0 && strcmp(text, "true") != 0 &&
	    strcmp(text, "false") != 0)
		str_addf(out, "%s", text);
	else
		add_quoted(out, text);
}

static void
add_line(struct str *out, const char *indent, const char *key, const char *text)
{
	if (text == NULL)
		return;
	str_addf(out, "%s%s: ", indent, key);
	add_text(out, text);
	str_addf(out, "\n");
}

static void
add_texts(struct str *out, const char *indent, const char *key, char *const *texts, size_t n)
{
	if (n == 0)
		return;
	str_addf(out, "%s%s: [", indent, key);
	for (size_t i = 0; i < n; i++) {
		str_addf(out, "%s", i > 0 ? ", " : "");
		add_text(out, texts[i]);
	}
	str_addf(out, "]\n");
}

static void
add_cpus(struct str *out, const char *indent, const struct chain_cpus *cpus)
{
	if (cpus->n == 0)
		return;
	str_addf(out, "%scpus: [", indent);
	for (size_t i = 0; i < cpus->n; i++)
		str_addf(out, "%s%d", i > 0 ? ", " : "", cpus->cpu[i]);
	str_addf(out, "]\n");
}

static void
add_hop(struct str *out, const struct chain_hop *hop)
{
	add_line(out, "  - ", "name", hop->name);
	add_line(out, "    ", "kind", hop_kind_name(hop->kind));
	if (hop->kind == HOP_FWD)
		add_line(out, "    ", "engine", hop->engine);
	add_line(out, "    ", "place", chain_places.words[hop->place]);
	add_cpus(out, "    ", &hop->cpus);
	str_addf(out, "    lcores: %u\n", hop->lcores);
	add_texts(out, "    ", "nf", hop->nf, hop->n_nf);
	add_texts(out, "    ", "args", hop->args, hop->n_args);
	add_line(out, "    ", "command", hop->command);
	if (hop->supervise)
		str_addf(out, "    supervise: true\n");
}

static void
add_link_text(struct str *out, const char *key, const char *text)
{
	if (text == NULL)
		return;
	str_addf(out, ", %s: ", key);
	add_text(out, text);
}

static void
add_link(struct str *out, const struct chain_link *link)
{
	str_addf(out, "{kind: %s, ring: %u, queues: %u", link_kind_name(link->kind), link->ring,
		 link->queues);
	if (link->model != NIC_VIRTIO)
		str_addf(out, ", model: %s", chain_models.words[link->model]);
	add_link_text(out, "file", link->file);
	add_link_text(out, "address", link->address);
	add_link_text(out, "peer", link->peer);
	str_addf(out, "}\n");
}

static size_t
count_links(const struct chain *chain)
{
	return 1 + (chain->n_hops < CHAIN_MAX_HOPS ? chain->n_hops : CHAIN_MAX_HOPS);
}

static bool
links_equal(const struct chain *chain)
{
	for (size_t i = 1; i < count_links(chain); i++)
		if (chain->link[i].kind != chain->link[0].kind ||
		    chain->link[i].ring != chain->link[0].ring ||
		    chain->link[i].queues != chain->link[0].queues ||
		    chain->link[i].model != chain->link[0].model || chain->link[i].file != NULL ||
		    chain->link[0].file != NULL || chain->link[i].address != NULL ||
		    chain->link[0].address != NULL)
			return false;
	return true;
}

static void
add_links(struct str *out, const struct chain *chain)
{
	if (links_equal(chain)) {
		str_addf(out, "links: ");
		add_link(out, &chain->link[0]);
		return;
	}
	str_addf(out, "links:\n");
	for (size_t i = 0; i < count_links(chain); i++) {
		str_addf(out, "  - ");
		add_link(out, &chain->link[i]);
	}
}

static void
add_traffic(struct str *out, const struct chain_traffic *traffic)
{
	char rate[80];

	str_addf(out, "traffic:\n  frames: [");
	for (size_t i = 0; i < traffic->n_frames; i++) {
		str_addf(out, "%s", i > 0 ? ", " : "");
		add_text(out, traffic->frames[i].name);
	}
	str_addf(out, "]\n  flows: %" PRIu32 "\n", traffic->flows);
	if (traffic->has_rate)
		add_line(out, "  ", "rate", rate_print(rate, sizeof(rate), &traffic->rate));
	str_addf(out, "  ipv6: %s\n  vlan: %u\n", traffic->ipv6 ? "true" : "false", traffic->vlan);
}

/* In the largest unit that needs no fraction: printing must lose nothing. */
static void
add_duration(struct str *out, uint64_t ns)
{
	static const char *const units[] = {"ns", "us", "ms", "s"};
	size_t i = 0;

	while (i < 3 && ns % 1000 == 0) {
		ns /= 1000;
		i++;
	}
	str_addf(out, "%" PRIu64 "%s", ns, units[i]);
}

/* As few digits as give the same number again. */
static void
add_ratio(struct str *out, double ratio)
{
	char text[40];

	for (int decimals = 0; decimals <= 20; decimals++) {
		snprintf(text, sizeof(text), "%.*f", decimals, ratio);
		if (strtod(text, NULL) == ratio)
			break;
	}
	str_addf(out, "%s", text);
}

/* What was given in place of the preset's own. */
static void
add_tuning(struct str *out, const struct chain_bench *bench)
{
	if (bench->trial_ns > 0) {
		str_addf(out, "  trial: ");
		add_duration(out, bench->trial_ns);
		str_addf(out, "\n");
	}
	if (bench->repeat > 0)
		str_addf(out, "  repeat: %u\n", bench->repeat);
	if (bench->step_ratio > 0) {
		str_addf(out, "  step: ");
		add_ratio(out, bench->step_ratio);
		str_addf(out, "\n");
	}
}

char *
chain_print(const struct chain *chain)
{
	struct str out = {0};

	str_addf(&out, "version: 1\n");
	add_line(&out, "", "name", chain->name);
	str_addf(&out, "generator:\n");
	add_line(&out, "  ", "kind", chain_generator_kinds.words[chain->generator.kind]);
	if (chain->generator.place != PLACE_PROCESS)
		add_line(&out, "  ", "place", chain_places.words[chain->generator.place]);
	add_cpus(&out, "  ", &chain->generator.cpus);
	add_line(&out, "  ", "at", chain->generator.at);
	add_line(&out, "  ", "dir", chain->generator.dir);
	add_texts(&out, "  ", "sockets", chain->generator.socket, chain->generator.n_sockets);
	str_addf(&out, "hops:\n");
	for (size_t i = 0; i < chain->n_hops && i < CHAIN_MAX_HOPS; i++)
		add_hop(&out, &chain->hop[i]);
	add_links(&out, chain);
	add_traffic(&out, &chain->traffic);
	str_addf(&out, "bench:\n");
	add_line(&out, "  ", "preset", chain->bench.preset);
	add_tuning(&out, &chain->bench);
	return str_take(&out);
}

json_t *
chain_to_json(const struct chain *chain)
{
	char *text = chain_print(chain);
	json_t *hops = json_array(), *links = json_array();

	for (size_t i = 0; i < chain->n_hops; i++)
		json_array_append_new(hops, json_pack("{s:s, s:s, s:s}", "name", chain->hop[i].name,
						      "kind", hop_kind_name(chain->hop[i].kind),
						      "engine", chain->hop[i].engine));
	for (size_t i = 0; i <= chain->n_hops; i++)
		json_array_append_new(links, json_pack("{s:s, s:i}", "kind",
						       link_kind_name(chain->link[i].kind), "ring",
						       (int)chain->link[i].ring));
	json_t *json = json_pack("{s:s, s:s, s:o, s:o}", "name", chain->name, "text", text, "hops",
				 hops, "links", links);

	free(text);
	return json;
}
