/* SPDX-License-Identifier: MIT */
/*
 * HASH, XSHA256 and XCRC: what they answer, and what goes on meanwhile. Other servers hash a
 * file in one go, and everybody else waits; here it is slices, so the file may change, the
 * medium fail and the client speak or vanish between any two of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crc32.h"
#include "story.h"

#define BIG 1000000

static struct peer p, q;
static uint8_t big[BIG], got[100];

static int
setup(void **state)
{
	story_setup(state);
	story_new();
	story_fill(big, sizeof big, 5);
	sim_file_put("/srv/home/big", big, sizeof big);
	sim_file_put("/srv/home/a", "hello", 5);
	sim_dir_put("/srv/home/dir");
	peer_init(&p);
	return 0;
}

/* What is asked for, computed at once. */
static const char *
sha256_of(const void *bytes, size_t len)
{
	static char digits[65];
	br_sha256_context hash;
	uint8_t sum[32];

	br_sha256_init(&hash);
	br_sha256_update(&hash, bytes, len);
	br_sha256_out(&hash, sum);
	for (size_t i = 0; i < sizeof sum; i++) {
		snprintf(digits + 2 * i, 3, "%02x", sum[i]);
	}
	return digits;
}

static const char *
crc_of(const void *bytes, size_t len)
{
	static char digits[9];

	snprintf(digits, sizeof digits, "%08x", (unsigned)crc32(0, bytes, len));
	return digits;
}

/* The last reply is exactly this line. */
#define CHECK_REPLY(...) check_reply(__LINE__, __VA_ARGS__)

static void __attribute__((format(printf, 2, 3)))
check_reply(int line, const char *format, ...)
{
	char wanted[400];
	va_list args;

	va_start(args, format);
	vsnprintf(wanted, sizeof wanted - 2, format, args);
	va_end(args);
	strcat(wanted, "\r\n");
	if (strcmp(p.reply, wanted) != 0) {
		sim_fail("line %d: %s, not %s", line, p.reply, wanted);
	}
}

/* Begin, and do a part of the file. */
static void
begin_hash(const char *command)
{
	peer_command(&p, "%s", command);
	CHECK(peer_turn(&p));
	CHECK(p.control.dst_len == 0 && sim_file_open_count() == 3);
}

static void
tell_hashes(void)
{
	static const size_t sizes[] = { 0, 1, 4095, 4096, 4097, 20000 };

	story_start();
	peer_init(&p);
	story_login_as(&p, "anna");
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		size_t len = sizes[i];

		sim_file_put("/srv/home/sub/f", big, len);
		CHECK_CODE(&p, peer_ask(&p, "HASH sub/f"), 213);
		CHECK_REPLY("213 SHA-256 0-%zu %s /sub/f", len, sha256_of(big, len));
		CHECK_CODE(&p, peer_ask(&p, "XSHA256 sub/f"), 250);
		CHECK_REPLY("250 %s", sha256_of(big, len));
		CHECK_CODE(&p, peer_ask(&p, "XCRC sub/f"), 250);
		CHECK_REPLY("250 %s", crc_of(big, len));
		CHECK_CODE(&p, peer_ask(&p, "OPTS HASH CRC32"), 200);
		CHECK_CODE(&p, peer_ask(&p, "HASH sub/f"), 213);
		CHECK_REPLY("213 CRC32 0-%zu %s /sub/f", len, crc_of(big, len));
		CHECK_CODE(&p, peer_ask(&p, "OPTS HASH SHA-256"), 200);
	}
	CHECK_CODE(&p, peer_quit(&p), 221);
}

static void
each_hash_is_that_of_the_file_at_every_split(void **state)
{
	(void)state;
	story_each_way(tell_hashes);
}

static void
the_log_tells_what_was_asked_for(void **state)
{
	char line[200];

	(void)state;
	story_login(&p);
	sim_dir_put("/srv/home/sub");
	sim_file_put("/srv/home/sub/f", big, 5000);
	CHECK_CODE(&p, peer_ask(&p, "HASH sub/f"), 213);
	(void)snprintf(line, sizeof line, " account=anna end=5000 SHA-256=%s path=/sub/f",
		sha256_of(big, 5000));
	CHECK(sim_log_has("event=hash ") && sim_log_has(line));
	CHECK_CODE(&p, peer_ask(&p, "XCRC sub/f"), 250);
	(void)snprintf(line, sizeof line, " end=5000 CRC32=%s path=/sub/f", crc_of(big, 5000));
	CHECK(sim_log_has(line));
	story_end();
}

