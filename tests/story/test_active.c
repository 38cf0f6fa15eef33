/* SPDX-License-Identifier: MIT */
/*
 * Active mode, for clients that know no other: off unless it is asked for, and then to nobody
 * but the client itself (4.4: FTP bounce, CVE-1999-0017), with the same rules for what comes
 * over it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "story.h"

static struct peer p;
static uint8_t up[40000], got[40000];

static void
begin(void)
{
	sim_file_put("/srv/home/a", "hello", 5);
	story_set("active", "yes");
	story_start();
	story_login(&p);
}

static int
setup(void **state)
{
	story_setup(state);
	story_fill(up, sizeof up, 9);
	story_begin(sim_seed_or(1));
	begin();
	return 0;
}

static void
check_still_works(void)
{
	CHECK_FETCH(&p, "RETR a", "hello", 5);
	story_leave(&p);
}

static void
transfer_all_ways(void)
{
	size_t len;

	CHECK_CODE(&p, peer_port(&p), 200);
	CHECK_CODE(&p, peer_ask(&p, "RETR a"), 150);
	peer_data_accept(&p);
	len = peer_data_read_all(&p, got, sizeof got);
	CHECK(len == 5 && memcmp(got, "hello", 5) == 0 && p.data.resumed && p.data.notified);
	CHECK_CODE(&p, peer_reply(&p), 226);

	CHECK_CODE(&p, peer_port(&p), 200);
	CHECK_CODE(&p, peer_ask(&p, "STOR b"), 150);
	peer_data_accept(&p);
	CHECK(peer_data_handshake(&p) == CUB_OK);
	CHECK(peer_data_write(&p, up, sizeof up) == sizeof up);
	peer_data_close(&p);
	CHECK_CODE(&p, peer_reply(&p), 226);
	CHECK(sim_file_is("/srv/home/b", up, sizeof up));

	CHECK_CODE(&p, peer_port(&p), 200);
	CHECK_CODE(&p, peer_ask(&p, "NLST"), 150);
	peer_data_accept(&p);
	CHECK(peer_data_read_all(&p, got, sizeof got) == 6);
	CHECK_CODE(&p, peer_reply(&p), 226);
}

static void
tell_all_ways(void)
{
	begin();
	transfer_all_ways();
	CHECK_CODE(&p, peer_quit(&p), 221);
	story_check_quiet();
}

static void
the_server_connects_and_is_the_server_of_tls_at_every_split(void **state)
{
	(void)state;
	story_end();
	story_each_way(tell_all_ways);
}

static void
eprt_works_over_ipv6(void **state)
{
	(void)state;
	CHECK_CODE(&p, peer_quit(&p), 221);
	peer_init(&p);
	p.from = sim_ipv6(10, 0);
	story_login_as(&p, "anna");
	transfer_all_ways();
	CHECK_CODE(&p, peer_ask(&p, "PORT 192,0,2,10,200,1"), 522);
	CHECK_CODE(&p, peer_ask(&p, "EPRT |1|192.0.2.10|51201|"), 522);
	CHECK(strstr(p.reply, "(2)") != NULL);
	CHECK_CODE(&p, peer_ask(&p, "EPRT |2|2001:db8::b|51201|"), 504);
	story_leave(&p);
}

struct row {
	const char *line;
	int code;
};

/* 4.4 */
static void
nobody_but_the_client_is_connected_to(void **state)
{
	static const struct row rows[] = {
		{ "PORT 192,0,2,11,200,1", 504 }, { "PORT 127,0,0,1,200,1", 504 },
		{ "PORT 192,0,2,1,0,21", 504 }, { "PORT 192,0,2,10,3,255", 504 },
		{ "PORT 192,0,2,10,0,0", 504 }, { "PORT 0,0,0,0,200,1", 504 },
		{ "PORT 255,255,255,255,200,1", 504 },
		{ "EPRT |1|192.0.2.11|51201|", 504 }, { "EPRT |1|127.0.0.1|51201|", 504 },
		{ "EPRT |1|192.0.2.10|1023|", 504 }, { "EPRT |2|::1|51201|", 522 },
		{ "EPRT |2|::ffff:192.0.2.10|51201|", 501 }, { "EPRT |3|192.0.2.10|51201|", 522 },
		{ "EPRT |0|192.0.2.10|51201|", 522 },
		{ "PORT", 501 }, { "EPRT", 501 }, { "PORT 192,0,2,10,200", 501 },
		{ "PORT 192,0,2,10,200,1,", 501 }, { "PORT 192,0,2,10,200,1,1", 501 },
		{ "PORT 192,0,2,10,256,1", 501 }, { "PORT 192.0.2.10,200,1", 501 },
		{ "PORT 192,0,2,10,200,1 ", 501 }, { "PORT ,,,,,", 501 }, { "PORT 3221225994,51201", 501 },
		{ "EPRT 192.0.2.10", 501 }, { "EPRT |", 501 }, { "EPRT ||||", 501 },
		{ "EPRT |1|192.0.2.10|51201", 501 }, { "EPRT |1|192.0.2.10|51201|x", 501 },
		{ "EPRT |1|192.0.2.10|0|", 501 }, { "EPRT |1|192.0.2.10|65536|", 501 },
		{ "EPRT |2|192.0.2.10|51201|", 501 }, { "EPRT |1|[192.0.2.10]|51201|", 501 },
	};

	(void)state;
	sim_far_listen(&(struct port_addr){ .family = 4, .ip = { 192, 0, 2, 11 },
		.tcp_port = 51201 }, false);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		int code = peer_ask(&p, "%s", rows[i].line);

		if (code != rows[i].code) {
			sim_fail("%s: %d, not %d", rows[i].line, code, rows[i].code);
		}
		CHECK_CODE(&p, peer_ask(&p, "RETR a"), 425);
	}
	CHECK(sim_net_open_count() == 3);
	check_still_works();
}

