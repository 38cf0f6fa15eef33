/* SPDX-License-Identifier: MIT */
/*
 * Clients that vanish at any moment, and a platform whose calls fail, one by one and from
 * one on: nothing leaks, nothing spins, no success is claimed that is none, and the next
 * client is served. Closes the gap of uftpd (sockets and processes left behind after a
 * failed set-up) and pyftpdlib (100 % CPU after a lost connection).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "story.h"

#define DOWN 30000
#define UP   20000

static struct peer p;
static uint8_t down[DOWN], up[UP], old[5000], got[DOWN + 1];

/* Of what story_fill() gives as `down`: HASH must never claim another. */
static char hash[65];

/* A whole session. Ends at the first thing that is not as it should be. */
static bool
session(void)
{
	size_t len;
	uint16_t tcp_port;
	int code;

	if (peer_connect(&p, 21, false) != 220 || peer_auth_tls(&p) != 234
		|| peer_login(&p, "anna", "secret") != 230 || peer_protect(&p) != 200
		|| peer_ask(&p, "TYPE I") != 200) {
		return false;
	}
	if ((tcp_port = peer_epsv(&p)) == 0 || peer_data_connect(&p, tcp_port) != CUB_OK
		|| peer_ask(&p, "RETR down") != 150) {
		return false;
	}
	len = peer_data_read_all(&p, got, sizeof got);
	code = peer_reply(&p);
	CHECK(code != 226 || (len == DOWN && memcmp(got, down, len) == 0 && p.data.notified));
	CHECK(!p.data.notified || code == 226 || code < 0);
	if (code != 226 || (tcp_port = peer_epsv(&p)) == 0
		|| peer_data_connect(&p, tcp_port) != CUB_OK || peer_ask(&p, "STOR f") != 150) {
		return false;
	}
	(void)peer_data_write(&p, up, UP);
	peer_data_close(&p);
	code = peer_reply(&p);
	CHECK(code != 226 || sim_file_is("/srv/home/f", up, UP));
	if (code != 226 || (tcp_port = peer_epsv(&p)) == 0
		|| peer_data_connect(&p, tcp_port) != CUB_OK || peer_ask(&p, "MLSD") != 150) {
		return false;
	}
	len = peer_data_read_all(&p, got, sizeof got);
	code = peer_reply(&p);
	if (code != 226 || len <= 100 || (code = peer_ask(&p, "HASH down")) != 213) {
		return false;
	}
	CHECK(strstr(p.reply, hash) != NULL);
	return peer_ask(&p, "STAT sub") == 213 && peer_quit(&p) == 221;
}

static void
prepare(uint64_t seed)
{
	br_sha256_context sha256;
	uint8_t sum[32];

	story_begin(seed);
	story_fill(down, sizeof down, 8);
	br_sha256_init(&sha256);
	br_sha256_update(&sha256, down, sizeof down);
	br_sha256_out(&sha256, sum);
	for (size_t i = 0; i < sizeof sum; i++) {
		snprintf(hash + 2 * i, 3, "%02x", sum[i]);
	}
	story_fill(up, sizeof up, 9);
	story_fill(old, sizeof old, 10);
	sim_file_put("/srv/home/down", down, sizeof down);
	sim_file_put("/srv/home/f", old, sizeof old);
	sim_file_put("/srv/home/sub/x", "", 0);
	peer_init(&p);
}

/* The client's sockets go, in one of three ways, whatever it was about to do. */
static void
vanish(unsigned how)
{
	sim_peer socks[2] = { p.control.sock, p.data.sock };

	for (int i = 0; i < 2; i++) {
		if (socks[i] != 0 && how % 3 == 0) {
			sim_peer_reset(socks[i]);
		} else if (socks[i] != 0) {
			sim_peer_close(socks[i]);
		}
	}
	p.control.sock = 0;
	p.data.sock = 0;
	peer_init(&p);
}

/* The server has recovered: nothing is left over, and a client is served to the end. */
static void
check_recovered(void)
{
	story_check_quiet();
	CHECK(sim_file_is("/srv/home/f", up, UP) || sim_file_is("/srv/home/f", old, sizeof old));
	CHECK(sim_file_is("/srv/home/down", down, DOWN));
	CHECK(sim_dir_count("/srv/home") == 3);
	peer_init(&p);
	CHECK(session());
	story_check_quiet();
}

