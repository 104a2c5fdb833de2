/* SPDX-License-Identifier: MIT */
#include "rates.h"

#include <string.h>

void
cpu_load_update(struct cpu_load *cpu, uint64_t busy_ns, double seconds)
{
	double percent = 0;

	if (seconds > 0)
		percent = (double)(busy_ns - cpu->last_busy_ns) / seconds / 1e7;
	cpu->last_busy_ns = busy_ns;
	cpu->now = percent < 100 ? percent : 100;
	cpu->smooth = (cpu->smooth + cpu->now) / 2;
	memmove(cpu->history + 1, cpu->history, CPU_HISTORY - 1);
	cpu->history[0] = (uint8_t)(cpu->now + 0.5);
}
