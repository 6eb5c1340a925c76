/*
 * report: everything that goes to stdout or stderr.
 *
 * One message is one write(2), so lines of several processes do not mix. Bytes
 * that are not printable ASCII are written as \xNN: a value may come from the
 * environment, and a message must stay one line and harmless on a terminal.
 *
 * Only report_fault() and what goes to stdout wait for a reader. The others
 * drop a message that finds no room: many come from code that runs beside the
 * application, which a full pipe must not stop.
 */
#ifndef STEPDOWN_BASE_REPORT_H
#define STEPDOWN_BASE_REPORT_H

struct fault;
struct text;

/*
 * stderr: "stepdown: WHAT: REASON", and a line that begins "stepdown: hint: "
 * for each of HINT, "docker: FLAG" and "kubernetes: LINE" that the fault has.
 */
void report_fault(const struct fault *f);
void report_fault_now(const struct fault *f);

/* The same, "stepdown: warning: ...", for what does not end the run. */
void report_warning(const struct fault *f);

/* stderr, for --verbose: "stepdown: ...". */
void report_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* stdout: one line, as --dry-run asks for it. */
void report_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* stdout: a text, not escaped. Only for our own words. */
void report_text(struct text *text);

#endif