static int64_t passes_left;
static jmp_buf gone;

static void
count_down(void)
{
	if (passes_left-- == 0) {
		longjmp(gone, 1);
	}
}

/* Vanish before the n-th pass of the server. Returns false where the session was over. */
static bool
vanish_at(int64_t n, enum sim_split split, unsigned how)
{
	volatile bool over = false;

	prepare(sim_seed_or((uint64_t)n + 1));
	story_start();
	sim_net_split(split);
	sim_net_reset_drops(how % 2 == 0);
	if (setjmp(gone) == 0) {
		passes_left = n;
		story_before_pass = count_down;
		CHECK(session());
		over = true;
	}
	story_before_pass = NULL;
	sim_clock_budget(-1);
	vanish(how);
	sim_net_split(SIM_WHOLE);
	check_recovered();
	story_end();
	return !over;
}

static void
a_client_may_vanish_before_any_pass(void **state)
{
	(void)state;
	for (unsigned how = 0; how < 3; how++) {
		for (int64_t n = 0; vanish_at(n, SIM_WHOLE, how); n += story_times(1, 20)) {
			continue;
		}
	}
}

/* Row 4.29 of the checklist. */
static void
a_client_may_vanish_after_any_byte(void **state)
{
	int64_t n = 0;
	unsigned how = 0;

	(void)state;
	sim_reset(sim_seed_or(1));
	while (vanish_at(n, SIM_BYTES, how++)) {
		sim_reset((uint64_t)n + sim_seed_or(1));
		n += 1 + sim_random_below(story_times(800, 30000));
	}
}

static void
a_client_may_vanish_at_random(void **state)
{
	(void)state;
	for (unsigned i = 0; i < story_times(150, 5); i++) {
		sim_reset(i + sim_seed_or(1));
		(void)vanish_at(sim_random_below(400), SIM_RANDOM, i);
	}
}

/* Let socket calls fail, from the n-th on or that one. Returns false once it is beyond. */
static bool
fail_socket_call(uint64_t n, bool forever)
{
	bool struck;

	prepare(sim_seed_or(n));
	story_start();
	sim_net_fail_at(n, forever);
	(void)session();
	struck = sim_net_failed();
	sim_net_fail_at(0, false);
	vanish((unsigned)n);
	check_recovered();
	story_end();
	return struck;
}

static void
each_socket_call_may_fail(void **state)
{
	(void)state;
	for (int forever = 0; forever < 2; forever++) {
		for (uint64_t n = 1; fail_socket_call(n, forever != 0); n += story_times(1, 20)) {
			continue;
		}
	}
}

/* The same for calls on files. */
static bool
fail_file_call(uint64_t n, bool forever, int error)
{
	bool struck;

	prepare(sim_seed_or(n));
	story_start();
	sim_file_fail_at(n, forever, error);
	(void)session();
	struck = sim_file_failed();
	sim_file_fail_at(0, false, CUB_E_IO);
	vanish((unsigned)n);
	story_check_quiet();
	if (forever && sim_dir_count("/srv/home") > 3) {
		/* The temporary file could not be removed either. */
		story_end();
		return struck;
	}
	check_recovered();
	story_end();
	return struck;
}

static void
each_file_call_may_fail(void **state)
{
	static const int errors[] = {
		CUB_E_IO, CUB_E_FULL, CUB_E_DENIED, CUB_E_NOENT, CUB_E_LIMIT, CUB_E_NAME, CUB_E_NOTDIR,
	};

	(void)state;
	for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
		for (int forever = 0; forever < 2; forever++) {
			uint64_t n = 1 + i % story_times(1, 5);

			while (fail_file_call(n, forever != 0, errors[i])) {
				n += story_times(1, 5);
			}
		}
	}
}

