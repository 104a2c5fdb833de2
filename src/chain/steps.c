/* SPDX-License-Identifier: MIT */
#include "steps.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"

/* A machine that is short of CPUs still has its steps told; a command that brings chains up again
 * and again does not fill the memory with them. */
#define MAX_STEPS 256

static struct {
	pthread_mutex_t lock;
	const char *phase;
	void (*told)(const char *text);
	json_t *list;
} steps = {.lock = PTHREAD_MUTEX_INITIALIZER, .phase = "chain"};

void
steps_phase(const char *phase)
{
	pthread_mutex_lock(&steps.lock);
	steps.phase = phase;
	pthread_mutex_unlock(&steps.lock);
}

void
steps_hear(void (*told)(const char *text))
{
	pthread_mutex_lock(&steps.lock);
	steps.told = told;
	pthread_mutex_unlock(&steps.lock);
}

void
steps_done(const char *of, const char *step, uint64_t start_ns)
{
	double elapsed_s = (double)(clock_now_ns() - start_ns) / 1e9;
	char *text = xasprintf("%s%s%s: %s: %.1f s", steps.phase, of[0] != '\0' ? ": " : "", of,
			       step, elapsed_s);

	pthread_mutex_lock(&steps.lock);
	if (steps.list == NULL)
		steps.list = json_array();
	if (json_array_size(steps.list) < MAX_STEPS)
		json_array_append_new(steps.list,
				      json_pack("{s:s, s:s, s:s, s:f}", "phase", steps.phase, "of",
						of, "step", step, "elapsed_s", elapsed_s));
	/* Under the lock, so that lines have the order of the list. */
	if (steps.told != NULL)
		steps.told(text);
	pthread_mutex_unlock(&steps.lock);
	free(text);
}

json_t *
steps_to_json(void)
{
	json_t *copy;

	pthread_mutex_lock(&steps.lock);
	copy = steps.list != NULL ? json_deep_copy(steps.list) : json_array();
	pthread_mutex_unlock(&steps.lock);
	return copy;
}