static void
the_hash_of_hash_is_chosen_and_told(void **state)
{
	(void)state;
	story_login(&p);
	CHECK_CODE(&p, peer_ask(&p, "OPTS HASH"), 200);
	CHECK_REPLY("200 SHA-256");
	CHECK_CODE(&p, peer_ask(&p, "OPTS HASH crc32"), 200);
	CHECK_REPLY("200 CRC32");
	CHECK_CODE(&p, peer_ask(&p, "OPTS HASH MD5"), 504);
	CHECK_CODE(&p, peer_ask(&p, "OPTS HASH"), 200);
	CHECK_REPLY("200 CRC32");
	CHECK_CODE(&p, peer_ask(&p, "FEAT"), 211);
	CHECK(strstr(p.reply, "\r\n HASH SHA-256;CRC32*\r\n") != NULL);
	/* The others have theirs in their names. */
	CHECK_CODE(&p, peer_ask(&p, "XSHA256 a"), 250);
	CHECK_REPLY("250 %s", sha256_of("hello", 5));
	story_end();
}

static void
a_part_may_be_asked_for_as_others_have_it(void **state)
{
	static const struct {
		const char *arg;
		unsigned from, to;
	} good[] = {
		{ "a 0 5", 0, 5 }, { "a 1 3", 1, 3 }, { "\"a\" 2 5", 2, 5 }, { "a 5 5", 5, 5 },
		{ "\"a\"", 0, 5 }, { "\"a b\" 1 2", 1, 2 }, { "a b 1 2", 1, 2 }, { "a b", 0, 5 },
		{ "\"a 1 2\"", 0, 5 }, { "\"a b\"", 0, 5 }, { "a 7", 0, 5 }, { "a 7 1 4", 1, 4 },
	};
	static const char *const wrong[] = {
		"a 3 2", "a 0 6", "a 6 6", "a 0 9223372036854775807", "\"a\" 9223372036854775807 1",
	};
	static const char *const no_names[] = {
		"a 1 x", "a -1 2", "a 0 9223372036854775808", "\"a", "\"\"",
	};

	(void)state;
	sim_file_put("/srv/home/a b", "hello", 5);
	sim_file_put("/srv/home/a 7", "hello", 5);
	sim_file_put("/srv/home/a 1 2", "hello", 5);
	story_login(&p);
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		size_t len = good[i].to - good[i].from;

		CHECK_CODE(&p, peer_ask(&p, "XCRC %s", good[i].arg), 250);
		CHECK_REPLY("250 %s", crc_of("hello" + good[i].from, len));
		CHECK_CODE(&p, peer_ask(&p, "XSHA256 %s", good[i].arg), 250);
		CHECK_REPLY("250 %s", sha256_of("hello" + good[i].from, len));
	}
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		CHECK_CODE(&p, peer_ask(&p, "XCRC %s", wrong[i]), 554);
	}
	for (size_t i = 0; i < sizeof no_names / sizeof no_names[0]; i++) {
		CHECK_CODE(&p, peer_ask(&p, "XCRC %s", no_names[i]), 550);
	}
	/* HASH has no parts: a number belongs to the name. */
	CHECK_CODE(&p, peer_ask(&p, "HASH a 1 2"), 213);
	CHECK_REPLY("213 SHA-256 0-5 %s /a 1 2", sha256_of("hello", 5));
	CHECK_CODE(&p, peer_ask(&p, "HASH a 0 5"), 550);
	CHECK(sim_file_open_count() == 2);
	story_end();
}

static void
what_is_no_file_is_refused_and_opens_nothing(void **state)
{
	static const struct {
		const char *name;
		int code;
	} rows[] = {
		{ "", 501 }, { " none", 550 }, { " dir", 550 }, { " /", 550 }, { " a/b", 550 },
		{ " .cubftpd-1", 553 }, { " fifo", 550 }, { " ../../other/secret", 550 },
	};

	(void)state;
	sim_other_put("/srv/home/fifo");
	sim_file_put("/srv/other/secret", "s", 1);
	story_login(&p);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		CHECK_CODE(&p, peer_ask(&p, "HASH%s", rows[i].name), rows[i].code);
		CHECK_CODE(&p, peer_ask(&p, "XSHA256%s", rows[i].name), rows[i].code);
		CHECK_CODE(&p, peer_ask(&p, "XCRC%s", rows[i].name), rows[i].code);
	}
	CHECK(sim_file_open_count() == 2);
	story_end();
}

