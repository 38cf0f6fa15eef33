/* SPDX-License-Identifier: MIT */
/*
 * Uploads that end well, break off, fail, or lose the power: 226 is told only for a file
 * that is whole and durable, and whatever else happens leaves the old one. Closes the gap of
 * LightFTP, fineftp and ESP32FTPServer (226 though writing failed) and of each server that
 * takes a lost connection for the end of a file.
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
#define MAX (3 * RECORD + 100)

static struct peer p;
static uint8_t old[9000], new[MAX];

static void
begin_at(uint64_t seed)
{
	story_begin(seed);
	story_start();
	story_fill(old, sizeof old, 5);
	story_fill(new, sizeof new, 6);
	sim_file_put("/srv/home/f", old, sizeof old);
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
	CHECK_CODE(&p, story_store(&p, "STOR last", "last", 4), 226);
	CHECK_FETCH(&p, "RETR last", "last", 4);
	story_leave(&p);
}

static void
uploads_of_each_length_are_stored_whole(void **state)
{
	static const size_t lens[] = {
		0, 1, 4095, 4096, RECORD - 1, RECORD, RECORD + 1, 2 * RECORD, MAX,
	};

	(void)state;
	for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
		CHECK_CODE(&p, story_store(&p, "STOR f", new, lens[i]), 226);
		CHECK(p.data.notified && p.data.end == PEER_ENDED);
		CHECK(sim_file_is("/srv/home/f", new, lens[i]));
		CHECK(sim_dir_count("/srv/home") == 1);
	}
	finish();
}

static void
stand_still(void)
{
}

/* Put data and close_notify into the pipe while the server does not look. */
static void
send_at_once(const void *src, size_t len)
{
	sim_pump = stand_still;
	CHECK(peer_data_write(&p, src, len) == len);
	br_ssl_engine_close(&p.data.client.eng);
	(void)peer_turn(&p);
	sim_pump = story_pump;
}

static void
the_last_record_and_close_notify_may_come_together(void **state)
{
	static const size_t lens[] = { 0, 1, 100, RECORD, RECORD + 1, 2 * RECORD + 77 };

	(void)state;
	for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
		CHECK(story_open(&p, "STOR f") == 150);
		send_at_once(new, lens[i]);
		CHECK_CODE(&p, peer_reply(&p), 226);
		CHECK(p.data.notified);
		CHECK(sim_file_is("/srv/home/f", new, lens[i]));
	}
	finish();
}

/* Without waiting for the server's close_notify (RFC 5246, 7.2.1, allows that). */
static void
store_and_run(void)
{
	CHECK(story_open(&p, "STOR f") == 150);
	send_at_once(new, 20000);
	sim_peer_close(p.data.sock);
	p.data.sock = 0;
	p.data.end = PEER_NONE;
	CHECK_CODE(&p, peer_reply(&p), 226);
	CHECK(sim_file_is("/srv/home/f", new, 20000));
}

static void
a_client_that_closes_right_after_close_notify_has_stored_its_file(void **state)
{
	(void)state;
	store_and_run();
	for (uint64_t seed = 1; seed <= story_times(20, 3); seed++) {
		begin_at(seed);
		sim_net_split(seed == 1 ? SIM_BYTES : SIM_RANDOM);
		store_and_run();
		sim_net_split(SIM_WHOLE);
	}
	finish();
}

/*
 * Programs that leave Nagle's algorithm on, such as Python's ftplib, wait with the last of a
 * small file until what went before is acknowledged, which a kernel may delay by 40 ms.
 */
static void
what_is_uploaded_is_acknowledged_at_once(void **state)
{
	static uint8_t got[MAX];

	(void)state;
	CHECK(story_open(&p, "STOR f") == 150);
	CHECK(peer_data_write(&p, new, MAX) == MAX);
	CHECK(sim_peer_quickack(p.data.sock));
	peer_data_close(&p);
	CHECK_CODE(&p, peer_reply(&p), 226);
	CHECK(story_open(&p, "RETR f") == 150);
	CHECK(peer_data_read(&p, got, 1) == 1);
	CHECK(!sim_peer_quickack(p.data.sock));
	CHECK(peer_data_read_all(&p, got, MAX) == MAX - 1);
	CHECK_CODE(&p, peer_reply(&p), 226);
	finish();
}

