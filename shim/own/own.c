#include "own/own.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/report.h"
#include "base/text.h"
#include "cred/caps.h"
#include "own/create.h"
#include "own/entry.h"
#include "own/links.h"
#include "own/report.h"
#include "own/spec.h"
#include "own/walk.h"
#include "plan.h"

void own_describe(const struct plan *plan, struct text *out)
{
	for (size_t i = 0; i < plan->ntrees; i++) {
		text_add(out, "%s", i ? "\n" : "");
		own_option_describe(&plan->trees[i], out);
	}
}

static mode_t read_umask(void)
{
	mode_t mask = umask(0);

	umask(mask);
	return mask;
}

static int not_opened(const struct tree *t, struct fault *f)
{
	fault_set(f, EXIT_STEP, errno, "own %s", t->path);
	if (f->err == ENOENT)
		return fault_hint(f,
				  "create it, mount a volume there, or add ,create");
	if (f->err == ELOOP)
		return fault_hint(f,
				  "a symbolic link is not followed: give the real path");
	return caps_hint(f, CAP_DAC_OVERRIDE);
}

/*
 * Below the top before the top itself: with if-root-differs a top that is right
 * then says that all below it was done, also if an earlier run was cut off.
 */
static int give_below(const struct own_rules *rules,
		      const struct fs_opener *opener, int top,
		      struct own_counts *counts, struct fault *f)
{
	int fd = openat(top, ".", FS_DIRECTORY | O_CLOEXEC);

	if (fd < 0) {
		counts->of[OWN_FAILED]++;
		own_report_fault(rules->tree, "read", -1, NULL, top, f);
		return rules->tree->may_fail ? 0 : -1;
	}
	return own_walk(rules, opener, fd, counts, f);
}

/* The folder that a path's last name is in, or -1 with errno. */
static int open_above(const char *path, const char *name)
{
	char folder[PATH_MAX];
	size_t length = (size_t)(name - path);

	if (length >= sizeof(folder)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(folder, path, length);
	folder[length] = '\0';
	return fs_open_path(folder);
}

static int give_top(const struct own_rules *rules, int top, bool is_folder,
		    struct own_counts *counts, struct fault *f)
{
	const char *path = rules->tree->path;
	const char *name = strrchr(path, '/') + 1;
	bool asks = !is_folder && !rules->links->protected;
	int folder = asks ? open_above(path, name) : -1;
	const char *failed = OWN_ACT_LINKS;
	struct fault ignored;
	mode_t type;

	if (folder >= 0 || !asks)
		failed = own_change(rules, top, folder, name, &type, counts);
	if (folder >= 0)
		close(folder);
	if (!failed)
		return 0;
	own_report_fault(rules->tree, failed, -1, NULL, top,
			 counts->of[OWN_FAILED] ? &ignored : f);
	counts->of[OWN_FAILED]++;
	return rules->tree->may_fail ? 0 : -1;
}

static int give(const struct own_rules *rules, const struct fs_opener *opener,
		int top, struct own_counts *counts, struct fault *f)
{
	const struct tree *t = rules->tree;
	bool is_folder;
	struct stat st;

	if (fstat(top, &st) < 0)
		return own_report_fault(t, "examine", -1, NULL, top, f);
	if (t->if_root_differs && own_judge(rules, &st) == OWN_RIGHT) {
		counts->of[OWN_RIGHT]++;
		return 0;
	}
	is_folder = S_ISDIR(st.st_mode);
	if (is_folder && !t->shallow &&
	    give_below(rules, opener, top, counts, f) < 0)
		return -1;
	return give_top(rules, top, is_folder, counts, f);
}

static int give_tree(const struct own_rules *rules, struct own_counts *counts,
		     struct fault *f)
{
	const struct tree *t = rules->tree;
	struct fs_opener opener;
	int top;
	int result;

	if (t->create && own_create(t, f) < 0)
		return -1;
	fs_start(&opener, t->cross_mounts);
	top = fs_open_path(t->path);
	if (top < 0)
		return not_opened(t, f);
	fs_stay(&opener, top);
	result = give(rules, &opener, top, counts, f);
	close(top);
	return result;
}

/* With `try`, what failed is told and the run goes on; but not after a signal. */
static void warn(const struct tree *t, const struct own_counts *counts,
		 const struct fault *f)
{
	report_warning(f);
	if (counts->of[OWN_FAILED] > 1)
		report_note("own %s: the same or worse for %llu more", t->path,
			 (unsigned long long)counts->of[OWN_FAILED] - 1);
}

static int give_all(const struct plan *plan, struct own_rules *rules,
		    struct fault *f)
{
	for (size_t i = 0; i < plan->ntrees; i++) {
		const struct tree *t = &plan->trees[i];
		struct own_counts counts = { 0 };
		int result;

		rules->tree = t;
		result = give_tree(rules, &counts, f);
		if (result < 0 && (!t->may_fail || f->status != EXIT_STEP))
			return -1;
		if (result < 0 || counts.of[OWN_FAILED])
			warn(t, &counts, f);
		own_report_end(t, &counts, plan->verbose);
	}
	return 0;
}

int own_run(const struct plan *plan, struct run *run, struct fault *f)
{
	struct links links;
	struct own_rules rules = { .links = &links };
	int result;

	(void)run;
	if (plan->ntrees == 0)
		return 0;
	links_start(&links);
	rules.mask = read_umask();
	result = give_all(plan, &rules, f);
	if (links_end(&links) < 0 && result == 0)
		result = fault_set(f, EXIT_STEP, errno,
				   "own: return to the working directory");
	return result;
}
