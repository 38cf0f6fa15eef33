/* SPDX-License-Identifier: MIT */
/*
 * DER. Writing: lengths, signs and times byte by byte, and buffers that are too small. Reading:
 * what was written, and every other encoding refused.
 */
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

/* A reader over a literal, in memory of exactly this size: the sanitizer watches its end. */
static struct der_in
reader_of(struct text t)
{
	static uint8_t *copy;

	free(copy);
	copy = malloc(t.len + 1);
	memcpy(copy + 1, t.at, t.len);
	return der_open((struct bytes){ copy + 1, t.len });
}

#define READER(literal) reader_of(TEXT(literal))

static bool
is_read(struct bytes b, const void *want, size_t len)
{
	return bytes_equal(b, (struct bytes){ want, len });
}

/* A field of each kind, of each size of length. */
static void
what_is_written_is_read_again(void **state)
{
	static const size_t sizes[] = { 0, 1, 127, 128, 255, 256, 65000 };
	static const uint8_t contents[65000] = { 1, 2, 3 };

	(void)state;
	for (size_t i = 0; i < LEN(sizes); i++) {
		struct der d;
		struct der_in all, inner;

		der_start(&d, buffer, sizeof buffer);
		der_element(&d, DER_BIT_STRING, "\0\x81", 2);
		der_time(&d, INT64_C(2600000000));
		der_time(&d, INT64_C(1600000000));
		der_element(&d, DER_BOOLEAN, "\xFF", 1);
		der_element(&d, DER_BOOLEAN, "", 1);
		der_unsigned(&d, (const uint8_t *)"\x80\x01", 2);
		der_unsigned(&d, (const uint8_t *)"\xFF\xFF\xFF\xFE", 4);
		der_element(&d, DER_OCTET_STRING, contents, sizes[i]);
		der_wrap(&d, DER_CONSTRUCTED(3), d.end);
		assert_false(d.cut);

		all = der_open((struct bytes){ d.at, (size_t)(d.end - d.at) });
		CLAIM(der_peek(&all) == DER_CONSTRUCTED(3), "%zu bytes", sizes[i]);
		inner = der_enter(&all, DER_CONSTRUCTED(3));
		CLAIM(der_peek(&inner) == DER_OCTET_STRING, "%zu bytes", sizes[i]);
		CLAIM(is_read(der_take(&inner, DER_OCTET_STRING), contents, sizes[i]), "%zu bytes",
			sizes[i]);
		CLAIM(der_take_number(&inner, UINT32_MAX) == 0xFFFFFFFE, "%zu bytes", sizes[i]);
		CLAIM(is_read(der_take_unsigned(&inner), "\x80\x01", 2), "%zu bytes", sizes[i]);
		CLAIM(!der_take_boolean(&inner), "%zu bytes", sizes[i]);
		CLAIM(der_take_boolean(&inner), "%zu bytes", sizes[i]);
		CLAIM(der_take_time(&inner) == INT64_C(1600000000), "%zu bytes", sizes[i]);
		CLAIM(der_take_time(&inner) == INT64_C(2600000000), "%zu bytes", sizes[i]);
		CLAIM(!der_is_done(&inner), "%zu bytes", sizes[i]);
		CLAIM(is_read(der_take_bits(&inner), "\x81", 1), "%zu bytes", sizes[i]);
		CLAIM(der_peek(&inner) == 0 && der_is_done(&inner), "%zu bytes", sizes[i]);
		der_leave(&all, &inner);
		CLAIM(der_peek(&all) == 0 && der_is_done(&all), "%zu bytes", sizes[i]);
	}
}

static void
an_element_can_be_had_with_its_header(void **state)
{
	struct der_in d = READER("\x04\x02" "ab" "\x05\x00");

	(void)state;
	assert_true(is_read(der_take_whole(&d, DER_OCTET_STRING), "\x04\x02" "ab", 4));
	assert_true(is_read(der_take_whole(&d, DER_NULL), "\x05\x00", 2));
	assert_true(der_is_done(&d));
	assert_int_equal(der_take_whole(&d, DER_NULL).len, 0);
	assert_true(d.bad);
}

