/* SPDX-License-Identifier: MIT */
/*
 * Cutting command lines: however the bytes are split, the same lines come out; what is too
 * long or no text is told, and never becomes a part of another command.
 */
#include "unit.h"

#include "line.h"

#define IAC  "\xFF"
#define IP   "\xF4"
#define DM   "\xF2"
#define WILL "\xFB"
#define DONT "\xFE"

/* What comes of a stream, as text: "[line]" for lines, "!" for too long ones, "#" for bad. */
struct events {
	char text[4 * CUB_LINE_MAX];
	struct out out;
};

static void
feed(struct line *l, struct events *e, const char *src, size_t len)
{
	for (size_t at = 0, used; at < len; at += used) {
		enum line_event event;

		used = 0;
		event = line_feed(l, (const unsigned char *)src + at, len - at, &used);
		CLAIM(used > 0 && used <= len - at, "%zu bytes at %zu", len, at);
		CLAIM(event != LINE_MORE || used == len - at, "%zu bytes at %zu", len, at);
		if (event == LINE_READY) {
			out_char(&e->out, '[');
			out_text(&e->out, line_text(l));
			out_char(&e->out, ']');
		} else if (event != LINE_MORE) {
			out_char(&e->out, event == LINE_BAD ? '#' : '!');
		}
		if (event == LINE_BAD) {
			return;  /* the connection ends here */
		}
	}
}

/* The events of a whole input. */
static const char *
events_of(struct text input)
{
	static struct events e;
	static struct line l;

	e.out = (struct out){ .at = e.text, .cap = sizeof e.text };
	line_start(&l);
	feed(&l, &e, input.at, input.len);
	return out_finish(&e.out);
}

#define EVENTS(literal) events_of(TEXT(literal))

static void
lines_come_without_their_ends(void **state)
{
	(void)state;
	assert_string_equal(EVENTS("NOOP\r\n"), "[NOOP]");
	assert_string_equal(EVENTS("USER a\r\nPASS b\r\nQUI"), "[USER a][PASS b]");
	assert_string_equal(EVENTS("\r\n\r\n"), "[][]");
	assert_string_equal(EVENTS(" STOR a \t b \r\n"), "[ STOR a \t b ]");
	assert_string_equal(EVENTS("CWD \xC3\xA4\xE4\x80\r\n"), "[CWD \xC3\xA4\xE4\x80]");
}

static void
a_bare_line_feed_ends_a_line_too(void **state)
{
	(void)state;
	assert_string_equal(EVENTS("NOOP\nQUIT\r\n\n"), "[NOOP][QUIT][]");
}

/* Row 4.18 of the checklist. */
static void
control_characters_are_not_taken_for_text(void **state)
{
	(void)state;
	for (int c = 0; c < ' '; c++) {
		char bytes[] = "NO?OP\r\n";

		bytes[2] = (char)c;
		if (c == '\t' || c == '\n') {
			continue;
		}
		CLAIM(strcmp(events_of(text_of("")), "") == 0, "nothing");
		CLAIM(strcmp(events_of((struct text){ bytes, 7 }), "#") == 0, "byte %d", c);
	}
	assert_string_equal(EVENTS("NOOP\rQUIT\r\n"), "#");
	assert_string_equal(EVENTS("NOOP\r\r\n"), "#");
	assert_string_equal(EVENTS("NOOP\r\0QUIT\r\n"), "#");
	assert_string_equal(EVENTS("NOOP\r\n\0"), "[NOOP]#");
}

static void
after_a_bad_byte_a_new_line_begins(void **state)
{
	struct line l;
	size_t used;

	(void)state;
	line_start(&l);
	assert_int_equal(line_feed(&l, (const unsigned char *)"AB\0", 3, &used), LINE_BAD);
	assert_int_equal(used, 3);
	assert_int_equal(line_feed(&l, (const unsigned char *)"CD\r\n", 4, &used), LINE_READY);
	assert_true(text_same(line_text(&l), "CD"));
}

/* Row 4.17 of the checklist. */
static void
telnet_commands_are_taken_out_wherever_they_stand(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} commands[] = {
		{ IAC IP, 2 }, { IAC DM, 2 }, { IAC IP IAC DM, 4 }, { IAC "\xF1", 2 },
		{ IAC WILL "\x01", 3 }, { IAC "\xFC\n", 3 }, { IAC "\xFD\xFF", 3 }, { IAC DONT "\0", 3 },
		{ IAC WILL "\r" IAC IP, 5 },
	};
	static const char line[] = "ABOR a\r\nNOOP\r\n";

	(void)state;
	for (size_t i = 0; i < LEN(commands) * (sizeof line - 1); i++) {
		size_t at = i % (sizeof line - 1);
		char bytes[40];
		struct out o = OUT(bytes);

		out_put(&o, line, at);
		out_put(&o, commands[i / (sizeof line - 1)].bytes, commands[i / (sizeof line - 1)].len);
		out_string(&o, line + at);
		CLAIM(strcmp(events_of(out_so_far(&o)), "[ABOR a][NOOP]") == 0, "command %zu at %zu",
			i / (sizeof line - 1), at);
	}
}

static void
a_doubled_iac_is_the_byte_255(void **state)
{
	(void)state;
	assert_string_equal(EVENTS("a" IAC IAC "b\r\n"), "[a\xFF" "b]");
	assert_string_equal(EVENTS(IAC IAC IAC IAC "\n"), "[\xFF\xFF]");
	assert_string_equal(EVENTS(IAC IAC IAC IP "\n"), "[\xFF]");
}

/* A line of `len` bytes before its end. */
static struct text
line_of(char *dst, size_t len, const char *end)
{
	memset(dst, 'x', len);
	memcpy(dst + len, end, strlen(end) + 1);
	return (struct text){ dst, len + strlen(end) };
}