static void
an_end_without_close_notify_is_426_and_the_old_file_stays(void **state)
{
	static const size_t lens[] = { 0, 1, 100, RECORD, 2 * RECORD + 5 };

	(void)state;
	for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
		CHECK(story_open(&p, "STOR f") == 150);
		CHECK(peer_data_write(&p, new, lens[i]) == lens[i]);
		peer_data_cut(&p);
		CHECK_CODE(&p, peer_reply(&p), 426);
		CHECK(sim_file_is("/srv/home/f", old, sizeof old));
		CHECK(sim_dir_count("/srv/home") == 1);
	}
	finish();
}

static void
a_reset_is_426_and_the_old_file_stays(void **state)
{
	(void)state;
	for (int drops = 0; drops < 2; drops++) {
		sim_net_reset_drops(drops != 0);
		CHECK(story_open(&p, "STOR f") == 150);
		CHECK(peer_data_write(&p, new, 30000) == 30000);
		peer_data_reset(&p);
		CHECK_CODE(&p, peer_reply(&p), 426);
		CHECK(sim_file_is("/srv/home/f", old, sizeof old));
		CHECK(sim_dir_count("/srv/home") == 1);
	}
	finish();
}

static void
a_new_file_that_broke_off_is_kept_and_can_be_resumed(void **state)
{
	uint64_t had;

	(void)state;
	CHECK(story_open(&p, "STOR n") == 150);
	CHECK(peer_data_write(&p, new, 40000) == 40000);
	peer_data_cut(&p);
	CHECK_CODE(&p, peer_reply(&p), 426);
	CHECK(sim_file_exists("/srv/home/n"));
	had = sim_file_size("/srv/home/n");
	CHECK(had > 0 && had <= 40000 && sim_dir_count("/srv/home") == 2);
	CHECK_CODE(&p, peer_ask(&p, "REST %u", (unsigned)had), 350);
	CHECK_CODE(&p, story_store(&p, "STOR n", new + had, MAX - had), 226);
	CHECK(sim_file_is("/srv/home/n", new, MAX));
	finish();
}

static void
an_empty_file_that_broke_off_is_not_kept(void **state)
{
	(void)state;
	CHECK(story_open(&p, "STOR n") == 150);
	peer_data_cut(&p);
	CHECK_CODE(&p, peer_reply(&p), 426);
	CHECK(sim_dir_count("/srv/home") == 1);
	finish();
}

static void
rest_and_stor_write_from_there_and_cut_off_the_rest(void **state)
{
	static uint8_t wanted[sizeof old];

	(void)state;
	memcpy(wanted, old, 5000);
	memcpy(wanted + 5000, new, 1000);
	CHECK_CODE(&p, peer_ask(&p, "REST 5000"), 350);
	CHECK_CODE(&p, story_store(&p, "STOR f", new, 1000), 226);
	CHECK(sim_file_is("/srv/home/f", wanted, 6000));
	CHECK_CODE(&p, peer_ask(&p, "REST 6000"), 350);
	CHECK_CODE(&p, story_store(&p, "STOR f", "", 0), 226);
	CHECK(sim_file_is("/srv/home/f", wanted, 6000));
	CHECK_CODE(&p, peer_ask(&p, "REST 6001"), 350);
	CHECK_CODE(&p, story_store(&p, "STOR f", "x", 1), 554);
	/* REST holds for one transfer. */
	CHECK_CODE(&p, story_store(&p, "STOR f", "xyz", 3), 226);
	CHECK(sim_file_is("/srv/home/f", "xyz", 3));
	finish();
}

static void
appe_adds_to_the_end(void **state)
{
	static uint8_t wanted[sizeof old + 500];

	(void)state;
	memcpy(wanted, old, sizeof old);
	memcpy(wanted + sizeof old, new, 500);
	CHECK_CODE(&p, story_store(&p, "APPE f", new, 500), 226);
	CHECK(sim_file_is("/srv/home/f", wanted, sizeof wanted));
	CHECK_CODE(&p, story_store(&p, "APPE n", new, 700), 226);
	CHECK(sim_file_is("/srv/home/n", new, 700));
	finish();
}