/* X.690 sections 8.1.2, 8.1.3, 10.1: one form of tags, one of lengths. */
static void
other_headers_than_those_of_der_are_refused(void **state)
{
	/* Enough contents, but a length that is too long by a zero, or that would lose its 1. */
	static char long_forms[][11 + 0x81] = {
		"\x04\x81\x7F", "\x04\x82\x00\x80", "\x04\x85\x01\x00\x00\x00\x81",
		"\x04\x89\x01\x00\x00\x00\x00\x00\x00\x00\x81",
	};
	static const struct text table[] = {
		TEXT_IN(""), TEXT_IN("\x04"),
		TEXT_IN("\x04\x80"), TEXT_IN("\x04\x80" "a\0\0"),  /* indefinite */
		TEXT_IN("\x04\x81"), TEXT_IN("\x04\x81\x00"), TEXT_IN("\x04\x81\x01" "a"),
		TEXT_IN("\x04\x82\x00\x01" "a"), TEXT_IN("\x04\x82\x01"),
		TEXT_IN("\x04\x84"), TEXT_IN("\x04\x84\x00\x00\x00\x01" "a"),
		TEXT_IN("\x04\x85\x00\x00\x00\x00\x01" "a"), TEXT_IN("\x04\xFF" "a"),
		TEXT_IN("\x04\x01"), TEXT_IN("\x04\x02" "a"), TEXT_IN("\x04\x7F" "a"),
		TEXT_IN("\x04\x81\x80" "a"), TEXT_IN("\x04\x82\xFF\xFF" "a"),
		/* With a length that would come out at the beginning again. */
		TEXT_IN("\x04\x83\xFF\xFF\xFF" "a"), TEXT_IN("\x04\x84\xFF\xFF\xFF\xFF" "a"),
		TEXT_IN("\x04\x84\xFF\xFF\xFF\xFA" "a"), TEXT_IN("\x04\x84\x80\x00\x00\x00" "a"),
		TEXT_IN("\x04\x88\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xF6" "a"),
		{ long_forms[0], sizeof long_forms[0] }, { long_forms[1], sizeof long_forms[1] },
		{ long_forms[2], sizeof long_forms[2] }, { long_forms[3], sizeof long_forms[3] },
	};
	static const struct text tags[] = {
		TEXT_IN("\x00\x00"), TEXT_IN("\x1F\x01\x00"), TEXT_IN("\x3F\x01\x00"),
		TEXT_IN("\x9F\x81\x00\x00"), TEXT_IN("\xBF\x01\x00"), TEXT_IN("\xFF\x00"),
	};

	(void)state;
	for (size_t i = 0; i < LEN(table); i++) {
		struct der_in d = reader_of(table[i]);
		struct bytes b = der_take(&d, DER_OCTET_STRING);

		CLAIM(d.bad && b.len == 0, "no. %zu", i);
		CLAIM(der_peek(&d) == 0 && !der_is_done(&d), "no. %zu", i);
	}
	for (size_t i = 0; i < LEN(tags); i++) {
		struct der_in d = reader_of(tags[i]);

		CLAIM(der_take(&d, (uint8_t)tags[i].at[0]).len == 0 && d.bad, "tag no. %zu", i);
	}
}

static void
a_bad_reader_gives_nothing_and_stays_bad(void **state)
{
	struct der_in d = READER("\x30\x03\x02\x01\x05\x04\x01" "a" "\x01\x01\xFF"), inner;

	(void)state;
	inner = der_enter(&d, DER_SEQUENCE);
	assert_int_equal(der_take(&d, DER_INTEGER).len, 0);  /* it is an OCTET STRING */
	assert_true(d.bad);
	assert_int_equal(der_take(&d, DER_OCTET_STRING).len, 0);
	assert_int_equal(der_take_whole(&d, DER_OCTET_STRING).len, 0);
	assert_int_equal(der_take_number(&d, 9), 0);
	assert_int_equal(der_take_unsigned(&d).len, 0);
	assert_int_equal(der_take_bits(&d).len, 0);
	assert_int_equal(der_take_time(&d), 0);
	assert_false(der_take_boolean(&d));
	assert_int_equal(der_peek(&d), 0);
	assert_int_equal(der_take_number(&inner, 9), 5);
	der_leave(&d, &inner);
	assert_false(der_is_done(&d));
	inner = der_enter(&d, DER_OCTET_STRING);
	assert_true(inner.bad && der_peek(&inner) == 0);
}

