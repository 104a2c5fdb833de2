/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/rate.h"
#include "base/units.h"
#include "console.h"
#include "start_show.h"

/* The console's verbs that show something. */

struct show_conf {
	struct console_ports_conf ports;
	bool global, per_port, status, flows, latency, histogram, cpu, xstats;
	char *promiscuous, *multicast;
};

#define FIELD(member) OPT_FIELD(struct show_conf, member)
#define SWITCH(name, key, about, member)                                                \
	{                                                                               \
		name, key, NULL, about, opt_set_switch, FIELD(member), NULL, OPT_NO_ENV \
	}

static const struct opt stats_opts[] = {
	SWITCH("global", 'g', "all ports together", global),
	SWITCH("port", 'p', "each port (with -g what is shown without options)", per_port),
	SWITCH("ps", 0, "what state ports are in", status),
	SWITCH("streams", 's', "streams that are counted (flow statistics)", flows),
	SWITCH("ls", 'l', "their latency", latency),
	SWITCH("lh", 0, "their latency's histogram", histogram),
	SWITCH("cpu", 'c', "how busy the generator is", cpu),
	SWITCH("xstats", 'x', "the devices' own counters, those that are not 0", xstats),
	{"ports", 0, "PORT...", "only of these: 0, or 0,1", opt_set_list, FIELD(ports.list), NULL,
	 OPT_NO_ENV},
};

const struct console_opts console_stats_opts = {stats_opts, N_ELEMS(stats_opts)};

static const struct opt ports_opts[] = {
	{"ports", 'p', "PORT...", "0, or several: 0 1", opt_set_list, FIELD(ports.list), NULL,
	 OPT_NO_ENV},
	SWITCH("all", 'a', "all ports", ports.all),
};

const struct console_opts console_ports_opts = {ports_opts, N_ELEMS(ports_opts)};

static const char *const on_off[] = {"on", "off", NULL};

static const struct opt portattr_opts[] = {
	{"ports", 'p', "PORT...", "0, or several: 0 1", opt_set_list, FIELD(ports.list), NULL,
	 OPT_NO_ENV},
	SWITCH("all", 'a', "all ports", ports.all),
	{"prom", 0, "on|off", "take frames for everybody", opt_set_text, FIELD(promiscuous), on_off,
	 OPT_NO_ENV},
	{"mult", 0, "on|off", "take frames for groups", opt_set_text, FIELD(multicast), on_off,
	 OPT_NO_ENV},
};

const struct console_opts console_portattr_opts = {portattr_opts, N_ELEMS(portattr_opts)};

static void
conf_fini(struct show_conf *conf)
{
	opt_list_fini(&conf->ports.list);
	free(conf->promiscuous);
	free(conf->multicast);
}

/* ---- counters ---- */

static double
number(const json_t *object, const char *key)
{
	return json_number_value(json_object_get(object, key));
}

/* Since the last 'clear'. */
static uint64_t
grown(const json_t *base, const json_t *now, const char *key)
{
	double n = number(now, key) - number(base, key);

	return n > 0 ? (uint64_t)n : 0;
}

static int
read_stats(struct console *c, const struct console_ports *ports, json_t **all, struct err *err)
{
	int rc = 0;

	*all = json_array();
	for (size_t i = 0; rc == 0 && i < ports->n; i++) {
		json_t *one = NULL;

		rc = stl_port_stats(c->stl, ports->port[i], &one, err);
		json_array_append_new(*all, one);
	}
	return rc;
}

/* One row of a table: a name, then a cell for each port. */
static void
print_rates(const char *name, const json_t *all, const char *key,
	    char *(*print)(char *buf, size_t size, double value))
{
	size_t i;
	json_t *one;

	printf("  %-12s", name);
	json_array_foreach(all, i, one) {
		char text[32];

		printf("%18s", print(text, sizeof(text), number(one, key)));
	}
	printf("\n");
}

static void
print_counts(struct console *c, const char *name, const struct console_ports *ports,
	     const json_t *all, const char *key)
{
	size_t i;
	json_t *one;

	printf("  %-12s", name);
	json_array_foreach(all, i, one) {
		char text[32];

		printf("%18s",
		       count_print(text, sizeof(text), grown(c->base[ports->port[i]], one, key)));
	}
	printf("\n");
}

static void
print_port_names(const struct console_ports *ports)
{
	printf("  %-12s", "");
	for (size_t i = 0; i < ports->n; i++) {
		char *name = xasprintf("port %u", ports->port[i]);

		printf("%18s", name);
		free(name);
	}
	printf("\n");
}