static void
without_the_right_to_read_there_is_no_hash(void **state)
{
	(void)state;
	story_give(INPUT_PASSWORD, "secret\n", 7);
	CHECK(story_admin("account add berta --root /home --rights wdl --password-stdin") == CUB_OK);
	peer_init(&p);
	story_login_as(&p, "berta");
	CHECK_CODE(&p, peer_ask(&p, "HASH a"), 550);
	CHECK_CODE(&p, peer_ask(&p, "XSHA256 a"), 550);
	CHECK_CODE(&p, peer_ask(&p, "XCRC a"), 550);
	story_end();
}

static void
a_restart_is_no_part_and_stays_for_its_transfer(void **state)
{
	size_t len;

	(void)state;
	story_login(&p);
	CHECK(peer_epsv(&p) != 0);
	story_data(&p);
	CHECK_CODE(&p, peer_ask(&p, "REST 3"), 350);
	CHECK_CODE(&p, peer_ask(&p, "HASH a"), 213);
	CHECK_REPLY("213 SHA-256 0-5 %s /a", sha256_of("hello", 5));
	/* Nor does it take away the passive port. */
	CHECK_CODE(&p, peer_ask(&p, "RETR a"), 150);
	len = peer_data_read_all(&p, got, sizeof got);
	CHECK(len == 2 && memcmp(got, "lo", 2) == 0);
	CHECK_CODE(&p, peer_reply(&p), 226);
	story_end();
}

static void
a_read_that_fails_anywhere_is_451_and_the_session_goes_on(void **state)
{
	static const uint64_t at[] = { 0, 1, 4095, 4096, 300000, BIG - 1 };

	(void)state;
	story_login(&p);
	for (size_t i = 0; i < sizeof at / sizeof at[0]; i++) {
		sim_file_read_error_at("/srv/home/big", at[i]);
		CHECK_CODE(&p, peer_ask(&p, "HASH big"), 451);
		CHECK_CODE(&p, peer_ask(&p, "XCRC big"), 451);
		CHECK(sim_file_open_count() == 2);
		sim_file_read_error_at("/srv/home/big", UINT64_MAX);
		CHECK_CODE(&p, peer_ask(&p, "HASH a"), 213);
	}
	story_end();
}

static void
a_file_that_becomes_shorter_meanwhile_is_450(void **state)
{
	(void)state;
	story_login(&p);
	begin_hash("HASH big");
	sim_file_put("/srv/home/big", big, BIG - 1);
	CHECK_CODE(&p, peer_reply(&p), 450);
	begin_hash("HASH big");
	sim_file_put("/srv/home/big", big, 10);
	CHECK_CODE(&p, peer_reply(&p), 450);
	CHECK(sim_file_open_count() == 2);
	CHECK_CODE(&p, peer_ask(&p, "HASH big"), 213);
	CHECK_REPLY("213 SHA-256 0-10 %s /big", sha256_of(big, 10));
	story_end();
}

static void
a_file_that_grows_meanwhile_is_hashed_as_long_as_it_was(void **state)
{
	(void)state;
	sim_file_put("/srv/home/big", big, BIG - 1000);
	story_login(&p);
	begin_hash("HASH big");
	sim_file_put("/srv/home/big", big, BIG);
	CHECK_CODE(&p, peer_reply(&p), 213);
	CHECK_REPLY("213 SHA-256 0-%d %s /big", BIG - 1000, sha256_of(big, BIG - 1000));
	story_end();
}

static void
others_are_answered_while_a_file_is_hashed(void **state)
{
	(void)state;
	story_login(&q);
	story_login(&p);
	peer_command(&p, "HASH big");
	CHECK(peer_turn(&p));
	CHECK_CODE(&q, peer_ask(&q, "NOOP"), 200);
	CHECK_CODE(&q, peer_ask(&q, "HASH a"), 213);
	CHECK(sim_peer_pending(p.control.sock) == 0 && sim_file_open_count() == 4);
	CHECK_CODE(&p, peer_reply(&p), 213);
	CHECK_REPLY("213 SHA-256 0-%d %s /big", BIG, sha256_of(big, BIG));
	story_end();
}

