/* SPDX-License-Identifier: MIT */
/*
 * TYPE A: what is LF in a file is CR LF on the way, in both directions, wherever a record or a
 * read ends, and nothing else changes. A file that has CR LF already is not made worse, a CR
 * that ends no line stays, and listings are what they are in any type.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "story.h"

#define BIG 50000

static struct peer p;
static uint8_t text[BIG], there[2 * BIG], back[BIG + 1], got[2 * BIG + 1];

static int
setup(void **state)
{
	story_setup(state);
	story_new();
	story_login(&p);
	CHECK_CODE(&p, peer_ask(&p, "TYPE A"), 200);
	return 0;
}

/* What should be on the way, by the simplest code there is. */
static size_t
to_network(const uint8_t *src, size_t len, uint8_t *dst)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		if (src[i] == '\n' && (i == 0 || src[i - 1] != '\r')) {
			dst[n++] = '\r';
		}
		dst[n++] = src[i];
	}
	return n;
}

static size_t
from_network(const uint8_t *src, size_t len, uint8_t *dst)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		if (src[i] != '\r' || i + 1 == len || src[i + 1] != '\n') {
			dst[n++] = src[i];
		}
	}
	return n;
}

/* Nothing but what matters: line ends in all combinations, and some letters. */
static void
fill_text(size_t len, uint32_t salt)
{
	static const char letters[] = "\r\n\r\n\r\nab";

	story_fill(text, len, salt);
	for (size_t i = 0; i < len; i++) {
		text[i] = (uint8_t)letters[text[i] % (sizeof letters - 1)];
	}
}

static void
check_download(size_t len)
{
	size_t want = to_network(text, len, there), had;

	sim_file_put("/srv/home/t", text, len);
	CHECK_CODE(&p, story_fetch(&p, "RETR t", got, sizeof got, &had), 226);
	if (had != want || memcmp(got, there, want) != 0) {
		sim_fail("download of %zu: %zu bytes, not %zu, or others", len, had, want);
	}
}

static void
check_upload(size_t len)
{
	size_t want = from_network(text, len, back);

	CHECK_CODE(&p, story_store(&p, "STOR u", text, len), 226);
	if (!sim_file_is("/srv/home/u", back, want)) {
		sim_fail("upload of %zu: not as it should be", len);
	}
}

