/*
 * --listen's value: whatever is taken is a whole address, and what it says it
 * was given as is taken again and means the same.
 */
#include "fuzz.h"

#include "parse.h"
#include "plan.h"

static void check(const char *text, const struct listener *l)
{
	size_t length = strlen(text);
	bool v6 = l->address.any.sa_family == AF_INET6;

	must(l->url >= text && l->url < text + length);
	must(strncmp(l->url, "tcp://", 6) == 0);
	must(v6 || l->address.any.sa_family == AF_INET);
	must(!l->dual || v6);
	must(l->address_size ==
	     (v6 ? sizeof(l->address.in6) : sizeof(l->address.in)));
	must((v6 ? l->address.in6.sin6_port : l->address.in.sin_port) != 0);
	if (!l->name) {
		must(l->url == text);
		return;
	}
	must(l->name == text && l->name[l->name_length] == '=');
	must(l->name_length > 0 && l->name_length <= LISTENER_NAME_MAX);
	must(l->url == l->name + l->name_length + 1);
	for (size_t i = 0; i < l->name_length; i++)
		must(l->name[i] > ' ' && l->name[i] <= '~' &&
		     l->name[i] != ':');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = string_of(data, size);
	struct listener first, again;
	const char *wrong = NULL;

	memset(&first, 0x55, sizeof(first));
	again = first;
	if (!parse_listener(text, &first, &wrong)) {
		must(wrong != NULL);
		must(memcmp(&first, &again, sizeof(first)) == 0);
	} else {
		check(text, &first);
		must(parse_listener(first.url, &again, &wrong));
		must(again.address_size == first.address_size);
		must(memcmp(&again.address, &first.address,
			    first.address_size) == 0);
	}
	free(text);
	return 0;
}
