/* SPDX-License-Identifier: MIT */
/*
 * Data connections that are there before the command: curl shakes hands as soon as it has
 * connected and gives the command afterwards, other clients wait for 150. Both are served, and
 * whatever comes too early, twice or not at all leaves the session usable. Closes the gap of
 * servers that let such a client wait for a second a file, and of those (4.5) whose passive
 * port can be held by somebody who says nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "story.h"

static struct peer p, q;
static uint8_t up[40000], got[40000];

static int
setup(void **state)
{
	story_setup(state);
	story_new();
	sim_file_put("/srv/home/a", "hello", 5);
	story_fill(up, sizeof up, 9);
	story_login(&p);
	return 0;
}

static void
check_still_works(void)
{
	CHECK_FETCH(&p, "RETR a", "hello", 5);
	story_leave(&p);
}

/* A data connection whose handshake is done before any command. */
static void
shake_hands(void)
{
	story_data(&p);
	CHECK(peer_data_handshake(&p) == CUB_OK);
	CHECK(p.data.resumed);
}

static void
tell_early(void)
{
	size_t len;

	sim_file_put("/srv/home/a", "hello", 5);
	story_start();
	story_login(&p);
	shake_hands();
	CHECK_CODE(&p, peer_ask(&p, "RETR a"), 150);
	len = peer_data_read_all(&p, got, sizeof got);
	CHECK(len == 5 && memcmp(got, "hello", 5) == 0 && p.data.notified);
	CHECK_CODE(&p, peer_reply(&p), 226);
	shake_hands();
	CHECK_CODE(&p, peer_ask(&p, "STOR b"), 150);
	CHECK(peer_data_write(&p, up, sizeof up) == sizeof up);
	peer_data_close(&p);
	CHECK_CODE(&p, peer_reply(&p), 226);
	CHECK(sim_file_is("/srv/home/b", up, sizeof up));
	shake_hands();
	CHECK_CODE(&p, peer_ask(&p, "NLST"), 150);
	len = peer_data_read_all(&p, got, sizeof got);
	CHECK(len == 6 && memcmp(got, "a\r\nb\r\n", 6) == 0);
	CHECK_CODE(&p, peer_reply(&p), 226);
	CHECK_CODE(&p, peer_quit(&p), 221);
	story_check_quiet();
}

static void
the_handshake_may_be_over_before_the_command_at_every_split(void **state)
{
	(void)state;
	story_end();
	story_each_way(tell_early);
}

/* All bytes of an upload may lie there before its command. */
static void
an_upload_may_come_before_its_command(void **state)
{
	(void)state;
	shake_hands();
	CHECK(peer_data_write(&p, up, 10000) == 10000);
	story_settle();
	CHECK(sim_dir_count("/srv/home") == 1);
	CHECK_CODE(&p, peer_ask(&p, "NOOP"), 200);
	CHECK_CODE(&p, peer_ask(&p, "STOR b"), 150);
	peer_data_close(&p);
	CHECK_CODE(&p, peer_reply(&p), 226);
	CHECK(sim_file_is("/srv/home/b", up, 10000));
	check_still_works();
}

static void
nothing_moves_before_the_command(void **state)
{
	(void)state;
	shake_hands();
	for (int i = 0; i < 20; i++) {
		CHECK(!peer_turn(&p) || i < 5);
	}
	CHECK((br_ssl_engine_current_state(&p.data.client.eng) & BR_SSL_RECVAPP) == 0);
	CHECK(sim_file_open_count() == 2);  /* the roots of the server and of the session */
	CHECK_CODE(&p, peer_ask(&p, "RETR a"), 150);
	CHECK(peer_data_read_all(&p, got, sizeof got) == 5);
	CHECK_CODE(&p, peer_reply(&p), 226);
	check_still_works();
}

static void
the_tie_is_judged_when_the_command_runs(void **state)
{
	static const char *const commands[] = { "RETR a", "STOR a", "STOR new", "MLSD" };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		p.resume = false;
		story_data(&p);
		CHECK(peer_data_handshake(&p) == CUB_OK && !p.data.resumed);
		CHECK_CODE(&p, peer_ask(&p, "NOOP"), 200);
		CHECK_CODE(&p, peer_ask(&p, "%s", commands[i]), 150);
		CHECK(peer_data_read_all(&p, got, sizeof got) == 0);
		CHECK_CODE(&p, peer_reply(&p), 522);
	}
	p.resume = true;
	CHECK(sim_file_is("/srv/home/a", "hello", 5) && sim_dir_count("/srv/home") == 1);
	check_still_works();
}

