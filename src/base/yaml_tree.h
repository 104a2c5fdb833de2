/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "yaml.h"

/* What yaml_parse.c builds and yaml.c reads; private to these two. */

enum yaml_kind { YAML_SCALAR, YAML_LIST, YAML_MAP };

struct yaml_node {
	enum yaml_kind kind;
	bool plain;    /* a scalar without quotes and without !!str: may be null, a number, ... */
	bool flow;     /* a collection in brackets */
	uint32_t at;   /* offset of its first byte in the text of the document */
	uint32_t span; /* bytes to underline */
	uint32_t n;    /* elements of 'items'; in a map keys and values alternate */
	uint32_t room; /* elements allocated */
	struct yaml_node **items;
	char text[]; /* of a scalar */
};

struct yaml {
	char *name;
	char *text; /* the whole file, to quote lines from */
	size_t len;
	struct yaml_node *root;
};

/* Number, from 1, of the line that offset 'at' is in. */
size_t yaml_line(const struct yaml *doc, size_t at);

/* Reports 'msg' about the 'span' bytes at offset 'at' as yaml_error does. */
int yaml_report(const struct yaml *doc, size_t at, size_t span, struct err *err, const char *msg);