static void
show_ports(struct console *c, const struct console_ports *ports, const json_t *all)
{
	static const struct {
		const char *name, *key;
	} counts[] = {{"sent", "opackets"},	  {"received", "ipackets"},
		      {"bytes sent", "obytes"},	  {"bytes rec.", "ibytes"},
		      {"errors sent", "oerrors"}, {"errors rec.", "ierrors"}};

	print_port_names(ports);
	print_rates("tx", all, "m_total_tx_pps", rate_print_pps);
	print_rates("", all, "m_total_tx_bps", rate_print_bps);
	print_rates("rx", all, "m_total_rx_pps", rate_print_pps);
	print_rates("", all, "m_total_rx_bps", rate_print_bps);
	for (size_t i = 0; i < N_ELEMS(counts); i++)
		print_counts(c, counts[i].name, ports, all, counts[i].key);
}

/* What has been sent and has not come back is a number of frames, however small. */
static int
show_global(struct console *c, const struct console_ports *ports, const json_t *all,
	    struct err *err)
{
	char text[4][32];
	uint64_t sent = 0, received = 0, refused;
	json_t *global = NULL, *one;
	size_t i;
	int rc = stl_call(c->stl, "get_global_stats", NULL, 3000, &global, err);

	if (rc < 0)
		return rc;
	json_array_foreach(all, i, one) {
		const json_t *base = c->base[ports->port[i]];

		sent += grown(base, one, "opackets");
		received += grown(base, one, "ipackets");
	}
	refused = (uint64_t)number(global, "m_total_queue_full");
	printf("  %-12s%s, %s sent; %s, %s received\n", "rate",
	       rate_print_pps(text[0], sizeof(text[0]), number(global, "m_tx_pps")),
	       rate_print_bps(text[1], sizeof(text[1]), number(global, "m_tx_bps")),
	       rate_print_pps(text[2], sizeof(text[2]), number(global, "m_rx_pps")),
	       rate_print_bps(text[3], sizeof(text[3]), number(global, "m_rx_bps")));
	printf("  %-12s%s sent, %s received, %s under way or lost\n", "frames",
	       count_print(text[0], sizeof(text[0]), sent),
	       count_print(text[1], sizeof(text[1]), received),
	       count_print(text[2], sizeof(text[2]), sent > received ? sent - received : 0));
	printf("  %-12s%s, since the generator started\n", "refused",
	       count_print(text[0], sizeof(text[0]), refused));
	printf("  %-12s%.1f %%\n", "busy", number(global, "m_cpu_util"));
	json_decref(global);
	return 0;
}

/* ---- other views ---- */

static int
show_status(struct console *c, const struct console_ports *ports, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < ports->n; i++) {
		const unsigned port = ports->port[i];
		const char *state = "", *owner = "";
		const json_t *attr, *ether;
		json_t *status = NULL;

		rc = stl_call_port(c->stl, port, "get_port_status",
				   json_pack("{s:s}", "profile_id", "*"), &status, err);
		if (rc == 0)
			rc = json_get_text(status, "state", &state, err);
		if (rc == 0)
			rc = json_get_text(status, "owner", &owner, err);
		attr = json_object_get(status, "attr");
		ether = json_at(attr, "layer_cfg.ether");
		if (rc == 0)
			printf("  port %-2u %-8s %s; link %s, %g Gb/s; from %s to %s; promiscuous "
			       "%s, multicast %s\n",
			       port, state,
			       stl_owns(c->stl, port) ? "ours"
			       : owner[0] != '\0'     ? owner
						      : "nobody's",
			       json_is_true(json_at(attr, "link.up")) ? "up" : "down",
			       number(attr, "speed"),
			       json_string_value(json_object_get(ether, "src")),
			       json_string_value(json_object_get(ether, "dst")),
			       json_is_true(json_at(attr, "promiscuous.enabled")) ? "on" : "off",
			       json_is_true(json_at(attr, "multicast.enabled")) ? "on" : "off");
		json_decref(status);
	}
	return rc;
}

