/* SPDX-License-Identifier: MIT */
/*
 * The life of a server: stopping in order, reloading while clients are there, starting again
 * in the same program. Closes the gap of ftp-srv (a restart loses a running upload) and of
 * vsftpd (a reload that does nothing), and holds the contract of include/cubftpd.h for
 * programs that embed the server.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "story.h"

#define BIG 300000

static struct peer p, q, r;
static uint8_t big[BIG], got[BIG + 1];

/* Stores as they are prepared elsewhere: two other identities, and accounts without anna. */
static struct medium {
	uint8_t  bytes[SIM_FLASH_MAX];
	uint32_t len;
} other_identity[2], without_anna;

static void
keep(struct medium *medium, enum port_area area)
{
	medium->len = sim_flash_size(area);
	memcpy(medium->bytes, sim_flash_bytes(area), medium->len);
}

static void
prepare_media(void)
{
	story_begin(2);
	CHECK(story_admin("account remove anna") == CUB_OK);
	keep(&without_anna, PORT_AREA_TRUST);
	for (int i = 0; i < 2; i++) {
		sim_flash_reset();
		CHECK(story_admin("init") == CUB_OK);
		keep(&other_identity[i], PORT_AREA_IDENTITY);
	}
}

/* From the next reload on the server finds this one, as where another medium is mounted. */
static void
change_medium(enum port_area area, const struct medium *medium)
{
	sim_flash_replace(area, medium->bytes, medium->len);
}

static int
setup(void **state)
{
	story_setup(state);
	if (without_anna.len == 0) {
		prepare_media();
	}
	story_new();
	story_fill(big, sizeof big, 12);
	sim_file_put("/srv/home/big", big, sizeof big);
	sim_file_put("/srv/home/a", "hello", 5);
	peer_init(&p);
	return 0;
}

static void
check_nothing_open(void)
{
	CHECK(cubftpd_stopped());
	CHECK(sim_net_open_count() == 0);
	CHECK(sim_file_open_count() == 0);
	CHECK(!sim_flash_is_open(PORT_AREA_IDENTITY) && !sim_flash_is_open(PORT_AREA_TRUST));
}

static void
stop_tells_everybody_421(void **state)
{
	static struct peer greeted, shaking;

	(void)state;
	story_login(&q);
	CHECK_CODE(&p, peer_connect(&p, 21, false), 220);
	peer_init(&greeted);
	CHECK_CODE(&greeted, peer_connect(&greeted, 21, false), 220);
	CHECK_CODE(&greeted, peer_auth_tls(&greeted), 234);
	peer_init(&shaking);
	CHECK_CODE(&shaking, peer_connect(&shaking, 21, false), 220);
	CHECK_CODE(&shaking, peer_ask(&shaking, "AUTH TLS"), 234);
	CHECK(peer_epsv(&q) != 0);
	cubftpd_stop(port_clock_ms());
	CHECK(!sim_net_listens(21) && !sim_net_listens(990));
	CHECK_CODE(&p, peer_reply(&p), 421);
	CHECK_CODE(&p, peer_reply(&p), CUB_EOF);
	CHECK_CODE(&greeted, peer_reply(&greeted), 421);
	CHECK_CODE(&greeted, peer_reply(&greeted), CUB_EOF);
	CHECK_CODE(&q, peer_reply(&q), 421);
	CHECK_CODE(&q, peer_reply(&q), CUB_EOF);
	CHECK(peer_handshake(&shaking) < 0);
	story_settle();
	check_nothing_open();
}

