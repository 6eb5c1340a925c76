/*
 * race: one process works against a command that changes who owns a volume.
 *
 * usage: race ATTACK SWAPS SECONDS DIR COMMAND...
 *
 * DIR/volume is what COMMAND shall own; "@" in its words is 4242 and 4243 in
 * turn, so that there is always something to change. COMMAND is run again and
 * again until the attacker has done SWAPS and some runs are through (if SWAPS
 * is 0: until something is lost), or SECONDS are over. After each run the files
 * outside of the volume, which root owns, are looked at through descriptors that
 * were opened before it all began.
 *
 * The attacker is root: he can do all that the owner of a volume can do, and
 * what the kernel forbids that one (fs.protected_hardlinks, mknod) as well.
 *
 * stdout: swaps=N runs=N failed=N lost=N
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PLACES = 12, FILES = 8, LEVELS = 150, SIBLINGS = 20,
       PROTECTED = 128, OPEN_FILES = 64 };

static int protected_fds[PROTECTED];
static int nprotected;

static void must(int result, const char *what)
{
	if (result < 0)
		err(1, "%s", what);
}

static void protect(const char *path)
{
	int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	must(fd, path);
	protected_fds[nprotected++] = fd;
}

/* How many do not belong to root any more; all of them do afterwards. */
static int losses(void)
{
	int lost = 0;

	for (int i = 0; i < nprotected; i++) {
		struct stat st;

		must(fstat(protected_fds[i], &st), "fstat");
		if (st.st_uid == 0 && st.st_gid == 0)
			continue;
		lost++;
		must(fchownat(protected_fds[i], "", 0, 0, AT_EMPTY_PATH),
		     "take back");
	}
	return lost;
}

static const char *numbered(const char *name, int number)
{
	static char buffers[4][64];
	static int next;
	char *buffer = buffers[next++ % 4];

	snprintf(buffer, sizeof(buffers[0]), "%s%d", name, number);
	return buffer;
}

static void make_file(const char *path)
{
	must(mknod(path, S_IFREG | 0644, 0), path);
}

static void make_folder(const char *path)
{
	must(mkdir(path, 0755), path);
}

static void fill(const char *folder)
{
	char path[128];

	for (int i = 0; i < FILES; i++) {
		snprintf(path, sizeof(path), "%s/file%d", folder, i);
		make_file(path);
	}
}

/* What must not change: a folder elsewhere, and one that is open to anybody. */
static void make_outside(void)
{
	make_folder("outside");
	make_folder("outside/folder");
	make_file("outside/file");
	make_file("outside/folder/file");
	make_folder("open");
	make_folder("open/box");
	make_file("open/treasure");
	make_file("open/box/file");
	/* the names that the volume's folders have */
	for (int i = 0; i < FILES; i++) {
		make_file(numbered("outside/file", i));
		protect(numbered("outside/file", i));
	}
	/* wherever in it a walker that got there by ".." would read on */
	for (int i = 0; i < OPEN_FILES; i++) {
		make_file(numbered("open/file", i));
		protect(numbered("open/file", i));
	}
	protect("outside");
	protect("outside/folder");
	protect("outside/file");
	protect("outside/folder/file");
	protect("open");
	protect("open/box");
	protect("open/treasure");
	protect("open/box/file");
}

/* ---- the attacks: each has a set-up and one step, done again and again ---- */

static void exchange(const char *a, const char *b)
{
	must(renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE), "exchange");
}

static void exchange_start(void)
{
	for (int i = 0; i < PLACES; i++) {
		make_folder(numbered("volume/a", i));
		fill(numbered("volume/a", i));
		must(symlink("../outside", numbered("volume/z", i)),
		     "symlink");
	}
}

static void exchange_step(unsigned long n)
{
	int i = (int)(n % PLACES);

	exchange(numbered("volume/a", i), numbered("volume/z", i));
}

static void move(const char *from, const char *to)
{
	must(rename(from, to), "rename");
}

/*
 * A link is there for a moment. It goes, or it is what a file of the volume
 * was, or comes from another folder, or a file of the volume takes its place.
 */
static void link_start(void)
{
	fill("volume");
	make_folder("volume/side");
	make_file("volume/spare");
}