/* 4.36: what was agreed on before stays. */
static void
a_refused_port_leaves_what_was_before(void **state)
{
	(void)state;
	story_data(&p);
	CHECK_CODE(&p, peer_ask(&p, "REST 2"), 350);
	CHECK_CODE(&p, peer_ask(&p, "PORT 192,0,2,11,200,1"), 504);
	CHECK_CODE(&p, peer_ask(&p, "EPRT x"), 501);
	CHECK_CODE(&p, peer_ask(&p, "RETR a"), 150);
	CHECK(peer_data_read_all(&p, got, sizeof got) == 3);
	CHECK_CODE(&p, peer_reply(&p), 226);
	check_still_works();
}

static void
the_last_of_port_and_pasv_counts(void **state)
{
	uint16_t tcp_port;

	(void)state;
	tcp_port = peer_epsv(&p);
	CHECK_CODE(&p, peer_port(&p), 200);
	CHECK(!sim_net_listens(tcp_port));
	story_data(&p);
	CHECK_CODE(&p, peer_ask(&p, "RETR a"), 150);
	CHECK(peer_data_read_all(&p, got, sizeof got) == 5);
	CHECK_CODE(&p, peer_reply(&p), 226);
	check_still_works();
}

static void
it_is_off_by_default_and_after_epsv_all(void **state)
{
	(void)state;
	CHECK_CODE(&p, peer_ask(&p, "FEAT"), 211);
	CHECK(strstr(p.reply, "\r\n EPRT\r\n") != NULL);
	CHECK_CODE(&p, peer_ask(&p, "HELP"), 214);
	CHECK(strstr(p.reply, "\r\n EPRT\r\n") != NULL && strstr(p.reply, " PORT\r\n") != NULL);
	CHECK_CODE(&p, peer_ask(&p, "EPSV ALL"), 200);
	CHECK_CODE(&p, peer_port(&p), 503);
	CHECK_CODE(&p, peer_ask(&p, "EPRT |1|192.0.2.10|51201|"), 503);
	CHECK_CODE(&p, peer_ask(&p, "PASV"), 503);
	check_still_works();
	story_begin(1);
	sim_file_put("/srv/home/a", "hello", 5);
	story_start();
	story_login(&p);
	CHECK_CODE(&p, peer_ask(&p, "FEAT"), 211);
	CHECK(strstr(p.reply, "EPRT") == NULL);
	CHECK_CODE(&p, peer_ask(&p, "HELP"), 214);
	CHECK(strstr(p.reply, "EPRT") == NULL && strstr(p.reply, "PORT") == NULL);
	CHECK_CODE(&p, peer_port(&p), 502);
	CHECK_CODE(&p, peer_ask(&p, "EPRT |1|192.0.2.10|51201|"), 502);
	check_still_works();
}