static void
stop_lets_transfers_finish(void **state)
{
	size_t len;

	(void)state;
	story_login(&p);
	story_login(&q);
	CHECK(story_open(&p, "RETR big") == 150);
	CHECK(story_open(&q, "STOR new") == 150);
	CHECK(peer_data_write(&q, big, 50000) == 50000);
	cubftpd_stop(port_clock_ms());
	story_wait_ms(5000);
	CHECK(!cubftpd_stopped());
	len = peer_data_read_all(&p, got, sizeof got);
	CHECK(len == sizeof big && memcmp(got, big, len) == 0 && p.data.notified);
	CHECK_CODE(&p, peer_reply(&p), 226);
	CHECK_CODE(&p, peer_reply(&p), 421);
	CHECK_CODE(&p, peer_reply(&p), CUB_EOF);
	CHECK(peer_data_write(&q, big + 50000, 10000) == 10000);
	peer_data_close(&q);
	CHECK_CODE(&q, peer_reply(&q), 226);
	CHECK_CODE(&q, peer_reply(&q), 421);
	CHECK_CODE(&q, peer_reply(&q), CUB_EOF);
	CHECK(sim_file_is("/srv/home/new", big, 60000));
	story_settle();
	check_nothing_open();
}

static void
stop_waits_ten_seconds_for_transfers_and_no_more(void **state)
{
	(void)state;
	story_login(&p);
	story_login(&q);
	CHECK(story_open(&p, "RETR big") == 150);
	CHECK(story_open(&q, "STOR a") == 150);
	CHECK(peer_data_write(&q, big, 50000) == 50000);
	cubftpd_stop(port_clock_ms());
	story_wait_ms(9999);
	CHECK(!peer_has_reply(&p) && !peer_has_reply(&q));
	story_wait_ms(1);
	CHECK_CODE(&p, peer_reply(&p), 421);
	CHECK_CODE(&q, peer_reply(&q), 421);
	CHECK(peer_data_read_all(&p, got, sizeof got) < sizeof big && !p.data.notified);
	CHECK(sim_file_is("/srv/home/a", "hello", 5));
	CHECK(sim_dir_count("/srv/home") == 2);
	peer_data_cut(&q);
	peer_close(&p);
	peer_close(&q);
	story_settle();
	check_nothing_open();
}

static void
stop_ends_though_clients_never_read_or_close(void **state)
{
	uint64_t before = port_clock_ms();

	(void)state;
	sim_net_buffer(200);
	story_login(&p);
	story_login(&q);
	CHECK(story_open(&q, "RETR big") == 150);
	CHECK(peer_open(&r, 21) == CUB_OK);
	story_end();
	CHECK(port_clock_ms() - before <= 25000);
}

/* Stop at a moment of a session at which a socket call fails. */
static bool
stop_with_fault(uint64_t n, bool forever)
{
	bool struck;

	story_begin(sim_seed_or(n));
	story_start();
	sim_file_put("/srv/home/big", big, sizeof big);
	peer_init(&p);
	CHECK_CODE(&p, peer_connect(&p, 21, false), 220);
	story_login(&q);
	story_login(&r);
	CHECK(story_open(&r, "RETR big") == 150);
	peer_raw(&q, "NOOP\r\nPWD\r\n", 11);
	peer_raw(&p, "NOOP\r\n", 6);
	sim_net_fail_at(n, forever);
	for (int i = 0; i < 3; i++) {
		(void)peer_turn(i == 0 ? &q : &p);
	}
	cubftpd_stop(port_clock_ms());
	for (int i = 0; i < 20; i++) {
		(void)peer_turn(&p);
		(void)peer_turn(&q);
	}
	story_end();
	struck = sim_net_failed();
	sim_net_fail_at(0, false);
	return struck;
}

static void
stop_works_though_any_socket_call_fails(void **state)
{
	(void)state;
	for (int forever = 0; forever < 2; forever++) {
		for (uint64_t n = 1; stop_with_fault(n, forever != 0); n++) {
			continue;
		}
	}
}

/* Replies are made while the server stops: those that can't be sent any more harm nothing. */
static bool
dismiss_with_fault(uint64_t n, bool forever, unsigned passes)
{
	bool struck;

	story_begin(sim_seed_or(n));
	story_start();
	peer_init(&p);
	CHECK_CODE(&p, peer_connect(&p, 21, false), 220);
	story_login(&q);
	CHECK(sim_peer_write(p.control.sock, "NOOP\r\nNOOP\r\nFEAT\r\n", 18) == 18);
	sim_pump = story_pass;
	peer_raw(&q, "NOOP\r\nPWD\r\nFEAT\r\nSTAT\r\n", 24);
	sim_net_fail_at(n, forever);
	while (passes-- > 0) {
		(void)peer_turn(&q);
	}
	cubftpd_stop(port_clock_ms());
	sim_pump = story_pump;
	story_end();
	struck = sim_net_failed();
	return struck;
}

