/*
 * confine_spec: what the options say of the domain of --confine. Pure.
 */
#ifndef STEPDOWN_DROP_CONFINE_SPEC_H
#define STEPDOWN_DROP_CONFINE_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	CONFINE_MAX_PATHS = 64,
	CONFINE_MAX_PORTS = 64
};

enum confine_mode {
	CONFINE_OFF,
	CONFINE_ON,		/* what the kernel cannot do is passed over */
	CONFINE_STRICT
};

/* What the options say. */
struct confine_spec {
	enum confine_mode mode;
	bool some_readable;	/* --readable was given: not all may be read */
	bool connects;		/* --connect was given */
	size_t npaths;
	size_t nports;
	struct {
		const char *path;
		bool writable;
	} paths[CONFINE_MAX_PATHS];
	uint16_t ports[CONFINE_MAX_PORTS];	/* of --connect */
};

/*
 * Read the value of --writable or --readable, an absolute path, which is kept
 * by pointer; or of --connect, PORT,PORT,... or "none". spec: a struct
 * confine_spec. Each returns false if the value is not that, or one too many.
 */
bool confine_read_writable(const char *value, void *spec);
bool confine_read_readable(const char *value, void *spec);
bool confine_read_ports(const char *value, void *spec);

#endif