static void
stat_meanwhile_tells_how_far_it_is_and_all_else_waits_in_order(void **state)
{
	const char *at;
	long bytes;

	(void)state;
	story_login(&p);
	begin_hash("HASH big");
	CHECK_CODE(&p, peer_ask(&p, "STAT"), 211);
	at = strstr(p.reply, " Hashing, bytes so far: ");
	CHECK(at != NULL);
	bytes = strtol(at + 24, NULL, 10);
	CHECK(bytes > 0 && bytes < BIG);
	CHECK_CODE(&p, peer_ask(&p, "STAT dir"), 450);
	peer_command(&p, "NOOP");
	CHECK_CODE(&p, peer_ask(&p, "STAT"), 211);
	CHECK(strstr(p.reply, "so far") != NULL);
	peer_command(&p, "PWD");
	CHECK_CODE(&p, peer_reply(&p), 213);
	CHECK_CODE(&p, peer_reply(&p), 200);
	CHECK_CODE(&p, peer_reply(&p), 257);
	CHECK_CODE(&p, peer_ask(&p, "STAT"), 211);
	CHECK(strstr(p.reply, "so far") == NULL);
	story_end();
}

static void
abor_ends_it_with_426_and_226_also_behind_telnet_interrupts(void **state)
{
	static const char *const ways[] = { "ABOR\r\n", "\xFF\xF4\xFF\xF2" "ABOR\r\n" };

	(void)state;
	story_login(&p);
	for (size_t i = 0; i < 2; i++) {
		begin_hash("XSHA256 big");
		peer_raw(&p, ways[i], strlen(ways[i]));
		CHECK_CODE(&p, peer_reply(&p), 426);
		CHECK_CODE(&p, peer_reply(&p), 226);
		CHECK(!peer_has_reply(&p) && sim_file_open_count() == 2);
		CHECK_CODE(&p, peer_ask(&p, "XCRC a"), 250);
		CHECK_REPLY("250 %s", crc_of("hello", 5));
	}
	story_end();
}

static void
a_hash_that_takes_its_time_is_not_idle(void **state)
{
	(void)state;
	story_login(&p);
	begin_hash("HASH big");
	for (int i = 0; i < 100; i++) {
		sim_clock_advance(60000);
		story_pass();
	}
	CHECK_CODE(&p, peer_reply(&p), 213);
	CHECK_REPLY("213 SHA-256 0-%d %s /big", BIG, sha256_of(big, BIG));
	story_end();
}

static void
a_client_that_reads_no_replies_meanwhile_is_let_go(void **state)
{
	(void)state;
	sim_net_buffer(2000);
	story_login(&p);
	begin_hash("HASH big");
	p.control.dst_cap = 0;
	for (int i = 0; i < 40; i++) {
		peer_raw(&p, "STAT\r\n", 6);
		(void)peer_turn(&p);
	}
	story_wait_ms(story_config.idle_timeout * 1000 + 10000);
	peer_cut(&p);
	story_check_quiet();
	story_end();
}

static void
the_end_of_the_server_meanwhile_is_421(void **state)
{
	(void)state;
	story_login(&p);
	begin_hash("HASH big");
	cubftpd_stop(port_clock_ms());
	CHECK_CODE(&p, peer_reply(&p), 421);
	CHECK(peer_reply(&p) == CUB_EOF);
	story_end();
}

static void
a_client_that_goes_away_meanwhile_leaves_nothing(void **state)
{
	(void)state;
	for (int how = 0; how < 2; how++) {
		story_login(&p);
		begin_hash("HASH big");
		if (how == 0) {
			peer_reset(&p);
		} else {
			peer_cut(&p);
		}
		story_check_quiet();
	}
	story_end();
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_hash_is_that_of_the_file_at_every_split),
		TEST(the_log_tells_what_was_asked_for),
		TEST(the_hash_of_hash_is_chosen_and_told),
		TEST(a_part_may_be_asked_for_as_others_have_it),
		TEST(what_is_no_file_is_refused_and_opens_nothing),
		TEST(without_the_right_to_read_there_is_no_hash),
		TEST(a_restart_is_no_part_and_stays_for_its_transfer),
		TEST(a_read_that_fails_anywhere_is_451_and_the_session_goes_on),
		TEST(a_file_that_becomes_shorter_meanwhile_is_450),
		TEST(a_file_that_grows_meanwhile_is_hashed_as_long_as_it_was),
		TEST(others_are_answered_while_a_file_is_hashed),
		TEST(stat_meanwhile_tells_how_far_it_is_and_all_else_waits_in_order),
		TEST(abor_ends_it_with_426_and_226_also_behind_telnet_interrupts),
		TEST(a_hash_that_takes_its_time_is_not_idle),
		TEST(a_client_that_reads_no_replies_meanwhile_is_let_go),
		TEST(the_end_of_the_server_meanwhile_is_421),
		TEST(a_client_that_goes_away_meanwhile_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
