/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "report/text_page.h"

#include "doctor_checks.h"

/* Columns of the grade, and of the name behind it; the longest is qemu-system-x86_64. */
#define COLS_GRADE 9
#define COLS_NAME 20

const char *
doctor_grade_name(enum doctor_grade grade)
{
	static const char *const names[] = {
		[DOCTOR_OK] = "ok", [DOCTOR_NOTE] = "note", [DOCTOR_PROBLEM] = "problem"};

	return names[grade];
}

json_t *
doctor_to_json(const struct doctor *d)
{
	json_t *list = json_array();

	for (size_t i = 0; i < d->n; i++) {
		const struct doctor_check *c = &d->check[i];
		json_t *one = json_object();

		json_object_set_new(one, "name", json_string(c->name));
		json_object_set_new(one, "grade", json_string(doctor_grade_name(c->grade)));
		json_object_set_new(one, "fact", json_string(c->fact));
		json_object_set_new(one, "remedy",
				    c->remedy != NULL ? json_string(c->remedy) : json_null());
		json_array_append_new(list, one);
	}
	return list;
}

static void
print_check(struct str *page, const struct doctor_check *c)
{
	static const char *const marks[] = {
		[DOCTOR_OK] = PAGE_GOOD, [DOCTOR_NOTE] = PAGE_DOUBT, [DOCTOR_PROBLEM] = PAGE_BAD};
	struct str head = {0};

	str_addf(&head, "%s", marks[c->grade]);
	page_cell(&head, -COLS_GRADE, doctor_grade_name(c->grade));
	str_addf(&head, PAGE_PLAIN);
	page_cell(&head, -COLS_NAME, c->name);
	page_wrap(page, str_text(&head), COLS_GRADE + COLS_NAME, c->fact);
	str_fini(&head);
	/* Never broken, so that it can be copied. */
	if (c->remedy != NULL)
		str_addf(page, "%*s$ %s\n", COLS_GRADE, "", c->remedy);
}

char *
doctor_print(const struct doctor *d, bool colour)
{
	struct str page = {0};

	for (size_t i = 0; i < d->n; i++)
		print_check(&page, &d->check[i]);
	str_addf(&page, "\n%s\n",
		 doctor_worst(d) == DOCTOR_PROBLEM
			 ? PAGE_BAD "An embedded chain cannot run here." PAGE_PLAIN
			 : PAGE_GOOD "An embedded chain can run here: nfvchain bench" PAGE_PLAIN);
	return page_finish(&page, colour);
}