static void
short_texts_are_converted(void **state)
{
	static const struct {
		const char *file, *way;
	} down[] = {
		{ "", "" }, { "\n", "\r\n" }, { "a", "a" }, { "a\n", "a\r\n" }, { "\n\n", "\r\n\r\n" },
		{ "\r\n", "\r\n" }, { "\r", "\r" }, { "\r\r\n", "\r\r\n" }, { "a\rb\n", "a\rb\r\n" },
		{ "\n\r", "\r\n\r" }, { "one\ntwo", "one\r\ntwo" },
	}, up[] = {
		{ "", "" }, { "\n", "\r\n" }, { "\n", "\n" }, { "\r", "\r" }, { "\r\r", "\r\r" },
		{ "\r\n", "\r\r\n" }, { "a\rb\n", "a\rb\r\n" }, { "\n\r", "\r\n\r" },
		{ "one\ntwo\n", "one\r\ntwo\r\n" }, { "\n\n", "\r\n\r\n" }, { "\r\n\r", "\r\r\n\r" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof down / sizeof down[0]; i++) {
		sim_file_put("/srv/home/t", down[i].file, strlen(down[i].file));
		CHECK_FETCH(&p, "RETR t", down[i].way, strlen(down[i].way));
	}
	for (size_t i = 0; i < sizeof up / sizeof up[0]; i++) {
		CHECK_CODE(&p, story_store(&p, "STOR u", up[i].way, strlen(up[i].way)), 226);
		CHECK(sim_file_is("/srv/home/u", up[i].file, strlen(up[i].file)));
	}
	story_end();
}

static void
long_texts_are_converted_wherever_records_end(void **state)
{
	(void)state;
	for (uint32_t salt = 0; salt < story_times(10, 2); salt++) {
		fill_text(BIG, salt);
		check_download(BIG - salt);
		check_upload(BIG - salt);
	}
	memset(text, '\n', BIG);
	check_download(BIG);
	check_upload(BIG);
	memset(text, '\r', BIG);
	check_download(BIG);
	check_upload(BIG);
	for (size_t i = 1; i < BIG; i += 2) {
		text[i] = '\n';
	}
	check_download(BIG - 1);
	check_upload(BIG - 1);
	story_end();
}

/* Line ends at each place around the end of a record, which has 16,384 bytes. */
static void
a_line_may_end_at_any_place_of_a_record(void **state)
{
	(void)state;
	for (size_t at = 16380; at < 16390; at++) {
		memset(text, 'x', 20000);
		text[at] = '\r';
		text[at + 1] = '\n';
		check_upload(20000);
		check_upload(at + 1);
		check_download(20000);
		check_download(at + 1);
	}
	for (size_t at = 8180; at < 8200; at++) {
		memset(text, 'x', 20000);
		text[at] = '\r';
		text[at + 1] = '\n';
		check_download(20000);
		text[at] = 'x';
		check_download(20000);
	}
	story_end();
}

static void
tell_at_every_split(void)
{
	story_start();
	story_login(&p);
	CHECK_CODE(&p, peer_ask(&p, "TYPE A"), 200);
	fill_text(3000, (uint32_t)sim_random());
	check_download(3000);
	check_upload(3000);
	/* Records of single bytes: each line end is cut. */
	CHECK(story_open(&p, "STOR u") == 150);
	for (size_t i = 0; i < 60; i++) {
		CHECK(peer_data_write(&p, text + i, 1) == 1);
	}
	peer_data_close(&p);
	CHECK_CODE(&p, peer_reply(&p), 226);
	CHECK(sim_file_is("/srv/home/u", back, from_network(text, 60, back)));
	CHECK_CODE(&p, peer_quit(&p), 221);
	story_check_quiet();
}

static void
text_is_converted_at_every_split(void **state)
{
	(void)state;
	story_end();
	story_each_way(tell_at_every_split);
}

static void
type_i_and_listings_are_left_alone(void **state)
{
	(void)state;
	sim_file_put("/srv/home/t", "a\n\r\n\rb", 6);
	CHECK_FETCH(&p, "NLST", "t\r\n", 3);
	CHECK_CODE(&p, peer_ask(&p, "TYPE I"), 200);
	CHECK_FETCH(&p, "RETR t", "a\n\r\n\rb", 6);
	CHECK_CODE(&p, story_store(&p, "STOR t", "\r\n\n\r", 4), 226);
	CHECK(sim_file_is("/srv/home/t", "\r\n\n\r", 4));
	CHECK_FETCH(&p, "NLST", "t\r\n", 3);
	story_end();
}

/* RFC 959: before any TYPE, it is A; lftp counts on it. */
static void
text_is_what_a_session_begins_with(void **state)
{
	(void)state;
	CHECK_CODE(&p, peer_quit(&p), 221);
	peer_init(&p);
	CHECK_CODE(&p, peer_connect(&p, 21, false), 220);
	CHECK_CODE(&p, peer_auth_tls(&p), 234);
	CHECK_CODE(&p, peer_login(&p, "anna", "secret"), 230);
	CHECK_CODE(&p, peer_protect(&p), 200);
	fill_text(100, 3);
	check_upload(100);
	check_download(100);
	story_end();
}

/* A position has no meaning in text: the file stays what it is. */
static void
a_restart_in_text_is_refused(void **state)
{
	size_t len;

	(void)state;
	sim_file_put("/srv/home/t", "one\ntwo\n", 8);
	CHECK_CODE(&p, peer_ask(&p, "REST 4"), 350);
	CHECK_CODE(&p, story_fetch(&p, "RETR t", got, sizeof got, &len), 554);
	CHECK_CODE(&p, peer_ask(&p, "REST 4"), 350);
	CHECK_CODE(&p, peer_ask(&p, "STOR t"), 554);
	CHECK(sim_file_is("/srv/home/t", "one\ntwo\n", 8));
	CHECK_CODE(&p, peer_ask(&p, "REST 0"), 350);
	CHECK_CODE(&p, peer_ask(&p, "RETR t"), 150);  /* by the connection that is there */
	CHECK(peer_data_read_all(&p, got, sizeof got) == 10);
	CHECK_CODE(&p, peer_reply(&p), 226);
	CHECK_CODE(&p, peer_ask(&p, "REST 4"), 350);
	CHECK_CODE(&p, peer_ask(&p, "TYPE I"), 200);
	CHECK_FETCH(&p, "RETR t", "two\n", 4);
	story_end();
}

static void
text_can_be_appended(void **state)
{
	(void)state;
	sim_file_put("/srv/home/t", "one\n", 4);
	CHECK_CODE(&p, story_store(&p, "APPE t", "two\r\nthree\r", 11), 226);
	CHECK(sim_file_is("/srv/home/t", "one\ntwo\nthree\r", 14));
	story_end();
}

/* What one transfer ended with is not remembered by the next. */
static void
a_cr_at_the_end_belongs_to_its_own_transfer(void **state)
{
	size_t len;

	(void)state;
	sim_file_put("/srv/home/t", "\r", 1);
	sim_file_put("/srv/home/s", "\n", 1);
	CHECK_CODE(&p, story_fetch(&p, "RETR t", got, sizeof got, &len), 226);
	CHECK_FETCH(&p, "RETR s", "\r\n", 2);
	CHECK_CODE(&p, story_store(&p, "STOR u", "\r", 1), 226);
	CHECK(sim_file_is("/srv/home/u", "\r", 1));
	CHECK_CODE(&p, story_store(&p, "STOR v", "\n", 1), 226);
	CHECK(sim_file_is("/srv/home/v", "\n", 1));
	CHECK(story_open(&p, "STOR w") == 150);
	CHECK(peer_data_write(&p, "a\r", 2) == 2);
	CHECK(!peer_has_reply(&p));
	peer_data_cut(&p);
	CHECK_CODE(&p, peer_reply(&p), 426);
	CHECK_CODE(&p, story_store(&p, "STOR x", "b", 1), 226);
	CHECK(sim_file_is("/srv/home/x", "b", 1));
	story_end();
}

/* A full disk at the last CR, too, is no success. */
static void
a_text_that_does_not_fit_is_552(void **state)
{
	(void)state;
	sim_disk_limit(4096);
	memset(text, 'x', 4096);
	text[4096] = '\r';
	CHECK_CODE(&p, story_store(&p, "STOR u", text, 4097), 552);
	CHECK(sim_dir_count("/srv/home") == 0);
	CHECK_CODE(&p, story_store(&p, "STOR u", text, 4096), 226);
	story_end();
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(short_texts_are_converted),
		TEST(long_texts_are_converted_wherever_records_end),
		TEST(a_line_may_end_at_any_place_of_a_record),
		TEST(text_is_converted_at_every_split),
		TEST(type_i_and_listings_are_left_alone),
		TEST(text_is_what_a_session_begins_with),
		TEST(a_restart_in_text_is_refused),
		TEST(text_can_be_appended),
		TEST(a_cr_at_the_end_belongs_to_its_own_transfer),
		TEST(a_text_that_does_not_fit_is_552),
	};

	return !CONFIG_CUBFTPD_ASCII ? 0 : cmocka_run_group_tests(tests, NULL, NULL);
}