static void
dismissing_works_at_each_pass_though_any_socket_call_fails(void **state)
{
	(void)state;
	for (unsigned passes = 0; passes < 6; passes++) {
		for (int forever = 0; forever < 2; forever++) {
			for (uint64_t n = 1; dismiss_with_fault(n, forever != 0, passes); n++) {
				continue;
			}
		}
	}
}

/* Who is not logged in has one session less than there are. */
#define OUTSIDE (CUB_SESSIONS - 1)

/* One client more can't even be told: any call on its socket may fail. */
static bool
turn_away_with_fault(uint64_t n, bool forever)
{
	static struct peer held[OUTSIDE];
	sim_peer more;
	bool struck;

	story_begin(sim_seed_or(n));
	story_start();
	for (unsigned i = 0; i < OUTSIDE; i++) {
		peer_init(&held[i]);
		CHECK_CODE(&held[i], peer_connect(&held[i], 21, false), 220);
	}
	CHECK(sim_connect(&held[0].from, 21, &more) == CUB_OK);
	sim_net_fail_at(n, forever);
	story_settle();
	struck = sim_net_failed();
	sim_net_fail_at(0, false);
	sim_peer_close(more);
	for (unsigned i = 0; i < OUTSIDE; i++) {
		peer_reset(&held[i]);
	}
	story_check_quiet();
	peer_init(&p);
	CHECK_CODE(&p, peer_connect(&p, 21, false), 220);
	story_end();
	return struck;
}

static void
turning_away_works_though_any_socket_call_fails(void **state)
{
	(void)state;
	for (int forever = 0; forever < 2; forever++) {
		for (uint64_t n = 1; turn_away_with_fault(n, forever != 0); n++) {
			continue;
		}
	}
}

static void
a_stopped_server_starts_again_in_the_same_program(void **state)
{
	uint8_t first[32];
	size_t len;

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct cubftpd_status status;

		story_login(&p);
		if (i == 0) {
			memcpy(first, p.control.x509.fingerprint, sizeof first);
		}
		CHECK(memcmp(first, p.control.x509.fingerprint, sizeof first) == 0);
		CHECK_CODE(&p, story_fetch(&p, "RETR big", got, sizeof got, &len), 226);
		CHECK(len == sizeof big);
		cubftpd_status(&status);
		CHECK(status.sessions == 1 && status.sessions_served == 1);
		CHECK(status.bytes_sent == sizeof big && status.bytes_received == 0);
		CHECK(memcmp(status.fingerprint, first, sizeof first) == 0);
		story_end();
		story_start();
	}
	story_end();
}

static void
the_status_counts_what_happened(void **state)
{
	struct cubftpd_status status;
	size_t len;

	(void)state;
	story_login(&p);
	CHECK_CODE(&p, story_store(&p, "STOR n", big, 1234), 226);
	CHECK_CODE(&p, story_fetch(&p, "RETR a", got, sizeof got, &len), 226);
	CHECK_CODE(&p, story_fetch(&p, "NLST", got, sizeof got, &len), 226);
	CHECK(story_open(&p, "RETR big") == 150);
	cubftpd_status(&status);
	CHECK(status.sessions == 1 && status.transfers == 1 && status.sessions_refused == 0);
	CHECK(status.bytes_received == 1234 && status.bytes_sent == 5);
	story_end();
}

static void
check_goes_on(struct peer *who)
{
	size_t len;

	len = peer_data_read_all(who, got, sizeof got);
	CHECK(len == sizeof big && memcmp(got, big, len) == 0 && who->data.notified);
	CHECK_CODE(who, peer_reply(who), 226);
	CHECK_CODE(who, story_fetch(who, "RETR a", got, sizeof got, &len), 226);
	CHECK_CODE(who, story_store(who, "STOR b", big, 100), 226);
	CHECK(sim_file_is("/srv/home/b", big, 100));
}

