/* SPDX-License-Identifier: MIT */
/*
 * Downloads and listings that end well or break off: a client can always tell which, since
 * close_notify is sent for a whole file only. Closes the gap of servers that end a failed
 * read as they end a file (proftpd, fineftp), and of 32-bit sizes (uftpd).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "story.h"

#define RECORD 16384
#define MAX (5 * RECORD)

static struct peer p;
static uint8_t file[MAX], got[MAX];

static void
begin_at(uint64_t seed)
{
	story_begin(seed);
	story_start();
	story_fill(file, sizeof file, 7);
	story_login(&p);
}

static int
setup(void **state)
{
	story_setup(state);
	begin_at(sim_seed_or(1));
	return 0;
}

static void
finish(void)
{
	size_t len;

	sim_file_put("/srv/home/last", "last", 4);
	CHECK_CODE(&p, story_fetch(&p, "RETR last", got, sizeof got, &len), 226);
	CHECK(len == 4 && memcmp(got, "last", 4) == 0 && p.data.notified);
	story_leave(&p);
}

static void
files_of_each_length_arrive_whole(void **state)
{
	static const size_t lens[] = { 0, 1, RECORD - 1, RECORD, RECORD + 1, 2 * RECORD, MAX };

	(void)state;
	for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
		sim_file_put("/srv/home/f", file, lens[i]);
		CHECK_FETCH(&p, "RETR f", file, lens[i]);
		CHECK(p.data.notified && p.data.end == PEER_ENDED);
	}
	finish();
}

static void
rest_begins_there(void **state)
{
	static const unsigned starts[] = { 1, 100, RECORD, 40000 - 1, 40000 };
	size_t len;

	(void)state;
	sim_file_put("/srv/home/f", file, 40000);
	for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
		CHECK_CODE(&p, peer_ask(&p, "REST %u", starts[i]), 350);
		CHECK_FETCH(&p, "RETR f", file + starts[i], 40000 - starts[i]);
		/* It holds for one transfer. */
		CHECK_CODE(&p, story_fetch(&p, "RETR f", got, sizeof got, &len), 226);
		CHECK(len == 40000);
	}
	CHECK_CODE(&p, peer_ask(&p, "REST 40001"), 350);
	CHECK_CODE(&p, story_fetch(&p, "RETR f", got, sizeof got, &len), 554);
	CHECK_CODE(&p, peer_ask(&p, "REST 5"), 350);
	CHECK_CODE(&p, peer_ask(&p, "CWD /"), 250);
	CHECK_CODE(&p, story_fetch(&p, "RETR f", got, sizeof got, &len), 226);
	CHECK(len == 40000);
	finish();
}

static void
a_file_beyond_4_gib_is_read_and_written_at_its_end(void **state)
{
	const uint64_t four = UINT64_C(1) << 32;
	port_root root;
	port_file far;
	size_t len;

	(void)state;
	CHECK(port_root_open(PORT_NONE, "/srv/home", &root) == CUB_OK);
	CHECK(port_file_open(root, "far", PORT_OPEN_CREATE, 0644, &far) == CUB_OK);
	CHECK(port_file_write(far, four + 1000, "the end", 7) == 7);
	CHECK(port_file_sync(far) == CUB_OK);
	CHECK(port_file_close(far) == CUB_OK);
	port_root_close(root);
	CHECK_CODE(&p, peer_ask(&p, "TYPE I"), 200);
	CHECK_CODE(&p, peer_ask(&p, "SIZE far"), 213);
	CHECK(strcmp(p.reply, "213 4294968303\r\n") == 0);
	CHECK_CODE(&p, peer_ask(&p, "MLST far"), 250);
	CHECK(strstr(p.reply, "size=4294968303;") != NULL);
	CHECK_CODE(&p, peer_ask(&p, "REST 4294968299"), 350);
	CHECK(strcmp(p.reply, "350 Restarting at 4294968299\r\n") == 0);
	CHECK_FETCH(&p, "RETR far", " end", 4);
	CHECK_CODE(&p, peer_ask(&p, "REST 4294968303"), 350);
	CHECK_CODE(&p, story_store(&p, "STOR far", " of all", 7), 226);
	CHECK(sim_file_size("/srv/home/far") == four + 1014);
	CHECK_CODE(&p, story_store(&p, "APPE far", "!", 1), 226);
	CHECK_CODE(&p, peer_ask(&p, "REST 4294968296"), 350);
	CHECK_FETCH(&p, "RETR far", "the end of all!", 15);
	CHECK_CODE(&p, peer_ask(&p, "REST 4294968312"), 350);
	CHECK_CODE(&p, story_fetch(&p, "RETR far", got, sizeof got, &len), 554);
	finish();
}

static void
a_read_error_is_451_without_close_notify(void **state)
{
	static const uint64_t at[] = { 0, 1, RECORD - 1, RECORD, 3 * RECORD + 5, MAX - 1 };
	size_t len;

	(void)state;
	sim_file_put("/srv/home/f", file, sizeof file);
	for (size_t i = 0; i < sizeof at / sizeof at[0]; i++) {
		sim_file_read_error_at("/srv/home/f", at[i]);
		CHECK_CODE(&p, story_fetch(&p, "RETR f", got, sizeof got, &len), 451);
		CHECK(len <= at[i] && memcmp(got, file, len) == 0);
		CHECK(!p.data.notified && p.data.end != PEER_ENDED);
	}
	finish();
}

