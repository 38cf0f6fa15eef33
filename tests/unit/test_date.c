/* SPDX-License-Identifier: MIT */
/* Dates: that they agree with the C library's calendar over all the years that can be told. */
#include "unit.h"

#include <time.h>

#include "date.h"

#define FIRST INT64_C(-62135596800)  /* 0001-01-01 00:00:00 */
#define LAST  INT64_C(253402300799)  /* 9999-12-31 23:59:59 */

/* 2026-11-23 06:12:00 */
#define NOW INT64_C(1795414320)

static void
dates_of_note_are_right(void **state)
{
	/* From Python's datetime. */
	static const struct {
		int64_t time_s;
		const char *want;
	} table[] = {
		{ FIRST, "00010101000000" }, { LAST, "99991231235959" }, { 0, "19700101000000" },
		{ -1, "19691231235959" }, { -2208988800, "19000101000000" },
		{ -2203891201, "19000228235959" }, { -2203891200, "19000301000000" },
		{ 951782400, "20000229000000" }, { 951868799, "20000229235959" },
		{ 951868800, "20000301000000" }, { 2147483647, "20380119031407" },
		{ 2147483648, "20380119031408" }, { 4107542399, "21000228235959" },
		{ 4107542400, "21000301000000" }, { 4294967296, "21060207062816" },
		{ INT64_C(32503680000), "30000101000000" }, { NOW, "20261123061200" },
	};

	(void)state;
	for (size_t i = 0; i < LEN(table); i++) {
		char bytes[16];
		struct out o = OUT(bytes);
		struct date d = date_of(table[i].time_s);
		int64_t back;

		date_put(&o, table[i].time_s);
		CLAIM(SAYS(&o, table[i].want), "%s: %s", table[i].want, out_finish(&o));
		CLAIM(date_time(&d) == table[i].time_s, "%s", table[i].want);
		CLAIM(date_parse(text_of(table[i].want), &back) && back == table[i].time_s,
			"%s", table[i].want);
	}
}

static void
compare_with_the_library(int64_t time_s)
{
	struct date d = date_of(time_s);
	time_t t = (time_t)time_s;
	struct tm tm;

	CLAIM(gmtime_r(&t, &tm) != NULL, "%lld", (long long)time_s);
	CLAIM(d.year == tm.tm_year + 1900 && d.month == tm.tm_mon + 1 && d.day == tm.tm_mday,
		"%lld: %d-%d-%d", (long long)time_s, (int)d.year, d.month, d.day);
	CLAIM(d.hour == tm.tm_hour && d.minute == tm.tm_min && d.second == tm.tm_sec,
		"%lld: %d:%d:%d", (long long)time_s, d.hour, d.minute, d.second);
	CLAIM(date_time(&d) == time_s, "%lld: no way back", (long long)time_s);
}

static void
every_day_of_every_year_agrees_with_the_c_library(void **state)
{
	int64_t step = claim_rounds(1000) == 1000 ? 86400 : 86400 * 29;

	(void)state;
	for (int64_t time_s = FIRST; time_s <= LAST; time_s += step) {
		compare_with_the_library(time_s + sim_random_below(86400));
	}
	for (uint32_t round = 0; round < claim_rounds(50000); round++) {
		compare_with_the_library(FIRST + (int64_t)(sim_random() % (uint64_t)(LAST - FIRST)));
	}
}

static void
every_second_around_a_leap_day_agrees_with_the_c_library(void **state)
{
	(void)state;
	for (int64_t time_s = 951782400 - 90000; time_s < 951782400 + 180000; time_s += 1) {
		compare_with_the_library(time_s);
	}
}

static void
what_is_no_real_date_is_not_taken_for_one(void **state)
{
	static const char *const wrong[] = {
		"", "2001", "2001020304050", "200102030405060", "20010229000000", "20011303040506",
		"20010003040506", "20010100040506", "20010132040506", "20010431040506",
		"20010203240506", "20010203046006", "20010203040560", "00000203040506",
		"2001020304050x", "2001-203040506", " 0010203040506", "+0010203040506",
		"200102030405:6", "2001020304050/",
	};
	int64_t time_s;

	(void)state;
	for (size_t i = 0; i < LEN(wrong); i++) {
		CLAIM(!date_parse(text_of(wrong[i]), &time_s), "%s", wrong[i]);
	}
	/* Each byte in each place. */
	for (size_t at = 0; at < 14; at++) {
		for (unsigned c = 0; c < 256; c++) {
			char text[] = "20111111111111";

			text[at] = (char)c;
			CLAIM(!date_parse((struct text){ text, 14 }, &time_s) || (c >= '0' && c <= '9'),
				"%u at %zu", c, at);
		}
	}
}

static void
times_beyond_the_calendar_become_its_first_or_last_second(void **state)
{
	static const int64_t times[] = { FIRST - 1, INT64_MIN, LAST + 1, INT64_MAX };

	(void)state;
	for (size_t i = 0; i < LEN(times); i++) {
		struct date d = date_of(times[i]);

		CLAIM(date_time(&d) == (times[i] < 0 ? FIRST : LAST), "%lld", (long long)times[i]);
	}
}

static void
listings_show_the_hour_of_what_is_recent_and_the_year_of_the_rest(void **state)
{
	const int64_t day = 86400;
	const struct {
		int64_t time_s;
		const char *want;
	} table[] = {
		{ NOW, "Nov 23 06:12" }, { NOW - 1, "Nov 23 06:11" }, { NOW + 3600, "Nov 23 07:12" },
		{ NOW - 20 * day, "Nov  3 06:12" }, { NOW - 182 * day, "May 25 06:12" },
		{ NOW - 182 * day - 1, "May 25  2026" }, { NOW - 365 * day, "Nov 23  2025" },
		{ NOW + day, "Nov 24 06:12" }, { NOW + day + 1, "Nov 24  2026" },
		{ 0, "Jan  1  1970" }, { -1, "Dec 31  1969" }, { FIRST, "Jan  1  0001" },
		{ LAST, "Dec 31  9999" }, { INT64_MAX, "Dec 31  9999" }, { INT64_MIN, "Jan  1  0001" },
	};

	(void)state;
	for (size_t i = 0; i < LEN(table); i++) {
		char bytes[16];
		struct out o = OUT(bytes);

		date_put_list(&o, table[i].time_s, NOW);
		CLAIM(SAYS(&o, table[i].want), "%s: %s", table[i].want, out_finish(&o));
	}
}

static void
each_month_has_its_name(void **state)
{
	static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

	(void)state;
	for (unsigned month = 1; month <= 12; month++) {
		struct date d = { .year = 2001, .month = (uint8_t)month, .day = 28 };
		char bytes[16];
		struct out o = OUT(bytes);

		date_put_list(&o, date_time(&d), NOW);
		CLAIM(memcmp(bytes, names + 3 * (month - 1), 3) == 0, "month %u", month);
		CLAIM(o.len == 12 && memcmp(bytes + 3, " 28  2001", 9) == 0, "month %u", month);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(dates_of_note_are_right),
		TEST(every_day_of_every_year_agrees_with_the_c_library),
		TEST(every_second_around_a_leap_day_agrees_with_the_c_library),
		TEST(what_is_no_real_date_is_not_taken_for_one),
		TEST(times_beyond_the_calendar_become_its_first_or_last_second),
		TEST(listings_show_the_hour_of_what_is_recent_and_the_year_of_the_rest),
		TEST(each_month_has_its_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