static void link_step(unsigned long n)
{
	int i = (int)(n % FILES);
	const char *file = numbered("outside/file", i);
	const char *name = numbered("volume/link", i);

	must(link(file, n / FILES % 4 == 2 ? "volume/side/link" : name), "link");
	switch (n / FILES % 4) {
	case 1:
		exchange(name, numbered("volume/file", i));
		exchange(name, numbered("volume/file", i));
		break;
	case 2:
		move("volume/side/link", name);
		break;
	case 3:
		move("volume/spare", name);
		move(name, "volume/spare");
		return;
	}
	must(unlink(name), "unlink");
}

/* Root's socket takes the place of the one that the command has just bound. */
static void socket_start(void)
{
	const struct sockaddr_un address = { AF_UNIX, "outside/socket" };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	must(bind(fd, (const struct sockaddr *)&address, sizeof(address)),
	     "bind");
	close(fd);
	must(chmod("outside/socket", 0660), "chmod");	/* as the command's */
	protect("outside/socket");
}

static void socket_step(unsigned long n)
{
	(void)n;
	must(link("outside/socket", "volume/link"), "link");
	move("volume/link", "volume/socket");
	unlink("volume/socket");	/* unless the command was faster */
}

/* Files, FIFOs, devices and folders take each other's places. */
static void plant_start(void)
{
	for (int i = 0; i < PLACES; i++) {
		make_folder(numbered("volume/a", i));
		fill(numbered("volume/a", i));
		make_file(numbered("volume/b", i));
		must(mkfifo(numbered("volume/c", i), 0644), "mkfifo");
		must(mknod(numbered("volume/d", i), S_IFCHR | 0600,
			   makedev(1, 3)), "mknod");
		protect(numbered("volume/d", i));
	}
}

static void plant_step(unsigned long n)
{
	static const char *const kinds[] = { "volume/a", "volume/b", "volume/c",
					     "volume/d" };
	int i = (int)(n % PLACES);
	size_t one = n / PLACES % 4;
	size_t other = (one + 1 + n / 7 % 3) % 4;

	exchange(numbered(kinds[one], i), numbered(kinds[other], i));
}

static char moved[LEVELS * 2];	/* path of a folder half-way down */

/* A tree so deep that a walker has to open ".." to get back up. */
static void above_start(void)
{
	int fd = open("volume", O_RDONLY | O_DIRECTORY);

	for (int level = 0; level < LEVELS; level++) {
		int below;

		/* Whatever order it is read in, something comes after "d". */
		must(mkdirat(fd, "d", 0755), "mkdir");
		for (int i = 0; i < SIBLINGS; i++)
			must(mkdirat(fd, numbered("s", i), 0755), "mkdir");
		below = openat(fd, "d", O_RDONLY | O_DIRECTORY);
		must(below, "open");
		close(fd);
		fd = below;
	}
	strcpy(moved, "volume");
	for (int level = 0; level < LEVELS / 2; level++)
		strcat(moved, "/d");
}

static void above_step(unsigned long n)
{
	const struct timespec moment = { .tv_nsec = 200000 };

	if (n % 2)
		must(rename("open/moved", moved), "move back");
	else
		must(rename(moved, "open/moved"), "move out");
	nanosleep(&moment, NULL);	/* time enough to get in, or up again */
}

/*
 * The caller of a program with file capabilities puts a file into the directory
 * that the program makes for somebody else; it would be given away with it.
 */
static void create_start(void)
{
	must(chmod("volume", 0777), "chmod");
}

static void create_step(unsigned long n)
{
	int fd = open("volume/new/planted", O_CREAT | O_WRONLY, 0644);

	(void)n;
	if (fd >= 0)
		close(fd);
}

/* Was something planted? It is all new afterwards. */
static int create_lost(void)
{
	int lost = unlink("volume/new/planted") == 0;

	rmdir("volume/new");
	return lost;
}

static void mount_start(void)
{
	must(unshare(CLONE_NEWNS), "unshare");
	must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "private");
	for (int i = 0; i < PLACES; i++) {
		make_folder(numbered("volume/a", i));
		fill(numbered("volume/a", i));
	}
}

static void mount_step(unsigned long n)
{
	const char *place = numbered("volume/a", (int)(n % PLACES));

	must(mount("outside", place, NULL, MS_BIND, NULL), "mount");
	must(umount2(place, MNT_DETACH), "umount");
}

