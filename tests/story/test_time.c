/* SPDX-License-Identifier: MIT */
/*
 * Time and turns: each deadline by the simulated clock, sleep whenever nothing is to be
 * done, and a fair share of each pass for everybody. Closes the gap of ftp-srv and basic-ftp
 * (the idle timer cuts long transfers), of pyftpdlib (100 % CPU after a disconnect), and of
 * single-threaded servers that stand still while a password is checked.
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
#define BIG (60 * RECORD)

static struct peer p, q, r;
static uint8_t big[BIG], got[BIG + 1];

static int
setup(void **state)
{
	story_setup(state);
	story_new();
	story_fill(big, sizeof big, 11);
	sim_file_put("/srv/home/big", big, sizeof big);
	sim_file_put("/srv/home/a", "hello", 5);
	peer_init(&p);
	return 0;
}

/* Nothing comes before `ms` are over; then it is 421 and the end. */
static void
expect_timeout(struct peer *who, uint64_t ms)
{
	story_wait_ms(ms - 1);
	CHECK(!peer_has_reply(who));
	CHECK(who->control.end == PEER_OPEN);
	story_wait_ms(1);
	CHECK_CODE(who, peer_reply(who), 421);
	CHECK_CODE(who, peer_reply(who), CUB_EOF);
	story_check_quiet();
	story_end();
}

static void
who_says_nothing_is_dismissed_after_the_login_timeout(void **state)
{
	(void)state;
	CHECK_CODE(&p, peer_connect(&p, 21, false), 220);
	expect_timeout(&p, 30000);
}

static void
the_login_timeout_is_one_for_all_steps(void **state)
{
	(void)state;
	CHECK_CODE(&p, peer_connect(&p, 21, false), 220);
	story_wait_ms(10000);
	CHECK_CODE(&p, peer_ask(&p, "NOOP"), 200);
	CHECK_CODE(&p, peer_auth_tls(&p), 234);
	story_wait_ms(10000);
	CHECK_CODE(&p, peer_ask(&p, "USER anna"), 331);
	story_wait_ms(5000);
	CHECK_CODE(&p, peer_ask(&p, "PASS wrong"), 530);
	CHECK_CODE(&p, peer_ask(&p, "USER anna"), 331);
	expect_timeout(&p, 5000);
}

static void
a_handshake_that_does_not_end_is_dropped(void **state)
{
	(void)state;
	CHECK_CODE(&p, peer_connect(&p, 21, false), 220);
	CHECK_CODE(&p, peer_ask(&p, "AUTH TLS"), 234);
	story_wait_ms(29999);
	CHECK(sim_peer_held(p.control.sock));
	story_wait_ms(1);
	CHECK_CODE(&p, peer_reply(&p), CUB_EOF);
	peer_init(&q);
	CHECK(peer_open(&q, 990) == CUB_OK);
	story_wait_ms(30000);
	CHECK(peer_handshake(&q) < 0);
	story_check_quiet();
	story_end();
}

static void
who_is_idle_is_dismissed_after_the_idle_timeout(void **state)
{
	(void)state;
	story_login(&p);
	story_wait_ms(299000);
	CHECK_CODE(&p, peer_ask(&p, "NOOP"), 200);
	expect_timeout(&p, 300000);
}

static void
a_waiting_port_does_not_keep_an_idle_client(void **state)
{
	(void)state;
	story_login(&p);
	CHECK(peer_epsv(&p) != 0);
	expect_timeout(&p, 300000);
}

static void
a_data_connection_that_never_comes_is_425(void **state)
{
	(void)state;
	story_login(&p);
	CHECK(peer_epsv(&p) != 0);
	CHECK_CODE(&p, peer_ask(&p, "RETR a"), 150);
	story_wait_ms(59999);
	CHECK(!peer_has_reply(&p));
	story_wait_ms(1);
	CHECK_CODE(&p, peer_reply(&p), 425);
	CHECK(sim_net_open_count() == 3);
	CHECK_CODE(&p, peer_ask(&p, "NOOP"), 200);
	story_end();
}

