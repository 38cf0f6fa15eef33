/* SPDX-License-Identifier: MIT */
/* Replies: each is one well-formed line, and each error has one that fits it. */
#include "unit.h"

#include "reply.h"

/* Three digits, a blank, text without control characters, CR LF. */
static bool
is_well_formed(struct text t)
{
	if (t.len < 7 || t.at[0] < '1' || t.at[0] > '5' || t.at[1] < '0' || t.at[1] > '5'
		|| t.at[2] < '0' || t.at[2] > '9' || t.at[3] != ' ' || t.at[4] == ' '
		|| memcmp(t.at + t.len - 2, "\r\n", 2) != 0) {
		return false;
	}
	return text_is_printable((struct text){ t.at, t.len - 2 });
}

static void
a_reply_is_its_code_its_text_and_a_line_end(void **state)
{
	char bytes[64];
	struct out o = OUT(bytes);

	(void)state;
	reply(&o, 220, "ready");
	assert_true(SAYS(&o, "220 ready\r\n"));
	o = OUT(bytes);
	reply_start(&o, 257, "\"");
	out_string(&o, "/a");
	reply_end(&o, "\" created");
	assert_true(SAYS(&o, "257 \"/a\" created\r\n"));
}

typedef int put_reply(struct out *, int);

/* Errors that no table knows among them. */
static void
try_all_errors(put_reply *put)
{
	for (int err = -100; err <= 100; err++) {
		char bytes[CUB_REPLY_MAX];
		struct out o = OUT(bytes);

		put(&o, err);
		CLAIM(!o.cut, "error %d", err);
		CLAIM(is_well_formed(out_so_far(&o)), "error %d: %s", err, out_finish(&o));
		CLAIM(bytes[0] == '4' || bytes[0] == '5', "error %d: %s", err, bytes);
	}
}

static void
every_error_has_a_reply_that_fits_the_buffer(void **state)
{
	(void)state;
	try_all_errors(reply_error);
	try_all_errors(reply_transfer_error);
}

static unsigned
code_of(put_reply *put, int err)
{
	char bytes[CUB_REPLY_MAX];
	struct out o = OUT(bytes);

	put(&o, err);
	return (unsigned)strtoul(out_finish(&o), NULL, 10);
}

/* RFC 959 section 4.2.2 and 5.4, RFC 4217 section 10, and what clients make of them. */
static void
errors_have_the_codes_that_clients_expect(void **state)
{
	static const struct {
		int err;
		unsigned of_file, of_transfer;
	} table[] = {
		{ CUB_E_NOENT, 550, 550 }, { CUB_E_EXIST, 550, 550 }, { CUB_E_DENIED, 550, 550 },
		{ CUB_E_ISDIR, 550, 550 }, { CUB_E_NOTDIR, 550, 550 }, { CUB_E_NOTEMPTY, 550, 451 },
		{ CUB_E_FULL, 552, 552 }, { CUB_E_NAME, 553, 553 }, { CUB_E_BAD, 554, 554 },
		{ CUB_E_LIMIT, 451, 451 }, { CUB_E_BUSY, 450, 450 }, { CUB_E_IO, 451, 426 },
		{ CUB_E_CORRUPT, 451, 451 }, { CUB_E_REUSE, 451, 522 }, { CUB_E_TLS, 451, 522 },
		{ CUB_E_TIMEOUT, 451, 425 }, { CUB_E_PEER, 451, 426 }, { CUB_EOF, 451, 426 },
		{ CUB_E_ABORTED, 451, 426 }, { CUB_E_MEDIUM, 451, 451 },
	};

	(void)state;
	for (size_t i = 0; i < LEN(table); i++) {
		CLAIM(code_of(reply_error, table[i].err) == table[i].of_file, "error %d", table[i].err);
		CLAIM(code_of(reply_transfer_error, table[i].err) == table[i].of_transfer,
			"error %d", table[i].err);
	}
}

/* The longest: 257 with a path of quotes, each of them doubled. */
static void
the_longest_path_fits_a_reply(void **state)
{
	char bytes[CUB_REPLY_MAX];
	struct out o = OUT(bytes);

	(void)state;
	reply_start(&o, 257, "\"");
	for (unsigned i = 0; i < 2 * (CUB_PATH_MAX - 1); i++) {
		out_char(&o, '"');
	}
	reply_end(&o, "\" is the working directory");
	assert_false(o.cut);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_reply_is_its_code_its_text_and_a_line_end),
		TEST(every_error_has_a_reply_that_fits_the_buffer),
		TEST(errors_have_the_codes_that_clients_expect),
		TEST(the_longest_path_fits_a_reply),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
