/* SPDX-License-Identifier: MIT */
/* Any bytes either become settings whose words for EAL can be handed on, or an error with its
 * place. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gen/trex_cfg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__lsan_default_suppressions(void);

/* libfyaml 0.7 loses a buffer when a long text in quotes turns out to be wrong. */
const char *
__lsan_default_suppressions(void)
{
	return "leak:libfyaml.so";
}

static void
check(bool holds)
{
	if (!holds)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gen_conf conf;
	struct err err = {0};

	gen_conf_init(&conf);
	if (trex_cfg_parse("fuzz.yaml", (const char *)data, size, &conf, &conf.eal, &err) < 0) {
		check(err.class == ERR_USAGE && err.msg[0] != '\0');
	} else {
		check(conf.eal.n >= 1);
		check(conf.rxd >= 32 && conf.txd >= 32 && conf.max_frame <= 9216);
		check(conf.rpc != NULL && conf.pub != NULL && conf.speed_bps > 0);
	}
	gen_conf_fini(&conf);
	return 0;
}