static void
rest_before_appe_makes_no_hole(void **state)
{
	(void)state;
	CHECK_CODE(&p, peer_ask(&p, "REST 100"), 350);
	CHECK_CODE(&p, story_store(&p, "APPE n", "abc", 3), 226);
	CHECK(sim_file_is("/srv/home/n", "abc", 3));
	finish();
}

static void
a_data_connection_that_fails_touches_no_file(void **state)
{
	(void)state;
	p.resume = false;
	story_data(&p);
	CHECK_CODE(&p, peer_ask(&p, "APPE f"), 150);
	CHECK_CODE(&p, peer_reply(&p), 522);
	peer_data_cut(&p);
	story_data(&p);
	CHECK_CODE(&p, peer_ask(&p, "STOR n"), 150);
	CHECK_CODE(&p, peer_reply(&p), 522);
	peer_data_cut(&p);
	p.resume = true;
	CHECK(sim_file_is("/srv/home/f", old, sizeof old));
	CHECK(sim_dir_count("/srv/home") == 1);
	finish();
}

/* What must hold after an upload to f, however it went. */
static void
check_outcome(int code)
{
	bool is_new = sim_file_is("/srv/home/f", new, MAX);

	CHECK(is_new || sim_file_is("/srv/home/f", old, sizeof old));
	CHECK(is_new == (code == 226));
}

/* Let the n-th file call of an upload fail, for each n, and tell the code it must have. */
static void
fail_each_call(int error, bool forever, bool (*is_fitting)(int code))
{
	for (uint64_t n = 1; ; n++) {
		bool struck;
		int code;

		begin_at(sim_seed_or(n));
		sim_file_fail_at(n, forever, error);
		code = story_store(&p, "STOR f", new, MAX);
		struck = sim_file_failed();
		sim_file_fail_at(0, false, CUB_E_IO);
		if (!struck) {
			CHECK_CODE(&p, code, 226);
			check_outcome(code);
			CHECK(n > 6);
			break;
		}
		if (!is_fitting(code)) {
			sim_fail("call %u failing: %d: %s", (unsigned)n, code, p.reply);
		}
		check_outcome(code);
		CHECK(forever || sim_dir_count("/srv/home") == 1);
		peer_data_cut(&p);
		finish();
	}
	finish();
}

static bool
is_full(int code)
{
	return code == 552;
}

static bool
is_broken(int code)
{
	return code == 451 || code == 426 || (code >= 550 && code <= 559);
}

static void
a_full_disk_is_552_at_each_call_and_the_old_file_stays(void **state)
{
	(void)state;
	fail_each_call(CUB_E_FULL, false, is_full);
	fail_each_call(CUB_E_FULL, true, is_full);
}

static void
a_failing_medium_is_never_226(void **state)
{
	(void)state;
	fail_each_call(CUB_E_IO, false, is_broken);
	fail_each_call(CUB_E_IO, true, is_broken);
	fail_each_call(CUB_E_DENIED, false, is_broken);
}

static void
a_disk_that_fills_up_at_any_block_is_552_and_nothing_is_left(void **state)
{
	(void)state;
	for (uint64_t blocks = 3; blocks <= 3 + MAX / 4096; blocks++) {
		for (int is_new = 0; is_new < 2; is_new++) {
			begin_at(sim_seed_or(blocks));
			sim_disk_limit(blocks * 4096);
			CHECK_CODE(&p, story_store(&p, is_new ? "STOR n" : "STOR f", new, MAX), 552);
			CHECK(sim_file_is("/srv/home/f", old, sizeof old));
			CHECK(sim_dir_count("/srv/home") == 1);
			sim_disk_limit(1024 * 4096);
			peer_data_cut(&p);
			finish();
		}
	}
}

static void
a_write_error_is_451_wherever_it_is(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		CHECK_CODE(&p, peer_ask(&p, "REST 1"), 350);
		sim_file_write_error_at("/srv/home/f", i * 17000 + 1);
		CHECK_CODE(&p, story_store(&p, "STOR f", new, MAX), 451);
		peer_data_cut(&p);
	}
	finish();
}

