/* SPDX-License-Identifier: MIT */
/* Seconds since 1970 to calendar dates and back: the proleptic Gregorian calendar, UTC. */
#ifndef DATE_H
#define DATE_H

#include "text.h"

struct date {
	int32_t year;
	uint8_t month;   /* 1 to 12 */
	uint8_t day;     /* 1 to 31 */
	uint8_t hour;
	uint8_t minute;
	uint8_t second;  /* no leap seconds */
};

/* Times outside the years 1 to 9999 become the nearest second within. */
struct date date_of(int64_t time_s);

/* The other way; the fields must be a real date. */
int64_t date_time(const struct date *date);

/* YYYYMMDDHHMMSS to a time; false for what is no real date. */
bool date_parse(struct text t, int64_t *time_s);

/* YYYYMMDDHHMMSS, as MDTM and MLSD have it (RFC 3659 section 2.3). */
void date_put(struct out *o, int64_t time_s);

/* YYYY-MM-DD, and YYYY-MM-DDTHH:MM:SSZ (ISO 8601). */
void date_put_day(struct out *o, int64_t time_s);
void date_put_iso(struct out *o, int64_t time_s);

/* "Nov 23 06:12", or "Nov 23  2025" where it is far from `now_s`: as `ls -l` has it. */
void date_put_list(struct out *o, int64_t time_s, int64_t now_s);

#endif