static void
running_out_of_sockets_or_handles_is_survived(void **state)
{
	(void)state;
	for (unsigned limit = 2; limit < 6; limit++) {
		prepare(sim_seed_or(limit));
		story_start();
		sim_net_limit(limit);
		if (limit > 2) {
			(void)session();
		}
		sim_net_limit(64);
		vanish(limit);
		check_recovered();
		sim_file_limit(limit - 1);
		(void)session();
		sim_file_limit(64);
		vanish(limit);
		check_recovered();
		story_end();
	}
}

/* While no socket can be had, whoever knocks must not keep the server busy. */
static void
a_client_that_cant_be_accepted_does_not_make_the_server_spin(void **state)
{
	sim_peer waiting;
	uint64_t before;

	(void)state;
	prepare(sim_seed_or(1));
	story_start();
	sim_net_limit(2);
	CHECK(sim_connect(&p.from, 21, &waiting) == CUB_OK);
	before = story_passes;
	for (int i = 0; i < 100; i++) {
		story_pass();
		if (sim_waited() == SIM_WAITED_TIME || sim_waited() == SIM_WAITED_NEVER) {
			break;
		}
	}
	CHECK(story_passes - before < 50);
	sim_net_limit(64);
	sim_peer_close(waiting);
	sim_clock_advance(1000);  /* it looks again only then */
	story_settle();
	check_recovered();
	story_end();
}

static int
try_start(void)
{
	char text[256];
	struct out why = { .at = text, .cap = sizeof text };
	int err = cubftpd_start(&story_config, &why);

	CHECK(err == CUB_OK || why.len > 0);
	return err;
}

static void
check_nothing_open(void)
{
	CHECK(sim_net_open_count() == 0);
	CHECK(sim_file_open_count() == 0);
	CHECK(!sim_flash_is_open(PORT_AREA_IDENTITY) && !sim_flash_is_open(PORT_AREA_TRUST));
}

static void
a_start_that_fails_at_any_call_leaves_nothing_open(void **state)
{
	bool struck = true;

	(void)state;
	for (uint64_t n = 1; struck; n++) {
		prepare(sim_seed_or(n));
		sim_net_fail_at(n, false);
		struck = try_start() != CUB_OK;
		CHECK(struck == sim_net_failed());
		if (struck) {
			check_nothing_open();
		}
	}
	struck = true;
	for (uint64_t n = 1; struck; n++) {
		prepare(sim_seed_or(n));
		sim_file_fail_at(n, false, CUB_E_IO);
		struck = try_start() != CUB_OK;
		if (struck) {
			check_nothing_open();
		}
	}
	struck = true;
	for (uint64_t n = 1; struck; n++) {
		prepare(sim_seed_or(n));
		sim_flash_fail_at(n, false, CUB_E_IO);
		struck = try_start() != CUB_OK;
		if (struck) {
			check_nothing_open();
		}
	}
	story_end();
}

/* No store means that nobody could ever log in: nothing may be served as if there were one. */
static void
a_start_that_finds_no_room_for_a_trust_store_is_refused(void **state)
{
	const uint8_t *identity;
	uint32_t len = story_image(PORT_AREA_IDENTITY, &identity);
	bool struck = true;
	unsigned refused = 0;

	(void)state;
	for (uint64_t n = 1; struck; n++) {
		prepare(sim_seed_or(n));
		sim_flash_reset();
		sim_flash_image(PORT_AREA_IDENTITY, identity, len);
		sim_flash_fail_at(n, false, CUB_E_FULL);
		if (try_start() == CUB_OK) {
			CHECK(sim_flash_where(PORT_AREA_TRUST)[0] != '\0');
		} else {
			check_nothing_open();
			refused++;
		}
		struck = sim_flash_failed();
	}
	CHECK(refused >= 2);
	story_end();
}

#define TEST(name) cmocka_unit_test_setup(name, story_setup)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_client_may_vanish_before_any_pass),
		TEST(a_client_may_vanish_after_any_byte),
		TEST(a_client_may_vanish_at_random),
		TEST(each_socket_call_may_fail),
		TEST(each_file_call_may_fail),
		TEST(running_out_of_sockets_or_handles_is_survived),
		TEST(a_client_that_cant_be_accepted_does_not_make_the_server_spin),
		TEST(a_start_that_fails_at_any_call_leaves_nothing_open),
		TEST(a_start_that_finds_no_room_for_a_trust_store_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