/* Buckets are named by where they begin, 1 to 9 times a power of ten: "10" is before "9". */
static void
print_histogram(const json_t *latency)
{
	const json_t *histogram = json_at(latency, "lat.histogram");
	size_t left = json_object_size(histogram);

	for (unsigned long power = 1; left > 0 && power <= 100000000; power *= 10)
		for (unsigned long digit = power == 1 ? 0 : 1; digit < 10; digit++) {
			char *from = xasprintf("%lu", digit * power);
			const json_t *count = json_object_get(histogram, from);

			if (count != NULL) {
				printf("    from %9s us  %.0f\n", from, json_number_value(count));
				left--;
			}
			free(from);
		}
}

static int
show_flows(struct console *c, const struct show_conf *conf, struct err *err)
{
	json_t *stats = NULL, *latency;
	const char *id;
	int rc = stl_pgid_stats(c->stl, &stats, err);

	if (rc < 0)
		return rc;
	if (json_object_size(json_object_get(stats, "flow_stats")) == 0)
		printf("  no stream is counted (flow_stats in a profile)\n");
	start_show_flows(stats, stdout);
	if (conf->histogram)
		json_object_foreach(json_object_get(stats, "latency"), id, latency) {
			if (strcmp(id, "g") == 0)
				continue;
			printf("  flow %s\n", id);
			print_histogram(latency);
		}
	json_decref(stats);
	return 0;
}

static int
show_cpu(struct console *c, struct err *err)
{
	json_t *util = NULL, *cpu;
	size_t i;
	int rc = stl_call(c->stl, "get_utilization", NULL, 3000, &util, err);

	if (rc < 0)
		return rc;
	json_array_foreach(json_object_get(util, "cpu"), i, cpu) {
		const json_t *history = json_object_get(cpu, "history");

		printf("  lcore %zu: %lld %% now; before:", i,
		       (long long)json_integer_value(json_array_get(history, 0)));
		for (size_t k = 1; k < 10 && k < json_array_size(history); k++)
			printf(" %lld", (long long)json_integer_value(json_array_get(history, k)));
		printf("\n");
	}
	json_decref(util);
	return 0;
}

static int
show_xstats(struct console *c, const struct console_ports *ports, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < ports->n; i++) {
		json_t *names = NULL, *values = NULL, *one;
		size_t k;

		rc = stl_call_port(c->stl, ports->port[i], "get_port_xstats_names", NULL, &names,
				   err);
		if (rc == 0)
			rc = stl_call_port(c->stl, ports->port[i], "get_port_xstats_values", NULL,
					   &values, err);
		if (rc == 0)
			printf("  port %u%s\n", ports->port[i],
			       json_array_size(json_object_get(values, "xstats_values")) == 0
				       ? ": its device has none"
				       : "");
		json_array_foreach(json_object_get(values, "xstats_values"), k, one) {
			const json_t *name =
				json_array_get(json_object_get(names, "xstats_names"), k);

			if (rc == 0 && json_number_value(one) > 0)
				printf("    %-32s %.0f\n", json_string_value(name),
				       json_number_value(one));
		}
		json_decref(names);
		json_decref(values);
	}
	return rc;
}

static int
show(struct console *c, const struct show_conf *conf, const struct console_ports *ports,
     struct err *err)
{
	const bool any = conf->global || conf->per_port || conf->status || conf->flows ||
			 conf->latency || conf->histogram || conf->cpu || conf->xstats;
	json_t *all = NULL;
	int rc = read_stats(c, ports, &all, err);

	if (rc == 0 && (conf->per_port || !any))
		show_ports(c, ports, all);
	if (rc == 0 && (conf->global || !any))
		rc = show_global(c, ports, all, err);
	if (rc == 0 && conf->status)
		rc = show_status(c, ports, err);
	if (rc == 0 && (conf->flows || conf->latency || conf->histogram))
		rc = show_flows(c, conf, err);
	if (rc == 0 && conf->cpu)
		rc = show_cpu(c, err);
	if (rc == 0 && conf->xstats)
		rc = show_xstats(c, ports, err);
	json_decref(all);
	return rc;
}

int
console_stats(struct console *c, int argc, char **argv, struct err *err)
{
	static const struct opt_command verb = {
		.name = "stats",
		.positional = "[-p PORT...]",
		.summary = "Shows what was sent and received, since 'clear', and how fast.",
		.opts = stats_opts,
		.n_opts = N_ELEMS(stats_opts),
	};
	struct show_conf conf = {0};
	struct console_ports ports;
	int rc = console_parse(c, &verb, argc, argv, &conf, &conf.ports, CONSOLE_ALL, &ports, err);

	if (rc == 0)
		rc = show(c, &conf, &ports, err);
	conf_fini(&conf);
	return rc;
}