static void
a_data_handshake_that_does_not_end_is_given_up(void **state)
{
	(void)state;
	story_login(&p);
	p.protect = false;
	story_data(&p);
	CHECK_CODE(&p, peer_ask(&p, "STOR new"), 150);
	story_wait_ms(59999);
	CHECK(!peer_has_reply(&p));
	story_wait_ms(1);
	CHECK_CODE(&p, peer_reply(&p), 425);
	CHECK(sim_dir_count("/srv/home") == 2);
	story_end();
}

static void
a_download_that_stands_still_is_426(void **state)
{
	(void)state;
	story_login(&p);
	CHECK(story_open(&p, "RETR big") == 150);
	story_settle();
	story_wait_ms(59999);
	CHECK(!peer_has_reply(&p));
	story_wait_ms(1);
	CHECK_CODE(&p, peer_reply(&p), 426);
	CHECK(peer_data_read_all(&p, got, sizeof got) < sizeof big);
	CHECK(!p.data.notified);
	CHECK_CODE(&p, peer_ask(&p, "NOOP"), 200);
	story_end();
}

static void
an_upload_that_stands_still_is_426(void **state)
{
	(void)state;
	story_login(&p);
	CHECK(story_open(&p, "STOR a") == 150);
	CHECK(peer_data_write(&p, big, 40000) == 40000);
	story_settle();
	story_wait_ms(59999);
	CHECK(!peer_has_reply(&p));
	story_wait_ms(1);
	CHECK_CODE(&p, peer_reply(&p), 426);
	CHECK(sim_file_is("/srv/home/a", "hello", 5));
	story_end();
}

static void
a_slow_upload_outlives_the_idle_timeout(void **state)
{
	size_t sent = 0;

	(void)state;
	story_login(&p);
	CHECK(story_open(&p, "STOR new") == 150);
	while (sent < 40 * 1000) {
		CHECK(peer_data_write(&p, big + sent, 1000) == 1000);
		sent += 1000;
		story_wait_ms(50000);
	}
	CHECK(!peer_has_reply(&p));
	peer_data_close(&p);
	CHECK_CODE(&p, peer_reply(&p), 226);
	CHECK(sim_file_is("/srv/home/new", big, sent));
	/* And the idle time begins anew with the transfer's end. */
	story_wait_ms(299000);
	CHECK_CODE(&p, peer_ask(&p, "NOOP"), 200);
	story_end();
}

static void
a_slow_download_outlives_the_idle_timeout(void **state)
{
	size_t had = 0;

	(void)state;
	story_login(&p);
	sim_net_buffer(RECORD);
	CHECK(story_open(&p, "RETR big") == 150);
	while (had < sizeof big) {
		size_t n = peer_data_read(&p, got + had, sizeof got - had);

		CHECK(n > 0);
		had += n;
		story_wait_ms(30000);
	}
	CHECK(peer_data_read(&p, got, 1) == 0);
	CHECK(p.data.notified);
	CHECK_CODE(&p, peer_reply(&p), 226);
	story_end();
}

/* A client whose way of replies is full, in the middle of a download of `big`. */
static void
clog_replies(void)
{
	sim_net_buffer(200);
	CHECK_CODE(&p, peer_connect(&p, 21, false), 220);
	sim_net_buffer(65536);
	CHECK_CODE(&p, peer_auth_tls(&p), 234);
	CHECK_CODE(&p, peer_login(&p, "anna", "secret"), 230);
	CHECK_CODE(&p, peer_protect(&p), 200);
	CHECK_CODE(&p, peer_ask(&p, "TYPE I"), 200);
	CHECK(story_open(&p, "RETR big") == 150);
	p.control.dst_cap = 0;
	for (int i = 0; i < 10; i++) {
		peer_raw(&p, "STAT\r\n", 6);
		(void)peer_turn(&p);
	}
}

