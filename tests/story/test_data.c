/* SPDX-License-Identifier: MIT */
/*
 * The data connection belongs to its control connection: what is not tied to it by the TLS
 * session, or comes from elsewhere, gets not a byte and takes nothing away. Closes the gap
 * of servers that share one session cache (vsftpd, ProFTPD before 1.3.8), where a second
 * client of the same host could take or feed the first one's transfer, and of those that
 * a stranger can starve by connecting first.
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
static uint8_t got[40000], up[40000];

static void
begin_with(const char *reuse)
{
	story_begin(sim_seed_or(1));
	story_set("data_reuse", reuse);
	story_start();
	sim_file_put("/srv/home/a", "hello", 5);
	story_fill(up, sizeof up, 4);
	story_login(&p);
}

static int
setup(void **state)
{
	story_setup(state);
	begin_with("require");
	return 0;
}

/* How a transfer ends whose data connection is already there; nothing has moved. */
static void
expect_refused(struct peer *by, const char *command, int code)
{
	size_t len;

	CHECK_CODE(&p, peer_ask(&p, "%s", command), 150);
	(void)peer_data_handshake(by);
	if (strncmp(command, "STOR", 4) == 0) {
		(void)peer_data_write(by, up, 1000);
		peer_data_cut(by);
	} else {
		len = peer_data_read_all(by, got, sizeof got);
		CHECK(len == 0);
	}
	CHECK_CODE(&p, peer_reply(&p), code);
	CHECK(sim_file_is("/srv/home/a", "hello", 5));
	CHECK(sim_dir_count("/srv/home") == 1);
}

static void
check_still_works(void)
{
	CHECK_FETCH(&p, "RETR a", "hello", 5);
	CHECK_CODE(&p, peer_quit(&p), 221);
	if (q.control.end == PEER_OPEN) {
		CHECK_CODE(&q, peer_quit(&q), 221);
	}
	story_check_quiet();
	story_end();
}

static void
refuse_both_ways(const char *reuse)
{
	static const char *const commands[] = { "RETR a", "STOR a", "STOR new", "APPE a", "MLSD" };

	begin_with(reuse);
	for (size_t i = 0; i < 5; i++) {
		p.resume = false;
		story_data(&p);
		expect_refused(&p, commands[i], 522);
		CHECK(!p.data.resumed);
	}
	p.resume = true;
	check_still_works();
}

static void
what_does_not_resume_gets_522_and_not_a_byte(void **state)
{
	(void)state;
	refuse_both_ways("require");
	refuse_both_ways("certificate");
}

static void
with_reuse_address_a_full_handshake_will_do(void **state)
{
	size_t len;

	(void)state;
	begin_with("address");
	p.resume = false;
	CHECK_CODE(&p, story_fetch(&p, "RETR a", got, sizeof got, &len), 226);
	CHECK(len == 5 && !p.data.resumed);
	CHECK(memcmp(p.data.x509.fingerprint, p.control.x509.fingerprint, 32) == 0);
	CHECK_CODE(&p, story_store(&p, "STOR b", up, sizeof up), 226);
	CHECK(sim_file_is("/srv/home/b", up, sizeof up));
	p.resume = true;
	check_still_works();
}

static void
data_without_tls_is_refused(void **state)
{
	(void)state;
	p.protect = false;
	story_data(&p);
	CHECK_CODE(&p, peer_ask(&p, "STOR new"), 150);
	(void)peer_data_write(&p, up, 1000);
	CHECK_CODE(&p, peer_reply(&p), 522);
	CHECK(sim_dir_count("/srv/home") == 1);
	p.protect = true;
	check_still_works();
}

static void
another_session_of_the_same_host_cant_take_a_transfer(void **state)
{
	static const char *const commands[] = { "RETR a", "STOR new" };

	(void)state;
	story_login(&q);
	for (size_t i = 0; i < 2; i++) {
		uint16_t tcp_port = peer_epsv(&p);

		CHECK(peer_data_connect(&q, tcp_port) == CUB_OK);  /* offers its own session */
		expect_refused(&q, commands[i], 522);
		CHECK(!q.data.resumed);
	}
	check_still_works();
}