int
console_clear(struct console *c, int argc, char **argv, struct err *err)
{
	static const struct opt_command verb = {
		.name = "clear",
		.positional = "[-p PORT...]",
		.summary = "Counts from here on; the server's own counters stay.",
		.opts = ports_opts,
		.n_opts = N_ELEMS(ports_opts),
	};
	struct show_conf conf = {0};
	struct console_ports ports;
	json_t *all = NULL, *one;
	size_t i;
	int rc = console_parse(c, &verb, argc, argv, &conf, &conf.ports, CONSOLE_ALL, &ports, err);

	if (rc == 0)
		rc = read_stats(c, &ports, &all, err);
	if (rc == 0)
		json_array_foreach(all, i, one) {
			json_decref(c->base[ports.port[i]]);
			c->base[ports.port[i]] = json_incref(one);
		}
	json_decref(all);
	conf_fini(&conf);
	return rc;
}

static int
show_port_streams(struct console *c, unsigned port, struct err *err)
{
	const char *profile, *id;
	json_t *result = NULL, *streams, *stream;
	int rc = stl_call_port(c->stl, port, "get_all_streams",
			       json_pack("{s:s}", "profile_id", "*"), &result, err);

	if (rc < 0)
		return rc;
	if (json_object_size(json_object_get(result, "profiles")) == 0)
		printf("port %u has no streams\n", port);
	json_object_foreach(json_object_get(result, "profiles"), profile, streams) {
		printf("port %u%s%s\n", port, strcmp(profile, "_") == 0 ? "" : ", profile ",
		       strcmp(profile, "_") == 0 ? "" : profile);
		json_object_foreach(streams, id, stream)
			start_show_stream((uint32_t)strtoul(id, NULL, 10), "", stream, stdout);
	}
	json_decref(result);
	return 0;
}

int
console_streams(struct console *c, int argc, char **argv, struct err *err)
{
	static const struct opt_command verb = {
		.name = "streams",
		.positional = "[-p PORT...]",
		.summary = "Shows the streams that ports have.",
		.opts = ports_opts,
		.n_opts = N_ELEMS(ports_opts),
	};
	struct show_conf conf = {0};
	struct console_ports ports;
	int rc = console_parse(c, &verb, argc, argv, &conf, &conf.ports, CONSOLE_ALL, &ports, err);

	for (size_t i = 0; rc == 0 && i < ports.n; i++)
		rc = show_port_streams(c, ports.port[i], err);
	conf_fini(&conf);
	return rc;
}

/* "on" and "off" as set_port_attr has them. */
static int
add_attribute(json_t *attr, const char *name, const char *word, struct err *err)
{
	if (word == NULL)
		return 0;
	if (strcmp(word, "on") != 0 && strcmp(word, "off") != 0)
		return err_usage(err, "'%s' is neither on nor off", word);
	json_object_set_new(attr, name, json_pack("{s:b}", "enabled", strcmp(word, "on") == 0));
	return 0;
}

static int
set_attributes(struct console *c, const struct show_conf *conf, const struct console_ports *ports,
	       struct err *err)
{
	json_t *attr = json_object();
	int rc = add_attribute(attr, "promiscuous", conf->promiscuous, err);

	if (rc == 0)
		rc = add_attribute(attr, "multicast", conf->multicast, err);
	for (size_t i = 0; rc == 0 && json_object_size(attr) > 0 && i < ports->n; i++) {
		rc = stl_call_port(c->stl, ports->port[i], "set_port_attr",
				   json_pack("{s:O}", "attr", attr), NULL, err);
		err_wrap(err, rc, "port %u", ports->port[i]);
	}
	json_decref(attr);
	return rc;
}

int
console_portattr(struct console *c, int argc, char **argv, struct err *err)
{
	static const struct opt_command verb = {
		.name = "portattr",
		.positional = "[-p PORT...]",
		.summary = "Sets what ports are like, and shows it.",
		.opts = portattr_opts,
		.n_opts = N_ELEMS(portattr_opts),
	};
	struct show_conf conf = {0};
	struct console_ports ports;
	int rc = console_parse(c, &verb, argc, argv, &conf, &conf.ports, CONSOLE_ALL, &ports, err);

	if (rc == 0)
		rc = set_attributes(c, &conf, &ports, err);
	if (rc == 0)
		rc = show_status(c, &ports, err);
	conf_fini(&conf);
	return rc;
}