static void
reload_keeps_running_sessions_and_new_ones_see_the_new(void **state)
{
	uint8_t first[32];

	(void)state;
	story_login(&p);
	memcpy(first, p.control.x509.fingerprint, sizeof first);
	CHECK(story_open(&p, "RETR big") == 150);
	change_medium(PORT_AREA_IDENTITY, &other_identity[0]);
	story_set("greeting", "another greeting");
	sim_dir_put("/srv2/other");
	story_set("root", "/srv2");
	CHECK(story_reload() == CUB_OK);
	check_goes_on(&p);
	peer_init(&q);
	CHECK_CODE(&q, peer_connect(&q, 21, false), 220);
	CHECK(strcmp(q.reply, "220 another greeting\r\n") == 0);
	CHECK_CODE(&q, peer_auth_tls(&q), 234);
	CHECK(memcmp(q.control.x509.fingerprint, first, sizeof first) != 0);
	CHECK_CODE(&q, peer_login(&q, "otto", "secret"), 230);
	CHECK_CODE(&q, peer_ask(&q, "MKD x"), 257);
	CHECK(sim_dir_exists("/srv2/other/x"));
	CHECK_CODE(&p, peer_quit(&p), 221);
	CHECK_CODE(&q, peer_quit(&q), 221);
	story_check_quiet();
	story_end();
}

/* What ends when an account is gone: its sessions, whatever they do, and nobody else's. */
static void
check_anna_is_gone(void)
{
	CHECK(peer_has_reply(&p));
	CHECK_CODE(&p, peer_reply(&p), 421);
	CHECK_CODE(&p, peer_reply(&p), CUB_EOF);
	CHECK(peer_data_read_all(&p, got, sizeof got) < sizeof big && !p.data.notified);
	CHECK_CODE(&q, peer_ask(&q, "PWD"), 257);
	peer_init(&r);
	CHECK_CODE(&r, peer_connect(&r, 21, false), 220);
	CHECK_CODE(&r, peer_auth_tls(&r), 234);
	CHECK_CODE(&r, peer_login(&r, "anna", "secret"), 530);
	CHECK_CODE(&r, peer_quit(&r), 221);
	CHECK_CODE(&q, peer_quit(&q), 221);
	peer_close(&p);
	story_check_quiet();
}

static void
a_session_whose_account_is_gone_ends_at_a_reload(void **state)
{
	(void)state;
	story_login(&p);
	peer_init(&q);
	story_login_as(&q, "otto");
	CHECK(story_open(&p, "RETR big") == 150);
	change_medium(PORT_AREA_TRUST, &without_anna);
	CHECK_CODE(&q, peer_ask(&q, "PWD"), 257);
	CHECK(story_reload() == CUB_OK);
	check_anna_is_gone();
	story_end();
}

static void
a_session_whose_account_is_removed_ends_at_once(void **state)
{
	(void)state;
	story_login(&p);
	peer_init(&q);
	story_login_as(&q, "otto");
	CHECK(story_open(&p, "RETR big") == 150);
	CHECK(story_admin("account remove anna") == CUB_OK);
	check_anna_is_gone();
	story_end();
}

static void
a_session_that_saw_two_reloads_still_has_its_identity(void **state)
{
	size_t len;

	(void)state;
	story_end();
	story_set("data_reuse", "address");
	story_start();
	story_login(&p);
	change_medium(PORT_AREA_IDENTITY, &other_identity[0]);
	CHECK(story_reload() == CUB_OK);
	change_medium(PORT_AREA_IDENTITY, &other_identity[1]);
	CHECK(story_reload() == CUB_E_BUSY);
	CHECK_CODE(&p, story_fetch(&p, "RETR a", got, sizeof got, &len), 226);
	CHECK(p.data.resumed);
	p.resume = false;
	CHECK_CODE(&p, story_fetch(&p, "RETR a", got, sizeof got, &len), 226);
	CHECK(memcmp(p.data.x509.fingerprint, p.control.x509.fingerprint, 32) == 0);
	story_end();
}

