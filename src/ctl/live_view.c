/* SPDX-License-Identifier: MIT */
#include "live_view.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rate.h"
#include "base/str.h"
#include "base/units.h"

#define MIN_COLS 20
#define MAX_COLS 500
#define BAR_WIDTH 10
#define NAME_WIDTH 12
#define ROOMY 20 /* lines, from which on there is one for everything */

struct page {
	const struct live_view *v;
	unsigned cols, rows, n; /* n: lines so far */
	struct str out;
};

/* ---- lines ---- */

/* Bytes of the first 'cols' characters of 'text', each one column wide; escape sequences are none.
 */
static size_t
fitting(const char *text, unsigned cols)
{
	size_t i = 0;
	unsigned used = 0;

	while (text[i] != '\0' && text[i] != '\n') {
		if (text[i] == '\033') {
			while (text[i] != '\0' && text[i] != 'm')
				i++;
		} else if (((unsigned char)text[i] & 0xc0) != 0x80 && used++ == cols) {
			break;
		}
		if (text[i] != '\0')
			i++;
	}
	return i;
}

static void __attribute__((format(printf, 2, 3))) line(struct page *p, const char *fmt, ...)
{
	va_list ap;
	char *text;
	size_t len;

	if (p->n >= p->rows)
		return;
	va_start(ap, fmt);
	text = xvasprintf(fmt, ap);
	va_end(ap);
	len = fitting(text, p->cols);
	str_addn(&p->out, text, len);
	/* A cut line does not leave its colour behind. */
	if (p->v->colours && memchr(text, '\033', len) != NULL)
		str_addf(&p->out, "\033[0m");
	str_addf(&p->out, "\n");
	p->n++;
	free(text);
}

/* "" unless there are colours. */
static const char *
paint(const struct page *p, const char *sequence)
{
	return p->v->colours ? sequence : "";
}

#define BOLD "\033[1m"
#define RED "\033[31m"
#define PLAIN "\033[0m"

/* ---- sparklines ---- */

static const char *const blocks[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};

char *
live_sparkline(const double *values, size_t n, size_t width)
{
	size_t first = n > width ? n - width : 0;
	double top = 0;
	struct str s = {0};

	str_addn(&s, "", 0);
	for (size_t i = first; i < n; i++)
		top = values[i] > top ? values[i] : top;
	for (size_t i = first; i < n; i++) {
		double share = top > 0 ? values[i] / top : 0;

		str_addf(&s, "%s", values[i] < 0 ? " " : blocks[(size_t)(share * 7 + 0.5)]);
	}
	return str_take(&s);
}

void
live_remember(struct live_history *h, const struct live_sample *s)
{
	double rx = 0;

	for (size_t i = 0; i < s->n_ports; i++)
		rx += s->port[i].rx_pps;
	if (h->n == LIVE_HISTORY) {
		h->n--;
		memmove(h->rx_pps, h->rx_pps + 1, h->n * sizeof(h->rx_pps[0]));
		memmove(h->latency_us, h->latency_us + 1, h->n * sizeof(h->latency_us[0]));
	}
	h->rx_pps[h->n] = rx;
	h->latency_us[h->n] = s->latency_us;
	h->n++;
}

/* ---- parts of the screen ---- */

static void
add_title(struct page *p)
{
	const char *title = p->v->title, *clock = p->v->clock;
	int room = (int)p->cols - (int)strlen(clock) - 1;

	if (room < 1)
		room = 1;
	line(p, "%s%-*.*s %s", paint(p, BOLD), room, room, title, clock);
}

/* "gen:0 ==> vnf1 ==> vnf2 ==> gen:1" */
static void
add_picture(struct page *p)
{
	const struct live_sample *s = p->v->now;
	struct str row = {0};

	if (s->n_hops == 0)
		return;
	str_addf(&row, "gen:0");
	for (size_t i = 0; i < s->n_hops; i++)
		str_addf(&row, " ==> %s", s->hop[i].name);
	line(p, "%s ==> gen:1", str_text(&row));
	str_fini(&row);
}

