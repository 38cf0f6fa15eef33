/* SPDX-License-Identifier: MIT */
/*
 * What there is to say of things, for the subcommands and the files in /.provision: fields with
 * a name and a value, of which programs get an object of JSON and people get lines. Each piece
 * that is put out is short, so that a report can be cut into parts (cubftpd.h, `struct out`).
 */
#ifndef REPORT_H
#define REPORT_H

#include "service.h"

struct report {
	struct out *o;
	bool json;
	bool is_begun;  /* there has been a field */
};

struct report report_start(struct out *o, bool json);
void report_end(const struct report *r);

/* One field. People are not shown empty texts. */
void report_text(struct report *r, const char *name, const char *value);
void report_number(struct report *r, const char *name, uint64_t value);
void report_flag(struct report *r, const char *name, bool value);
void report_hash(struct report *r, const char *name, const uint8_t value[32]);
void report_address(struct report *r, const char *name, const struct port_addr *value);

/* YYYY-MM-DDTHH:MM:SSZ */
void report_time(struct report *r, const char *name, int64_t time_s);

/* A field of a kind of things: what it is called, where it stands in one, and as what. */
struct report_field {
	const char *name;
	uint16_t    offset;
	uint8_t     type;    /* enum report_type */
};

/* A kind of things: how large one is, and what there is to say of it. */
struct report_kind {
	uint16_t size;
	uint8_t  count;
	const struct report_field *fields;
};

extern const struct report_kind report_account, report_ca, report_pending, report_trusted;

/* A whole thing of that kind. What is not known of it is left out. */
void report_put(struct out *o, const struct report_kind *kind, const void *thing, bool json);

void report_status(struct out *o, struct service *sv, bool json);

#endif
