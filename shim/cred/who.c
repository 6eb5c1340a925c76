#include "cred/who.h"

#include <errno.h>
#include <string.h>

#include "base/fault.h"
#include "base/str.h"
#include "cred/passwd.h"
#include "plan.h"

int who_unreadable(const char *path, struct fault *f)
{
	return fault_set(f, EXIT_STEP, errno, "read %s", path);
}

int who_missing(const struct who *w, const char *kind, const char *word,
		const char *file, struct fault *f)
{
	fault_set(f, EXIT_USAGE, 0, "--%s %s: no %s '%s' in %s", w->option,
		  w->value, kind, word, file);
	return fault_hint(f, "add it to the image, or give its number");
}

int who_read(const struct who *w, const char *kind, struct slice name,
	     char word[USER_NAME_MAX + 1], uint32_t *id, struct fault *f)
{
	if (!str_copy(name, word, USER_NAME_MAX + 1))
		return fault_set(f, EXIT_USAGE, 0,
				 "--%s %s: a name is longer than %d bytes",
				 w->option, w->value, USER_NAME_MAX);
	if (!str_is_number(word))
		return 0;
	if (str_id(word, id))
		return 1;
	return fault_set(f, EXIT_USAGE, 0,
			 "--%s %s: %s is not a %cid (0 to 4294967294)",
			 w->option, w->value, word, kind[0]);
}

/* kind, file: as of who_read() and who_missing(). */
static int find(const struct who *w, const char *kind, const char *file,
		struct slice name, uint32_t *id, struct fault *f)
{
	char word[USER_NAME_MAX + 1];
	struct names_user user;
	int found = who_read(w, kind, name, word, id, f);

	if (found != 0)
		return found < 0 ? -1 : 0;
	if (!*word)
		return who_missing(w, kind, word, file, f);
	if (kind[0] == 'g') {
		found = names_find_group(file, word, id);
	} else {
		found = names_find_user(file, word, 0, &user);
		if (found > 0)
			*id = user.uid;
	}
	if (found < 0)
		return who_unreadable(file, f);
	return found ? 0 : who_missing(w, kind, word, file, f);
}

int who_user(const struct who *w, struct slice name, uid_t *uid,
	     struct fault *f)
{
	return find(w, "user", w->passwd, name, uid, f);
}

int who_group(const struct who *w, struct slice name, gid_t *gid,
	      struct fault *f)
{
	return find(w, "group", w->group, name, gid, f);
}

/* An empty home or shell has a meaning, see passwd(5) and login(1). */
void who_describe(const struct names_user *entry, struct target *t)
{
	strcpy(t->name, entry ? entry->name : "");
	strcpy(t->home, entry && entry->home[0] ? entry->home : "/");
	strcpy(t->shell, !entry		   ? "" :
			 entry->shell[0] ? entry->shell :
					   "/bin/sh");
}
