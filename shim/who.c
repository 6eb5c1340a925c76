#include "who.h"

#include <errno.h>
#include <string.h>

#include "fault.h"
#include "names.h"
#include "parse.h"
#include "plan.h"

int who_unreadable(const char *path, struct fault *f)
{
	return fault_set(f, EXIT_STEP, errno, "read %s", path);
}

/* kind: "user" or "group"; found: what names answered for the word. */
static int answer(const char *kind, const char *option, const char *value,
		  const char *word, const char *file, int found,
		  struct fault *f)
{
	if (found < 0)
		return who_unreadable(file, f);
	if (found)
		return 0;
	fault_set(f, EXIT_USAGE, 0, "--%s %s: no %s '%s' in %s", option, value,
		  kind, word, file);
	return fault_hint(f, "add the %s to the image, or give its number",
			  kind);
}

static int number(const char *kind, const char *option, const char *value,
		  const char *word, uint32_t *id, struct fault *f)
{
	if (parse_id(word, id))
		return 0;
	return fault_set(f, EXIT_USAGE, 0,
			 "--%s %s: %s is not a %s (0 to 4294967294)", option,
			 value, word, kind);
}

int who_user(const char *option, const char *value, const char *word,
	     const char *passwd, uid_t *uid, struct fault *f)
{
	struct names_user user;
	int found;

	if (parse_is_number(word))
		return number("uid", option, value, word, uid, f);
	found = *word ? names_find_user(passwd, word, 0, &user) : 0;
	if (found == 1)
		*uid = user.uid;
	return answer("user", option, value, word, passwd, found, f);
}

int who_group(const char *option, const char *value, const char *word,
	      const char *group, gid_t *gid, struct fault *f)
{
	int found;

	if (parse_is_number(word))
		return number("gid", option, value, word, gid, f);
	found = *word ? names_find_group(group, word, gid) : 0;
	return answer("group", option, value, word, group, found, f);
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
