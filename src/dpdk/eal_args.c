/* SPDX-License-Identifier: MIT */
#include "eal_args.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "compat.h"

/* What the user's line says about the matters we would otherwise decide. */
struct given {
	const char *lcore_list;	  /* -l */
	const char *lcore_mask;	  /* -c */
	const char *service_list; /* -S */
	const char *service_mask; /* -s */
	bool lcores;		  /* --lcores, left alone */
	bool memory;		  /* -m, --socket-mem, --legacy-mem: left alone */
	bool no_huge;
	bool hugepages; /* asked for by --huge-dir or the like */
	bool iova;
	bool shared; /* with secondary processes, or laid out by the user */
	bool pci;    /* -a, --allow: the user names devices */
	bool no_pci;
	bool prefix;
	bool log_level;
};

static void
add(struct eal_args *args, const char *word)
{
	if (args->argc < EAL_MAX_ARGS - 1)
		args->argv[args->argc++] = xstrdup(word);
}

/* Returns the value of the option 'name' at words[i]: "-l 0-1", "-l0-1", "--vdev x", "--vdev=x".
 * '*skip' is how many further words it took. */
static const char *
value_of(char **words, int n, int i, const char *name, int *skip)
{
	size_t len = strlen(name);
	const char *word = words[i];

	*skip = 0;
	if (strncmp(word, name, len) != 0)
		return NULL;
	if (word[len] == '\0') {
		if (i + 1 >= n)
			return NULL;
		*skip = 1;
		return words[i + 1];
	}
	if (name[1] == '-')
		return word[len] == '=' ? word + len + 1 : NULL;
	return word + len;
}

static bool
is_flag(const char *word, const char *name)
{
	size_t len = strlen(name);

	return strncmp(word, name, len) == 0 && (word[len] == '\0' || word[len] == '=');
}

/* Notes the options that decide placement and swallows them; they come back in our form. */
static bool
take_placement(struct given *g, char **words, int n, int *i)
{
	static const char *const names[] = {"-l", "-c", "-S", "-s"};
	const char **slots[] = {&g->lcore_list, &g->lcore_mask, &g->service_list, &g->service_mask};

	for (size_t k = 0; k < N_ELEMS(names); k++) {
		int skip;
		const char *value = value_of(words, n, *i, names[k], &skip);

		if (value == NULL)
			continue;
		*slots[k] = value;
		*i += skip;
		return true;
	}
	return false;
}

static void
note(struct given *g, const char *word)
{
	g->lcores |= is_flag(word, "--lcores");
	g->memory |= strncmp(word, "-m", 2) == 0 || is_flag(word, "--socket-mem");
	g->no_huge |= is_flag(word, "--no-huge");
	g->hugepages |= is_flag(word, "--huge-dir") || is_flag(word, "--huge-unlink") ||
			is_flag(word, "--in-memory");
	g->iova |= is_flag(word, "--iova-mode");
	g->shared |= is_flag(word, "--proc-type") || is_flag(word, "--legacy-mem") ||
		     is_flag(word, "--single-file-segments");
	g->pci |= strncmp(word, "-a", 2) == 0 || is_flag(word, "--allow");
	g->no_pci |= is_flag(word, "--no-pci");
	g->prefix |= is_flag(word, "--file-prefix");
	g->log_level |= is_flag(word, "--log-level");
}

/* Adds "--lcores" for lcores on CPUs that are not there, or "-l" as the user had it. */
static int
add_lcores(struct eal_args *args, const struct given *g, const struct eal_facts *facts,
	   struct err *err)
{
	struct cpus lcores = {0}, service = {0};
	char list[CPUS_TEXT], allowed[CPUS_TEXT], text[2 * CPUS_TEXT + 8];
	int rc = 0;