static void
a_session_of_an_earlier_connection_is_not_taken_up(void **state)
{
	br_ssl_session_parameters earlier;

	(void)state;
	br_ssl_engine_get_session_parameters(&p.control.client.eng, &earlier);
	CHECK_CODE(&p, peer_quit(&p), 221);
	story_login(&p);
	p.offer = &earlier;
	story_data(&p);
	expect_refused(&p, "RETR a", 522);
	CHECK(!p.data.resumed);
	p.offer = NULL;
	check_still_works();
}

/* For a control connection: offer what is in q.offer. */
static void
offer_on_control(struct peer *who, struct peer_link *link)
{
	if (link == &who->control) {
		link->offered = *who->offer;
		br_ssl_engine_set_session_parameters(&link->client.eng, who->offer);
	}
}

static void
a_control_connection_cant_resume_another(void **state)
{
	br_ssl_session_parameters session, own;

	(void)state;
	br_ssl_engine_get_session_parameters(&p.control.client.eng, &session);
	peer_init(&q);
	CHECK_CODE(&q, peer_connect(&q, 21, false), 220);
	q.offer = &session;
	q.prepare = offer_on_control;
	CHECK_CODE(&q, peer_auth_tls(&q), 234);
	br_ssl_engine_get_session_parameters(&q.control.client.eng, &own);
	CHECK(memcmp(own.session_id, session.session_id, sizeof own.session_id) != 0);
	CHECK(memcmp(own.master_secret, session.master_secret, sizeof own.master_secret) != 0);
	CHECK_CODE(&q, peer_ask(&q, "PWD"), 530);
	q.offer = NULL;
	q.prepare = NULL;
	check_still_works();
}

/* The right session by its name, but without its secret. */
static void
a_forged_session_gets_not_a_byte(void **state)
{
	br_ssl_session_parameters forged;
	size_t len;

	(void)state;
	br_ssl_engine_get_session_parameters(&p.control.client.eng, &forged);
	memset(forged.master_secret, 0x41, sizeof forged.master_secret);
	p.offer = &forged;
	story_data(&p);
	CHECK_CODE(&p, peer_ask(&p, "RETR a"), 150);
	CHECK(peer_data_handshake(&p) < 0);
	len = p.data.ready ? peer_data_read_all(&p, got, sizeof got) : 0;
	CHECK(len == 0);
	CHECK_CODE(&p, peer_reply(&p), 522);
	p.offer = NULL;
	check_still_works();
}

static void
strangers_are_turned_away_and_the_client_still_gets_through(void **state)
{
	struct port_addr stranger = sim_ipv4(192, 0, 2, 11, 41000);
	size_t len;
	uint16_t tcp_port = peer_epsv(&p);

	(void)state;
	CHECK_CODE(&p, peer_ask(&p, "RETR a"), 150);
	for (int i = 0; i < 20; i++) {
		sim_peer peer;

		CHECK(sim_connect(&stranger, tcp_port, &peer) == CUB_OK);
		CHECK(!peer_has_reply(&p));
		CHECK(sim_peer_eof(peer) && sim_peer_pending(peer) == 0);
		sim_peer_close(peer);
	}
	CHECK(peer_data_connect(&p, tcp_port) == CUB_OK);
	len = peer_data_read_all(&p, got, sizeof got);
	CHECK(len == 5 && p.data.resumed);
	CHECK_CODE(&p, peer_reply(&p), 226);
	check_still_works();
}

static void
a_port_takes_one_connection(void **state)
{
	uint16_t tcp_port = peer_epsv(&p);
	sim_peer second;

	(void)state;
	CHECK(peer_data_connect(&p, tcp_port) == CUB_OK);
	CHECK(sim_connect(&p.from, tcp_port, &second) == CUB_OK);  /* in the backlog */
	CHECK_CODE(&p, peer_ask(&p, "RETR a"), 150);
	CHECK(peer_data_read_all(&p, got, sizeof got) == 5);
	CHECK_CODE(&p, peer_reply(&p), 226);
	CHECK(sim_peer_lost(second));
	sim_peer_close(second);
	CHECK(!sim_net_listens(tcp_port));
	CHECK(sim_connect(&p.from, tcp_port, &second) == CUB_E_IO);
	CHECK_CODE(&p, peer_ask(&p, "RETR a"), 425);
	check_still_works();
}

