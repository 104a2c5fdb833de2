/* SPDX-License-Identifier: MIT */
#include "session.h"

#include <errno.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "chain/backend_trex.h"
#include "chain/backend_vm.h"
#include "chain/callgrind.h"
#include "chain/files.h"
#include "chain/guest_image.h"
#include "chain/pci.h"
#include "chain/steps.h"
#include "chain/trex_release.h"
#include "command.h"
#include "progress.h"

volatile sig_atomic_t session_stop;

static void
on_signal(int signum)
{
	session_stop = signum;
}

void
session_catch_signals(void)
{
	struct sigaction sa = {.sa_handler = on_signal};

	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGHUP, &sa, NULL);
	signal(SIGPIPE, SIG_IGN);
}

int
session_interrupted(struct err *err)
{
	int signum = session_stop != 0 ? session_stop : SIGINT;

	return err_class(err, (enum err_class)(128 + signum),
			 "interrupted; everything is down again");
}

int
session_allowed_cpus(struct chain_cpus *cpus, struct err *err)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) < 0)
		return err_set(err, errno, "sched_getaffinity: %s", strerror(errno));
	cpus->n = 0;
	for (int i = 0; i < CPU_SETSIZE && cpus->n < CHAIN_MAX_CPUS; i++)
		if (CPU_ISSET(i, &set))
			cpus->cpu[cpus->n++] = i;
	return 0;
}

struct session_vms session_vms;
const char *const session_accels[] = {"auto", "kvm", "tcg", NULL};

int
session_set_vms(const char *accel, const char *connect, struct err *err)
{
	session_vms.connect = connect;
	if (accel == NULL)
		return 0;
	return err_wrap(err, vm_accel_parse(accel, &session_vms.accel, err), "--accel");
}

/* What VMs boot: an image of the user's, else that of these sources, built or not yet. */
static int
image_facts(struct plan_facts *facts, struct err *err)
{
	static struct guest_image image;
	int rc = 0;

	facts->guest_kernel = getenv("NFVCHAIN_GUEST_KERNEL");
	facts->guest_initrd = getenv("NFVCHAIN_GUEST_INITRD");
	if (facts->guest_kernel != NULL && facts->guest_initrd != NULL)
		return 0;
	if (image.dir == NULL)
		rc = guest_image_find(&image, err);
	facts->guest_kernel = image.kernel;
	facts->guest_initrd = image.initrd;
	return rc;
}

static void
image_progress(void *arg, const char *step, double eta_s)
{
	progress_step("image of the guests: %s", step);
}

/* The user's own files: theirs to make. */
static int
check_own_image(const struct chain_plan *plan, struct err *err)
{
	const struct vm_spec *spec = &plan->vm[0].spec;

	if (access(spec->kernel, R_OK) < 0)
		return err_machine(err, "'%s' (NFVCHAIN_GUEST_KERNEL): %s", spec->kernel,
				   strerror(errno));
	if (access(spec->initrd, R_OK) < 0)
		return err_machine(err, "'%s' (NFVCHAIN_GUEST_INITRD): %s", spec->initrd,
				   strerror(errno));
	return 0;
}

/* Builds the image when it is missing, or not what its manifest says. */
static int
need_image(const struct chain_plan *plan, struct err *err)
{
	const struct guest_image_conf conf = {.progress = image_progress, .stop = &session_stop};
	struct guest_image image = {0};
	uint64_t start;
	int rc;

	if (plan->n_vms == 0)
		return 0;
	if (getenv("NFVCHAIN_GUEST_KERNEL") != NULL && getenv("NFVCHAIN_GUEST_INITRD") != NULL)
		return check_own_image(plan, err);
	start = clock_now_ns();
	rc = guest_image_need(&image, &conf, err);
	if (rc == 0)
		steps_done("", "image of the guests", start);
	guest_image_fini(&image);
	return rc;
}

/* What VMs boot, and what runs them. */
static int
vm_facts(struct plan_facts *facts, struct err *err)
{
	struct kvm_probe probe = {0};
	int rc = image_facts(facts, err);

	if (rc < 0)
		return rc;
	facts->connect = session_vms.connect;
	if (session_vms.accel != VM_WANT_TCG)
		kvm_probe_run(&probe);
	return vm_accel_choose(&facts->accel, session_vms.accel, &probe, err);
}

bool session_force_ports;

/* A port of this machine that nobody listens at: what connects to it is ours a moment later. */
static int
free_port(uint16_t *port, struct err *err)
{
	struct sockaddr_in addr = {.sin_family = AF_INET};
	socklen_t size = sizeof(addr);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), rc = 0;

	if (fd < 0 || bind(fd, (struct sockaddr *)&addr, size) < 0 ||
	    getsockname(fd, (struct sockaddr *)&addr, &size) < 0)
		rc = err_set(err, errno, "a free TCP port: %s", strerror(errno));
	*port = ntohs(addr.sin_port);
	if (fd >= 0)
		close(fd);
	return rc;
}

static int
release_facts(struct plan_facts *facts, const char *dir, struct err *err)
{
	struct overlay files = {0};
	uint64_t bytes = 0;
	int rc = trex_release_files(&files, dir, err);

	if (rc == 0)
		rc = overlay_size(&files, &bytes, err);
	facts->trex_mb = (unsigned)(bytes >> 20) + 1;
	overlay_fini(&files);
	return rc;
}

