/*
 * --listen's value: whatever is taken is a whole address with options that
 * have values in their bounds, and what it says it was given as is taken again
 * and means the same.
 */
#include "base/str.h"
#include "fuzz.h"

#include "run/plan.h"
#include "listen/url.h"

static void check_name(const char *text, const struct listener *l)
{
	if (!l->name.at) {
		must(l->url == text);
		return;
	}
	must(l->name.at == text && l->name.at[l->name.length] == '=');
	must(l->name.length > 0 && l->name.length <= LISTENER_NAME_MAX);
	must(l->url == l->name.at + l->name.length + 1);
	for (size_t i = 0; i < l->name.length; i++)
		must(l->name.at[i] > ' ' && l->name.at[i] <= '~' &&
		     l->name.at[i] != ':');
}

static void check_inet(const struct listener *l)
{
	bool v6 = l->address.any.sa_family == AF_INET6;

	must(v6 || l->address.any.sa_family == AF_INET);
	must(!l->dual || v6);
	must(l->address_size ==
	     (v6 ? sizeof(l->address.in6) : sizeof(l->address.in)));
	must((v6 ? l->address.in6.sin6_port : l->address.in.sin_port) != 0);
}

/* A path is as long as it says and has no NUL inside. */
static void check_unix(const struct listener *l)
{
	const struct sockaddr_un *un = &l->address.un;
	size_t length = l->address_size -
			offsetof(struct sockaddr_un, sun_path);

	must(un->sun_family == AF_UNIX && !l->dual);
	must(length >= 2 && length <= sizeof(un->sun_path));
	if (un->sun_path[0])
		must(un->sun_path[0] == '/' &&
		     strnlen(un->sun_path, length) == length - 1);
	else
		must(memchr(un->sun_path + 1, '\0', length - 1) == NULL);
}

static void check_word(const char *text, struct slice w, size_t most)
{
	must(w.length <= most);
	must(!w.length ||
	     (w.at > text && w.at + w.length <= text + strlen(text)));
}

static void check_options(const char *text, const struct listener *l)
{
	must(l->given < UINT32_C(1) << LISTENER_OPTIONS);
	for (unsigned int o = 0; o < LISTENER_OPTIONS; o++)
		must(listener_has(l, o) || l->number[o] == 0 ||
		     o == LISTENER_MODE || o == LISTENER_V6ONLY ||
		     o == LISTENER_REUSEPORT);
	must(listener_count(l) >= 1 && listener_count(l) <= SOCKETS_MAX);
	must(l->number[LISTENER_V6ONLY] <= 1);
	must(l->number[LISTENER_MODE] <= 0777);
	must(l->number[LISTENER_RCVBUF] <= INT32_MAX / 2);
	must(!listener_has(l, LISTENER_BACKLOG) ||
	     (l->number[LISTENER_BACKLOG] >= 1 &&
	      !listener_has(l, LISTENER_NOLISTEN)));
	check_word(text, l->word[LISTENER_DEVICE], 15);
	check_word(text, l->word[LISTENER_USER], USER_NAME_MAX);
	check_word(text, l->word[LISTENER_GROUP], USER_NAME_MAX);
}

static bool parse(const char *text, struct listener *l)
{
	char why[512];
	struct text wrong;
	bool good;

	text_start(&wrong, why, sizeof(why));
	good = url_parse(text, l, &wrong);
	must(good == (wrong.length == 0));
	return good;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = string_of(data, size);
	struct listener first, again;

	memset(&first, 0x55, sizeof(first));
	again = first;
	if (!parse(text, &first)) {
		must(memcmp(&first, &again, sizeof(first)) == 0);
	} else {
		check_name(text, &first);
		if (first.kind == LISTENER_TCP || first.kind == LISTENER_UDP)
			check_inet(&first);
		else
			check_unix(&first);
		check_options(text, &first);
		must(parse(first.url, &again));
		must(again.kind == first.kind && again.given == first.given);
		must(again.address_size == first.address_size);
		must(memcmp(&again.address, &first.address,
			    first.address_size) == 0);
		must(memcmp(again.number, first.number,
			    sizeof(first.number)) == 0);
	}
	free(text);
	return 0;
}
