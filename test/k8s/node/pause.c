/*
 * The process that holds a pod's namespaces: it waits, ends on TERM, and reaps
 * what a shared process namespace leaves to it.
 */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static void stop(int number)
{
	(void)number;
	_exit(0);
}

static void reap(int number)
{
	(void)number;
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

int main(void)
{
	struct sigaction act = { .sa_handler = stop };

	sigaction(SIGTERM, &act, NULL);
	sigaction(SIGINT, &act, NULL);
	act.sa_handler = reap;
	sigaction(SIGCHLD, &act, NULL);
	for (;;)
		pause();
}
