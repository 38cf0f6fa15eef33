/* SPDX-License-Identifier: MIT */
/*
 * Spans of text and bounded output: numbers at their limits, letter case, UTF-8, and that
 * nothing is written beyond a buffer, whatever comes.
 */
#include "unit.h"

#define NO_TEXT ((struct text){ NULL, 0 })

/* Spans */

static void
a_number_is_read_up_to_its_limit_and_not_beyond(void **state)
{
	static const struct {
		const char *text;
		uint64_t max;
		bool good;
	} table[] = {
		{ "0", 0, true }, { "1", 0, false }, { "7", 7, true }, { "8", 7, false },
		{ "255", 255, true }, { "256", 255, false }, { "260", 255, false }, { "1000", 255, false },
		{ "65535", 65535, true }, { "65536", 65535, false }, { "99999", 65535, false },
		{ "9223372036854775807", INT64_MAX, true },
		{ "9223372036854775808", INT64_MAX, false },
		{ "18446744073709551615", UINT64_MAX, true },
		{ "18446744073709551616", UINT64_MAX, false },
		{ "18446744073709551625", UINT64_MAX, false },
		{ "99999999999999999999", UINT64_MAX, false },
		{ "184467440737095516150", UINT64_MAX, false },
	};

	(void)state;
	for (size_t i = 0; i < LEN(table); i++) {
		uint64_t n = 42;
		bool good = text_number(text_of(table[i].text), table[i].max, &n);

		CLAIM(good == table[i].good, "%s", table[i].text);
		CLAIM(n == (good ? strtoull(table[i].text, NULL, 10) : 42), "%s", table[i].text);
	}
}

static void
a_number_is_all_of_the_text(void **state)
{
	static const char *const bad[] = {
		"", " ", "-", "+", "+1", "-1", "-0", " 1", "1 ", "1\n", "0x1", "1e3", "1.0", "1,0", "a",
		"/", ":", "12a", "\xD9\xA3",
	};
	uint64_t n = 42;

	(void)state;
	for (size_t i = 0; i < LEN(bad); i++) {
		CLAIM(!text_number(text_of(bad[i]), UINT64_MAX, &n), "\"%s\"", bad[i]);
	}
	assert_false(text_number(TEXT("1\0"), UINT64_MAX, &n));
	assert_false(text_number(NO_TEXT, UINT64_MAX, &n));
	assert_int_equal(n, 42);
}

static void
numbers_of_all_sizes_agree_with_the_c_library(void **state)
{
	(void)state;
	for (uint32_t round = 0; round < claim_rounds(20000); round++) {
		uint64_t n = sim_random() >> sim_random_below(64);
		uint64_t max = sim_random_below(4) == 0 ? n - sim_random_below(2)
			: sim_random() >> sim_random_below(64);
		char digits[32];
		uint64_t out = 0;

		snprintf(digits, sizeof digits, "%llu", (unsigned long long)n);
		CLAIM(text_number(text_of(digits), max, &out) == (n <= max), "%s", digits);
		CLAIM(n > max || out == n, "%s", digits);
	}
}

static char
ascii_lower(int c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
}

/* Row 4.18 of the checklist. */
static void
only_letters_of_ascii_have_a_case(void **state)
{
	(void)state;
	for (int a = 0; a < 256; a++) {
		for (int b = 0; b < 256; b++) {
			char left = (char)a, right = (char)b;
			bool same = ascii_lower(a) == ascii_lower(b);

			CLAIM(text_equal((struct text){ &left, 1 }, (struct text){ &right, 1 }) == same,
				"bytes %d and %d", a, b);
		}
	}
	assert_true(text_is(TEXT("rEtR"), "RETR"));
	assert_false(text_is(TEXT("RETRY"), "RETR"));
	assert_false(text_is(TEXT("RET"), "RETR"));
	assert_false(text_is(TEXT("RETR\0"), "RETR"));
	assert_true(text_is(NO_TEXT, ""));
	assert_true(text_equal(NO_TEXT, TEXT("")));
}

