/*
 * url: the words of --listen to a socket that is wanted. Pure: no system call,
 * no global state.
 */
#ifndef STEPDOWN_URL_H
#define STEPDOWN_URL_H

#include <stdbool.h>

#include "plan.h"

struct text;

/*
 * [NAME=]URL, where URL is one of
 *
 *	tcp://ADDRESS:PORT[?OPTIONS]	ADDRESS: a.b.c.d, [v6], [v6%zone] or *
 *	udp://ADDRESS:PORT[?OPTIONS]
 *	unix:/PATH[?OPTIONS]		stream; unix-dgram:, unix-seqpacket:
 *	unix:@NAME[?OPTIONS]		in the abstract namespace, the same three
 *
 * and OPTIONS are NAME or NAME=VALUE, joined by '&'. The result points into
 * the text. An option that was not given has the value 0.
 *
 * Returns true, or false with what is wrong appended to *wrong; the listener
 * is then as it was.
 */
bool url_parse(const char *text, struct listener *listener, struct text *wrong);

/* What an option is called in OPTIONS. */
struct word url_option_name(enum listener_option o);

#endif
