/* SPDX-License-Identifier: MIT */
/* Chains that go by a name of the field's. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

#include "chain.h"
#include "chain_rules.h"

enum preset { SNAKE, BIDIRECTIONAL, PVP, PVVP };

static const char *const words[] = {
	[SNAKE] = "snake", [BIDIRECTIONAL] = "bidirectional", [PVP] = "pvp", [PVVP] = "pvvp", NULL,
};

static const struct chain_words presets = {"chain", words, 1u << SNAKE | 1u << PVP | 1u << PVVP};

/* Functions in virtual machines, and the generator outside: what enters and leaves a guest goes
 * through shared memory, and what goes from guest to guest through QEMU. */
static void
move_to_vms(struct chain *chain)
{
	for (size_t i = 0; i < chain->n_hops; i++)
		chain->hop[i].place = PLACE_VM;
	for (size_t i = 0; i <= chain->n_hops; i++) {
		struct chain_link *link = &chain->link[i];

		link->kind = i == 0 || i == chain->n_hops ? LINK_VHOST_USER : LINK_STREAM;
		link->ring = chain_default_ring(link->kind, true);
	}
}

static int
make(struct chain *chain, enum preset preset, struct err *err)
{
	int rc = chain_word_check(&presets, preset, err);

	if (rc < 0)
		return rc;
	chain_default(chain, preset == PVVP ? 2 : 1);
	if (preset == SNAKE)
		return 0;
	free(chain->name);
	chain->name = xstrdup(words[preset]);
	move_to_vms(chain);
	return chain_check(chain, err);
}

int
chain_open(struct chain *chain, const char *word, struct err *err)
{
	*chain = (struct chain){0};
	for (size_t i = 0; words[i] != NULL; i++)
		if (strcmp(words[i], word) == 0)
			return make(chain, (enum preset)i, err);
	return chain_load(chain, word, err);
}