static void
the_same_means_byte_for_byte(void **state)
{
	(void)state;
	assert_true(text_same(TEXT("root"), "root"));
	assert_false(text_same(TEXT("Root"), "root"));
	assert_false(text_same(TEXT("root "), "root"));
	assert_false(text_same(TEXT("roo"), "root"));
	assert_false(text_same(TEXT("a\0b"), "a"));
	assert_true(text_same(TEXT(""), ""));
	assert_false(text_same(NO_TEXT, "a"));
}

/* text_cut() leaves a null pointer where nothing follows; that is a text like others. */
static void
no_text_at_all_is_the_same_as_an_empty_string(void **state)
{
	(void)state;
	assert_true(text_same(NO_TEXT, ""));
	assert_true(text_is_printable(NO_TEXT));
	assert_int_equal(text_trim(NO_TEXT).len, 0);
}

static void
trimming_takes_blanks_off_both_ends_only(void **state)
{
	(void)state;
	assert_true(text_same(text_trim(TEXT(" \t a b\t ")), "a b"));
	assert_true(text_same(text_trim(TEXT("ab")), "ab"));
	assert_int_equal(text_trim(TEXT(" \t ")).len, 0);
	assert_true(text_same(text_trim(TEXT("\na\r")), "\na\r"));
}

static void
cutting_gives_each_part_once(void **state)
{
	struct text rest = TEXT("a,,b,");

	(void)state;
	assert_true(text_same(text_cut(&rest, ','), "a"));
	assert_int_equal(text_cut(&rest, ',').len, 0);
	assert_non_null(rest.at);
	assert_true(text_same(text_cut(&rest, ','), "b"));
	assert_non_null(rest.at);
	assert_int_equal(text_cut(&rest, ',').len, 0);
	assert_null(rest.at);
	assert_int_equal(rest.len, 0);
	assert_int_equal(text_cut(&rest, ',').len, 0);
	assert_null(rest.at);
	rest = TEXT("whole");
	assert_true(text_same(text_cut(&rest, ','), "whole"));
	assert_null(rest.at);
}

static void
a_copy_fits_with_its_end_or_is_not_made(void **state)
{
	char dst[5] = "old";

	(void)state;
	assert_false(text_copy(TEXT("12345"), dst, sizeof dst));
	assert_string_equal(dst, "old");
	assert_true(text_copy(TEXT("1234"), dst, sizeof dst));
	assert_string_equal(dst, "1234");
	assert_true(text_copy(NO_TEXT, dst, sizeof dst));
	assert_string_equal(dst, "");
	assert_false(text_copy(TEXT(""), dst, 0));
}

/* UTF-8 */

static size_t
put_utf8(char *dst, uint32_t code, size_t len)
{
	static const uint8_t lead[] = { 0, 0, 0xC0, 0xE0, 0xF0 };

	for (size_t i = len - 1; i > 0; i--) {
		dst[i] = (char)(0x80 | (code & 0x3F));
		code >>= 6;
	}
	dst[0] = (char)(lead[len] | code);
	return len;
}

static void
every_character_but_controls_is_printable(void **state)
{
	char bytes[4];

	(void)state;
	for (uint32_t code = 0; code <= 0x10FFFF; code++) {
		size_t need = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
		struct text t = { bytes, put_utf8(bytes, code, need) };
		bool control = code < 0x20 || (code >= 0x7F && code <= 0x9F);
		bool surrogate = code >= 0xD800 && code <= 0xDFFF;

		CLAIM(text_is_printable(t) == (!control && !surrogate), "U+%04X", (unsigned)code);
		t.len--;
		CLAIM(t.len == 0 || !text_is_printable(t), "U+%04X cut short", (unsigned)code);
	}
}

/* Of the characters that Unicode calls default-ignorable, those in use; and what ends lines. */
static bool
is_unseen(uint32_t code)
{
	static const uint32_t ranges[][2] = {
		{ 0xAD, 0xAD }, { 0x34F, 0x34F }, { 0x61C, 0x61C }, { 0x115F, 0x1160 },
		{ 0x17B4, 0x17B5 }, { 0x180B, 0x180F }, { 0x200B, 0x200F }, { 0x2028, 0x202F },
		{ 0x2060, 0x206F }, { 0x3164, 0x3164 }, { 0xFE00, 0xFE0F }, { 0xFEFF, 0xFEFF },
		{ 0xFFA0, 0xFFA0 }, { 0xFFF0, 0xFFFB }, { 0xE0000, 0xE0FFF },
	};

	for (size_t i = 0; i < LEN(ranges); i++) {
		if (code >= ranges[i][0] && code <= ranges[i][1]) {
			return true;
		}
	}
	return false;
}

