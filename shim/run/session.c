#include "run/session.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/fault.h"
#include "plan.h"

int session_check(const struct plan *plan, struct fault *f)
{
	if (!plan->setsid || plan->init.wanted || getpgrp() != getpid() ||
	    getsid(0) == getpid())
		return 0;
	fault_set(f, EXIT_STEP, EPERM, "start a session");
	return fault_hint(f,
			  "a leader of a process group cannot; with --init the child does");
}

int session_start(const struct plan *plan, struct fault *f)
{
	if (!plan->setsid || setsid() >= 0 || getsid(0) == getpid())
		return 0;
	return fault_set(f, EXIT_STEP, errno, "start a session");
}

int session_tie(const struct plan *plan, pid_t parent, struct fault *f)
{
	if (!plan->pdeathsig)
		return 0;
	if (prctl(PR_SET_PDEATHSIG, plan->pdeathsig, 0, 0, 0) < 0)
		return fault_set(f, EXIT_STEP, errno,
				 "set --pdeathsig %d",
				 plan->pdeathsig);
	if (getppid() != parent)
		kill(getpid(), plan->pdeathsig);
	return 0;
}