static char *
print_state(const struct live_port *port, char *buf, size_t size)
{
	static const struct {
		const char *trex, *here;
	} words[] = {{"TX", "sending"},
		     {"PAUSE", "paused"},
		     {"IDLE", "idle"},
		     {"STREAMS", "ready"},
		     {"", "?"}};

	for (size_t i = 0; i < N_ELEMS(words); i++)
		if (strcmp(port->state, words[i].trex) == 0) {
			str_copy(buf, size, words[i].here);
			return buf;
		}
	str_copy(buf, size, port->state);
	return buf;
}

/* A row of the ports' table: a member of struct live_port, and what it is. */
struct port_row {
	const char *name;
	enum { ROW_PPS, ROW_BPS, ROW_COUNT, ROW_SLOTS } kind;
	size_t offset;
	bool always; /* on small screens too */
};

static char *
print_cell(const struct live_port *port, const struct port_row *row, char *buf, size_t size)
{
	const void *member = (const char *)port + row->offset;

	switch (row->kind) {
	case ROW_PPS:
		return rate_print_pps(buf, size, *(const double *)member);
	case ROW_BPS:
		return rate_print_bps(buf, size, *(const double *)member);
	case ROW_SLOTS:
		if (!port->knows_slots) {
			str_copy(buf, size, "?");
			return buf;
		}
		break;
	case ROW_COUNT:
		break;
	}
	return count_print(buf, size, *(const uint64_t *)member);
}

static void
add_port_row(struct page *p, const struct port_row *r)
{
	const struct live_sample *s = p->v->now;
	struct str row = {0};

	str_addf(&row, "%-*s", NAME_WIDTH, r->name);
	for (size_t i = 0; i < s->n_ports; i++) {
		char text[32];

		str_addf(&row, "%18s", print_cell(&s->port[i], r, text, sizeof(text)));
	}
	line(p, "%s", str_text(&row));
	str_fini(&row);
}

static void
add_ports(struct page *p)
{
#define MEMBER(name) offsetof(struct live_port, name)
	static const struct port_row rows[] = {
		{"tx", ROW_PPS, MEMBER(tx_pps), true},
		{"", ROW_BPS, MEMBER(tx_bps), false},
		{"rx", ROW_PPS, MEMBER(rx_pps), true},
		{"", ROW_BPS, MEMBER(rx_bps), false},
		{"sent", ROW_COUNT, MEMBER(sent), true},
		{"received", ROW_COUNT, MEMBER(received), true},
		{"refused", ROW_SLOTS, MEMBER(refused), false},
		{"late", ROW_SLOTS, MEMBER(late), false},
	};
#undef MEMBER
	struct str head = {0};

	str_addf(&head, "%-*s", NAME_WIDTH, "");
	for (size_t i = 0; i < p->v->now->n_ports; i++) {
		char state[32], *name;

		name = xasprintf("port %zu %s", i,
				 print_state(&p->v->now->port[i], state, sizeof(state)));
		str_addf(&head, "%18s", name);
		free(name);
	}
	line(p, "%s%s", paint(p, BOLD), str_text(&head));
	str_fini(&head);
	for (size_t i = 0; i < N_ELEMS(rows); i++)
		if (rows[i].always || p->rows >= ROOMY)
			add_port_row(p, &rows[i]);
}

/* However few there are: a share is never rounded to nothing. */
static void
add_missing(struct page *p)
{
	const struct live_sample *s = p->v->now;
	uint64_t sent = 0, received = 0, missing;
	char text[2][32], since[32];

	for (size_t i = 0; i < s->n_ports; i++) {
		sent += s->port[i].sent;
		received += s->port[i].received;
	}
	missing = sent > received ? sent - received : 0;
	if (p->v->base_s < 0)
		str_copy(since, sizeof(since), "since the start");
	else
		snprintf(since, sizeof(since), "in %.0f s", p->v->base_s);
	line(p, "%s%-*s%s of %s (%.3g %%) %s: dropped, lost or under way",
	     missing > 0 ? paint(p, RED) : "", NAME_WIDTH, "missing",
	     count_print(text[0], sizeof(text[0]), missing),
	     count_print(text[1], sizeof(text[1]), sent),
	     sent > 0 ? 100 * (double)missing / (double)sent : 0, since);
}