static void
what_hides_or_turns_is_printable_but_not_plain(void **state)
{
	char bytes[6] = "a";

	(void)state;
	for (uint32_t code = 0; code <= 0x10FFFF; code++) {
		size_t need = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
		struct text one = { bytes + 1, put_utf8(bytes + 1, code, need) };
		struct text all = { bytes, one.len + 2 };
		bool is_plain = text_is_printable(one) && !is_unseen(code);

		bytes[1 + one.len] = 'b';
		CLAIM(text_is_plain(one) == is_plain, "U+%04X", (unsigned)code);
		CLAIM(text_is_plain(all) == is_plain, "U+%04X between others", (unsigned)code);
	}
	assert_true(text_is_plain(NO_TEXT));
	assert_false(text_is_plain(TEXT("\xC3")));
}

static void
a_character_in_more_bytes_than_it_needs_is_refused(void **state)
{
	char bytes[4];

	(void)state;
	for (uint32_t code = 0; code < 0x10000; code++) {
		for (size_t len = code < 0x80 ? 2 : code < 0x800 ? 3 : 4; len <= 4; len++) {
			struct text t = { bytes, put_utf8(bytes, code, len) };

			CLAIM(!text_is_printable(t), "U+%04X in %zu bytes", (unsigned)code, len);
		}
	}
}

static void
what_is_no_utf8_is_refused(void **state)
{
	static const char *const bad[] = {
		"\x80", "\xBF", "\xC0\x80", "\xC1\xBF", "\xC3", "\xC3(", "\xE2\x82", "\xE2(\xA1",
		"\xE2\x82(", "\xED\xA0\x80", "\xED\xBF\xBF", "\xF0\x9F\x98", "\xF0(\x8C\xBC",
		"\xF0\x90(\xBC", "\xF0\x90\x8C(", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80",
		"\xF8\x88\x80\x80\x80", "\xFC\x84\x80\x80\x80\x80", "\xFE", "\xFF", "a\xFF" "b",
		"\xC3\xA4\xA4", "\xC3\xC3\xA4",
	};

	(void)state;
	for (size_t i = 0; i < LEN(bad); i++) {
		CLAIM(!text_is_printable(text_of(bad[i])), "no. %zu", i);
	}
}

static bool
is_tail(uint8_t c, uint8_t low, uint8_t high)
{
	return c >= low && c <= high;
}

/* The grammar of RFC 3629 section 4, row by row: the length of the sequence at `s`, or 0. */
static size_t
by_the_grammar(const uint8_t *s, size_t left)
{
	static const struct {
		uint8_t first, last, low, high, len;
	} rows[] = {
		{ 0x00, 0x7F, 0x00, 0x00, 1 }, { 0xC2, 0xDF, 0x80, 0xBF, 2 },
		{ 0xE0, 0xE0, 0xA0, 0xBF, 3 }, { 0xE1, 0xEC, 0x80, 0xBF, 3 },
		{ 0xED, 0xED, 0x80, 0x9F, 3 }, { 0xEE, 0xEF, 0x80, 0xBF, 3 },
		{ 0xF0, 0xF0, 0x90, 0xBF, 4 }, { 0xF1, 0xF3, 0x80, 0xBF, 4 },
		{ 0xF4, 0xF4, 0x80, 0x8F, 4 },
	};

	for (size_t i = 0; i < LEN(rows); i++) {
		size_t good = 1;

		if (s[0] < rows[i].first || s[0] > rows[i].last || left < rows[i].len) {
			continue;
		}
		if (rows[i].len > 1 && is_tail(s[1], rows[i].low, rows[i].high)) {
			good++;
		}
		while (good > 1 && good < rows[i].len && is_tail(s[good], 0x80, 0xBF)) {
			good++;
		}
		return good == rows[i].len ? good : 0;
	}
	return 0;
}