/* What fails before the command is told by the command, once. */
static void
a_handshake_that_fails_early_is_told_when_the_command_comes(void **state)
{
	(void)state;
	p.protect = false;
	story_data(&p);
	(void)peer_data_write(&p, "this is not TLS at all", 22);
	story_settle();
	CHECK(sim_net_open_count() == 3);
	CHECK_CODE(&p, peer_ask(&p, "NOOP"), 200);
	CHECK_CODE(&p, peer_ask(&p, "STOR new"), 150);
	CHECK_CODE(&p, peer_reply(&p), 522);
	CHECK(!peer_has_reply(&p));
	CHECK_CODE(&p, peer_ask(&p, "STOR new"), 425);
	p.protect = true;
	CHECK(sim_dir_count("/srv/home") == 1);
	check_still_works();
}

static void
a_client_that_connects_and_leaves_is_told_when_the_command_comes(void **state)
{
	sim_peer peer;
	uint16_t tcp_port = peer_epsv(&p);

	(void)state;
	CHECK(sim_connect(&p.from, tcp_port, &peer) == CUB_OK);
	sim_peer_close(peer);
	story_settle();
	CHECK(!sim_net_listens(tcp_port));
	CHECK_CODE(&p, peer_ask(&p, "RETR a"), 150);
	CHECK_CODE(&p, peer_reply(&p), 522);
	check_still_works();
}

static void
strangers_are_turned_away_before_the_command(void **state)
{
	struct port_addr stranger = sim_ipv4(192, 0, 2, 11, 41000);
	uint16_t tcp_port = peer_epsv(&p);
	sim_peer peer;

	(void)state;
	for (int i = 0; i < 20; i++) {
		CHECK(sim_connect(&stranger, tcp_port, &peer) == CUB_OK);
		story_settle();
		CHECK(sim_peer_eof(peer) && sim_peer_pending(peer) == 0);
		sim_peer_close(peer);
		CHECK(sim_net_listens(tcp_port));
	}
	CHECK(peer_data_connect(&p, tcp_port) == CUB_OK);
	CHECK(peer_data_handshake(&p) == CUB_OK);
	CHECK(!sim_net_listens(tcp_port));
	CHECK(sim_connect(&p.from, tcp_port, &peer) == CUB_E_IO);  /* it has taken the one */
	CHECK_CODE(&p, peer_ask(&p, "RETR a"), 150);
	CHECK(peer_data_read_all(&p, got, sizeof got) == 5);
	CHECK_CODE(&p, peer_reply(&p), 226);
	check_still_works();
}

/* 4.5: the same host is there first, and with a session that is not this one's. */
static void
another_session_that_shakes_hands_first_gets_nothing(void **state)
{
	static const char *const commands[] = { "RETR a", "STOR new" };

	(void)state;
	story_login(&q);
	for (size_t i = 0; i < 2; i++) {
		CHECK(peer_data_connect(&q, peer_epsv(&p)) == CUB_OK);
		CHECK(peer_data_handshake(&q) == CUB_OK && !q.data.resumed);
		CHECK_CODE(&p, peer_ask(&p, "%s", commands[i]), 150);
		CHECK(peer_data_read_all(&q, got, sizeof got) == 0);
		CHECK_CODE(&p, peer_reply(&p), 522);
	}
	CHECK(sim_dir_count("/srv/home") == 1);
	CHECK_CODE(&q, peer_quit(&q), 221);
	check_still_works();
}

/* PASV, EPSV, ABOR: what was connected is dropped, and the port of the reply is a new one. */
static void
a_new_port_or_abor_drops_the_connection(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		uint16_t tcp_port;

		shake_hands();
		tcp_port = i == 0 ? peer_epsv(&p) : i == 1 ? peer_pasv(&p) : 0;
		if (i == 2) {
			CHECK_CODE(&p, peer_ask(&p, "ABOR"), 226);
			CHECK_CODE(&p, peer_ask(&p, "RETR a"), 425);
		} else {
			CHECK(sim_net_listens(tcp_port));
		}
		CHECK(peer_data_read_all(&p, got, sizeof got) == 0);
		CHECK(!p.data.notified);
		CHECK(sim_net_open_count() == (i == 2 ? 3 : 4));
		if (i < 2) {
			CHECK(peer_data_connect(&p, tcp_port) == CUB_OK);
			CHECK_CODE(&p, peer_ask(&p, "RETR a"), 150);
			CHECK(peer_data_read_all(&p, got, sizeof got) == 5);
			CHECK_CODE(&p, peer_reply(&p), 226);
		}
	}
	check_still_works();
}

/* Also in the middle of the handshake. */
static void
the_end_of_a_session_closes_the_connection_at_any_moment(void **state)
{
	(void)state;
	for (unsigned turns = 0; turns < 12; turns++) {
		story_data(&p);
		for (unsigned i = 0; i < turns; i++) {
			(void)peer_turn(&p);
		}
		if (turns % 3 == 0) {
			CHECK_CODE(&p, peer_quit(&p), 221);
		} else if (turns % 3 == 1) {
			peer_cut(&p);
		} else {
			peer_close(&p);
		}
		story_check_quiet();
		CHECK(peer_data_read_all(&p, got, sizeof got) == 0);
		story_login(&p);
	}
	check_still_works();
}