static void
what_is_left_over_or_bad_within_makes_it_bad_without(void **state)
{
	struct der_in d = READER("\x30\x06\x02\x01\x05\x02\x01\x06\x05\x00");
	struct der_in inner = der_enter(&d, DER_SEQUENCE);

	(void)state;
	(void)der_take_number(&inner, 9);
	der_leave(&d, &inner);
	assert_true(d.bad);
	d = READER("\x30\x03\x02\x01\x05\x05\x00");
	inner = der_enter(&d, DER_SEQUENCE);
	(void)der_take_number(&inner, 4);
	der_leave(&d, &inner);
	assert_true(d.bad);
	/* An element that reaches over the end of the one around it. */
	d = READER("\x30\x03\x02\x02\x05\x05\x00");
	inner = der_enter(&d, DER_SEQUENCE);
	(void)der_take_unsigned(&inner);
	der_leave(&d, &inner);
	assert_true(d.bad);
}

/* X.690 sections 8.3.2 and 11.1. */
static void
integers_and_booleans_have_one_form(void **state)
{
	static const struct {
		struct text der;
		uint32_t max;
		int64_t want;  /* -1: refused */
	} table[] = {
		{ TEXT_IN("\x02\x01\x00"), 0, 0 }, { TEXT_IN("\x02\x01\x01"), 0, -1 },
		{ TEXT_IN("\x02\x01\x7F"), 127, 127 }, { TEXT_IN("\x02\x01\x7F"), 126, -1 },
		{ TEXT_IN("\x02\x02\x00\x80"), 255, 128 }, { TEXT_IN("\x02\x01\x80"), UINT32_MAX, -1 },
		{ TEXT_IN("\x02\x02\x00\x7F"), 255, -1 }, { TEXT_IN("\x02\x02\x00\x00"), 255, -1 },
		{ TEXT_IN("\x02\x00"), 255, -1 }, { TEXT_IN("\x02\x02\xFF\xFF"), UINT32_MAX, -1 },
		{ TEXT_IN("\x02\x05\x00\xFF\xFF\xFF\xFF"), UINT32_MAX, 0xFFFFFFFF },
		{ TEXT_IN("\x02\x05\x01\x00\x00\x00\x05"), UINT32_MAX, -1 },
		{ TEXT_IN("\x02\x09\x00\x80\x00\x00\x00\x00\x00\x00\x05"), UINT32_MAX, -1 },
		{ TEXT_IN("\x0A\x01\x00"), 9, -1 },
	};

	(void)state;
	for (size_t i = 0; i < LEN(table); i++) {
		struct der_in d = reader_of(table[i].der);
		uint32_t n = der_take_number(&d, table[i].max);

		CLAIM(d.bad == (table[i].want < 0), "no. %zu", i);
		CLAIM(n == (table[i].want < 0 ? 0 : (uint32_t)table[i].want), "no. %zu: %u", i,
			(unsigned)n);
	}
	for (unsigned value = 0; value < 256; value++) {
		char der[] = { 1, 1, (char)value };
		struct der_in d = reader_of((struct text){ der, 3 });
		bool is_true = der_take_boolean(&d);

		CLAIM(is_true == (value == 0xFF), "%u", value);
		CLAIM(d.bad == (value != 0 && value != 0xFF), "%u", value);
	}
	for (size_t i = 0; i < 2; i++) {
		struct der_in d = i == 0 ? READER("\x01\x00") : READER("\x01\x02\xFF\xFF");

		CLAIM(!der_take_boolean(&d) && d.bad, "no. %zu", i);
	}
}

static void
bits_are_taken_only_by_whole_bytes(void **state)
{
	static const struct text refused[] = {
		TEXT_IN("\x03\x00"), TEXT_IN("\x03\x02\x01\xFE"), TEXT_IN("\x03\x02\x07\x80"),
		TEXT_IN("\x23\x02\x00\x80"),
	};
	struct der_in d = READER("\x03\x01\x00");

	(void)state;
	assert_int_equal(der_take_bits(&d).len, 0);
	assert_true(der_is_done(&d));
	for (size_t i = 0; i < LEN(refused); i++) {
		d = reader_of(refused[i]);
		CLAIM(der_take_bits(&d).len == 0 && d.bad, "no. %zu", i);
	}
}