static void
a_client_that_reads_no_replies_does_not_keep_its_transfer_for_ever(void **state)
{
	struct cubftpd_status status;

	(void)state;
	clog_replies();
	story_wait_ms(600000);
	cubftpd_status(&status);
	CHECK(status.transfers == 0);
	sim_peer_close(p.control.sock);
	sim_peer_close(p.data.sock);
	story_check_quiet();
	story_end();
}

static void
a_client_that_never_closes_is_closed(void **state)
{
	(void)state;
	story_login(&p);
	peer_raw(&p, "QUIT\r\n", 6);
	p.control.dst_cap = 0;
	for (int i = 0; i < 20; i++) {
		(void)peer_turn(&p);
	}
	story_wait_ms(10000);
	story_check_quiet();
	story_end();
}

static void
a_client_that_reads_not_even_its_dismissal_is_closed(void **state)
{
	(void)state;
	sim_net_buffer(10);
	CHECK(peer_open(&p, 21) == CUB_OK);
	story_settle();
	story_wait_ms(30000 + 5000);
	story_check_quiet();
	story_end();
}

static void
the_server_sleeps_while_clients_do(void **state)
{
	static struct peer *const all[] = { &p, &q, &r };
	uint64_t before;

	(void)state;
	for (int i = 0; i < 3; i++) {
		story_login(all[i]);
	}
	CHECK(peer_epsv(&p) != 0);
	CHECK(story_open(&q, "RETR big") == 150);
	CHECK(story_open(&r, "STOR new") == 150);
	story_settle();
	before = story_passes;
	story_wait_ms(50000);
	CHECK(story_passes - before <= 5);
	story_end();
}

/* A client that is there, in one of several moments, and is gone in one of several ways. */
static void
leave_at(unsigned moment, unsigned how)
{
	peer_init(&p);
	if (moment == 0) {
		CHECK(peer_open(&p, 21) == CUB_OK);
	} else if (moment == 1) {
		CHECK_CODE(&p, peer_connect(&p, 21, false), 220);
	} else if (moment == 2) {
		CHECK_CODE(&p, peer_connect(&p, 21, false), 220);
		CHECK_CODE(&p, peer_ask(&p, "AUTH TLS"), 234);
	} else {
		story_login(&p);
	}
	if (moment == 4) {
		CHECK(peer_epsv(&p) != 0);
		CHECK_CODE(&p, peer_ask(&p, "RETR a"), 150);
	} else if (moment == 5) {
		CHECK(story_open(&p, "RETR big") == 150);
	} else if (moment == 6) {
		CHECK(story_open(&p, "STOR new") == 150);
		CHECK(peer_data_write(&p, big, 1000) == 1000);
	} else if (moment == 7) {
		CHECK(story_open(&p, "RETR a") == 150);
		CHECK_CODE(&p, peer_reply(&p), 226);
	} else if (moment == 8) {
		peer_raw(&p, "QUIT\r\n", 6);
		(void)peer_turn(&p);
	}
	if (p.control.sock == 0) {
		return;  /* it has ended already */
	}
	if (how == 0) {
		sim_peer_reset(p.control.sock);
	} else if (how == 1) {
		sim_peer_close(p.control.sock);
	} else if (how == 2) {
		sim_peer_shutdown(p.control.sock);
	} else if (p.control.tls && p.control.ready) {
		br_ssl_engine_close(&p.control.client.eng);
		(void)peer_turn(&p);
	}
}

