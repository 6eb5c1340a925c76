/*
 * report: every word that goes to stdout or stderr.
 *
 * One message is one write(2), so lines of several processes do not mix. Bytes
 * that are not printable ASCII are written as \xNN: a value may come from the
 * environment, and a message must stay one line and harmless on a terminal.
 *
 * A function whose name ends in _now never waits for a reader: it rather loses
 * the message. Whatever runs beside the application uses these alone, because a
 * full pipe must not stop it.
 */
#ifndef STEPDOWN_BASE_REPORT_H
#define STEPDOWN_BASE_REPORT_H

#include <stdbool.h>

struct fault;
struct text;

/*
 * stderr: "stepdown: WHAT: REASON", and what there is of the hint, each with
 * "stepdown: hint: " before it: HINT, "docker: FLAG", "kubernetes: LINE".
 */
void report_fault(const struct fault *f);
void report_fault_now(const struct fault *f);

/* The same for what the run goes on without: "stepdown: warning: ...". */
void report_warning(const struct fault *f);
void report_warning_now(const struct fault *f);

/* stderr, for --verbose: "stepdown: ...". */
void report_note(const char *format, ...) __attribute__((format(printf, 1, 2)));
void report_note_now(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

/* stdout: one line, as --dry-run asks for it. */
void report_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* stdout: a text of our own, as it is. */
void report_text(struct text *text);

#endif
