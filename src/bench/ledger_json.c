/* SPDX-License-Identifier: MIT */
#include "ledger.h"

#include <errno.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"

/* ---- writing ---- */

static json_t *
i64_or_null(bool known, int64_t value)
{
	return known ? json_integer(value) : json_null();
}

static json_t *
u64_or_null(bool known, uint64_t value)
{
	return known ? json_u64(value) : json_null();
}

static json_t *
ports_to_json(const struct ledger_port *port)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < 2; i++) {
		json_t *one = json_object();

		json_object_set_new(one, "rx", json_u64(port[i].rx));
		json_object_set_new(one, "tx", json_u64(port[i].tx));
		json_object_set_new(one, "miss", json_u64(port[i].miss));
		json_array_append_new(list, one);
	}
	return list;
}

static json_t *
drops_to_json(const struct ledger_hop *hop)
{
	json_t *drops = json_object();

	for (size_t i = 0; i < hop->n_drops; i++)
		json_object_set_new(drops, hop->drop[i].name, json_u64(hop->drop[i].n));
	return drops;
}

static json_t *
hop_to_json(const struct ledger_hop *hop)
{
	bool exact = hop->known && hop->exact, names = exact || (hop->known && hop->n_drops > 0);
	json_t *one = json_object();

	json_object_set_new(one, "name", json_string(hop->name));
	json_object_set_new(one, "exact", json_boolean(hop->exact));
	json_object_set_new(one, "ports", hop->known ? ports_to_json(hop->port) : json_null());
	json_object_set_new(one, "created", u64_or_null(exact, hop->created));
	json_object_set_new(one, "in_flight", u64_or_null(exact, hop->in_flight));
	json_object_set_new(one, "drops", names ? drops_to_json(hop) : json_null());
	return one;
}

static json_t *
hops_to_json(const struct ledger *l)
{
	json_t *list = json_array();

	for (size_t i = 0; i < l->n_hops; i++)
		json_array_append_new(list, hop_to_json(&l->hop[i]));
	return list;
}

static json_t *
links_to_json(const struct ledger *l)
{
	json_t *list = json_array();

	for (size_t i = 0; i <= l->n_hops; i++) {
		const struct ledger_link *link = &l->link[i];
		json_t *one = json_object();

		json_object_set_new(one, "lost_forward",
				    i64_or_null(link->known, link->lost_forward));
		json_object_set_new(one, "lost_backward",
				    i64_or_null(link->known, link->lost_backward));
		json_array_append_new(list, one);
	}
	return list;
}

json_t *
ledger_to_json(const struct ledger *l)
{
	json_t *root = json_object();
	bool seq = !l->seq_unknown;

	json_object_set_new(root, "sent", json_u64(l->sent));
	json_object_set_new(root, "created", json_u64(l->created));
	json_object_set_new(root, "received", json_u64(l->received));
	json_object_set_new(root, "drops", json_u64(l->drops));
	json_object_set_new(root, "miss", json_u64(l->miss));
	json_object_set_new(root, "in_flight", json_u64(l->in_flight));
	json_object_set_new(root, "lost", i64_or_null(l->lost_known, l->lost));
	json_object_set_new(root, "unexplained", json_integer(l->unexplained));
	json_object_set_new(root, "inside", json_integer(l->inside));
	json_object_set_new(root, "residual", json_integer(l->residual));
	json_object_set_new(root, "never_seen", u64_or_null(seq, l->never_seen));
	json_object_set_new(root, "unidentified", u64_or_null(seq, l->unidentified));
	json_object_set_new(root, "disagreement", i64_or_null(seq, l->disagreement));
	json_object_set_new(root, "balanced", json_boolean(l->balanced));
	json_object_set_new(root, "generator", ports_to_json(l->gen));
	json_object_set_new(root, "hops", hops_to_json(l));
	json_object_set_new(root, "links", links_to_json(l));
	return root;
}

/* ---- reading ---- */

static int
get_i64(const json_t *json, const char *key, int64_t *value, struct err *err)
{
	const json_t *at = json_object_get(json, key);

	if (!json_is_integer(at))
		return err_set(err, EINVAL, "%s: not an integer", key);
	*value = json_integer_value(at);
	return 0;
}

/* Unsigned counters by name, all of which must be there. */
struct field {
	const char *key;
	uint64_t *value;
};

static int
get_fields(const json_t *json, const struct field *fields, size_t n, struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		int rc = json_get_u64(json, fields[i].key, fields[i].value, err);

		if (rc < 0)
			return rc;
	}
	return 0;
}

static int
ports_from_json(struct ledger_port *port, const json_t *list, struct err *err)
{
	if (!json_is_array(list) || json_array_size(list) != 2)
		return err_set(err, EINVAL, "not a list of two ports");
	for (unsigned i = 0; i < 2; i++) {
		const struct field fields[] = {
			{"rx", &port[i].rx},
			{"tx", &port[i].tx},
			{"miss", &port[i].miss},
		};
		int rc = get_fields(json_array_get(list, i), fields, 3, err);

		if (rc < 0)
			return err_wrap(err, rc, "port %u", i);
	}
	return 0;
}

static int
drops_from_json(struct ledger_hop *hop, json_t *drops, struct err *err)
{
	const char *name;
	json_t *n;

	if (!json_is_object(drops) || json_object_size(drops) > LEDGER_MAX_REASONS)
		return err_set(err, EINVAL, "drops: not an object of at most %u reasons",
			       LEDGER_MAX_REASONS);
	json_object_foreach(drops, name, n) {
		if (!json_is_integer(n) || json_integer_value(n) < 0 ||
		    strlen(name) >= sizeof(hop->drop[0].name))
			return err_set(err, EINVAL, "drops: '%.32s' is not a reason and its count",
				       name);
		ledger_drop(hop, name, (uint64_t)json_integer_value(n));
	}
	return 0;
}