static void
a_new_epsv_closes_the_port_before_it(void **state)
{
	uint16_t first = peer_epsv(&p);
	uint16_t second = peer_pasv(&p);

	(void)state;
	CHECK(first != 0 && second != 0);
	CHECK(first == second || !sim_net_listens(first));
	CHECK(sim_net_listens(second));
	CHECK(sim_net_open_count() == 4);
	check_still_works();
}

static void
ports_are_drawn_from_the_whole_range(void **state)
{
	unsigned seen = 0;

	(void)state;
	for (int i = 0; i < 300; i++) {
		uint16_t tcp_port = peer_epsv(&p);

		CHECK(tcp_port >= 50000 && tcp_port <= 50015);
		seen |= 1u << (tcp_port - 50000);
	}
	CHECK(seen == 0xFFFF);
	check_still_works();
}

static void
ten_thousand_data_connections_leave_nothing_behind(void **state)
{
	unsigned times = story_times(10000, 300);

	(void)state;
	for (unsigned i = 0; i < times; i++) {
		size_t len;

		if (i % 3 == 0) {
			CHECK_CODE(&p, story_store(&p, "STOR b", up, 100), 226);
		} else {
			CHECK_CODE(&p, story_fetch(&p, i % 3 == 1 ? "RETR a" : "NLST", got, sizeof got, &len),
				226);
		}
		CHECK(p.data.resumed && p.data.notified);
		CHECK(sim_net_open_count() <= 4 && sim_file_open_count() == 2);
	}
	CHECK(sim_dir_count("/srv/home") == 2);
	check_still_works();
}

/* The address that PASV answers. */
static bool
told(const char *address)
{
	char want[64];

	CHECK(peer_pasv(&p) != 0);
	snprintf(want, sizeof want, "227 Entering Passive Mode (%s,", address);
	return strncmp(p.reply, want, strlen(want)) == 0;
}

static void
come_from(struct port_addr from)
{
	CHECK_CODE(&p, peer_quit(&p), 221);
	peer_init(&p);
	p.from = from;
	story_login_as(&p, "anna");
}

static void
passive_address_is_for_peers_beyond_the_own_network(void **state)
{
	(void)state;
	CHECK(told("192,0,2,1"));
	CHECK_CODE(&p, peer_quit(&p), 221);
	story_end();
	story_begin(1);
	story_set("passive_address", "203.0.113.9");
	story_start();
	CHECK(sim_log_has("passive_high=50015 passive_address=203.0.113.9 certificate=sha256:"));
	story_login(&p);
	CHECK(told("192,0,2,1"));
	come_from(sim_ipv4(198, 51, 100, 7, 0));
	CHECK(told("203,0,113,9"));
	CHECK_CODE(&p, peer_ask(&p, "EPSV"), 229);
	come_from(sim_ipv4(192, 0, 3, 7, 0));
	CHECK(told("203,0,113,9"));
	come_from(sim_ipv6(7, 0));
	CHECK_CODE(&p, peer_ask(&p, "PASV"), 522);
	CHECK_CODE(&p, peer_ask(&p, "EPSV"), 229);
	CHECK_CODE(&p, peer_quit(&p), 221);
	story_end();
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_does_not_resume_gets_522_and_not_a_byte),
		TEST(with_reuse_address_a_full_handshake_will_do),
		TEST(data_without_tls_is_refused),
		TEST(another_session_of_the_same_host_cant_take_a_transfer),
		TEST(a_session_of_an_earlier_connection_is_not_taken_up),
		TEST(a_control_connection_cant_resume_another),
		TEST(a_forged_session_gets_not_a_byte),
		TEST(strangers_are_turned_away_and_the_client_still_gets_through),
		TEST(a_port_takes_one_connection),
		TEST(a_new_epsv_closes_the_port_before_it),
		TEST(ports_are_drawn_from_the_whole_range),
		TEST(passive_address_is_for_peers_beyond_the_own_network),
		TEST(ten_thousand_data_connections_leave_nothing_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
