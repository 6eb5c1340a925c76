#include "broker.h"

#include "plan.h"

int broker_before(const struct plan *plan, struct run *run, struct fault *f)
{
	(void)plan;
	(void)run;
	(void)f;
	return 0;
}

int broker_child(const struct plan *plan, struct run *run, struct fault *f)
{
	(void)plan;
	(void)run;
	(void)f;
	return 0;
}

void broker_parent(const struct plan *plan, struct run *run, int signals_fd)
{
	(void)plan;
	(void)run;
	(void)signals_fd;
}

void broker_serve(const struct plan *plan, struct run *run)
{
	(void)plan;
	(void)run;
}
