/* SPDX-License-Identifier: MIT */
#pragma once

#include <jansson.h>

#include "result.h"

/* Results and trials as the tests of all reports need them. */

/* A result of a chain of our forwarder and testpmd, without anything measured. */
json_t *test_result_start(void);
/* A search for one goal without loss, and a load that is given. */
extern const struct result_asked test_asked;
extern const struct result_asked test_fixed;
/* That search's goal. */
void test_result_set_goal(json_t *result);
void test_result_add_selftest(json_t *result);

/* A trial at 'pps' for a second through our forwarder and a foreign one, nothing lost. */
struct trial *test_trial_new(double pps);
/* 'n' frames fewer arrive. */
void test_trial_lose(struct trial *t, uint64_t n);
/* 100 refused; the forwarder misses 5 and drops 12; 3 vanish on the last link. */
struct trial *test_trial_lossy(void);

/* Judges the trial, adds it, frees it. */
void test_result_add(json_t *result, struct trial *t);
/* A search that accepted 'pps' by three trials. */
void test_result_add_search(json_t *result, double pps, enum search_end end);