static void
a_handshake_that_saw_two_reloads_still_succeeds(void **state)
{
	(void)state;
	CHECK_CODE(&p, peer_connect(&p, 21, false), 220);
	change_medium(PORT_AREA_IDENTITY, &other_identity[0]);
	CHECK(story_reload() == CUB_OK);
	change_medium(PORT_AREA_IDENTITY, &other_identity[1]);
	CHECK(story_reload() == CUB_E_BUSY);
	CHECK_CODE(&p, peer_auth_tls(&p), 234);
	CHECK_CODE(&p, peer_login(&p, "anna", "secret"), 230);
	CHECK_CODE(&p, peer_quit(&p), 221);
	CHECK(story_reload() == CUB_OK);
	story_end();
}

/* One call fails while the server reloads. Returns whether any did. */
static bool
reload_with_fault(bool of_flash, uint64_t n)
{
	bool struck;
	int err;

	if (of_flash) {
		sim_flash_fail_at(n, false, CUB_E_IO);
	} else {
		sim_file_fail_at(n, false, CUB_E_IO);
	}
	err = story_reload();
	struck = of_flash ? sim_flash_failed() : sim_file_failed();
	sim_flash_fail_at(0, false, CUB_E_IO);
	sim_file_fail_at(0, false, CUB_E_IO);
	CHECK(err == CUB_OK || struck);
	return struck;
}

static void
a_reload_that_fails_at_any_call_changes_nothing(void **state)
{
	(void)state;
	story_login(&p);
	for (int of_flash = 0; of_flash < 2; of_flash++) {
		for (uint64_t n = 1; reload_with_fault(of_flash != 0, n); n++) {
			story_settle();  /* it sweeps after a start and a reload */
			CHECK(sim_file_open_count() == 2);
			CHECK(sim_flash_is_open(PORT_AREA_IDENTITY) && sim_flash_is_open(PORT_AREA_TRUST));
			CHECK_CODE(&p, peer_ask(&p, "PWD"), 257);
			CHECK(story_admin("account list") == CUB_OK && strstr(story_said, "gast") != NULL);
			if (n % 16 == 1) {
				story_login(&q);
				CHECK_CODE(&q, peer_quit(&q), 221);
			}
		}
	}
	/* The stores are what they were, and can be written. */
	CHECK(story_admin("account remove gast") == CUB_OK);
	story_leave(&p);
}

static void
listeners_stay_what_they_are_over_a_reload(void **state)
{
	struct cubftpd_config before;

	(void)state;
	before = story_config;
	cubftpd_config_default(&story_config);
	story_set("root", "/srv");
	story_set("listen_implicit", "[::]:990");
	story_set("listen", "[::]:21");
	CHECK(story_reload() == CUB_OK);
	CHECK(sim_net_listens(21) && sim_net_listens(990));
	CHECK_CODE(&p, peer_connect(&p, 21, false), 220);
	CHECK_CODE(&p, peer_auth_tls(&p), 234);
	peer_init(&q);
	CHECK_CODE(&q, peer_connect(&q, 990, true), 220);
	story_config = before;
	story_end();
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(stop_tells_everybody_421),
		TEST(stop_lets_transfers_finish),
		TEST(stop_waits_ten_seconds_for_transfers_and_no_more),
		TEST(stop_ends_though_clients_never_read_or_close),
		TEST(stop_works_though_any_socket_call_fails),
		TEST(dismissing_works_at_each_pass_though_any_socket_call_fails),
		TEST(turning_away_works_though_any_socket_call_fails),
		TEST(a_stopped_server_starts_again_in_the_same_program),
		TEST(the_status_counts_what_happened),
		TEST(reload_keeps_running_sessions_and_new_ones_see_the_new),
		TEST(a_session_whose_account_is_gone_ends_at_a_reload),
		TEST(a_session_whose_account_is_removed_ends_at_once),
		TEST(a_session_that_saw_two_reloads_still_has_its_identity),
		TEST(a_handshake_that_saw_two_reloads_still_succeeds),
		TEST(a_reload_that_fails_at_any_call_changes_nothing),
		TEST(listeners_stay_what_they_are_over_a_reload),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
