/* SPDX-License-Identifier: MIT */
/* Calendar arithmetic: see date.h. Years are counted from March, so that the leap day is last. */
#include "date.h"

#include <string.h>

#define DAY_S       86400
#define ERA_DAYS    146097  /* of 400 years */
#define EPOCH_DAYS  719468  /* from 0000-03-01 to 1970-01-01 */
#define FIRST_S     INT64_C(-62135596800)  /* 0001-01-01 00:00:00 */
#define LAST_S      INT64_C(253402300799)  /* 9999-12-31 23:59:59 */

/*
 * How often `by` goes into `*n`, at most `max` times; what is left stays there. The numbers are
 * small, and to subtract takes less code than to divide, on CPUs without an instruction for it.
 */
static uint32_t
take(uint32_t *n, uint32_t by, uint32_t max)
{
	uint32_t count = 0;

	for (; *n >= by && count < max; count++) {
		*n -= by;
	}
	return count;
}

struct date
date_of(int64_t time_s)
{
	struct date date;
	uint64_t since_0;
	uint32_t left, seconds, year, month;

	time_s = time_s < FIRST_S ? FIRST_S : time_s > LAST_S ? LAST_S : time_s;
	/* From the year 0 on, so that nothing is negative. */
	since_0 = (uint64_t)(time_s + (int64_t)EPOCH_DAYS * DAY_S);
	left = (uint32_t)(since_0 / DAY_S);
	seconds = (uint32_t)(since_0 % DAY_S);
	year = 400 * take(&left, ERA_DAYS, 24);
	year += 100 * take(&left, 36524, 3);  /* the fourth century has a day more */
	year += 4 * take(&left, 1461, 24);
	year += take(&left, 365, 3);
	left = 5 * left + 2;  /* five months have 153 days */
	month = take(&left, 153, 11);  /* 0 is March */

	date.day = (uint8_t)(1 + take(&left, 5, 30));
	date.month = (uint8_t)(month < 10 ? month + 3 : month - 9);
	date.year = (int32_t)(year + (month >= 10));
	date.hour = (uint8_t)take(&seconds, 3600, 23);
	date.minute = (uint8_t)take(&seconds, 60, 59);
	date.second = (uint8_t)seconds;
	return date;
}

int64_t
date_time(const struct date *date)
{
	/* An era more, so that January of the year 0 is no negative number. */
	uint32_t year = (uint32_t)(date->year + 400 - (date->month <= 2));
	uint32_t month = date->month > 2 ? date->month - 3u : date->month + 9u;
	uint32_t in_century = year, in_month = 153 * month + 2;
	uint32_t centuries = take(&in_century, 100, UINT32_MAX);
	uint32_t days = year * 365 + year / 4 - centuries + centuries / 4
		+ take(&in_month, 5, UINT32_MAX) + date->day - 1;

	return ((int64_t)days - ERA_DAYS - EPOCH_DAYS) * DAY_S
		+ date->hour * 3600 + date->minute * 60 + date->second;
}

bool
date_parse(struct text t, int64_t *time_s)
{
	char again[14];
	struct out o = OUT(again);
	uint8_t n[7];
	struct date date;

	if (t.len != sizeof again) {
		return false;
	}
	for (size_t i = 0; i < sizeof n; i++) {
		n[i] = (uint8_t)((t.at[2 * i] - '0') * 10 + t.at[2 * i + 1] - '0');
	}
	date = (struct date){ n[0] * 100 + n[1], n[2], n[3], n[4], n[5], n[6] };
	*time_s = date_time(&date);
	/* A date that does not exist becomes another one, and what is no digit becomes one. */
	date_put(&o, *time_s);
	return memcmp(t.at, again, sizeof again) == 0;
}

static void
put_two(struct out *o, unsigned n)
{
	out_digits(o, n, 2);
}

void
date_put(struct out *o, int64_t time_s)
{
	struct date d = date_of(time_s);

	out_digits(o, (unsigned)d.year, 4);
	put_two(o, d.month);
	put_two(o, d.day);
	put_two(o, d.hour);
	put_two(o, d.minute);
	put_two(o, d.second);
}

/* The year, and then a part of the date behind each of the marks. */
static void
put_parts(struct out *o, int64_t time_s, const char *marks)
{
	char digits[14];
	struct out all = OUT(digits);

	date_put(&all, time_s);
	out_put(o, digits, 4);
	for (const char *part = digits + 4; *marks != '\0'; part += 2) {
		out_char(o, *marks++);
		out_put(o, part, 2);
	}
}

void
date_put_day(struct out *o, int64_t time_s)
{
	put_parts(o, time_s, "--");
}

void
date_put_iso(struct out *o, int64_t time_s)
{
	put_parts(o, time_s, "--T::");
	out_char(o, 'Z');
}

void
date_put_list(struct out *o, int64_t time_s, int64_t now_s)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	const int32_t half_year_s = 182 * DAY_S;
	struct date d = date_of(time_s);

	out_put(o, months + 3 * (d.month - 1), 3);
	out_string(o, d.day < 10 ? "  " : " ");
	out_number(o, d.day);
	out_char(o, ' ');
	if (time_s > now_s + DAY_S || time_s < now_s - half_year_s) {
		out_char(o, ' ');
		out_digits(o, (unsigned)d.year, 4);
		return;
	}
	put_two(o, d.hour);
	out_char(o, ':');
	put_two(o, d.minute);
}