static void
where_nobody_listens_the_command_gets_425(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		CHECK_CODE(&p, peer_port(&p), 200);
		sim_far_unlisten();
		CHECK_CODE(&p, peer_ask(&p, i == 0 ? "RETR a" : "STOR new"), 150);
		CHECK_CODE(&p, peer_reply(&p), 425);
		CHECK_CODE(&p, peer_ask(&p, "RETR a"), 425);
	}
	CHECK(sim_dir_count("/srv/home") == 1);
	CHECK(sim_net_open_count() == 3);
	check_still_works();
}

static void
a_client_that_never_answers_is_given_up_after_data_timeout(void **state)
{
	(void)state;
	CHECK_CODE(&p, peer_port(&p), 200);
	sim_far_unlisten();
	sim_far_listen(&p.listening, true);
	CHECK_CODE(&p, peer_ask(&p, "RETR a"), 150);
	story_wait_ms(59000);
	CHECK(!peer_has_reply(&p));
	CHECK(sim_net_open_count() == 4);
	story_wait_ms(2000);
	CHECK_CODE(&p, peer_reply(&p), 425);
	CHECK(sim_net_open_count() == 3);
	CHECK_CODE(&p, peer_port(&p), 200);
	sim_far_unlisten();
	sim_far_listen(&p.listening, true);
	CHECK_CODE(&p, peer_ask(&p, "RETR a"), 150);
	CHECK_CODE(&p, peer_ask(&p, "ABOR"), 426);
	CHECK_CODE(&p, peer_reply(&p), 226);
	CHECK(sim_net_open_count() == 3);
	check_still_works();
}

static void
nothing_is_connected_before_the_command(void **state)
{
	uint64_t calls;

	(void)state;
	CHECK_CODE(&p, peer_port(&p), 200);
	story_settle();
	calls = story_passes;
	story_wait_ms(100000);
	CHECK(story_passes < calls + 5);
	CHECK(sim_net_open_count() == 3);
	check_still_works();
}

/* The tie is the same as in passive mode. */
static void
what_does_not_resume_gets_522_and_not_a_byte(void **state)
{
	(void)state;
	p.resume = false;
	CHECK_CODE(&p, peer_port(&p), 200);
	CHECK_CODE(&p, peer_ask(&p, "RETR a"), 150);
	peer_data_accept(&p);
	CHECK(peer_data_read_all(&p, got, sizeof got) == 0);
	CHECK_CODE(&p, peer_reply(&p), 522);
	p.resume = true;
	check_still_works();
}

static void
each_socket_call_may_fail(void **state)
{
	bool struck = true;

	(void)state;
	for (uint64_t n = 1; struck; n++) {
		int code;

		if (p.control.end != PEER_OPEN) {
			story_login(&p);
		}
		CHECK_CODE(&p, peer_port(&p), 200);
		sim_net_fail_at(n, false);
		code = peer_ask(&p, "RETR a");
		if (code == 150) {
			sim_peer sock;

			for (int i = 0; i < 30 && sim_far_accept(&p.listening, &sock) != CUB_OK; i++) {
				(void)peer_turn(&p);
				if (sim_net_failed()) {
					break;
				}
			}
			if (!sim_net_failed()) {
				p.data.sock = sock;
				sim_peer_close(sock);
				p.data.sock = 0;
			}
			code = peer_reply(&p);
		}
		struck = sim_net_failed();
		sim_net_fail_at(0, false);
		CHECK(code < 0 || code == 425 || code == 522);
		CHECK(sim_net_open_count() <= 4);
		if (code < 0) {
			story_check_quiet();
		}
	}
	check_still_works();
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_server_connects_and_is_the_server_of_tls_at_every_split),
		TEST(eprt_works_over_ipv6),
		TEST(nobody_but_the_client_is_connected_to),
		TEST(a_refused_port_leaves_what_was_before),
		TEST(the_last_of_port_and_pasv_counts),
		TEST(it_is_off_by_default_and_after_epsv_all),
		TEST(where_nobody_listens_the_command_gets_425),
		TEST(a_client_that_never_answers_is_given_up_after_data_timeout),
		TEST(nothing_is_connected_before_the_command),
		TEST(what_does_not_resume_gets_522_and_not_a_byte),
		TEST(each_socket_call_may_fail),
	};

	return !CONFIG_CUBFTPD_ACTIVE ? 0 : cmocka_run_group_tests(tests, NULL, NULL);
}