static void
random_bytes_are_judged_by_the_grammar_of_rfc_3629(void **state)
{
	/* Bytes at the edges of the grammar's rows, and none that is a control. */
	static const char often[] = "az\x80\x8F\x90\x9F\xA0\xBF\xC2\xDF\xE0\xE1\xED\xEE\xF0\xF1\xF4";
	uint32_t good = 0;

	(void)state;
	for (uint32_t round = 0; round < claim_rounds(200000); round++) {
		char bytes[6];
		struct text t = unit_random_text(bytes, sizeof bytes, often);
		const uint8_t *s = (const uint8_t *)bytes;
		size_t at = 0;

		for (size_t step; at < t.len && (step = by_the_grammar(s + at, t.len - at)) > 0;) {
			bool control = s[at] < 0x20 || s[at] == 0x7F || (s[at] == 0xC2 && s[at + 1] < 0xA0);

			if (control) {
				break;
			}
			at += step;
		}
		CLAIM(text_is_printable(t) == (at == t.len), "%zu bytes, begun with %02x %02x", t.len,
			s[0], s[1]);
		good += t.len > 3 && at == t.len;
	}
	assert_in_range(good, 1, UINT32_MAX);
}

/* Bounded output */

static void
what_does_not_fit_is_left_out_and_remembered(void **state)
{
	(void)state;
	for (size_t cap = 0; cap < 8; cap++) {
		char bytes[9];
		struct out o = { .at = bytes, .cap = cap };

		memset(bytes, '#', sizeof bytes);
		out_string(&o, "abc");
		assert_true(o.cut == (cap < 3));
		out_text(&o, TEXT("defg"));
		CLAIM(o.cut == (cap < 7), "a capacity of %zu", cap);
		CLAIM(o.len == (cap < 3 ? 0 : cap < 7 ? 3 : 7), "a capacity of %zu", cap);
		CLAIM(memcmp(bytes, "abcdefg", o.len) == 0, "a capacity of %zu", cap);
		for (size_t len = o.len, i = 0; o.cut && i < cap; i++) {
			out_char(&o, '.');
			CLAIM(o.cut && o.len == len, "a capacity of %zu: what is cut has ended", cap);
		}
		CLAIM(o.cut == (cap < 7), "a capacity of %zu: a cut is not forgotten", cap);
		out_text(&o, NO_TEXT);
		CLAIM(bytes[cap] == '#', "a capacity of %zu", cap);
	}
}

static void
an_end_is_always_put_within_the_buffer(void **state)
{
	char bytes[4];
	struct out o = OUT(bytes);

	(void)state;
	assert_string_equal(out_finish(&o), "");
	out_string(&o, "ab");
	assert_string_equal(out_finish(&o), "ab");
	out_string(&o, "cd");
	assert_false(o.cut);
	assert_string_equal(out_finish(&o), "abc");
}

static void
digits_are_filled_up_with_zeros(void **state)
{
	char bytes[100];
	struct out o = OUT(bytes);

	(void)state;
	out_digits(&o, 7, 3);
	out_char(&o, ' ');
	out_digits(&o, 1234, 3);
	out_char(&o, ' ');
	out_digits(&o, 0, 1);
	out_number(&o, 0);
	out_digits(&o, 0, 4);
	out_char(&o, ' ');
	out_number(&o, UINT64_MAX);
	out_char(&o, ' ');
	out_hex(&o, (const uint8_t *)"\x00\x0F\xF0\xAB", 4);
	assert_true(SAYS(&o, "007 1234 000000 18446744073709551615 000ff0ab"));
}

