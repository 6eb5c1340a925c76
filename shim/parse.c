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

const char *parse_find(const char *text, const char *word)
{
	size_t length = strlen(word);

	for (; *text; text++)
		if (strncmp(text, word, length) == 0)
			return text;
	return NULL;
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

bool parse_is_name_byte(char c)
{
	return is_letter(c) || is_digit(c);
}

bool parse_is_variable(const char *text, size_t length)
{
	if (length == 0 || !is_letter(text[0]))
		return false;
	for (size_t i = 1; i < length; i++)
		if (!parse_is_name_byte(text[i]))
			return false;
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
	const char *scheme = parse_find(text, "://");
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