/* "0 ####...... 37 %" */
static void
add_bar(struct str *row, unsigned id, double busy)
{
	int full = (int)(busy * BAR_WIDTH + 0.5);

	str_addf(row, "  %u ", id);
	for (int i = 0; i < BAR_WIDTH; i++)
		str_addf(row, "%s", i < full ? "#" : ".");
	str_addf(row, " %2.0f %%", 100 * busy);
}

static void
add_hop(struct page *p, const struct live_hop *h)
{
	struct str row = {0};
	char text[4][32];

	if (!h->known) {
		line(p, "%-*.*s%s", NAME_WIDTH, NAME_WIDTH - 1, h->name,
		     "         ? it does not answer");
		return;
	}
	str_addf(&row, "%-*.*s%11s%11s%11s%9s", NAME_WIDTH, NAME_WIDTH - 1, h->name,
		 rate_print_pps(text[0], sizeof(text[0]), h->rx_pps),
		 rate_print_pps(text[1], sizeof(text[1]), h->tx_pps),
		 h->knows_inside ? count_print(text[2], sizeof(text[2]), h->drops) : "?",
		 count_print(text[3], sizeof(text[3]), h->miss));
	if (h->knows_inside)
		str_addf(&row, "%4.0f %%", 100 * h->held);
	else
		str_addf(&row, "%6s  ?", "?");
	for (size_t i = 0; i < h->n_lcores; i++)
		add_bar(&row, h->lcore[i].id, h->lcore[i].busy);
	line(p, "%s%s", h->drops + h->miss > 0 ? paint(p, RED) : "", str_text(&row));
	str_fini(&row);
}

/* Hops that have no line are counted in the last. */
static void
add_hops(struct page *p, unsigned room)
{
	const struct live_sample *s = p->v->now;
	size_t n = s->n_hops;

	if (n == 0 || room < 2)
		return;
	line(p, "%s%-*s%11s%11s%11s%9s%6s  busy by lcore", paint(p, BOLD), NAME_WIDTH, "hop", "rx",
	     "tx", "drops", "missed", "held");
	if (n > room - 1)
		n = room - 2;
	for (size_t i = 0; i < n; i++)
		add_hop(p, &s->hop[i]);
	if (n < s->n_hops)
		line(p, "  and %zu more", s->n_hops - n);
}

static void
add_sparklines(struct page *p)
{
	const struct live_history *h = p->v->history;
	size_t width = p->cols > NAME_WIDTH + 22 ? p->cols - NAME_WIDTH - 22 : 1;
	char *rx = live_sparkline(h->rx_pps, h->n, width), *latency, text[32];
	double last = h->n > 0 ? h->rx_pps[h->n - 1] : 0;

	line(p, "%-*s%-18s %s", NAME_WIDTH, "rate", rate_print_pps(text, sizeof(text), last), rx);
	free(rx);
	if (p->v->now->latency_us < 0)
		return;
	latency = live_sparkline(h->latency_us, h->n, width);
	line(p, "%-*s%-8.1f +- %.1f us  %s", NAME_WIDTH, "latency", p->v->now->latency_us,
	     p->v->now->jitter_us, latency);
	free(latency);
}

char *
live_view_text(const struct live_view *v, unsigned cols, unsigned rows)
{
	struct page p = {.v = v};
	unsigned bottom = (v->message != NULL) + (v->keys != NULL), above;
	unsigned sparklines = 1 + (v->now->latency_us >= 0);

	str_addn(&p.out, "", 0);
	p.cols = cols < MIN_COLS ? MIN_COLS : cols > MAX_COLS ? MAX_COLS : cols;
	p.rows = rows > bottom ? rows - bottom : 0;
	add_title(&p);
	add_picture(&p);
	add_ports(&p);
	if (v->now->generator_busy >= 0 && p.rows >= ROOMY)
		line(&p, "%-*s%.0f %%", NAME_WIDTH, "busy", 100 * v->now->generator_busy);
	add_missing(&p);
	above = p.n + sparklines;
	add_hops(&p, p.rows > above ? p.rows - above : 0);
	if (v->history->n > 0)
		add_sparklines(&p);
	p.rows = rows;
	while (bottom > 0 && p.n + bottom < rows)
		line(&p, "%s", "");
	if (v->message != NULL)
		line(&p, "%s", v->message);
	if (v->keys != NULL)
		line(&p, "%s", v->keys);
	return str_take(&p.out);
}