/* Row 4.17 of the checklist. */
static void
a_line_of_line_max_bytes_is_whole_and_one_more_is_too_long(void **state)
{
	char bytes[CUB_LINE_MAX + 64], want[CUB_LINE_MAX + 3];

	(void)state;
	snprintf(want, sizeof want, "[%.*s]", CUB_LINE_MAX,
		line_of(bytes, CUB_LINE_MAX, "\r\n").at);
	assert_string_equal(events_of(line_of(bytes, CUB_LINE_MAX, "\r\n")), want);
	assert_string_equal(events_of(line_of(bytes, CUB_LINE_MAX, "\n")), want);
	assert_string_equal(events_of(line_of(bytes, CUB_LINE_MAX + 1, "\r\n")), "!");
	assert_string_equal(events_of(line_of(bytes, CUB_LINE_MAX, IAC IP "\r\n")), want);
	assert_string_equal(events_of(line_of(bytes, CUB_LINE_MAX, IAC IAC "\r\n")), "!");
}

/* What is left of it, for whoever looks. */
static struct text
line_text_after_too_long(void)
{
	static char bytes[CUB_LINE_MAX + 8];
	static struct line l;
	struct text t = line_of(bytes, CUB_LINE_MAX + 1, "\r\n");
	size_t used;

	line_start(&l);
	assert_int_equal(line_feed(&l, (unsigned char *)bytes, t.len, &used), LINE_TOO_LONG);
	return line_text(&l);
}

static void
a_line_that_is_too_long_is_dropped_once_and_the_next_one_is_intact(void **state)
{
	static char bytes[8 * CUB_LINE_MAX];

	(void)state;
	for (size_t len = CUB_LINE_MAX + 1; len < LEN(bytes) - 64; len += 1 + len / 3) {
		struct text t = line_of(bytes, len, "\r\nQUIT\r\nNOOP\r\n");

		CLAIM(strcmp(events_of(t), "![QUIT][NOOP]") == 0, "%zu bytes", len);
	}
	assert_int_equal(line_text_after_too_long().len, 0);
	/* Also where it has no end yet, and where it holds no text. */
	assert_string_equal(events_of(line_of(bytes, 2 * CUB_LINE_MAX, "")), "");
	assert_string_equal(events_of(line_of(bytes, 2 * CUB_LINE_MAX, "\x01\r\nQUIT\r\n")), "#");
}

/* Feed `input` in two parts, then byte by byte, then in pieces by the seed. */
static void
try_all_splits(struct text input, unsigned number)
{
	static struct events e;
	char want[sizeof e.text];
	struct line l;

	strcpy(want, events_of(input));
	for (size_t cut = 0; cut <= input.len; cut++) {
		e.out = (struct out){ .at = e.text, .cap = sizeof e.text };
		line_start(&l);
		feed(&l, &e, input.at, cut);
		if (strchr(want, '#') == NULL || e.out.len < strlen(want)) {
			feed(&l, &e, input.at + cut, input.len - cut);
		}
		CLAIM(strcmp(out_finish(&e.out), want) == 0, "input %u cut at %zu", number, cut);
	}
	for (unsigned round = 0; round < 10; round++) {
		e.out = (struct out){ .at = e.text, .cap = sizeof e.text };
		line_start(&l);
		for (size_t at = 0, step; at < input.len; at += step) {
			step = round == 0 ? 1 : 1 + sim_random_below(9);
			step = step < input.len - at ? step : input.len - at;
			feed(&l, &e, input.at + at, step);
			if (strchr(e.text, '#') != NULL && e.out.len == strlen(want)) {
				break;
			}
		}
		CLAIM(strcmp(out_finish(&e.out), want) == 0, "input %u in pieces", number);
	}
}

static void
each_split_of_the_input_gives_the_same_events(void **state)
{
	static const struct text inputs[] = {
		TEXT_IN("USER anonymous\r\nPASS a@b\r\nQUIT\r\n"),
		TEXT_IN("\r\n\n\r\nA\n"),
		TEXT_IN(IAC IP IAC DM "ABOR\r" IAC IP "\n" IAC WILL "\nNOOP\r\n"),
		TEXT_IN("a" IAC IAC "b" IAC DONT IAC "c\r\n"),
		TEXT_IN("NOOP\r\nA\rB\r\n"),
		TEXT_IN("NOOP\r\nA\0B\r\n"),
	};
	char bytes[3 * CUB_LINE_MAX];

	(void)state;
	for (unsigned i = 0; i < LEN(inputs); i++) {
		try_all_splits(inputs[i], i);
	}
	for (unsigned i = 0; i < claim_rounds(300); i++) {
		static char random[64];

		try_all_splits(unit_random_text(random, sizeof random, "ABC\r\n\n" IAC IP WILL), 100 + i);
	}
	if (claim_rounds(1000) == 1000) {
		try_all_splits(line_of(bytes, CUB_LINE_MAX, "\r\nQUIT\r\n"), 1000);
		try_all_splits(line_of(bytes, CUB_LINE_MAX + 1, "\r\nQUIT\r\n"), 1001);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(lines_come_without_their_ends),
		TEST(a_bare_line_feed_ends_a_line_too),
		TEST(control_characters_are_not_taken_for_text),
		TEST(after_a_bad_byte_a_new_line_begins),
		TEST(telnet_commands_are_taken_out_wherever_they_stand),
		TEST(a_doubled_iac_is_the_byte_255),
		TEST(a_line_of_line_max_bytes_is_whole_and_one_more_is_too_long),
		TEST(a_line_that_is_too_long_is_dropped_once_and_the_next_one_is_intact),
		TEST(each_split_of_the_input_gives_the_same_events),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
