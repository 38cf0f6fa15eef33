/* SPDX-License-Identifier: MIT */
/* Writing DER: lengths, signs and times byte by byte, and buffers that are too small. */
#include "unit.h"

#include "der.h"

static uint8_t buffer[70000];

static bool
is_written(const struct der *d, const void *want, size_t len)
{
	return !d->cut && (size_t)(d->end - d->at) == len && memcmp(d->at, want, len) == 0;
}

static void
lengths_take_as_few_bytes_as_der_demands(void **state)
{
	static const struct {
		size_t len, header_len;
		uint8_t header[5];
	} table[] = {
		{ 0, 2, { 0x04, 0x00 } }, { 1, 2, { 0x04, 0x01 } }, { 127, 2, { 0x04, 0x7F } },
		{ 128, 3, { 0x04, 0x81, 0x80 } }, { 255, 3, { 0x04, 0x81, 0xFF } },
		{ 256, 4, { 0x04, 0x82, 0x01, 0x00 } }, { 65535, 4, { 0x04, 0x82, 0xFF, 0xFF } },
		{ 65536, 5, { 0x04, 0x83, 0x01, 0x00, 0x00 } },
	};
	static uint8_t contents[65536];

	(void)state;
	memset(contents, 'c', sizeof contents);
	for (size_t i = 0; i < LEN(table); i++) {
		size_t whole = table[i].header_len + table[i].len;
		struct der d;

		der_start(&d, buffer, sizeof buffer);
		der_element(&d, DER_OCTET_STRING, contents, table[i].len);
		CLAIM(!d.cut && (size_t)(d.end - d.at) == whole, "%zu bytes", table[i].len);
		CLAIM(memcmp(d.at, table[i].header, table[i].header_len) == 0, "%zu bytes", table[i].len);
		CLAIM(memcmp(d.at + table[i].header_len, contents, table[i].len) == 0,
			"%zu bytes", table[i].len);
	}
}

static void
what_is_written_first_stands_last(void **state)
{
	struct der d;
	const uint8_t *inner;

	(void)state;
	der_start(&d, buffer, 64);
	der_element(&d, DER_BOOLEAN, "\xFF", 1);
	inner = d.at;
	der_element(&d, DER_OID, "\x55\x04\x03", 3);
	der_put(&d, "raw", 3);
	der_wrap(&d, DER_SET, inner);
	der_wrap(&d, DER_CONSTRUCTED(3), d.end);
	der_wrap(&d, DER_CONTEXT(2), d.at);
	assert_true(is_written(&d, "\x82\x00\xA3\x0D\x31\x08raw\x06\x03\x55\x04\x03\x01\x01\xFF", 17));
}

static void
integers_are_short_and_never_negative(void **state)
{
	static const struct {
		size_t len, want_len;
		uint8_t number[4], want[8];
	} table[] = {
		{ 0, 3, { 0 }, { 2, 1, 0 } },
		{ 1, 3, { 0 }, { 2, 1, 0 } },
		{ 4, 3, { 0, 0, 0, 0 }, { 2, 1, 0 } },
		{ 1, 3, { 1 }, { 2, 1, 1 } },
		{ 1, 3, { 0x7F }, { 2, 1, 0x7F } },
		{ 1, 4, { 0x80 }, { 2, 2, 0, 0x80 } },
		{ 2, 4, { 0, 0xFF }, { 2, 2, 0, 0xFF } },
		{ 2, 3, { 0, 0x7F }, { 2, 1, 0x7F } },
		{ 4, 5, { 0, 0x7F, 0, 1 }, { 2, 3, 0x7F, 0, 1 } },
		{ 4, 7, { 0xFF, 0, 0, 0 }, { 2, 5, 0, 0xFF, 0, 0, 0 } },
	};

	(void)state;
	for (size_t i = 0; i < LEN(table); i++) {
		struct der d;

		der_start(&d, buffer, 16);
		der_unsigned(&d, table[i].number, table[i].len);
		CLAIM(is_written(&d, table[i].want, table[i].want_len), "no. %zu", i);
	}
}

/* RFC 5280 section 4.1.2.5: UTCTime through 2049, and no century is guessed before 1950. */
static void
times_change_their_kind_in_1950_and_2050(void **state)
{
	static const struct {
		int64_t time_s;
		const char *want;
	} table[] = {
		{ 0, "\x17\x0D" "700101000000Z" },
		{ INT64_C(-631152000), "\x17\x0D" "500101000000Z" },
		{ INT64_C(-631152001), "\x18\x0F" "19491231235959Z" },
		{ INT64_C(2524607999), "\x17\x0D" "491231235959Z" },
		{ INT64_C(2524608000), "\x18\x0F" "20500101000000Z" },
		{ INT64_C(253402300799), "\x18\x0F" "99991231235959Z" },
		{ INT64_MAX, "\x18\x0F" "99991231235959Z" },
	};

	(void)state;
	for (size_t i = 0; i < LEN(table); i++) {
		struct der d;

		der_start(&d, buffer, 32);
		der_time(&d, table[i].time_s);
		CLAIM(is_written(&d, table[i].want, strlen(table[i].want)), "%s", table[i].want + 2);
	}
}

static void
write_a_bit_of_everything(struct der *d)
{
	der_time(d, 0);
	der_unsigned(d, (const uint8_t *)"\x80", 1);
	der_element(d, DER_UTF8_STRING, buffer + 1000, 200);
	der_wrap(d, DER_SEQUENCE, d->end);
}

static void
a_buffer_that_is_too_small_is_told_and_never_overrun(void **state)
{
	const size_t need = 15 + 4 + 203 + 3;

	(void)state;
	for (size_t cap = 0; cap <= need; cap++) {
		struct der d;

		memset(buffer, '#', need + 2);
		der_start(&d, buffer + 1, cap);
		write_a_bit_of_everything(&d);
		CLAIM(d.cut == (cap < need), "a capacity of %zu", cap);
		CLAIM(buffer[0] == '#' && buffer[1 + cap] == '#', "a capacity of %zu", cap);
		CLAIM(d.at >= d.start && d.end == buffer + 1 + cap, "a capacity of %zu", cap);
	}
}

static void
after_a_cut_nothing_more_is_written(void **state)
{
	struct der d;

	(void)state;
	der_start(&d, buffer, 4);
	der_put(&d, "12345", 5);
	assert_true(d.cut);
	der_put(&d, "1", 1);
	der_wrap(&d, DER_SET, d.end);
	assert_true(d.cut && d.at == d.end);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(lengths_take_as_few_bytes_as_der_demands),
		TEST(what_is_written_first_stands_last),
		TEST(integers_are_short_and_never_negative),
		TEST(times_change_their_kind_in_1950_and_2050),
		TEST(a_buffer_that_is_too_small_is_told_and_never_overrun),
		TEST(after_a_cut_nothing_more_is_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
