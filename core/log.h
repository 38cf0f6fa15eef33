/* SPDX-License-Identifier: MIT */
/*
 * Log lines: one event a line, `event=NAME key=value ...`, values escaped so that nothing
 * from outside can forge a line or a field. Never a password, never a key.
 */
#ifndef LOG_H
#define LOG_H

#include "text.h"

struct log {
	struct out out;
	char line[384];
};

void log_start(struct log *l, const char *event);
void log_string(struct log *l, const char *key, const char *value);
void log_text(struct log *l, const char *key, struct text value);
void log_number(struct log *l, const char *key, uint64_t value);
void log_addr(struct log *l, const char *key, const struct port_addr *addr);
void log_fingerprint(struct log *l, const char *key, const uint8_t fingerprint[32]);

/* Hand the line to the platform. */
void log_end(struct log *l, enum port_log_level level);

/* The word for an error, for logs. */
const char *log_error_name(int err);

#endif