static const struct attack {
	const char *name;
	void (*start)(void);
	void (*step)(unsigned long n);
	int (*lost)(void);	/* instead of losses() */
	uid_t uid;		/* of the attacker and of the command */
	unsigned long runs;	/* at least */
} attacks[] = {
	{ "exchange", exchange_start, exchange_step, losses, 0, 20 },
	{ "link", link_start, link_step, losses, 0, 20 },
	{ "socket", socket_start, socket_step, losses, 0, 20 },
	{ "plant", plant_start, plant_step, losses, 0, 20 },
	{ "above", above_start, above_step, losses, 0, 20 },
	{ "mount", mount_start, mount_step, losses, 0, 20 },
	{ "create", create_start, create_step, create_lost, 4242, 100 },
};

static const struct attack *find_attack(const char *name)
{
	for (size_t i = 0; i < sizeof(attacks) / sizeof(attacks[0]); i++)
		if (strcmp(attacks[i].name, name) == 0)
			return &attacks[i];
	errx(100, "no attack %s", name);
}

/* ---- the runs ---- */

static void become(uid_t id)
{
	if (id == 0)
		return;
	must(setgroups(0, NULL), "setgroups");
	must(setresgid(id, id, id), "setresgid");
	must(setresuid(id, id, id), "setresuid");
}

static pid_t start_attacker(const struct attack *attack, atomic_ulong *swaps)
{
	pid_t pid = fork();

	must(pid, "fork");
	if (pid)
		return pid;
	become(attack->uid);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (unsigned long n = 0;; n++) {
		attack->step(n);
		*swaps = n + 1;
	}
}

/* Returns the command's exit status. */
static int run(char **words, const char *id, uid_t uid)
{
	static char changed[16][256];
	char *argv[17] = { NULL };
	int status;
	pid_t pid;

	for (int i = 0; words[i] && i < 16; i++) {
		char *out = changed[i];

		if (strlen(words[i]) > 128)
			errx(100, "too long: %s", words[i]);
		for (const char *in = words[i]; *in; in++) {
			if (*in == '@')
				out = stpcpy(out, id);
			else
				*out++ = *in;
		}
		*out = '\0';
		argv[i] = changed[i];
	}
	pid = fork();
	must(pid, "fork");
	if (pid == 0) {
		int null = open("/dev/null", O_RDWR);

		dup2(null, 1);
		if (!getenv("RACE_SHOW"))
			dup2(null, 2);
		alarm(600);
		become(uid);
		execvp(argv[0], argv);
		_exit(127);
	}
	must(waitpid(pid, &status, 0), "wait");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

int main(int argc, char **argv)
{
	const struct attack *attack;
	unsigned long wanted;
	unsigned long runs = 0, failed = 0, lost = 0;
	atomic_ulong *swaps;
	time_t end;
	pid_t attacker;

	if (argc < 6)
		errx(100, "usage: race ATTACK SWAPS SECONDS DIR COMMAND...");
	attack = find_attack(argv[1]);
	wanted = strtoul(argv[2], NULL, 10);
	end = time(NULL) + atoi(argv[3]);
	swaps = mmap(NULL, sizeof(*swaps), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (swaps == MAP_FAILED)
		err(1, "mmap");
	must(chdir(argv[4]), argv[4]);
	umask(022);
	make_folder("volume");
	make_outside();
	attack->start();
	attacker = start_attacker(attack, swaps);
	while ((wanted ? *swaps < wanted || runs < attack->runs : !lost) &&
	       time(NULL) < end) {
		int status = run(argv + 5, runs % 2 ? "4242" : "4243",
				 attack->uid);

		if (status == 127)
			errx(1, "cannot execute %s", argv[5]);
		failed += status != 0;
		lost += attack->lost() > 0;
		runs++;
		if (waitpid(attacker, NULL, WNOHANG) != 0)
			errx(1, "the attacker ended");
	}
	kill(attacker, SIGKILL);
	waitpid(attacker, NULL, 0);
	printf("swaps=%lu runs=%lu failed=%lu lost=%lu\n", *swaps, runs, failed,
	       lost);
	return 0;
}