static void
a_file_that_gets_too_large_is_552(void **state)
{
	(void)state;
	sim_file_size_max(20000);
	CHECK_CODE(&p, story_store(&p, "STOR f", new, MAX), 552);
	peer_data_cut(&p);
	CHECK(sim_file_is("/srv/home/f", old, sizeof old));
	sim_file_size_max(1u << 30);
	finish();
}

static jmp_buf dark;

static void
leave_in_the_dark(void)
{
	if (sim_power_is_off()) {
		longjmp(dark, 1);
	}
}

/* One upload with a power cut at the n-th file call. Returns false once that is beyond it. */
static bool
cut_power(uint64_t seed, uint64_t n)
{
	bool was_cut;

	begin_at(seed);
	story_before_pass = leave_in_the_dark;
	if (setjmp(dark) == 0) {
		sim_file_cut_at(n);
		CHECK_CODE(&p, story_store(&p, "STOR f", new, MAX), 226);
		sim_power_cut();
		(void)peer_turn(&p);
	}
	was_cut = p.code != 226;
	story_before_pass = NULL;
	sim_clock_budget(-1);
	sim_power_on();
	CHECK(sim_file_is("/srv/home/f", new, MAX)
		|| (was_cut && sim_file_is("/srv/home/f", old, sizeof old)));
	story_start();
	story_login(&p);
	finish();
	return was_cut;
}

static void
a_power_cut_leaves_the_old_file_or_the_new_one(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= story_times(20, 2); seed++) {
		for (uint64_t n = 1; cut_power(sim_seed_or(seed), n); n++) {
			continue;
		}
	}
}

static void
a_power_cut_between_records_leaves_the_old_file(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= story_times(30, 3); seed++) {
		begin_at(sim_seed_or(seed));
		CHECK(story_open(&p, "STOR f") == 150);
		CHECK(peer_data_write(&p, new, RECORD + 500 * seed) > 0);
		(void)peer_turn(&p);
		sim_power_cut();
		sim_power_on();
		CHECK(sim_file_is("/srv/home/f", old, sizeof old));
		story_start();
		story_login(&p);
		finish();
	}
}

static void
deleting_the_target_during_an_upload_does_not_lose_the_upload(void **state)
{
	(void)state;
	CHECK(story_open(&p, "STOR f") == 150);
	CHECK(peer_data_write(&p, new, 20000) == 20000);
	{
		static struct peer other;

		story_login(&other);
		CHECK_CODE(&other, peer_ask(&other, "DELE f"), 250);
		CHECK_CODE(&other, peer_quit(&other), 221);
	}
	peer_data_close(&p);
	CHECK_CODE(&p, peer_reply(&p), 226);
	CHECK(sim_file_is("/srv/home/f", new, 20000));
	finish();
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(uploads_of_each_length_are_stored_whole),
		TEST(the_last_record_and_close_notify_may_come_together),
		TEST(a_client_that_closes_right_after_close_notify_has_stored_its_file),
		TEST(what_is_uploaded_is_acknowledged_at_once),
		TEST(an_end_without_close_notify_is_426_and_the_old_file_stays),
		TEST(a_reset_is_426_and_the_old_file_stays),
		TEST(a_new_file_that_broke_off_is_kept_and_can_be_resumed),
		TEST(an_empty_file_that_broke_off_is_not_kept),
		TEST(rest_and_stor_write_from_there_and_cut_off_the_rest),
		TEST(appe_adds_to_the_end),
		TEST(rest_before_appe_makes_no_hole),
		TEST(a_data_connection_that_fails_touches_no_file),
		TEST(a_full_disk_is_552_at_each_call_and_the_old_file_stays),
		TEST(a_failing_medium_is_never_226),
		TEST(a_disk_that_fills_up_at_any_block_is_552_and_nothing_is_left),
		TEST(a_write_error_is_451_wherever_it_is),
		TEST(a_file_that_gets_too_large_is_552),
		TEST(a_power_cut_leaves_the_old_file_or_the_new_one),
		TEST(a_power_cut_between_records_leaves_the_old_file),
		TEST(deleting_the_target_during_an_upload_does_not_lose_the_upload),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