/* What only a look at a TRex, or at the machine it will run on, can tell. */
static int
trex_facts(struct plan_facts *facts, const struct chain_generator *gen, struct err *err)
{
	int rc = 0;

	if (gen->kind != GENERATOR_TREX)
		return 0;
	if (gen->at != NULL)
		return backend_trex_macs(gen->at, facts->trex_mac, err);
	rc = gen->place == PLACE_VM ? release_facts(facts, gen->dir, err)
				    : trex_release_check(gen->dir, err);
	for (size_t i = 0; rc == 0 && i < N_ELEMS(facts->trex_port); i++)
		rc = free_port(&facts->trex_port[i], err);
	return rc;
}

/* The same of a file. */
static int
file_facts(struct plan_facts *facts, const struct chain *chain, struct err *err)
{
	struct files_facts files = {0};
	int rc = chain_has_files(chain) ? files_look(&files, chain, err) : 0;

	facts->file_max_frame = files.max_frame;
	return rc;
}

int
session_plan_arm(struct chain_plan *plan, const struct chain *chain, char arm, bool trex_ports,
		 bool verbose, struct err *err)
{
	char *run_dir = rundir_path_arm(chain->name, arm);
	char *bin_dir = command_bin_dir();
	struct plan_facts facts = {
		.run_dir = run_dir,
		.bin_dir = bin_dir,
		.testpmd = "dpdk-testpmd",
		.trex_ports = trex_ports,
		.verbose = verbose,
		.arm = arm,
		.force = session_force_ports,
	};
	const struct pci_facts pci = {"/sys", "/proc/net/route"};
	int rc = session_allowed_cpus(&facts.allowed, err);

	if (rc == 0 && chain_has_vms(chain))
		rc = vm_facts(&facts, err);
	if (rc == 0)
		rc = trex_facts(&facts, &chain->generator, err);
	if (rc == 0)
		rc = file_facts(&facts, chain, err);
	if (rc == 0)
		rc = pci_check(&pci, chain, err);
	if (rc == 0)
		rc = chain_plan_make(plan, chain, &facts, err);
	/* libvirt's networks have the names that links give them, and its machines do not stop. */
	if (rc == 0 && arm != '\0' && plan->connect != NULL) {
		chain_plan_fini(plan);
		rc = err_usage(err,
			       "chain '%s': chains under libvirt cannot take turns with others "
			       "(those with links of kind stream and vhost-user can)",
			       chain->name);
	}
	free(run_dir);
	free(bin_dir);
	return rc;
}

int
session_plan(struct chain_plan *plan, const struct chain *chain, bool trex_ports, bool verbose,
	     struct err *err)
{
	return session_plan_arm(plan, chain, '\0', trex_ports, verbose, err);
}

/* Starts what 's' has the plan of, which is taken back when that fails. */
static int
start(struct session *s, char arm, struct err *err)
{
	struct rundir dir;
	int rc = need_image(&s->plan, err);

	if (rc == 0)
		rc = rundir_open_arm(&dir, s->chain->name, arm, err);
	if (rc == 0)
		rc = backend_up(&s->backend, s->chain, &s->plan, &dir, &session_stop, err);
	s->up = rc == 0;
	if (rc < 0)
		chain_plan_fini(&s->plan);
	return rc;
}

int
session_up_arm(struct session *s, const struct chain *chain, char arm, bool trex_ports,
	       struct err *err)
{
	int rc;

	memset(s, 0, sizeof(*s));
	s->chain = chain;
	if (chain_has_files(chain))
		return err_usage(
			err,
			"chain '%s' lies between two files and has no generator: 'nfvchain "
			"bench' runs it once, and nothing else does",
			chain->name);
	rc = session_plan_arm(&s->plan, chain, arm, trex_ports, false, err);
	return rc == 0 ? start(s, arm, err) : rc;
}

int
session_up_files(struct session *s, const struct chain *chain, struct err *err)
{
	int rc;

	memset(s, 0, sizeof(*s));
	s->chain = chain;
	rc = session_plan(&s->plan, chain, false, false, err);
	return rc == 0 ? start(s, '\0', err) : rc;
}

int
session_up_counted(struct session *s, const struct chain *chain, char arm, struct err *err)
{
	char *run_dir = rundir_path_arm(chain->name, arm);
	int rc;

	memset(s, 0, sizeof(*s));
	s->chain = chain;
	rc = session_plan_arm(&s->plan, chain, arm, false, false, err);
	if (rc == 0) {
		rc = callgrind_wrap(&s->plan.proc[1], run_dir, err);
		if (rc == 0)
			rc = start(s, arm, err);
		else
			chain_plan_fini(&s->plan);
	}
	free(run_dir);
	return rc;
}

int
session_up(struct session *s, const struct chain *chain, bool trex_ports, struct err *err)
{
	return session_up_arm(s, chain, '\0', trex_ports, err);
}

int
session_become(struct session *s, const struct chain *chain, struct err *err)
{
	struct chain_plan plan = {0};
	struct plan_proc was;
	int rc = session_plan(&plan, chain, false, false, err);

	if (rc < 0)
		return rc;
	rc = backend_vms_end_program(&s->backend, 1, err);
	was = s->plan.proc[1];
	s->plan.proc[1] = plan.proc[1];
	plan.proc[1] = was;
	s->chain = s->backend.chain = chain;
	if (rc == 0)
		rc = backend_vms_start_program(&s->backend, 1, err);
	chain_plan_fini(&plan);
	return rc;
}

void
session_kill(struct session *s)
{
	if (!s->up)
		return;
	backend_kill(&s->backend);
	chain_plan_fini(&s->plan);
	s->up = false;
}

void
session_down(struct session *s)
{
	if (!s->up)
		return;
	backend_down(&s->backend);
	chain_plan_fini(&s->plan);
	s->up = false;
}
