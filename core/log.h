/* SPDX-License-Identifier: MIT */
/*
 * Log lines: one event a line, `event=NAME key=value ...`, values escaped so that nothing
 * from outside can forge a line or a field. Never a password, never a key.
 */
#ifndef LOG_H
#define LOG_H

#include "text.h"

#define LOG_LINE 384

/* A line in the ring: YYYYMMDDTHHMMSSZ by the wall clock, its level, and the line with a LF. */
#define LOG_RING_LINE (16 + sizeof " warning " - 1 + LOG_LINE + 1)

struct log {
	struct out out;
	char line[LOG_LINE];
};

void log_start(struct log *l, const char *event);
void log_string(struct log *l, const char *key, const char *value);
void log_text(struct log *l, const char *key, struct text value);
void log_number(struct log *l, const char *key, uint64_t value);
void log_addr(struct log *l, const char *key, const struct port_addr *addr);
void log_fingerprint(struct log *l, const char *key, const uint8_t fingerprint[32]);

/* Hand the line to the platform, and put it into the ring if it is graver than debugging. */
void log_end(struct log *l, enum port_log_level level);

/*
 * The ring: the last whole lines that fit into CONFIG_CUBFTPD_LOG_RING bytes of RAM. Positions
 * count all the bytes since the start: from log_ring_start() to log_ring_end() they can be read.
 */
uint64_t log_ring_start(void);
uint64_t log_ring_end(void);

/*
 * Read up to `cap` bytes from `*from` on; where those are gone, from the oldest line on.
 * `*from` goes on behind what was read. That is whole lines, if `cap` is LOG_RING_LINE or more
 * and `*from` is where a line begins.
 *
 * Returns the number of bytes; 0 at the end.
 */
size_t log_ring_read(uint64_t *from, char *dst, size_t cap);

/* The word for an error, for logs. */
const char *log_error_name(int err);

#endif