static void
after_each_kind_of_disconnect_the_server_sleeps(void **state)
{
	(void)state;
	for (unsigned moment = 0; moment < 9; moment++) {
		for (unsigned how = 0; how < 4; how++) {
			uint64_t before;

			story_new();
			sim_file_put("/srv/home/big", big, sizeof big);
			sim_file_put("/srv/home/a", "hello", 5);
			leave_at(moment, how);
			story_settle();
			before = story_passes;
			story_wait_ms(1000);
			CHECK(story_passes - before <= 3);
			story_wait_ms(400000);
			CHECK(story_passes - before <= 20);
			story_check_quiet();
			story_end();
		}
	}
}

static size_t
unread(const struct peer *who)
{
	return sim_peer_pending(who->data.sock);
}

static void
each_transfer_and_each_client_has_its_turn_in_each_pass(void **state)
{
	size_t had_p = 0, had_q = 0;

	(void)state;
	story_login(&p);
	story_login(&q);
	story_login(&r);
	CHECK(story_open(&p, "RETR big") == 150);
	CHECK(story_open(&q, "RETR big") == 150);
	had_p = peer_data_read(&p, got, RECORD * 4);
	had_q = peer_data_read(&q, got, RECORD * 4);
	sim_pump = story_pass;
	for (int i = 0; i < 10; i++) {
		size_t before_p, before_q;
		uint64_t before;

		/* Take all that is there, without a turn of the server. */
		while (unread(&p) > 0) {
			CHECK(sim_peer_read(p.data.sock, got, sizeof got) > 0);
		}
		while (unread(&q) > 0) {
			CHECK(sim_peer_read(q.data.sock, got, sizeof got) > 0);
		}
		before = story_passes;
		CHECK_CODE(&r, peer_ask(&r, "NOOP"), 200);
		CHECK(story_passes - before <= 3);
		before_p = unread(&p);
		before_q = unread(&q);
		CHECK(before_p >= 100 && before_p <= 3 * (RECORD + 40));
		CHECK(before_q >= 100 && before_q <= 3 * (RECORD + 40));
		story_pass();
		CHECK(unread(&p) - before_p <= RECORD + 40);
		CHECK(unread(&q) - before_q <= RECORD + 40);
	}
	sim_pump = story_pump;
	CHECK(had_p > 0 && had_q > 0);
	sim_peer_reset(p.data.sock);
	p.data.sock = 0;
	sim_peer_reset(q.data.sock);
	q.data.sock = 0;
	story_end();
}

static void
an_upload_takes_one_record_a_pass(void **state)
{
	uint64_t size = 0;

	(void)state;
	story_login(&p);
	CHECK(story_open(&p, "APPE new") == 150);
	sim_pump = story_pass;
	p.data.src = (const char *)big;
	p.data.src_len = 20 * RECORD;
	for (int i = 0; i < 200 && p.data.src_len > 0; i++) {
		uint64_t passes = story_passes;
		uint64_t now;

		(void)peer_turn(&p);
		now = sim_file_exists("/srv/home/new") ? sim_file_size("/srv/home/new") : 0;
		CHECK(now - size <= (story_passes - passes) * RECORD);
		size = now;
	}
	sim_pump = story_pump;
	CHECK(p.data.src_len == 0);
	peer_data_close(&p);
	CHECK_CODE(&p, peer_reply(&p), 226);
	CHECK(sim_file_is("/srv/home/new", big, 20 * RECORD));
	story_end();
}

static void
many_commands_take_one_pass_each(void **state)
{
	(void)state;
	story_login(&p);
	story_login(&q);
	sim_pump = story_pass;
	for (int i = 0; i < 100; i++) {
		peer_raw(&p, "NOOP\r\n", 6);
	}
	for (int i = 0; i < 20; i++) {
		uint64_t before = story_passes;

		CHECK_CODE(&q, peer_ask(&q, "NOOP"), 200);
		CHECK(story_passes - before <= 3);
	}
	sim_pump = story_pump;
	for (int i = 0; i < 100; i++) {
		CHECK_CODE(&p, peer_reply(&p), 200);
	}
	story_end();
}

