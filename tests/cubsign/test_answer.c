/* SPDX-License-Identifier: MIT */
/* Replies of a server that is not trusted: what is one, what it says, and how long it may be. */
#include "host.h"

#include "answer.h"
#include "plain.h"

static struct answer answer;

/* Feed a text; what comes behind a whole reply is left. */
static enum answer_state
feed(struct text t)
{
	enum answer_state state = ANSWER_MORE;

	answer_start(&answer);
	for (size_t i = 0; i < t.len && state == ANSWER_MORE; i++) {
		state = answer_feed(&answer, t.at[i]);
	}
	return state;
}

static void
replies_of_one_line_and_several_are_read(void **state)
{
	static const struct {
		const char *reply;
		unsigned code;
		const char *words;
	} table[] = {
		{ "220 Ready\r\n", 220, "Ready" },
		{ "220 Ready\n", 220, "Ready" },
		{ "226\r\n", 226, "" },
		{ "226 \r\n", 226, "" },
		{ "211-Features:\r\n EPSV\r\n SIZE\r\n211 End\r\n", 211, "Features: EPSV SIZE End" },
		{ "211-One\r\n211-Two\r\n211 Three\r\n", 211, "One Two Three" },
		/* Another code within it is only a text, and so is its own without a blank. */
		{ "211-One\r\n226 Two\r\n2110\r\n211 Three\r\n", 211, "One 226 Two 2110 Three" },
		{ "550 It's \"new\" = old\\\r\n", 550, "It's \"new\" = old\\" },
		{ "553 Techniker \xC5\xBDofie\r\n", 553, "Techniker \xC5\xBDofie" },
	};

	(void)state;
	for (size_t i = 0; i < LEN(table); i++) {
		CLAIM(feed(text_of(table[i].reply)) == ANSWER_WHOLE, "%s", table[i].reply);
		CLAIM(answer.code == table[i].code, "%s", table[i].reply);
		CLAIM(text_same(answer_words(&answer), table[i].words), "%s", table[i].reply);
	}
}

static void
what_is_no_reply_is_refused(void **state)
{
	static const char *const table[] = {
		"\r\n", "22\r\n", "2200 Ready\r\n", "hello\r\n", "099 Low\r\n", "600 High\r\n",
		" 220 Ready\r\n", "220\tReady\r\n", "220_Ready\r\n", "-20 Ready\r\n", "SSH-2.0-x\r\n",
	};

	(void)state;
	for (size_t i = 0; i < LEN(table); i++) {
		CLAIM(feed(text_of(table[i])) == ANSWER_BAD, "%s", table[i]);
	}
	assert_int_equal(feed(TEXT("\0\0\0\n")), ANSWER_BAD);
}

static void
what_has_no_end_is_given_up(void **state)
{
	static const char *const pieces[] = { "a", "211-x\r\n", " \r\n", "\n", "212 x\r\n" };

	(void)state;
	for (size_t i = 0; i < LEN(pieces); i++) {
		enum answer_state got = feed(TEXT("211-begins\r\n"));
		size_t count = 0;

		while (got == ANSWER_MORE && count <= ANSWER_MAX) {
			got = answer_feed(&answer, pieces[i][count++ % strlen(pieces[i])]);
		}
		CLAIM(got == ANSWER_BAD && count <= ANSWER_MAX, "%s", pieces[i]);
	}
}

static void
a_long_line_is_cut_and_still_counts(void **state)
{
	char line[4000];
	struct out o = OUT(line);

	(void)state;
	out_string(&o, "550 ");
	while (o.len < sizeof line - 2) {
		out_char(&o, 'x');
	}
	out_string(&o, "\r\n");
	assert_int_equal(feed(out_so_far(&o)), ANSWER_WHOLE);
	assert_int_equal(answer.code, 550);
	assert_true(answer_words(&answer).len > 100);
	assert_true(answer_words(&answer).len <= ANSWER_WORDS);
}

static void
nothing_that_it_says_moves_the_cursor(void **state)
{
	static const char *const table[] = {
		"550 \x1B[2J\x1B]0;title\x07\r\n", "550 over\rwritten\r\n", "550 back\b\b\b\bnext\r\n",
		"550 \xC2\x9B" "2J\r\n", "550 \x7F\r\n", "550 \xFF\xFE\r\n",
		/* What turns and hides: U+202E, U+2066, U+200B, U+FEFF, U+061C, U+00AD, U+E0021. */
		"550 a\xE2\x80\xAE" "b\r\n", "550 a\xE2\x81\xA6" "b\r\n", "550 a\xE2\x80\x8B\r\n",
		"550 a\xD8\x9C" "b\r\n", "550 a\xC2\xAD" "b\r\n", "550 a\xF3\xA0\x80\xA1\r\n",
		"550 \xEF\xBB\xBF" "a\r\n", "550-\x1B[1m\r\nx\x1B[0m\r\n550 \x1B\r\n",
	};

	(void)state;
	for (size_t i = 0; i < LEN(table); i++) {
		struct text words;

		CLAIM(feed(text_of(table[i])) == ANSWER_WHOLE, "%zu", i);
		words = answer_words(&answer);
		CLAIM(words.len > 0, "%zu", i);
		for (size_t k = 0; k < words.len; k++) {
			CLAIM(words.at[k] >= ' ' && words.at[k] <= '~', "%zu, at %zu", i, k);
		}
	}
	(void)feed(TEXT("550 a\0b\r\n"));
	assert_true(text_same(answer_words(&answer), "a\\x00b"));
}

static void
of_a_sentence_only_what_is_not_plain_is_escaped(void **state)
{
	static const struct {
		const char *written, *shown;
	} table[] = {
		{ "", "" }, { " ", " " }, { "all is well", "all is well" }, { "a  b ", "a  b " },
		{ "\xC5\xBDofie's a=\"b\"", "\xC5\xBDofie's a=\"b\"" },
		{ "e\x1B[31m.crt: is none", "e\\x1b[31m.crt: is none" },
		{ "one\ntwo \xFF", "one\\x0atwo \\xff" }, { "a \xC2\xAD" "b", "a \\xc2\\xadb" },
	};
	char text[64];

	(void)state;
	for (size_t i = 0; i < LEN(table); i++) {
		struct out o = OUT(text);

		plain_put_words(&o, text_of(table[i].written));
		CLAIM(text_same(out_so_far(&o), table[i].shown), "%zu", i);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(replies_of_one_line_and_several_are_read),
		TEST(what_is_no_reply_is_refused),
		TEST(what_has_no_end_is_given_up),
		TEST(a_long_line_is_cut_and_still_counts),
		TEST(nothing_that_it_says_moves_the_cursor),
		TEST(of_a_sentence_only_what_is_not_plain_is_escaped),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