static void
a_directory_that_fails_is_451_without_close_notify(void **state)
{
	size_t len;

	(void)state;
	for (int i = 0; i < 100; i++) {
		char path[100];

		snprintf(path, sizeof path, "/srv/home/dir/%040d", i);
		sim_file_put(path, "", 0);
	}
	for (uint64_t n = 3; n < 103; n += 7) {
		CHECK(peer_epsv(&p) != 0);
		sim_file_fail_at(n, false, CUB_E_IO);
		CHECK_CODE(&p, story_fetch(&p, "MLSD dir", got, sizeof got, &len), 451);
		CHECK(sim_file_failed());
		CHECK(!p.data.notified && p.data.end != PEER_ENDED);
	}
	sim_file_fail_at(0, false, CUB_E_IO);
	CHECK_CODE(&p, story_fetch(&p, "NLST dir", got, sizeof got, &len), 226);
	CHECK(len == 100 * (42 + sizeof "dir/" - 1));
	finish();
}

static void
a_client_that_leaves_a_download_is_426(void **state)
{
	(void)state;
	sim_file_put("/srv/home/f", file, sizeof file);
	sim_net_buffer(1000);
	for (int how = 0; how < 2; how++) {
		CHECK(story_open(&p, "RETR f") == 150);
		CHECK(peer_data_read(&p, got, 500) > 0);
		if (how == 0) {
			peer_data_reset(&p);
		} else {
			peer_data_cut(&p);
		}
		CHECK_CODE(&p, peer_reply(&p), 426);
	}
	finish();
}

static void
data_from_the_client_during_a_download_does_no_harm(void **state)
{
	int code;

	(void)state;
	sim_file_put("/srv/home/f", file, sizeof file);
	sim_net_buffer(1000);
	CHECK(story_open(&p, "RETR f") == 150);
	(void)peer_data_read(&p, got, 100);
	p.data.src = (const char *)file;
	p.data.src_len = 100;
	(void)peer_data_read_all(&p, got, sizeof got);
	code = peer_reply(&p);
	CHECK(p.data.notified ? code == 226 : code == 426);
	p.data.src_len = 0;
	sim_net_buffer(65536);
	finish();
}

static void
a_late_close_notify_of_the_client_resets_nothing(void **state)
{
	(void)state;
	sim_file_put("/srv/home/f", file, 30000);
	CHECK(story_open(&p, "RETR f") == 150);
	/* The server is done, and the client has not read a byte. */
	CHECK_CODE(&p, peer_reply(&p), 226);
	CHECK(sim_peer_held(p.data.sock));
	CHECK(peer_data_read_all(&p, got, sizeof got) == 30000);
	CHECK(p.data.notified && memcmp(got, file, 30000) == 0);
	story_settle();
	CHECK(sim_net_open_count() == 3);
	finish();
}

static void
a_client_that_keeps_its_data_connection_open_is_not_waited_for(void **state)
{
	struct port_addr from = p.from;

	(void)state;
	(void)from;
	sim_file_put("/srv/home/f", file, 100);
	CHECK(story_open(&p, "RETR f") == 150);
	CHECK_CODE(&p, peer_reply(&p), 226);
	story_settle();
	CHECK(sim_net_open_count() == 4);
	story_wait_ms(5001);
	CHECK(sim_net_open_count() == 3);
	CHECK(peer_data_read_all(&p, got, sizeof got) == 100);
	CHECK(p.data.notified);
	finish();
}

static void
a_file_that_shrinks_or_grows_meanwhile_ends_in_order(void **state)
{
	size_t len;

	(void)state;
	sim_file_put("/srv/home/f", file, sizeof file);
	sim_net_buffer(1000);
	CHECK(story_open(&p, "RETR f") == 150);
	len = peer_data_read(&p, got, 100);
	sim_file_put("/srv/home/f", file, 20000);
	len += peer_data_read_all(&p, got + len, sizeof got - len);
	CHECK_CODE(&p, peer_reply(&p), 226);
	CHECK(len >= 16384 && len <= sizeof file && memcmp(got, file, len) == 0);
	sim_net_buffer(65536);
	finish();
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(files_of_each_length_arrive_whole),
		TEST(rest_begins_there),
		TEST(a_file_beyond_4_gib_is_read_and_written_at_its_end),
		TEST(a_read_error_is_451_without_close_notify),
		TEST(a_directory_that_fails_is_451_without_close_notify),
		TEST(a_client_that_leaves_a_download_is_426),
		TEST(data_from_the_client_during_a_download_does_no_harm),
		TEST(a_late_close_notify_of_the_client_resets_nothing),
		TEST(a_client_that_keeps_its_data_connection_open_is_not_waited_for),
		TEST(a_file_that_shrinks_or_grows_meanwhile_ends_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