/* Passes that the reply to PASS takes, from an address that has not failed yet. */
static uint64_t
passes_of(uint8_t host, const char *user, const char *password, int code)
{
	uint64_t before;

	peer_init(&p);
	p.from.ip[3] = host;
	CHECK_CODE(&p, peer_connect(&p, 21, false), 220);
	CHECK_CODE(&p, peer_auth_tls(&p), 234);
	CHECK_CODE(&p, peer_ask(&p, "USER %s", user), 331);
	before = story_passes;
	CHECK_CODE(&p, peer_ask(&p, "PASS %s", password), code);
	return story_passes - before;
}

/* Row 4.23 of the checklist. */
static void
an_unknown_user_costs_as_many_passes_as_a_wrong_password(void **state)
{
	uint64_t unknown, wrong, right;

	(void)state;
	/* As an administrator makes it: with all the rounds of this build. */
	story_give(INPUT_PASSWORD, "geheim\n", 7);
	CHECK(story_admin("account add berta --password-stdin") == CUB_OK);
	wrong = passes_of(20, "berta", "wrong", 530);
	unknown = passes_of(21, "nobody", "wrong", 530);
	CHECK(wrong == unknown && wrong > 100);
	right = passes_of(22, "berta", "geheim", 230);
	CHECK(right >= wrong && right <= wrong + 1);
	story_end();
}

static void
a_password_is_checked_in_slices_beside_a_transfer(void **state)
{
	uint64_t before = 0;
	size_t had = 0;

	(void)state;
	story_login(&p);
	CHECK(story_open(&p, "RETR big") == 150);
	peer_init(&q);
	CHECK_CODE(&q, peer_connect(&q, 21, false), 220);
	CHECK_CODE(&q, peer_auth_tls(&q), 234);
	CHECK_CODE(&q, peer_ask(&q, "USER nobody"), 331);
	peer_raw(&q, "PASS wrong\r\n", 12);
	(void)peer_turn(&q);
	CHECK(q.control.dst_len == 0);
	sim_pump = story_pass;
	before = story_passes;
	while (had < sizeof big) {
		size_t n = peer_data_read(&p, got + had, sizeof got - had);

		CHECK(n > 0);
		had += n;
	}
	CHECK(story_passes - before < 200);
	CHECK(q.control.dst_len == 0);
	sim_pump = story_pump;
	CHECK(memcmp(got, big, sizeof big) == 0);
	CHECK_CODE(&q, peer_reply(&q), 530);
	story_end();
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(who_says_nothing_is_dismissed_after_the_login_timeout),
		TEST(the_login_timeout_is_one_for_all_steps),
		TEST(a_handshake_that_does_not_end_is_dropped),
		TEST(who_is_idle_is_dismissed_after_the_idle_timeout),
		TEST(a_waiting_port_does_not_keep_an_idle_client),
		TEST(a_data_connection_that_never_comes_is_425),
		TEST(a_data_handshake_that_does_not_end_is_given_up),
		TEST(a_download_that_stands_still_is_426),
		TEST(an_upload_that_stands_still_is_426),
		TEST(a_slow_upload_outlives_the_idle_timeout),
		TEST(a_slow_download_outlives_the_idle_timeout),
		TEST(a_client_that_reads_no_replies_does_not_keep_its_transfer_for_ever),
		TEST(a_client_that_never_closes_is_closed),
		TEST(a_client_that_reads_not_even_its_dismissal_is_closed),
		TEST(the_server_sleeps_while_clients_do),
		TEST(after_each_kind_of_disconnect_the_server_sleeps),
		TEST(each_transfer_and_each_client_has_its_turn_in_each_pass),
		TEST(an_upload_takes_one_record_a_pass),
		TEST(many_commands_take_one_pass_each),
		TEST(an_unknown_user_costs_as_many_passes_as_a_wrong_password),
		TEST(a_password_is_checked_in_slices_beside_a_transfer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