/* Take \xNN back; false where something stands there that escaping never makes. */
static bool
unescape(struct text t, char *dst, size_t *len)
{
	*len = 0;
	for (size_t i = 0; i < t.len; i++) {
		unsigned byte;
		char pair[3] = { 0 };

		if (t.at[i] <= ' ' || t.at[i] >= 0x7F || t.at[i] == '"' || t.at[i] == '=') {
			return false;
		}
		if (t.at[i] != '\\') {
			dst[(*len)++] = t.at[i];
			continue;
		}
		if (t.len - i < 4 || t.at[i + 1] != 'x') {
			return false;
		}
		memcpy(pair, t.at + i + 2, 2);
		if (sscanf(pair, "%2x", &byte) != 1) {
			return false;
		}
		dst[(*len)++] = (char)byte;
		i += 3;
	}
	return true;
}

/* Two different texts can't look the same, and none of them can end its field. */
static void
escaped_text_can_be_taken_back_and_ends_no_field(void **state)
{
	(void)state;
	for (uint32_t round = 0; round < claim_rounds(50000); round++) {
		char bytes[24], escaped[96], again[96];
		struct text t = unit_random_text(bytes, sizeof bytes, "\\x0\"= \n\raf\x7F\x80");
		struct out o = OUT(escaped);
		size_t len;

		out_escaped(&o, t);
		assert_false(o.cut);
		CLAIM(unescape(out_so_far(&o), again, &len), "round %u", (unsigned)round);
		CLAIM(len == t.len && memcmp(again, bytes, len) == 0, "round %u", (unsigned)round);
	}
}

static void
every_single_byte_is_escaped_unless_it_is_harmless(void **state)
{
	(void)state;
	for (int c = 0; c < 256; c++) {
		char byte = (char)c, bytes[4], want[5];
		struct out o = OUT(bytes);
		bool plain = c > ' ' && c < 0x7F && strchr("\\\"=", c) == NULL;

		snprintf(want, sizeof want, plain ? "%c" : "\\x%02x", c);
		out_escaped(&o, (struct text){ &byte, 1 });
		CLAIM(SAYS(&o, want), "byte %d", c);
	}
}

static void
json_strings_keep_to_rfc_8259(void **state)
{
	(void)state;
	for (int c = 0; c < 256; c++) {
		char byte = (char)c, bytes[8], want[8];
		struct out o = OUT(bytes);

		snprintf(want, sizeof want, c < 0x20 ? "\\u%04x" : c == '"' || c == '\\' ? "\\%c" : "%c",
			c);
		out_json(&o, (struct text){ &byte, 1 });
		CLAIM(text_same(out_so_far(&o), c == 0 ? "\\u0000" : want), "byte %d", c);
	}
}

/*
 * Write some text in pieces that depend on the seed alone: the same text each time. The
 * largest piece has 40 bytes.
 */
static void
produce(struct out *o, uint32_t seed)
{
	for (unsigned pieces = 1 + seed % 200; pieces > 0; pieces--) {
		char bytes[40];

		seed = seed * 1664525 + 1013904223;
		memset(bytes, 'a' + (int)(seed >> 8) % 26, sizeof bytes);
		switch (seed >> 28) {
		case 0:
			out_number(o, seed);
			break;
		case 1:
			out_json(o, TEXT("a\"b\n"));
			break;
		case 2:
			out_char(o, '\n');
			break;
		default:
			out_put(o, bytes, (seed >> 20) % 41);
			break;
		}
	}
}

static void
windows_joined_are_the_whole_text(void **state)
{
	static char whole[8192], joined[8192 + 200];

	(void)state;
	for (uint32_t round = 0; round < claim_rounds(2000); round++) {
		uint32_t seed = (uint32_t)sim_random();
		struct out all = OUT(whole);
		size_t len = 0;
		bool cut = true;

		produce(&all, seed);
		CLAIM(!all.cut, "the test: a text of more than %zu bytes", all.cap);
		while (cut) {
			struct out o = { .at = joined + len, .cap = 40 + sim_random_below(120), .skip = len };

			memset(o.at, '#', o.cap + 1);
			produce(&o, seed);
			CLAIM(o.len <= o.cap && o.at[o.cap] == '#', "round %u", (unsigned)round);
			CLAIM(o.len > 0 || !o.cut, "round %u: no end", (unsigned)round);
			len += o.len;
			cut = o.cut;
			/* Somebody may have taken less of it than there was: half a piece. */
			len -= o.len > 0 && sim_random_below(4) == 0 ? sim_random_below((uint32_t)o.len) : 0;
			cut = cut || len < all.len;
			CLAIM(len <= all.len, "round %u", (unsigned)round);
		}
		CLAIM(len == all.len && memcmp(joined, whole, len) == 0, "round %u", (unsigned)round);
	}
}