/* What only a known hop has. */
static int
counters_from_json(struct ledger_hop *hop, const json_t *one, struct err *err)
{
	const struct field fields[] = {
		{"created", &hop->created},
		{"in_flight", &hop->in_flight},
	};
	int rc;

	hop->known = !json_is_null(json_object_get(one, "ports"));
	if (!hop->known)
		return 0;
	rc = ports_from_json(hop->port, json_object_get(one, "ports"), err);
	if (rc == 0 && hop->exact)
		rc = get_fields(one, fields, 2, err);
	if (rc < 0 || (!hop->exact && json_is_null(json_object_get(one, "drops"))))
		return rc;
	return drops_from_json(hop, json_object_get(one, "drops"), err);
}

static int
hop_from_json(struct ledger_hop *hop, const json_t *one, struct err *err)
{
	const char *name;
	int rc;

	rc = json_get_text(one, "name", &name, err);
	if (rc == 0 && !str_copy(hop->name, sizeof(hop->name), name))
		rc = err_set(err, EINVAL, "name: longer than %zu", sizeof(hop->name) - 1);
	if (rc == 0)
		rc = json_get_bool(one, "exact", &hop->exact, err);
	if (rc < 0)
		return rc;
	return counters_from_json(hop, one, err);
}

static int
hops_from_json(struct ledger *l, const json_t *list, struct err *err)
{
	if (!json_is_array(list) || json_array_size(list) > LEDGER_MAX_HOPS)
		return err_set(err, EINVAL, "hops: not a list of at most %u", LEDGER_MAX_HOPS);
	l->n_hops = json_array_size(list);
	for (size_t i = 0; i < l->n_hops; i++) {
		int rc = hop_from_json(&l->hop[i], json_array_get(list, i), err);

		if (rc < 0)
			return err_wrap(err, rc, "hops[%zu]", i);
	}
	return 0;
}

static int
link_from_json(struct ledger_link *link, const json_t *one, struct err *err)
{
	int rc;

	link->known = !json_is_null(json_object_get(one, "lost_forward"));
	if (!link->known)
		return 0;
	rc = get_i64(one, "lost_forward", &link->lost_forward, err);
	if (rc < 0)
		return rc;
	return get_i64(one, "lost_backward", &link->lost_backward, err);
}

/* Also gives 'lost', by the links that are known. */
static int
links_from_json(struct ledger *l, const json_t *list, struct err *err)
{
	uint64_t lost = 0; /* unsigned, since a foreign file may overflow it */

	if (!json_is_array(list) || json_array_size(list) != l->n_hops + 1)
		return err_set(err, EINVAL, "links: not a list of one more than the hops");
	for (size_t i = 0; i <= l->n_hops; i++) {
		int rc = link_from_json(&l->link[i], json_array_get(list, i), err);

		if (rc < 0)
			return err_wrap(err, rc, "links[%zu]", i);
		lost += (uint64_t)l->link[i].lost_forward + (uint64_t)l->link[i].lost_backward;
	}
	l->lost = (int64_t)lost;
	return 0;
}

static int
sequences_from_json(struct ledger *l, const json_t *json, struct err *err)
{
	const struct field fields[] = {
		{"never_seen", &l->never_seen},
		{"unidentified", &l->unidentified},
	};
	int rc;

	l->seq_unknown = json_is_null(json_object_get(json, "never_seen"));
	if (l->seq_unknown)
		return 0;
	rc = get_fields(json, fields, 2, err);
	if (rc < 0)
		return rc;
	return get_i64(json, "disagreement", &l->disagreement, err);
}

static int
sums_from_json(struct ledger *l, const json_t *json, struct err *err)
{
	const struct field fields[] = {
		{"sent", &l->sent},   {"created", &l->created}, {"received", &l->received},
		{"drops", &l->drops}, {"miss", &l->miss},	{"in_flight", &l->in_flight},
	};
	int rc;

	l->lost_known = !json_is_null(json_object_get(json, "lost"));
	rc = get_fields(json, fields, 6, err);
	if (rc == 0)
		rc = get_i64(json, "unexplained", &l->unexplained, err);
	if (rc == 0)
		rc = get_i64(json, "inside", &l->inside, err);
	if (rc == 0)
		rc = get_i64(json, "residual", &l->residual, err);
	if (rc == 0)
		rc = json_get_bool(json, "balanced", &l->balanced, err);
	return rc;
}

static int
check_lost(const struct ledger *l, const json_t *json, struct err *err)
{
	int64_t lost = 0;
	int rc = get_i64(json, "lost", &lost, err);

	if (rc == 0 && lost != l->lost)
		rc = err_set(err, EINVAL, "lost: not the sum over the links");
	return rc;
}

int
ledger_from_json(struct ledger *l, const json_t *json, struct err *err)
{
	int rc;

	*l = (struct ledger){0};
	rc = sums_from_json(l, json, err);
	if (rc == 0)
		rc = sequences_from_json(l, json, err);
	if (rc == 0) {
		rc = ports_from_json(l->gen, json_object_get(json, "generator"), err);
		if (rc < 0)
			return err_wrap(err, rc, "generator");
	}
	if (rc == 0)
		rc = hops_from_json(l, json_object_get(json, "hops"), err);
	if (rc == 0)
		rc = links_from_json(l, json_object_get(json, "links"), err);
	if (rc == 0 && l->lost_known)
		rc = check_lost(l, json, err);
	return rc;
}
