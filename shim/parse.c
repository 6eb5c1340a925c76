#include "parse.h"

#include <arpa/inet.h>
#include <string.h>

#include "plan.h"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool parse_is_number(const char *text)
{
	if (!*text)
		return false;
	while (is_digit(*text))
		text++;
	return !*text;
}

bool parse_number(const char *text, uint64_t lowest, uint64_t highest,
		  uint64_t *value)
{
	uint64_t sum = 0;

	if (!parse_is_number(text))
		return false;
	for (; *text; text++) {
		unsigned int digit = (unsigned int)(*text - '0');

		if (digit > highest || sum > (highest - digit) / 10)
			return false;
		sum = sum * 10 + digit;
	}
	if (sum < lowest)
		return false;
	*value = sum;
	return true;
}

bool parse_id(const char *text, uint32_t *id)
{
	uint64_t value;

	if (!parse_number(text, 0, UINT32_MAX - 1, &value))
		return false;
	*id = (uint32_t)value;
	return true;
}

bool parse_is_variable(const char *text, size_t length)
{
	if (length == 0 || !is_letter(text[0]))
		return false;
	for (size_t i = 1; i < length; i++)
		if (!is_letter(text[i]) && !is_digit(text[i]))
			return false;
	return true;
}

/* The digits before a suffix. Returns where that begins, or NULL. */
static const char *read_digits(const char *text, uint64_t lowest,
			       uint64_t highest, uint64_t *value)
{
	char digits[16];
	size_t length = 0;

	for (; length < sizeof(digits) && is_digit(text[length]); length++)
		digits[length] = text[length];
	if (length == sizeof(digits))
		return NULL;
	digits[length] = '\0';
	return parse_number(digits, lowest, highest, value) ? text + length
							     : NULL;
}

/* As far as poll(2) can wait in one call. */
bool parse_duration(const char *text, uint32_t *milliseconds)
{
	static const struct {
		char name[4];
		uint32_t milliseconds;
	} units[] = {
		{ "", 1000 }, { "ms", 1 }, { "s", 1000 }, { "m", 60000 },
		{ "h", 3600000 },
	};
	uint64_t count;
	const char *unit = read_digits(text, 1, INT32_MAX, &count);

	for (size_t i = 0; unit && i < ARRAY_LEN(units); i++)
		if (strcmp(unit, units[i].name) == 0 &&
		    count <= INT32_MAX / units[i].milliseconds) {
			*milliseconds = (uint32_t)count *
					units[i].milliseconds;
			return true;
		}
	return false;
}

bool parse_pair(const char *text, uint8_t *from, uint8_t *to)
{
	uint64_t first;
	uint64_t second;
	const char *colon = read_digits(text, 0, UINT8_MAX, &first);

	if (!colon || *colon != ':' ||
	    !parse_number(colon + 1, 0, UINT8_MAX, &second))
		return false;
	*from = (uint8_t)first;
	*to = (uint8_t)second;
	return true;
}

/* ADDRESS is the bytes from address to end; the port has been cut off. */
static bool set_address(struct listener *l, const char *address, size_t length,
			uint16_t port)
{
	char host[INET6_ADDRSTRLEN];
	bool bracketed = length >= 2 && address[0] == '[' &&
			 address[length - 1] == ']';

	if (bracketed) {
		address++;
		length -= 2;
	}
	if (length >= sizeof(host))
		return false;
	memcpy(host, address, length);
	host[length] = '\0';

	if (!bracketed && strcmp(host, "*") == 0) {
		l->dual = true;
		strcpy(host, "::");
		bracketed = true;
	}
	if (bracketed) {
		l->address.in6.sin6_family = AF_INET6;
		l->address.in6.sin6_port = htons(port);
		l->address_size = sizeof(l->address.in6);
		return inet_pton(AF_INET6, host,
				 &l->address.in6.sin6_addr) == 1;
	}
	l->address.in.sin_family = AF_INET;
	l->address.in.sin_port = htons(port);
	l->address_size = sizeof(l->address.in);
	return inet_pton(AF_INET, host, &l->address.in.sin_addr) == 1;
}

/*
 * LISTEN_FDNAMES joins names with ':' and sd_listen_fds_with_names(3) allows
 * printable ASCII only, at most 255 bytes.
 */
static bool is_socket_name(const char *text, size_t length)
{
	if (length == 0 || length > LISTENER_NAME_MAX)
		return false;
	for (size_t i = 0; i < length; i++)
		if (text[i] <= ' ' || text[i] > '~' || text[i] == ':')
			return false;
	return true;
}

bool parse_listener(const char *text, struct listener *listener,
		    const char **wrong)
{
	struct listener l = { .url = text };
	const char *scheme = strstr(text, "://");
	const char *name_end = strchr(text, '=');
	const char *port_text;
	uint64_t port;

	*wrong = "expected " PARSE_LISTENER_FORM;
	if (!scheme)
		return false;
	if (name_end && name_end < scheme) {
		l.name = text;
		l.name_length = (size_t)(name_end - text);
		if (!is_socket_name(l.name, l.name_length)) {
			*wrong = "the name before '=' must be 1 to 255 printable characters without ':'";
			return false;
		}
		l.url = text = name_end + 1;
	}
	if (strncmp(text, "tcp://", 6) != 0)
		return false;
	text += 6;
	port_text = strrchr(text, ':');
	if (!port_text || !parse_number(port_text + 1, 1, 65535, &port)) {
		*wrong = "expected a port from 1 to 65535 after the address";
		return false;
	}
	if (!set_address(&l, text, (size_t)(port_text - text),
			 (uint16_t)port)) {
		*wrong = "the address must be numeric (a.b.c.d or [v6]) or *; names are not looked up";
		return false;
	}
	*listener = l;
	return true;
}
