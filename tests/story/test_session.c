/* SPDX-License-Identifier: MIT */
/*
 * Whole sessions from the greeting to QUIT, over each door of the server, whole, one byte at
 * a time and at random cuts. Closes the gap that pyftpdlib and uftpd leave: their tests
 * move whole lines over a real loopback, where nothing is ever split or just not possible.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "story.h"

#define FILE_LEN 20011

static struct peer p;
static uint8_t down[FILE_LEN], up[FILE_LEN], got[FILE_LEN + 1];

/* The listing names each of the two files, once and as MLSD wants it. */
static void
check_mlsd(size_t len)
{
	got[len] = '\0';
	CHECK(strstr((char *)got, "type=file;size=20011;modify=") != NULL);
	CHECK(strstr((char *)got, "; down.bin\r\n") != NULL);
	CHECK(strstr((char *)got, "type=dir;modify=") != NULL);
	CHECK(strstr((char *)got, "; sub\r\n") != NULL);
	CHECK(len > 2 && got[len - 1] == '\n');
}

static void
work(void)
{
	size_t len;

	CHECK_CODE(&p, peer_login(&p, "anna", "secret"), 230);
	CHECK_CODE(&p, peer_protect(&p), 200);
	CHECK_CODE(&p, peer_ask(&p, "TYPE I"), 200);
	CHECK_CODE(&p, story_fetch(&p, "MLSD", got, FILE_LEN, &len), 226);
	CHECK(p.data.notified && p.data.resumed);
	check_mlsd(len);
	CHECK_CODE(&p, story_fetch(&p, "RETR down.bin", got, FILE_LEN, &len), 226);
	CHECK(p.data.notified && p.data.resumed);
	CHECK(len == FILE_LEN && memcmp(got, down, len) == 0);
	CHECK_CODE(&p, peer_ask(&p, "CWD sub"), 250);
	CHECK_CODE(&p, story_store(&p, "STOR up.bin", up, FILE_LEN), 226);
	CHECK(p.data.notified && p.data.resumed);
	CHECK(sim_file_is("/srv/home/sub/up.bin", up, FILE_LEN));
	CHECK(sim_dir_count("/srv/home/sub") == 1);
	CHECK_CODE(&p, peer_ask(&p, "SIZE up.bin"), 213);
	CHECK(strcmp(p.reply, "213 20011\r\n") == 0);
	CHECK_CODE(&p, peer_quit(&p), 221);
	CHECK(p.control.end == PEER_ENDED && p.control.notified);
	story_check_quiet();
}

static void
prepare(void)
{
	story_fill(down, sizeof down, 1);
	story_fill(up, sizeof up, 2);
	sim_file_put("/srv/home/down.bin", down, sizeof down);
	sim_dir_put("/srv/home/sub");
	story_start();
	peer_init(&p);
}

static void
tell_explicit(void)
{
	prepare();
	CHECK_CODE(&p, peer_connect(&p, 21, false), 220);
	CHECK_CODE(&p, peer_auth_tls(&p), 234);
	work();
}

static void
tell_implicit(void)
{
	prepare();
	CHECK_CODE(&p, peer_connect(&p, 990, true), 220);
	work();
}

static void
tell_explicit_ipv6(void)
{
	prepare();
	p.from = sim_ipv6(7, 0);
	CHECK_CODE(&p, peer_connect(&p, 21, false), 220);
	CHECK_CODE(&p, peer_auth_tls(&p), 234);
	work();
}

static void
tell_implicit_ipv6_with_alpn(void)
{
	prepare();
	p.from = sim_ipv6(7, 0);
	p.alpn = "ftp";
	CHECK_CODE(&p, peer_connect(&p, 990, true), 220);
	work();
}

static void
an_explicit_session_works_at_every_split(void **state)
{
	(void)state;
	story_each_way(tell_explicit);
}

static void
an_implicit_session_works_at_every_split(void **state)
{
	(void)state;
	story_each_way(tell_implicit);
}

static void
an_explicit_session_over_ipv6_works_at_every_split(void **state)
{
	(void)state;
	story_each_way(tell_explicit_ipv6);
}

static void
an_implicit_session_over_ipv6_with_alpn_works_at_every_split(void **state)
{
	(void)state;
	story_each_way(tell_implicit_ipv6_with_alpn);
}

static void
a_session_works_through_pipes_of_a_few_bytes(void **state)
{
	static const size_t sizes[] = { 1, 7, 64, 1000 };

	(void)state;
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		story_begin(sim_seed_or(1));
		sim_net_buffer(sizes[i]);
		tell_explicit();
		story_end();
	}
}

static void
a_foreign_alpn_name_is_refused(void **state)
{
	(void)state;
	story_new();
	peer_init(&p);
	p.alpn = "http/1.1";
	CHECK_CODE(&p, peer_connect(&p, 990, true), CUB_E_TLS);
	CHECK(p.control.tls_error == 256 + 120);
	story_check_quiet();
	story_end();
}

/* What is resumed is known to be FTP: names make no difference, and must not do any harm. */
static void
alpn_names_of_resumed_data_connections_do_no_harm(void **state)
{
	static const char *const names[] = { "http/1.1", "ftp", "ftp-data" };

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		story_new();
		sim_file_put("/srv/home/a", "hello", 5);
		story_login(&p);
		p.alpn = names[i];
		CHECK_FETCH(&p, "RETR a", "hello", 5);
		CHECK(p.data.resumed);
		story_leave(&p);
	}
}

/* Run one session; returns the hash of all bytes that went over any connection. */
static uint64_t
digest_of(uint64_t seed)
{
	story_begin(seed);
	sim_net_split(SIM_RANDOM);
	sim_file_split(SIM_RANDOM);
	tell_explicit();
	story_end();
	return sim_net_digest();
}

static void
a_session_replays_byte_for_byte_from_its_seed(void **state)
{
	uint64_t first = digest_of(42);

	(void)state;
	CHECK(digest_of(42) == first);
	CHECK(digest_of(43) != first);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(an_explicit_session_works_at_every_split, story_setup),
		cmocka_unit_test_setup(an_implicit_session_works_at_every_split, story_setup),
		cmocka_unit_test_setup(an_explicit_session_over_ipv6_works_at_every_split, story_setup),
		cmocka_unit_test_setup(an_implicit_session_over_ipv6_with_alpn_works_at_every_split,
			story_setup),
		cmocka_unit_test_setup(a_session_works_through_pipes_of_a_few_bytes, story_setup),
		cmocka_unit_test_setup(a_foreign_alpn_name_is_refused, story_setup),
		cmocka_unit_test_setup(alpn_names_of_resumed_data_connections_do_no_harm, story_setup),
		cmocka_unit_test_setup(a_session_replays_byte_for_byte_from_its_seed, story_setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
