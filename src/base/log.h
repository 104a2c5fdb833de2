/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

/* Messages for people, on stderr: "nfvchain: subject: fact".  Nothing in a burst loop logs. */

enum log_level { LOG_ERR, LOG_WARN, LOG_NOTICE, LOG_INFO, LOG_DEBUG };

/* Sets the name printed before each line and the highest level that is printed (LOG_NOTICE until
 * then).  Colours only on a terminal and without NO_COLOR in the environment. */
void log_init(const char *program, enum log_level level);

bool log_enabled(enum log_level level);

/* Writes one line with a single write(2), so that lines of several threads never mix. */
void log_line(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define LOG(level, ...)                                     \
	do {                                                \
		if (log_enabled(LOG_##level))               \
			log_line(LOG_##level, __VA_ARGS__); \
	} while (0)
