/* SPDX-License-Identifier: MIT */
/* Arguments of administrative commands: what is understood, and what is refused in words. */
#include "unit.h"

#include "request.h"

static struct service sv;
static char said[256], wrong[256];
static struct out out, why;
static struct request rq;

#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define NO_WORDS   ((const char *const[]){ NULL })

#define ALL        (TAKES(OPTIONS) - 1)

/* Parse these words; NULL ends them. */
static int
parse(const char *const words[], unsigned takes, const char *word)
{
	static char *argv[32];
	int argc = 0;

	for (; words[argc] != NULL; argc++) {
		argv[argc] = (char *)(uintptr_t)words[argc];
	}
	out = OUT(said);
	why = OUT(wrong);
	rq = (struct request){ .service = &sv, .out = &out, .why = &why };
	return request_parse(&rq, argc, argv, takes, word);
}

static bool
is_given(enum request_option option)
{
	return rq.option[option] != NULL;
}

static void
a_word_and_options_come_in_any_order(void **state)
{
	(void)state;
	assert_int_equal(parse(WORDS("--json", "tech", "--account", "anna"), ALL, "a label"), CUB_OK);
	assert_string_equal(rq.word, "tech");
	assert_string_equal(rq.option[OPTION_ACCOUNT], "anna");
	assert_true(is_given(OPTION_JSON) && !is_given(OPTION_ADMIN) && !is_given(OPTION_EXACT)
		&& !is_given(OPTION_PASSWORD_STDIN));
	assert_null(rq.option[OPTION_LABEL]);
	assert_int_equal(parse(WORDS("--account", "anna", "tech", "--json"), ALL, "a label"), CUB_OK);
	assert_true(text_same(text_of(rq.word), "tech") && is_given(OPTION_JSON));
	assert_int_equal(why.len, 0);
}

static void
each_option_goes_where_it_belongs(void **state)
{
	(void)state;
	assert_int_equal(parse(WORDS("--name", "n", "--root", "r", "--rights", "s", "--account", "t",
		"--label", "u", "--key", "v", "--cert", "w", "--json", "--admin", "--exact",
		"--password-stdin"), ALL, NULL), CUB_OK);
	assert_string_equal(rq.option[OPTION_NAME], "n");
	assert_string_equal(rq.option[OPTION_ROOT], "r");
	assert_string_equal(rq.option[OPTION_RIGHTS], "s");
	assert_string_equal(rq.option[OPTION_ACCOUNT], "t");
	assert_string_equal(rq.option[OPTION_LABEL], "u");
	assert_string_equal(rq.option[OPTION_KEY], "v");
	assert_string_equal(rq.option[OPTION_CERT], "w");
	assert_true(is_given(OPTION_JSON) && is_given(OPTION_ADMIN) && is_given(OPTION_EXACT)
		&& is_given(OPTION_PASSWORD_STDIN));
	assert_null(rq.word);
}

static void
the_last_of_several_counts_and_a_value_may_look_like_an_option(void **state)
{
	(void)state;
	assert_int_equal(parse(WORDS("--name", "a", "--name", "b"), ALL, NULL), CUB_OK);
	assert_string_equal(rq.option[OPTION_NAME], "b");
	assert_int_equal(parse(WORDS("--name", "--json"), ALL, NULL), CUB_OK);
	assert_string_equal(rq.option[OPTION_NAME], "--json");
	assert_false(is_given(OPTION_JSON));
	assert_int_equal(parse(WORDS("--name", ""), ALL, NULL), CUB_OK);
	assert_string_equal(rq.option[OPTION_NAME], "");
}

static void
what_is_wrong_is_told(void **state)
{
	(void)state;
	assert_int_equal(parse(WORDS("--frobnicate"), ALL, NULL), CUB_E_BAD);
	assert_true(SAYS(&why, "unknown option --frobnicate"));
	assert_int_equal(parse(WORDS("--json"), TAKES(OPTION_NAME), NULL), CUB_E_BAD);
	assert_true(SAYS(&why, "unknown option --json"));
	assert_int_equal(parse(WORDS("--jso"), ALL, NULL), CUB_E_BAD);
	assert_int_equal(parse(WORDS("--json "), ALL, NULL), CUB_E_BAD);
	assert_int_equal(parse(WORDS("-"), ALL, NULL), CUB_E_BAD);
	assert_int_equal(parse(WORDS("--json"), 0, NULL), CUB_E_BAD);
	assert_int_equal(parse(WORDS("--name"), ALL, NULL), CUB_E_BAD);
	assert_true(SAYS(&why, "a value must follow --name"));
	assert_int_equal(parse(WORDS("one"), ALL, NULL), CUB_E_BAD);
	assert_true(SAYS(&why, "too many arguments: one"));
	assert_int_equal(parse(WORDS("one", "two"), ALL, "a label"), CUB_E_BAD);
	assert_true(SAYS(&why, "too many arguments: two"));
	assert_int_equal(parse(NO_WORDS, ALL, "a label"), CUB_E_BAD);
	assert_true(SAYS(&why, "a label is missing"));
}

static void
a_word_may_be_left_out_where_that_is_meant(void **state)
{
	(void)state;
	assert_int_equal(parse(NO_WORDS, 0, ""), CUB_OK);
	assert_null(rq.word);
	assert_int_equal(parse(WORDS("file"), 0, ""), CUB_OK);
	assert_string_equal(rq.word, "file");
	assert_int_equal(parse(NO_WORDS, 0, NULL), CUB_OK);
}

/* What somebody wrote comes back on a terminal: without control characters. */
static void
a_complaint_repeats_nothing_that_a_terminal_would_obey(void **state)
{
	(void)state;
	assert_int_equal(parse(WORDS("--\x1B[2J\n"), ALL, NULL), CUB_E_BAD);
	assert_true(SAYS(&why, "unknown option --\\u001b[2J\\u000a"));
}

static const char *
list(unsigned count, bool json)
{
	(void)parse(json ? WORDS("--json") : NO_WORDS, ALL, NULL);
	request_list_start(&rq);
	for (unsigned i = 0; i < count; i++) {
		request_list_next(&rq);
		out_string(&out, json ? "{}" : "x\n");
	}
	request_list_end(&rq);
	return out_finish(&out);
}

static void
lists_are_lines_or_an_array(void **state)
{
	(void)state;
	assert_string_equal(list(0, false), "");
	assert_string_equal(list(2, false), "x\nx\n");
	assert_string_equal(list(0, true), "[]\n");
	assert_string_equal(list(1, true), "[{}]\n");
	assert_string_equal(list(3, true), "[{},{},{}]\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_word_and_options_come_in_any_order),
		TEST(each_option_goes_where_it_belongs),
		TEST(the_last_of_several_counts_and_a_value_may_look_like_an_option),
		TEST(what_is_wrong_is_told),
		TEST(a_word_may_be_left_out_where_that_is_meant),
		TEST(a_complaint_repeats_nothing_that_a_terminal_would_obey),
		TEST(lists_are_lines_or_an_array),
	};

	return cmocka_run_group_tests_name("request", tests, NULL, NULL);
}
