/* SPDX-License-Identifier: MIT */
#pragma once

#include "chain.h"

/* Words and rules of the grammar, for the reader, the printer and chain_check.  A rule looks at one
 * part of the model and knows no file; on refusal it names the key at fault, so that the reader can
 * say where that stands. */

#define CHAIN_MAX_NAME 32
#define CHAIN_MAX_HOP_NAME 31 /* what the ledger has room for */
#define CHAIN_MAX_NF 8
#define CHAIN_MAX_TEXT 4096 /* bytes of a template or an argument */
#define CHAIN_MAX_CPU 1023
#define CHAIN_MAX_QUEUES 16
#define CHAIN_MIN_RING 256
#define CHAIN_MIN_INNER_RING 64 /* within a process */
#define CHAIN_INNER_RING 1024	/* default there */
#define CHAIN_RING 16384	/* default */
#define CHAIN_MAX_RING 32768
#define CHAIN_MAX_COPY_RING 16384 /* of links that keep copies of frames */
#define CHAIN_KERNEL_RING 2048	  /* default of the kernel's; XDP's is never longer */
#define CHAIN_NIC_RING 1024	  /* most NICs have that and more, */
#define CHAIN_MAX_NIC_RING 4096	  /* and few more than that */
#define CHAIN_FILE_RING 256	  /* at a file, which waits */
#define CHAIN_MAX_VM_RING 1024	  /* and the default there: what QEMU has */
#define CHAIN_MIN_TRIAL_NS 1000000ull
#define CHAIN_MAX_TRIAL_NS (24 * 3600 * 1000000000ull)
#define CHAIN_MAX_REPEAT 1000

/* The words that one key can have; those not built yet are known all the same. */
struct chain_words {
	const char *what;	  /* "hop kind" */
	const char *const *words; /* in the order of the enum, NULL-terminated */
	unsigned built;		  /* bit i: word i is built */
};

extern const struct chain_words chain_generator_kinds;
extern const struct chain_words chain_hop_kinds;
extern const struct chain_words chain_link_kinds;
extern const struct chain_words chain_places;
extern const struct chain_words chain_engines;
extern const struct chain_words chain_models;
extern const struct chain_words chain_presets;

/* Finds 'word' among 'w'; an unknown one is refused with what was probably meant. */
int chain_word_parse(const struct chain_words *w, const char *word, size_t *i, struct err *err);
/* Refuses a word that is not built yet. */
int chain_word_check(const struct chain_words *w, size_t i, struct err *err);

/* Keys of each map, NULL-terminated. */
extern const char *const chain_keys[];
extern const char *const chain_generator_keys[];
extern const char *const chain_hop_keys[];
extern const char *const chain_link_keys[];
extern const char *const chain_traffic_keys[];
extern const char *const chain_bench_keys[];

/* '*key' becomes the key at fault. */
int chain_rule_name(const struct chain *chain, struct err *err);
int chain_rule_generator(const struct chain_generator *gen, const char **key, struct err *err);
/* The part of it about a TRex, and what its links can be. */
int chain_rule_trex(const struct chain_generator *gen, const char **key, struct err *err);
int chain_rule_trex_link(const struct chain *chain, size_t i, struct err *err);
int chain_rule_hop(const struct chain_hop *hop, const char **key, struct err *err);
/* The part of it about bridges and Open vSwitch, and what their links can be. */
int chain_rule_foreign(const struct chain_hop *hop, const char **key, struct err *err);
int chain_rule_foreign_link(const struct chain *chain, size_t i, struct err *err);
int chain_rule_link(const struct chain_link *link, const char **key, struct err *err);
int chain_rule_traffic(const struct chain_traffic *traffic, const char **key, struct err *err);
int chain_rule_bench(const struct chain_bench *bench, const char **key, struct err *err);

/* Refuses a name for hop 'i' that an earlier hop has. */
int chain_rule_unique(const struct chain *chain, size_t i, struct err *err);
/* Refuses a link 'i' that does not go together with the one before it. */
int chain_rule_neighbours(const struct chain *chain, size_t i, struct err *err);

/* Makes the links of a chain whose links are all to be rings what they can be: those to the
 * generator are of the default kind.  Refuses a chain without any other. */
int chain_rule_rings(struct chain *chain, struct err *err);
/* Refuses a link 'i' that cannot be between the places of its ends. */
int chain_rule_ends(const struct chain *chain, size_t i, struct err *err);
/* Refuses a file at link 'i' that cannot be there. */
int chain_rule_files(const struct chain *chain, size_t i, struct err *err);
/* The same of physical ports: of one that another end has too, and of ports whose numbers would not
 * come out. */
int chain_rule_pci(const struct chain *chain, size_t i, struct err *err);
int chain_rule_address(const struct chain_link *link, const char **key, struct err *err);
/* What a link owns. */
void chain_link_copy(struct chain_link *to, const struct chain_link *from);
void chain_link_fini(struct chain_link *link);
/* And what a link says of its file. */
int chain_rule_file(const struct chain_link *link, const char **key, struct err *err);
/* Refuses hop 'i' when it asks to be started again and its links or neighbours cannot bear it. */
int chain_rule_supervise(const struct chain *chain, size_t i, struct err *err);
/* Descriptors of a link that names none. */
unsigned chain_default_ring(enum link_kind kind, bool is_vms);

/* Smallest frame (with FCS) that carries a signature in this traffic. */
uint16_t chain_min_frame(const struct chain_traffic *traffic);
