/* SPDX-License-Identifier: MIT */
#pragma once

#include <jansson.h>

#include "base/str.h"

#include "html_page.h"

struct trial;

/* The sections of report.html, each in a file of its own, in the order of the page.  One that has
 * nothing to say adds nothing. */

struct html {
	struct str page;
	const json_t *result;
	json_t *plots; /* data of the plots so far, by the id of their figure */
};

void html_answer(struct html *html);
void html_comparison(struct html *html);
void html_sweep(struct html *html);
void html_rates(struct html *html);
void html_latency(struct html *html);
void html_loss(struct html *html);
void html_loss_free(struct html *html);
void html_ledger(struct html *html);
void html_timeline(struct html *html);
void html_attrib(struct html *html);
void html_times(struct html *html);
void html_noise(struct html *html);
void html_trials(struct html *html);
void html_environment(struct html *html);
void html_repeat(struct html *html);
void html_doubts(struct html *html);

size_t html_n_measurements(const struct html *html);
const json_t *html_measurement(const struct html *html, size_t i);

/* <section id="ID"><h2>TITLE</h2>; ended by "</section>\n". */
void html_section(struct html *html, const char *id, const char *title);

/* A figure with the plot 'data', whose reference it takes; nothing when that is NULL.  'id' is made
 * of 'name' and 'i'; 'title' (taken, freed) says what to see, 'about' what is drawn. */
void html_plot(struct html *html, const char *name, size_t i, json_t *data, char *title,
	       const char *about);

/* <h3>LABEL</h3> when there is more than one measurement to tell apart. */
void html_heading(struct html *html, const json_t *m);

/* The picture of the chain, with the figures of one trial, and of a measurement's "attribution" or
 * NULL. */
void html_picture(struct str *page, const json_t *chain, const struct trial *t,
		  const json_t *attribution);