static void
a_connection_that_nobody_uses_is_dropped_after_data_timeout(void **state)
{
	static const char *const hows[] = { "says nothing", "has shaken hands" };

	(void)state;
	for (size_t how = 0; how < 2; how++) {
		uint64_t passes;

		p.protect = how == 1;
		story_data(&p);
		if (how == 1) {
			CHECK(peer_data_handshake(&p) == CUB_OK);
		}
		story_settle();
		story_wait_ms(59000);
		if (sim_net_open_count() != 4) {
			sim_fail("a client that %s: not there any more after 59 s", hows[how]);
		}
		story_wait_ms(2000);
		if (sim_net_open_count() != 3) {
			sim_fail("a client that %s: still there after 61 s", hows[how]);
		}
		passes = story_passes;
		story_wait_ms(60000);
		CHECK(story_passes < passes + 5);
		CHECK_CODE(&p, peer_ask(&p, "RETR a"), 150);
		CHECK_CODE(&p, peer_reply(&p), 425);
		p.protect = true;
	}
	check_still_works();
}

/* A listener waits as long as the session does: only what has connected is timed. */
static void
a_port_that_nobody_has_connected_to_stays(void **state)
{
	uint16_t tcp_port = peer_epsv(&p);

	(void)state;
	story_wait_ms(200000);
	CHECK(sim_net_listens(tcp_port));
	CHECK(peer_data_connect(&p, tcp_port) == CUB_OK);
	CHECK_CODE(&p, peer_ask(&p, "RETR a"), 150);
	CHECK(peer_data_read_all(&p, got, sizeof got) == 5);
	CHECK_CODE(&p, peer_reply(&p), 226);
	check_still_works();
}

static void
the_time_of_a_command_begins_with_it(void **state)
{
	(void)state;
	shake_hands();
	story_wait_ms(50000);
	CHECK_CODE(&p, peer_ask(&p, "STOR new"), 150);
	story_wait_ms(50000);
	CHECK(peer_data_write(&p, up, 100) == 100);
	peer_data_close(&p);
	CHECK_CODE(&p, peer_reply(&p), 226);
	check_still_works();
}

static void
a_refused_command_leaves_the_connection_to_the_next_one(void **state)
{
	(void)state;
	shake_hands();
	CHECK_CODE(&p, peer_ask(&p, "RETR none"), 550);
	CHECK_CODE(&p, peer_ask(&p, "STAT /"), 213);
	CHECK_CODE(&p, peer_ask(&p, "CWD /"), 250);
	CHECK_CODE(&p, peer_ask(&p, "RETR a"), 150);
	CHECK(peer_data_read_all(&p, got, sizeof got) == 5);
	CHECK_CODE(&p, peer_reply(&p), 226);
	check_still_works();
}

/* Each socket call may fail while it is there before the command. */
static void
each_socket_call_may_fail_before_the_command(void **state)
{
	bool struck = true;

	(void)state;
	for (uint64_t n = 1; struck; n++) {
		uint16_t tcp_port = peer_epsv(&p);
		int code;

		CHECK(tcp_port != 0);
		CHECK(peer_data_connect(&p, tcp_port) == CUB_OK);
		sim_net_fail_at(n, false);
		for (int i = 0; i < 20; i++) {
			(void)peer_turn(&p);
		}
		struck = sim_net_failed();
		sim_net_fail_at(0, false);
		code = peer_ask(&p, "RETR a");
		CHECK(code == 150);
		CHECK(peer_data_read_all(&p, got, sizeof got) == (struck ? 0 : 5));
		CHECK_CODE(&p, peer_reply(&p), struck ? n == 1 ? 426 : 522 : 226);
	}
	check_still_works();
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_handshake_may_be_over_before_the_command_at_every_split),
		TEST(an_upload_may_come_before_its_command),
		TEST(nothing_moves_before_the_command),
		TEST(the_tie_is_judged_when_the_command_runs),
		TEST(a_handshake_that_fails_early_is_told_when_the_command_comes),
		TEST(a_client_that_connects_and_leaves_is_told_when_the_command_comes),
		TEST(strangers_are_turned_away_before_the_command),
		TEST(another_session_that_shakes_hands_first_gets_nothing),
		TEST(a_new_port_or_abor_drops_the_connection),
		TEST(the_end_of_a_session_closes_the_connection_at_any_moment),
		TEST(a_connection_that_nobody_uses_is_dropped_after_data_timeout),
		TEST(a_port_that_nobody_has_connected_to_stays),
		TEST(the_time_of_a_command_begins_with_it),
		TEST(a_refused_command_leaves_the_connection_to_the_next_one),
		TEST(each_socket_call_may_fail_before_the_command),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