static void
a_piece_that_is_skipped_in_part_goes_on_where_the_skip_ends(void **state)
{
	char bytes[8];

	(void)state;
	for (size_t skip = 0; skip <= 12; skip++) {
		struct out o = { .at = bytes, .cap = sizeof bytes, .skip = skip };
		const char *rest = &"abcdefghi"[skip < 9 ? skip : 9];

		out_string(&o, "abc");
		out_text(&o, NO_TEXT);
		out_string(&o, "def");
		out_string(&o, "ghi");
		CLAIM(o.cut == (skip < 1), "a skip of %zu", skip);
		CLAIM(o.len == (skip < 1 ? 6 : strlen(rest)), "a skip of %zu", skip);
		CLAIM(memcmp(bytes, rest, o.len) == 0, "a skip of %zu", skip);
		CLAIM(o.skip == (skip > 9 ? skip - 9 : 0), "a skip of %zu", skip);
	}
}

static void
wiping_clears_every_byte_and_no_other(void **state)
{
	uint8_t bytes[10];

	(void)state;
	memset(bytes, 7, sizeof bytes);
	wipe(bytes + 1, 8);
	assert_memory_equal(bytes, "\7\0\0\0\0\0\0\0\0\7", 10);
	wipe(bytes, 0);
	assert_int_equal(bytes[0], 7);
}

static void
a_mode_is_three_octal_digits_with_at_most_a_zero_before(void **state)
{
	static const char *const bad[] = {
		"", "0", "22", "00", "00022", "1777", "4755", "8", "088", "09a", "+22", " 22", "0o22",
		"778", "77777777777", "0022 ",
	};
	uint16_t mode;

	(void)state;
	assert_true(text_mode(TEXT("022"), &mode) && mode == 022);
	assert_true(text_mode(TEXT("0022"), &mode) && mode == 022);
	assert_true(text_mode(TEXT("000"), &mode) && mode == 0);
	assert_true(text_mode(TEXT("0777"), &mode) && mode == 0777);
	assert_true(text_mode(TEXT("644"), &mode) && mode == 0644);
	for (size_t i = 0; i < LEN(bad); i++) {
		CLAIM(!text_mode(text_of(bad[i]), &mode) && mode == 0644, "%s", bad[i]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_number_is_read_up_to_its_limit_and_not_beyond),
		TEST(a_number_is_all_of_the_text),
		TEST(numbers_of_all_sizes_agree_with_the_c_library),
		TEST(only_letters_of_ascii_have_a_case),
		TEST(the_same_means_byte_for_byte),
		TEST(trimming_takes_blanks_off_both_ends_only),
		TEST(cutting_gives_each_part_once),
		TEST(a_copy_fits_with_its_end_or_is_not_made),
		TEST(every_character_but_controls_is_printable),
		TEST(what_hides_or_turns_is_printable_but_not_plain),
		TEST(a_character_in_more_bytes_than_it_needs_is_refused),
		TEST(what_is_no_utf8_is_refused),
		TEST(random_bytes_are_judged_by_the_grammar_of_rfc_3629),
		TEST(what_does_not_fit_is_left_out_and_remembered),
		TEST(an_end_is_always_put_within_the_buffer),
		TEST(digits_are_filled_up_with_zeros),
		TEST(escaped_text_can_be_taken_back_and_ends_no_field),
		TEST(every_single_byte_is_escaped_unless_it_is_harmless),
		TEST(json_strings_keep_to_rfc_8259),
		TEST(windows_joined_are_the_whole_text),
		TEST(a_piece_that_is_skipped_in_part_goes_on_where_the_skip_ends),
		TEST(a_mode_is_three_octal_digits_with_at_most_a_zero_before),
		TEST(wiping_clears_every_byte_and_no_other),
		TEST(no_text_at_all_is_the_same_as_an_empty_string),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
