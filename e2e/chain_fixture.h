/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdint.h>

#include <jansson.h>

#include "chain/chain.h"
#include "chain/measure.h"
#include "ctl/session.h"

/* A chain that is up, with 64-byte frames of one flow through it. */
struct fixture {
	struct chain chain;
	struct session session;
	struct measure measure;
};

/* Fails the test when the chain does not come up. */
void fixture_up(struct fixture *f, const char *yaml);
void fixture_down(struct fixture *f);

/* Processes that carry the chain's mark in their environment. */
unsigned fixture_marked_processes(const char *chain_name);

/* Fails the test with the sentence if 'rc' is negative. */
void fixture_must(int rc, const struct err *err);
/* The unsigned number at 'path' of a result, which must be there. */
uint64_t fixture_number(const json_t *json, const char *path);
