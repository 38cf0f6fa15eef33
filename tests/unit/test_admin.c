/* SPDX-License-Identifier: MIT */
/* Which administrative commands there are, how they are refused, and what each of them reads. */
#include "unit.h"

static char said[CUBFTPD_ADMIN_OUT], wrong[256];
static struct out out, why;
static struct cubftpd_reads reads;

/* Words, cut apart at blanks, as a program's arguments. Returns their number. */
static int
cut(const char *words, char *argv[16])
{
	static char room[256];
	int argc = 0;

	snprintf(room, sizeof room, "%s", words);
	for (char *at = strtok(room, " "); at != NULL; at = strtok(NULL, " ")) {
		argv[argc++] = at;
	}
	return argc;
}

static int
run(const char *words)
{
	static struct cubftpd_config config;
	char *argv[16];
	int argc = cut(words, argv);

	cubftpd_config_default(&config);
	out = OUT(said);
	why = OUT(wrong);
	return cubftpd_admin(&config, argc, argv, &out, &why);
}

static void
what_is_no_command_is_refused_and_told(void **state)
{
	(void)state;
	assert_int_equal(run(""), CUB_E_BAD);
	assert_int_equal(run("frobnicate"), CUB_E_BAD);
	assert_true(SAYS(&why, "unknown command frobnicate"));
	assert_int_equal(run("accounts"), CUB_E_BAD);
	assert_int_equal(run("ca"), CUB_E_BAD);
	assert_true(SAYS(&why, "ca wants add or list or remove"));
	assert_int_equal(run("ca frobnicate"), CUB_E_BAD);
	assert_true(SAYS(&why, "ca wants add or list or remove"));
	assert_int_equal(run("account ad"), CUB_E_BAD);
	assert_int_equal(run("account add"), CUB_E_BAD);
	assert_true(SAYS(&why, "an account's name is missing"));
	assert_int_equal(run("pending --exact"), CUB_E_BAD);
	assert_true(SAYS(&why, "unknown option --exact"));
}

static void
a_server_that_does_not_run_has_nothing_to_do(void **state)
{
	(void)state;
	assert_int_equal(run("reload"), CUB_E_NOENT);
	assert_true(SAYS(&why, "the server is not running"));
	assert_int_equal(run("kick 1"), CUB_E_NOENT);
	assert_int_equal(run("kick all"), CUB_E_BAD);
	assert_int_equal(run("sessions"), CUB_OK);
	assert_true(out.len == 0 && why.len > 0);
}

static void
what_is_not_there_yet_is_an_empty_list(void **state)
{
	(void)state;
	assert_int_equal(run("account list"), CUB_OK);
	assert_true(out.len == 0 && why.len == 0);
	assert_int_equal(run("trusted --json"), CUB_OK);
	assert_true(SAYS(&out, "[]\n") && why.len == 0);
	assert_int_equal(run("ca list --json"), CUB_OK);
	assert_true(SAYS(&out, "[]\n"));
	assert_int_equal(run("account remove anna"), CUB_E_NOENT);
	assert_true(why.len > 0);
}

static void
ask_reads(const char *words)
{
	char *argv[16];
	int argc = cut(words, argv);

	cubftpd_admin_reads(argc, argv, &reads);
}

static bool
reads_nothing(void)
{
	return !reads.password && !reads.standard_input && reads.file == NULL
		&& reads.key_file == NULL;
}

static void
each_command_reads_what_it_is_about(void **state)
{
	static const char *const nothing[] = {
		"", "status", "account add anna", "account list", "trust 12345678 --account anna",
		"trust sha256:12345678 --account anna", "distrust 12:34:56:78", "ca list", "ca remove x",
		"init", "csr --name x", "frobnicate file", "ca add", "cert a b", "trust file --frobnicate",
	};

	(void)state;
	for (size_t i = 0; i < LEN(nothing); i++) {
		ask_reads(nothing[i]);
		CLAIM(reads_nothing(), "%s", nothing[i]);
	}
	ask_reads("account passwd anna");
	assert_true(reads.password);
	ask_reads("account add --password-stdin anna");
	assert_true(reads.password);
	ask_reads("trust --label x a.pem --account anna");
	assert_string_equal(reads.file, "a.pem");
	assert_false(reads.file_may_lack);
	ask_reads("distrust tech");
	assert_string_equal(reads.file, "tech");
	assert_true(reads.file_may_lack);
	ask_reads("ca add ca.pem --account anna");
	assert_string_equal(reads.file, "ca.pem");
	ask_reads("cert");
	assert_true(reads.standard_input && reads.file == NULL);
	ask_reads("cert 12345678");
	assert_true(!reads.standard_input && text_same(text_of(reads.file), "12345678"));
	ask_reads("init --key a --cert b");
	assert_string_equal(reads.key_file, "a");
	assert_string_equal(reads.file, "b");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_no_command_is_refused_and_told),
		TEST(a_server_that_does_not_run_has_nothing_to_do),
		TEST(what_is_not_there_yet_is_an_empty_list),
		TEST(each_command_reads_what_it_is_about),
	};

	return cmocka_run_group_tests_name("admin", tests, NULL, NULL);
}