static void
times_are_dates_that_exist_to_the_second_in_utc(void **state)
{
	static const struct {
		const char *der;
		int64_t want;  /* INT64_MIN: refused */
	} table[] = {
		{ "\x17\x0D" "700101000000Z", 0 },
		{ "\x17\x0D" "691231235959Z", -1 },
		{ "\x17\x0D" "500101000000Z", INT64_C(-631152000) },
		{ "\x17\x0D" "491231235959Z", INT64_C(2524607999) },
		{ "\x17\x0D" "000229120000Z", INT64_C(951825600) },
		{ "\x18\x0F" "20500101000000Z", INT64_C(2524608000) },
		{ "\x18\x0F" "20200229000000Z", INT64_C(1582934400) },
		{ "\x18\x0F" "99991231235959Z", INT64_C(253402300799) },
		{ "\x18\x0F" "00010101000000Z", INT64_C(-62135596800) },
		{ "\x18\x0F" "00000101000000Z", INT64_MIN },
		{ "\x17\x0D" "010229120000Z", INT64_MIN }, { "\x18\x0F" "21000229000000Z", INT64_MIN },
		{ "\x17\x0D" "200001000000Z", INT64_MIN }, { "\x17\x0D" "201301000000Z", INT64_MIN },
		{ "\x17\x0D" "200100000000Z", INT64_MIN }, { "\x17\x0D" "200132000000Z", INT64_MIN },
		{ "\x17\x0D" "200431000000Z", INT64_MIN }, { "\x17\x0D" "200101240000Z", INT64_MIN },
		{ "\x17\x0D" "200101006000Z", INT64_MIN }, { "\x17\x0D" "161231235960Z", INT64_MIN },
		{ "\x17\x0D" "200101000000z", INT64_MIN }, { "\x17\x0D" "2001010000000", INT64_MIN },
		{ "\x17\x0B" "2001010000Z", INT64_MIN }, { "\x17\x0F" "20200101000000Z", INT64_MIN },
		{ "\x17\x11" "200101000000+0000", INT64_MIN }, { "\x18\x0D" "200101000000Z", INT64_MIN },
		{ "\x18\x11" "20200101000000.1Z", INT64_MIN }, { "\x18\x0E" "20200101000000", INT64_MIN },
		{ "\x17\x0D" "2001 1000000Z", INT64_MIN }, { "\x17\x0D" "/:0101000000Z", INT64_MIN },
		{ "\x17\x0D" "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFFZ", INT64_MIN },
		{ "\x18\x0F" "-0200101000000Z", INT64_MIN }, { "\x17\x00", INT64_MIN },
		{ "\x04\x0D" "700101000001Z", INT64_MIN },
	};

	(void)state;
	for (size_t i = 0; i < LEN(table); i++) {
		struct text t = text_of(table[i].der);
		struct der_in d = reader_of((struct text){ t.at, t.len < 2 ? 2 : t.len });
		int64_t time_s = der_take_time(&d);
		bool refused = table[i].want == INT64_MIN;

		CLAIM(d.bad == refused, "no. %zu, %s", i, table[i].der + 2);
		CLAIM(time_s == (refused ? 0 : table[i].want), "no. %zu, %s", i, table[i].der + 2);
	}
}

static void
nothing_that_is_read_lies_outside_of_the_buffer(void **state)
{
	(void)state;
	for (uint32_t round = 0; round < claim_rounds(100000); round++) {
		char noise[40];
		struct der_in d = reader_of(unit_random_text(noise, sizeof noise,
			"\x30\x31\x02\x01\x03\x04\x05\x06\x80\x81\x82\x83\x84\xA0"));
		const uint8_t *start = d.at;

		for (unsigned tag; (tag = der_peek(&d)) != 0;) {
			struct bytes b = der_take(&d, tag);

			CLAIM(b.at >= start && b.at + b.len <= d.end, "round %u", (unsigned)round);
		}
	}
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
		TEST(what_is_written_is_read_again),
		TEST(an_element_can_be_had_with_its_header),
		TEST(other_headers_than_those_of_der_are_refused),
		TEST(a_bad_reader_gives_nothing_and_stays_bad),
		TEST(what_is_left_over_or_bad_within_makes_it_bad_without),
		TEST(integers_and_booleans_have_one_form),
		TEST(bits_are_taken_only_by_whole_bytes),
		TEST(times_are_dates_that_exist_to_the_second_in_utc),
		TEST(nothing_that_is_read_lies_outside_of_the_buffer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