	if (g->lcore_list != NULL)
		rc = cpus_parse_list(g->lcore_list, &lcores, err);
	else if (g->lcore_mask != NULL)
		rc = cpus_parse_mask(g->lcore_mask, &lcores, err);
	if (rc == 0 && g->service_list != NULL)
		rc = cpus_parse_list(g->service_list, &service, err);
	else if (rc == 0 && g->service_mask != NULL)
		rc = cpus_parse_mask(g->service_mask, &service, err);
	if (rc < 0)
		return rc;
	if (lcores.n == 0 && !g->lcores)
		lcores = facts->allowed;
	cpus_print(list, sizeof(list), &lcores);
	if (lcores.n > 0 && cpus_subset(&lcores, &facts->allowed)) {
		add(args, "-l");
		add(args, list);
	} else if (lcores.n > 0) {
		snprintf(text, sizeof(text), "(%s)@(%s)", list,
			 cpus_print(allowed, sizeof(allowed), &facts->allowed));
		add(args, "--lcores");
		add(args, text);
		args->shares_cpus = lcores.n > facts->allowed.n;
	}
	if (service.n > 0) {
		add(args, "-S");
		add(args, cpus_print(list, sizeof(list), &service));
	}
	return 0;
}

static void
add_defaults(struct eal_args *args, const struct given *g, const struct eal_facts *facts)
{
	char text[64];

	if (!g->pci && !g->no_pci)
		add(args, "--no-pci");
	if (!g->no_huge && !g->hugepages && !facts->hugepages)
		add(args, "--no-huge");
	/* Without files nothing stays behind when we are killed; and virtio-user has room for eight
	 * memory regions, each file being one. */
	if (!g->no_huge && !g->hugepages && !g->shared && facts->hugepages) {
		add(args, "--in-memory");
		add(args, "--single-file-segments");
		/* Deep rings are larger than a page, and by physical addresses they would have to
		 * be in pages that happen to be neighbours. */
		if (!g->pci && !g->iova)
			add(args, "--iova-mode=va");
	}
	if (!g->memory && (g->no_huge || (!g->hugepages && !facts->hugepages))) {
		snprintf(text, sizeof(text), "%u", facts->need_mb);
		add(args, "-m");
		add(args, text);
	}
	if (!g->prefix) {
		snprintf(text, sizeof(text), "--file-prefix=nfvchain-%u", facts->pid);
		add(args, text);
	}
	if (!g->log_level)
		add(args, "--log-level=*:warning");
}

int
eal_args_build(struct eal_args *args, int argc, char **argv, const struct eal_facts *facts,
	       struct err *err)
{
	struct given given = {0};
	char *words[EAL_MAX_ARGS];
	char *extra = xstrdup(facts->extra != NULL ? facts->extra : "");
	char *save = NULL;
	int n = 0, rc;

	memset(args, 0, sizeof(*args));
	for (int i = 1; i < argc && n < EAL_MAX_ARGS; i++)
		words[n++] = argv[i];
	for (char *w = strtok_r(extra, " \t\n", &save); w != NULL && n < EAL_MAX_ARGS;
	     w = strtok_r(NULL, " \t\n", &save))
		words[n++] = w;
	add(args, argv[0]);
	for (int i = 0; i < n; i++) {
		if (take_placement(&given, words, n, &i))
			continue;
		note(&given, words[i]);
		add(args, words[i]);
	}
	rc = add_lcores(args, &given, facts, err);
	if (rc == 0)
		add_defaults(args, &given, facts);
	if (rc == 0 && (n == EAL_MAX_ARGS || args->argc >= EAL_MAX_ARGS - 1))
		rc = err_usage(err, "more than %d EAL arguments", EAL_MAX_ARGS - 2);
	free(extra);
	if (rc < 0)
		eal_args_fini(args);
	return rc;
}

void
eal_args_fini(struct eal_args *args)
{
	for (int i = 0; i < args->argc; i++)
		free(args->argv[i]);
	memset(args, 0, sizeof(*args));
}

/* In single quotes, where a shell would take the word for something else. */
static void
add_quoted(struct str *s, const char *word)
{
	static const char special[] = " \t\n()[]{}*?!#~$'`\"\\;&|<>";

	if (*word != '\0' && strpbrk(word, special) == NULL) {
		str_addf(s, "%s", word);
		return;
	}
	str_addf(s, "'");
	for (; *word != '\0'; word++)
		str_addf(s, *word == '\'' ? "'\\''" : "%c", *word);
	str_addf(s, "'");
}

char *
eal_args_print(const struct eal_args *args)
{
	struct str s = {0};

	for (int i = 0; i < args->argc; i++) {
		str_addf(&s, i > 0 ? " " : "");
		add_quoted(&s, args->argv[i]);
	}
	return str_take(&s);
}
