/* SPDX-License-Identifier: MIT */
#include "plan.h"

#include "base/mem.h"

static const char *const role_names[] = {"rx", "sched", "work", "tx"};

/* The transmit queues of an lcore. */
static json_t *
sends_json(const struct plan *plan, uint16_t lcore)
{
	json_t *sends = json_array();

	for (uint16_t p = 0; p < plan->n_ports; p++)
		if (plan->txq[lcore][p] >= 0)
			json_array_append_new(sends, json_pack("{s:i, s:i}", "tx_port", p, "txq",
							       plan->txq[lcore][p]));
	return sends;
}

static json_t *
roles_json(const struct plan *plan, const struct plan_facts *facts)
{
	json_t *lcores = json_array();

	for (uint16_t i = 0; i < plan->n_lcores; i++) {
		json_t *roles = json_array();

		for (unsigned k = 0; k < N_ELEMS(role_names); k++)
			if (plan->roles.role[i] & 1u << k)
				json_array_append_new(roles, json_string(role_names[k]));
		json_array_append_new(lcores, json_pack("{s:i, s:i, s:o, s:o}", "index", i, "lcore",
							facts->lcore_id[plan->position[i]], "roles",
							roles, "sends", sends_json(plan, i)));
	}
	return lcores;
}

/* The transmit queue that a link's lcore has at its egress, or -1 where others send. */
static int
txq_of(const struct plan *plan, const struct plan_link *l)
{
	return plan->txq[l->lcore][l->egress];
}

json_t *
plan_to_json(const struct plan *plan, const struct plan_facts *facts, const char *engine)
{
	json_t *links = json_array(), *root;

	for (uint16_t i = 0; i < plan->n_links; i++) {
		const struct plan_link *l = &plan->link[i];

		json_array_append_new(links,
				      json_pack("{s:i, s:i, s:i, s:i, s:i}", "lcore", l->lcore,
						"rx_port", l->rx_port, "rxq", l->rxq, "tx_port",
						l->egress, "txq", txq_of(plan, l)));
	}
	root = json_pack("{s:s, s:i, s:i, s:o}", "engine", engine, "ports", plan->n_ports, "lcores",
			 plan->n_lcores, "links", links);
	if (plan->roles.n_stages > 0) {
		json_object_set_new(root, "stages", json_integer(plan->roles.n_stages));
		json_object_set_new(root, "fused_stages",
				    json_boolean(plan->roles.n_queues < plan->roles.n_stages));
		json_object_set_new(root, "tx_queue", json_boolean(plan->roles.n_tx > 0));
		json_object_set_new(root, "adapters", json_boolean(plan->roles.adapters));
		json_object_set_new(root, "folded", json_integer(plan->roles.n_folded));
		json_object_set_new(root, "roles", roles_json(plan, facts));
	}
	return root;
}

/* Where an lcore sends, where several do. */
static void
print_sends(const struct plan *plan, uint16_t lcore, FILE *out)
{
	const char *sep = " to";

	for (uint16_t p = 0; p < plan->n_ports; p++) {
		if (plan->txq[lcore][p] < 0)
			continue;
		fprintf(out, "%s port %u queue %d", sep, p, plan->txq[lcore][p]);
		sep = ",";
	}
}

static void
print_roles(const struct plan *plan, const struct plan_facts *facts, FILE *out)
{
	const struct plan_roles *r = &plan->roles;

	for (uint16_t i = 0; i < plan->n_lcores; i++) {
		fprintf(out, "lcore %u:", facts->lcore_id[plan->position[i]]);
		for (unsigned k = 0; k < N_ELEMS(role_names); k++)
			if (r->role[i] & 1u << k)
				fprintf(out, " %s", role_names[k]);
		if ((r->n_tx > 1 || r->adapters) && (r->role[i] & ROLE_TX))
			print_sends(plan, i, out);
		fprintf(out, "\n");
	}
	fprintf(out, "%u %s, %s\n", r->n_stages,
		r->n_stages == 1	    ? "stage"
		: r->n_queues < r->n_stages ? "stages that follow at once"
					    : "stages",
		r->adapters    ? "DPDK's adapters receive and send"
		: r->n_tx == 0 ? "workers send"
		: r->n_tx == 1 ? "frames pass a queue to the lcore that sends"
			       : "frames pass a queue to an lcore that sends, by port and flow");
	if (r->n_folded > 0)
		fprintf(out, "%u more lcores share these CPUs: their roles run here\n",
			r->n_folded);
}

void
plan_print(const struct plan *plan, const struct plan_facts *facts, FILE *out)
{
	for (uint16_t i = 0; i < plan->n_links; i++) {
		const struct plan_link *l = &plan->link[i];

		fprintf(out, "lcore %u: port %u queue %u -> port %u",
			facts->lcore_id[plan->position[l->lcore]], l->rx_port, l->rxq, l->egress);
		if (txq_of(plan, l) >= 0)
			fprintf(out, " queue %d", txq_of(plan, l));
		fprintf(out, "\n");
	}
	if (plan->roles.n_stages > 0)
		print_roles(plan, facts, out);
}
