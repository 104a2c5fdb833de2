/* SPDX-License-Identifier: MIT */
/* What the guests of the chain said of themselves. */
#include <string.h>

#include "base/json.h"
#include "base/str.h"

#include "text_page.h"
#include "text_parts.h"

/* The same word of all ports, "mixed" when they differ, "?" when one is not known. */
static const char *
of_all_ports(const json_t *ports, const char *(*word)(const json_t *port))
{
	const char *all = "?";

	for (size_t i = 0; i < json_array_size(ports); i++) {
		const char *one = word(json_array_get(ports, i));

		if (i > 0 && strcmp(one, all) != 0)
			return "mixed";
		all = one;
	}
	return all;
}

static const char *
driver_of(const json_t *port)
{
	return text_word(port, "driver");
}

static const char *
promiscuous_of(const json_t *port)
{
	const json_t *mode = json_object_get(port, "promiscuous");

	return json_is_boolean(mode) ? json_is_true(mode) ? "on" : "off" : "?";
}

void
text_guests(struct str *page, const json_t *result)
{
	const json_t *guests = json_at(result, "environment.guests");
	struct str s = {0};

	for (size_t i = 0; i < json_array_size(guests); i++) {
		const json_t *guest = json_array_get(guests, i);
		const json_t *ports = json_object_get(guest, "ports");

		str_addf(&s, "%s%s (%s, %s), Linux%c%s, NICs of %s, promiscuous mode %s",
			 i > 0 ? "; " : "", text_word(guest, "name"), text_word(guest, "program"),
			 text_word(guest, "dpdk_version"), PAGE_GLUE, text_word(guest, "kernel"),
			 of_all_ports(ports, driver_of), of_all_ports(ports, promiscuous_of));
	}
	if (s.len > 0)
		page_wrap(page, "guests: ", 2, str_text(&s));
	str_fini(&s);
}
