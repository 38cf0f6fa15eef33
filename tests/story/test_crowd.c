/* SPDX-License-Identifier: MIT */
/*
 * More clients than there is room for, clients that say nothing, nonsense or wrong passwords,
 * and a limit on bytes a second: who is let in, who waits and who goes. Checklist 4.23 to
 * 4.25, in the simulator's time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "blame.h"
#include "story.h"

#if CUB_SESSIONS != 4
#error these stories are about four sessions
#endif

#define TOO_MANY "421 Too many connections, try again later\r\n"
#define RECORD 16384
#define BIG (20 * RECORD)

static struct peer p, q, r, crowd[CUB_SESSIONS];
static uint8_t big[BIG], got[BIG + 1];

static int
setup(void **state)
{
	story_setup(state);
	story_new();
	story_fill(big, sizeof big, 12);
	sim_file_put("/srv/home/big", big, sizeof big);
	peer_init(&p);
	return 0;
}

/* A peer at 192.0.2.`host`. */
static struct peer *
at(struct peer *who, uint8_t host)
{
	peer_init(who);
	who->from.ip[3] = host;
	return who;
}

static int
come(struct peer *who, uint8_t host)
{
	return peer_connect(at(who, host), 21, false);
}

/* In TLS, and not logged in. */
static void
come_in(struct peer *who, uint8_t host)
{
	CHECK_CODE(who, come(who, host), 220);
	CHECK_CODE(who, peer_auth_tls(who), 234);
}

static int
log_in(struct peer *who, uint8_t host, const char *user)
{
	come_in(who, host);
	return peer_login(who, user, "secret");
}

static void
turned_away(struct peer *who, uint8_t host)
{
	CHECK_CODE(who, come(who, host), 421);
	CHECK(strcmp(who->reply, TOO_MANY) == 0);
	CHECK_CODE(who, peer_reply(who), CUB_EOF);
}

static void
nothing(void)
{
}

static void
silent_clients_of_one_address_leave_room_for_the_others_4_25(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		CHECK_CODE(&crowd[i], come(&crowd[i], 20), 220);
	}
	/* Its own have no right to more, whoever of them is the oldest. */
	turned_away(&q, 20);
	CHECK(sim_log_has("event=turned-away"));
	/* Anybody else has, and it is the oldest that goes. */
	CHECK_CODE(&p, come(&p, 30), 220);
	CHECK_CODE(&crowd[0], peer_reply(&crowd[0]), 421);
	CHECK(strcmp(crowd[0].reply, TOO_MANY) == 0);
	CHECK_CODE(&crowd[0], peer_reply(&crowd[0]), CUB_EOF);
	CHECK(sim_peer_held(crowd[1].control.sock) && sim_peer_held(crowd[2].control.sock));
	CHECK_CODE(&p, peer_auth_tls(&p), 234);
	CHECK_CODE(&p, peer_login(&p, "anna", "secret"), 230);
	story_end();
}

/* At the banner, in the middle of the handshake, of USER, and before PASS. */
static void
slow_clients_make_room_whatever_they_are_at_4_25(void **state)
{
	(void)state;
	CHECK_CODE(&crowd[0], come(&crowd[0], 20), 220);
	CHECK_CODE(&crowd[0], peer_ask(&crowd[0], "AUTH TLS"), 234);
	peer_raw(&crowd[0], "\x16\x03\x01", 3);
	come_in(&crowd[1], 21);
	peer_raw(&crowd[1], "USER an", 7);
	come_in(&crowd[2], 22);
	CHECK_CODE(&crowd[2], peer_ask(&crowd[2], "USER anna"), 331);
	for (uint8_t i = 0; i < 3; i++) {
		struct peer *who = i == 0 ? &p : i == 1 ? &q : &r;

		CHECK_CODE(who, log_in(who, (uint8_t)(30 + i), "anna"), 230);
	}
	CHECK(!sim_peer_held(crowd[0].control.sock));
	story_end();
}

static void
a_flood_from_many_addresses_ends_no_session_that_is_logged_in(void **state)
{
	static struct peer flood[20];

	(void)state;
	story_login(&p);
	CHECK(story_open(&p, "RETR big") == 150);
	for (uint8_t i = 0; i < 20; i++) {
		CHECK_CODE(&flood[i], come(&flood[i], (uint8_t)(100 + i)), 220);
	}
	for (uint8_t i = 0; i < 20; i++) {
		CHECK((flood[i].control.end == PEER_OPEN && sim_peer_held(flood[i].control.sock))
			== (i >= 17));
	}
	CHECK_CODE(&q, log_in(&q, 30, "anna"), 230);
	CHECK(peer_data_read_all(&p, got, sizeof got) == sizeof big);
	CHECK_CODE(&p, peer_reply(&p), 226);
	story_end();
}

/* It has two places, and comes again and again: who has one keeps it. */
static void
one_address_that_floods_pushes_out_nobody_4_25(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		CHECK_CODE(&crowd[i], come(&crowd[i], 20), 220);
	}
	CHECK_CODE(&p, come(&p, 30), 220);
	for (unsigned i = 0; i < 4; i++) {
		turned_away(&q, 20);
	}
	CHECK_CODE(&p, peer_auth_tls(&p), 234);
	CHECK_CODE(&r, come(&r, 31), 220);
	turned_away(&q, 20);
	CHECK_CODE(&p, peer_login(&p, "anna", "secret"), 230);
	CHECK_CODE(&r, peer_auth_tls(&r), 234);
	story_end();
}

/* Those who guess passwords wait for their answers, and must not keep others out by that. */
static void
who_waits_for_a_late_answer_makes_room_4_25(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		come_in(&crowd[i], 20);
		CHECK_CODE(&crowd[i], peer_login(&crowd[i], "anna", "wrong"), 530);
	}
	for (unsigned i = 0; i < 3; i++) {
		CHECK_CODE(&crowd[i], peer_ask(&crowd[i], "USER anna"), 331);
		peer_raw(&crowd[i], "PASS wrong\r\n", 12);
		CHECK(!peer_has_reply(&crowd[i]));
	}
	CHECK_CODE(&p, log_in(&p, 30, "anna"), 230);
	story_end();
}

/* Who leaves makes room first, but not in place of one that was logged in. */
static void
the_place_of_one_that_logs_out_is_for_those_who_log_in(void **state)
{
	(void)state;
	CHECK_CODE(&p, log_in(&p, 10, "anna"), 230);
	for (uint8_t i = 0; i < 3; i++) {
		CHECK_CODE(&crowd[i], come(&crowd[i], (uint8_t)(20 + i)), 220);
	}
	sim_pump = nothing;
	peer_raw(&p, "QUIT\r\n", 6);
	(void)peer_turn(&p);
	sim_pump = story_pump;
	CHECK_CODE(&q, come(&q, 30), 220);
	CHECK(!sim_peer_held(crowd[0].control.sock) && sim_peer_held(crowd[1].control.sock));
	CHECK_CODE(&p, peer_reply(&p), 221);
	story_end();
}

/* What is being worked at is not thrown away. */
static void
who_waits_for_its_password_to_be_checked_stays(void **state)
{
	(void)state;
	story_give(INPUT_PASSWORD, "geheim\n", 7);
	CHECK(story_admin("account add berta --password-stdin") == CUB_OK);
	come_in(&p, 20);
	CHECK_CODE(&p, peer_ask(&p, "USER berta"), 331);
	CHECK_CODE(&crowd[0], come(&crowd[0], 21), 220);
	CHECK_CODE(&crowd[1], come(&crowd[1], 22), 220);
	sim_pump = story_pass;
	peer_raw(&p, "PASS geheim\r\n", 13);
	for (int i = 0; i < 5; i++) {
		(void)peer_turn(&p);
	}
	CHECK_CODE(&q, come(&q, 23), 220);
	sim_pump = story_pump;
	CHECK(!sim_peer_held(crowd[0].control.sock) && sim_peer_held(crowd[1].control.sock));
	CHECK_CODE(&p, peer_reply(&p), 230);
	story_end();
}

static void
the_last_session_is_for_administrators(void **state)
{
	(void)state;
	story_give(INPUT_PASSWORD, "secret\n", 7);
	CHECK(story_admin("account add root --password-stdin --admin") == CUB_OK);
	for (uint8_t i = 0; i < 3; i++) {
		CHECK_CODE(&crowd[i], log_in(&crowd[i], (uint8_t)(20 + i), "anna"), 230);
	}
	/* Taken, since it may be one; told 421 once it isn't. */
	CHECK_CODE(&p, log_in(&p, 30, "anna"), 421);
	CHECK(strcmp(p.reply, TOO_MANY) == 0);
	CHECK_CODE(&p, peer_reply(&p), CUB_EOF);
	/* A stranger in that place doesn't keep an administrator out. */
	CHECK_CODE(&q, come(&q, 31), 220);
	CHECK_CODE(&r, log_in(&r, 32, "root"), 230);
	/* There is no fifth, for nobody. */
	turned_away(&q, 33);
	CHECK_CODE(&crowd[1], peer_quit(&crowd[1]), 221);
	CHECK_CODE(&p, log_in(&p, 30, "anna"), 230);
	turned_away(&q, 33);
	/* With the administrator goes the place. */
	CHECK_CODE(&r, peer_quit(&r), 221);
	CHECK_CODE(&q, log_in(&q, 33, "gast"), 421);
	story_end();
}

static void
sessions_per_address_counts_those_that_are_open(void **state)
{
	(void)state;
	story_end();
	story_set("sessions_per_address", "2");
	story_start();
	story_login(&p);
	CHECK_CODE(&q, come(&q, 10), 220);
	CHECK_CODE(&r, come(&r, 10), 421);
	CHECK(strcmp(r.reply, "421 Too many connections from your address, try again later\r\n") == 0);
	CHECK_CODE(&r, log_in(&r, 11, "anna"), 230);
	/* Who has been told to go does not count, whether it has gone or not. */
	sim_pump = nothing;
	peer_raw(&q, "QUIT\r\n", 6);
	(void)peer_turn(&q);
	sim_pump = story_pump;
	CHECK_CODE(&crowd[0], come(&crowd[0], 10), 220);
	CHECK_CODE(&q, peer_reply(&q), 221);
	story_end();
}

static void
sessions_per_address_takes_an_ipv6_network_for_one_address(void **state)
{
	(void)state;
	story_end();
	story_set("sessions_per_address", "1");
	story_start();
	peer_init(&p);
	p.from = sim_ipv6(7, 0);
	CHECK_CODE(&p, peer_connect(&p, 21, false), 220);
	peer_init(&q);
	q.from = sim_ipv6(8, 0);
	CHECK_CODE(&q, peer_connect(&q, 21, false), 421);
	peer_init(&q);
	q.from = sim_ipv6(8, 0);
	q.from.ip[7] = 1;
	CHECK_CODE(&q, peer_connect(&q, 21, false), 220);
	story_end();
}

/* ---- Nonsense ---- */

static void
the_fifth_bad_command_before_login_is_421(void **state)
{
	static const char *const bad[] = { "BLAH", "USER anna", "PWD", "RETR x", "PASS secret" };

	(void)state;
	CHECK_CODE(&p, peer_connect(&p, 21, false), 220);
	for (int i = 0; i < 4; i++) {
		CHECK(peer_ask(&p, "%s", bad[i]) >= 500);
	}
	CHECK_CODE(&p, peer_ask(&p, "%s", bad[4]), 421);
	CHECK_CODE(&p, peer_reply(&p), CUB_EOF);
	CHECK(sim_log_has("event=dismissed"));
	story_end();
}

static void
tls_does_not_make_up_for_bad_commands(void **state)
{
	(void)state;
	CHECK_CODE(&p, peer_connect(&p, 21, false), 220);
	CHECK_CODE(&p, peer_ask(&p, "USER anna"), 530);
	CHECK_CODE(&p, peer_ask(&p, "PASS secret"), 503);
	CHECK_CODE(&p, peer_auth_tls(&p), 234);
	CHECK_CODE(&p, peer_ask(&p, "PWD"), 530);
	CHECK_CODE(&p, peer_ask(&p, "BLAH"), 500);
	CHECK_CODE(&p, peer_ask(&p, "USER anna"), 331);
	CHECK_CODE(&p, peer_ask(&p, "LIST"), 421);
	CHECK_CODE(&p, peer_reply(&p), CUB_EOF);
	story_end();
}

static void
the_twentieth_bad_command_after_login_is_421(void **state)
{
	static char overlong[2000];

	(void)state;
	story_login(&p);
	memset(overlong, 'x', sizeof overlong - 1);
	peer_raw(&p, overlong, sizeof overlong - 1);
	CHECK_CODE(&p, peer_ask(&p, "x"), 500);
	for (int i = 0; i < 18; i++) {
		CHECK_CODE(&p, peer_ask(&p, i % 2 ? "BLAH" : "USER anna"), i % 2 ? 500 : 503);
	}
	CHECK_CODE(&p, peer_ask(&p, "NOOP"), 200);
	CHECK_CODE(&p, peer_ask(&p, "BLAH"), 421);
	CHECK_CODE(&p, peer_reply(&p), CUB_EOF);
	story_end();
}

static void
rein_begins_to_count_bad_commands_anew(void **state)
{
	(void)state;
	story_login(&p);
	for (int i = 0; i < 10; i++) {
		CHECK_CODE(&p, peer_ask(&p, "BLAH"), 500);
	}
	CHECK_CODE(&p, peer_ask(&p, "REIN"), 220);
	CHECK_CODE(&p, peer_ask(&p, "PWD"), 530);
	CHECK_CODE(&p, peer_login(&p, "anna", "secret"), 230);
	story_end();
}

/* TLS records that hold no byte: they end no line, and must not keep the server at reading. */
static void
empty_records_do_not_hold_up_the_others(void **state)
{
	uint64_t before;

	(void)state;
	come_in(&p, 20);
	sim_pump = nothing;
	for (int i = 0; i < 1000; i++) {
		br_ssl_engine_flush(&p.control.client.eng, 1);
		(void)peer_turn(&p);
	}
	sim_pump = story_pump;
	before = sim_net_calls();
	story_pass();
	CHECK(sim_net_calls() - before < 100);
	CHECK_CODE(&p, peer_login(&p, "anna", "secret"), 230);
	story_end();
}

/* What FileZilla, WinSCP, lftp and curl try, over and over. */
static void
what_clients_try_out_is_not_bad(void **state)
{
	static const char *const before[] = {
		"FEAT", "HOST device", "LANG", "SYST", "OPTS UTF8 ON", "AUTH GSSAPI", "ACCT x", "NOOP",
	};
	static const char *const after[] = {
		"FEAT", "SYST", "LANG en", "HOST x", "OPTS UTF8 ON", "OPTS MLST type;", "PBSZ 0", "PROT P",
		"TYPE", "TYPE E", "MODE Z", "SIZE none", "MDTM none", "CWD none", "DELE none", "RETR none",
		"REST x", "ABOR", "CCC", "ACCT x",
	};

	(void)state;
	CHECK_CODE(&p, peer_connect(&p, 21, false), 220);
	for (size_t i = 0; i < 5 * sizeof before / sizeof before[0]; i++) {
		CHECK(peer_ask(&p, "%s", before[i % (sizeof before / sizeof before[0])]) != 421);
	}
	CHECK_CODE(&p, peer_auth_tls(&p), 234);
	CHECK_CODE(&p, peer_login(&p, "anna", "secret"), 230);
	for (size_t i = 0; i < 5 * sizeof after / sizeof after[0]; i++) {
		CHECK(peer_ask(&p, "%s", after[i % (sizeof after / sizeof after[0])]) > 0 && p.code != 421);
	}
	story_end();
}

/* ---- Wrong passwords ---- */

/* Milliseconds until the answer to PASS. */
static uint64_t
answer_ms(struct peer *who, const char *user, const char *password, int code)
{
	uint64_t before;

	CHECK_CODE(who, peer_ask(who, "USER %s", user), 331);
	before = port_clock_ms();
	CHECK_CODE(who, peer_ask(who, "PASS %s", password), code);
	return port_clock_ms() - before;
}

static void
each_wrong_password_makes_the_next_answer_later_4_24(void **state)
{
	(void)state;
	come_in(&p, 20);
	CHECK(answer_ms(&p, "anna", "wrong", 530) == 0);
	CHECK(answer_ms(&p, "nobody", "wrong", 530) == 500);
	CHECK(answer_ms(&p, "anna", "wrong", 530) == 1000);
	/* Also over another connection, and with the right password, which tells nobody sooner. */
	come_in(&q, 20);
	CHECK(answer_ms(&q, "anna", "wrong", 530) == 2000);
	CHECK(answer_ms(&q, "anna", "secret", 230) == 4000);
	/* From anywhere else the account is as it was. */
	come_in(&r, 21);
	CHECK(answer_ms(&r, "anna", "secret", 230) == 0);
	story_end();
}

static void
the_server_sleeps_and_serves_others_while_an_answer_waits(void **state)
{
	uint64_t before;

	(void)state;
	story_login(&q);
	come_in(&p, 20);
	for (int i = 0; i < 4; i++) {
		(void)answer_ms(&p, "anna", "wrong", 530);
	}
	CHECK_CODE(&p, peer_ask(&p, "USER anna"), 331);
	peer_raw(&p, "PASS secret\r\n", 13);
	CHECK(!peer_has_reply(&p));
	before = story_passes;
	story_wait_ms(3999);
	CHECK(story_passes - before <= 5);
	CHECK(!peer_has_reply(&p));
	CHECK_CODE(&q, peer_ask(&q, "NOOP"), 200);
	story_wait_ms(1);
	CHECK(peer_has_reply(&p));
	CHECK_CODE(&p, peer_reply(&p), 230);
	story_end();
}

/* Fail BLAME_FAILURES times at 192.0.2.20, in one moment as far as that is possible. */
static void
fail_often(void)
{
	for (unsigned i = 0; i < BLAME_FAILURES; i++) {
		int code;

		come_in(&p, 20);
		code = peer_ask(&p, "USER anna");
		if (code == 331) {
			CHECK_CODE(&p, peer_ask(&p, "PASS wrong"), 530);
			peer_close(&p);
		}
	}
	/* Meanwhile one or the other has been forgiven. */
	come_in(&p, 20);
	while (peer_ask(&p, "USER anna") == 331) {
		CHECK_CODE(&p, peer_ask(&p, "PASS wrong"), 530);
	}
}

static void
after_ten_wrong_passwords_an_address_is_told_421_for_a_while(void **state)
{
	(void)state;
	fail_often();
	CHECK(p.code == 421 && strstr(p.reply, "Too many failed logins") != NULL);
	CHECK_CODE(&p, peer_reply(&p), CUB_EOF);
	CHECK_CODE(&q, log_in(&q, 21, "anna"), 230);
	story_wait_ms(61000);
	CHECK_CODE(&p, log_in(&p, 20, "anna"), 230);
	story_end();
}

/* ---- Handshakes, the dearest thing that a stranger can have: checklist 4.7 ---- */

static void
shake_hands_and_leave(uint8_t host, unsigned times)
{
	for (unsigned i = 0; i < times; i++) {
		CHECK_CODE(&p, peer_connect(at(&p, host), i % 2 ? 990 : 21, i % 2), 220);
		if (i % 2 == 0) {
			CHECK_CODE(&p, peer_auth_tls(&p), 234);
		}
		peer_close(&p);
		story_settle();
	}
}

/* Milliseconds until a client at 192.0.2.`host` is logged in. */
static uint64_t
time_in(struct peer *who, uint8_t host)
{
	uint64_t start_ms = port_clock_ms();

	CHECK_CODE(who, peer_connect(at(who, host), 21, false), 220);
	CHECK_CODE(who, peer_auth_tls(who), 234);
	CHECK_CODE(who, peer_login(who, "anna", "secret"), 230);
	return port_clock_ms() - start_ms;
}

static void
after_thirty_handshakes_for_nothing_the_next_has_to_wait(void **state)
{
	uint64_t ms;

	(void)state;
	shake_hands_and_leave(20, BLAME_HANDSHAKES);
	CHECK(!sim_log_has("event=delayed"));
	/* Nobody else has to. */
	CHECK(time_in(&q, 21) < 1000);
	ms = time_in(&p, 20);
	CHECK(ms >= 2000 && ms <= 6000);
	CHECK(sim_log_has("event=delayed"));
	CHECK_CODE(&p, peer_quit(&p), 221);
	CHECK_CODE(&q, peer_quit(&q), 221);
	CHECK(time_in(&p, 20) < 1000);
	CHECK_CODE(&p, peer_quit(&p), 221);
	story_end();
}

static void
handshakes_that_lead_to_a_login_never_add_up(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2 * BLAME_HANDSHAKES; i++) {
		CHECK_CODE(&p, peer_connect(at(&p, 20), 21, false), 220);
		CHECK_CODE(&p, peer_auth_tls(&p), 234);
		CHECK_CODE(&p, peer_login(&p, "anna", "secret"), 230);
		if (i % 2 == 0) {
			CHECK_CODE(&p, peer_ask(&p, "REIN"), 220);
		}
		peer_close(&p);
		story_settle();
	}
	CHECK(!sim_log_has("event=delayed"));
	story_end();
}

static void
a_handshake_that_waits_makes_room_and_ends_in_time(void **state)
{
	(void)state;
	shake_hands_and_leave(20, BLAME_HANDSHAKES);
	for (unsigned i = 0; i < 3; i++) {
		CHECK_CODE(&crowd[i], peer_connect(at(&crowd[i], 20), 21, false), 220);
		CHECK_CODE(&crowd[i], peer_ask(&crowd[i], "AUTH TLS"), 234);
	}
	CHECK(time_in(&q, 21) < 1000);
	CHECK_CODE(&q, peer_quit(&q), 221);
	for (unsigned i = 0; i < 3; i++) {
		peer_close(&crowd[i]);
	}
	story_wait_ms(31000);
	story_check_quiet();
	story_end();
}

/* ---- rate_limit ---- */

static void
limit(const char *rate)
{
	story_end();
	story_set("rate_limit", rate);
	story_start();
}

/* May so many bytes have moved in so many ms, with a record and what is saved? */
static bool
is_within(uint64_t bytes, uint64_t ms, uint64_t rate)
{
	return bytes <= rate * ms / 1000 + rate / 10 + RECORD;
}

static void
a_download_is_not_faster_than_its_limit_and_the_server_sleeps(void **state)
{
	uint64_t begin, passes;
	size_t len;

	(void)state;
	limit("10000");
	story_login(&p);
	begin = port_clock_ms();
	passes = story_passes;
	CHECK_FETCH(&p, "RETR big", big, sizeof big);
	CHECK(is_within(sizeof big, port_clock_ms() - begin, 10000));
	CHECK(port_clock_ms() - begin <= sizeof big / 10);
	CHECK(story_passes - passes < 20 * 8 + 60);
	/* A listing is no file; the next file pays for the one before. */
	CHECK_CODE(&p, story_fetch(&p, "MLSD", got, sizeof got, &len), 226);
	story_end();
}

static void
an_upload_is_not_faster_than_its_limit(void **state)
{
	uint64_t begin;

	(void)state;
	limit("10000");
	story_login(&p);
	begin = port_clock_ms();
	for (int i = 0; i < 20; i++) {
		CHECK_CODE(&p, story_store(&p, "STOR new", big, RECORD), 226);
	}
	CHECK(is_within(sizeof big, port_clock_ms() - begin, 10000));
	story_end();
}

/* A record takes longer than data_timeout, which is for clients that stand still. */
static void
waiting_for_the_limit_is_not_standing_still(void **state)
{
	size_t len;

	(void)state;
	limit("100");
	story_login(&p);
	CHECK_CODE(&p, story_fetch(&p, "RETR big", got, sizeof got, &len), 226);
	CHECK(len == sizeof big && port_clock_ms() > 3000000);
	story_end();
}

static void
who_reads_nothing_is_426_also_with_a_limit(void **state)
{
	(void)state;
	limit("100000");
	story_login(&p);
	sim_net_buffer(1000);
	CHECK(story_open(&p, "RETR big") == 150);
	story_settle();
	story_wait_ms(62000);
	CHECK_CODE(&p, peer_reply(&p), 426);
	story_end();
}

static void
abor_and_stat_are_answered_while_a_transfer_waits(void **state)
{
	(void)state;
	limit("100");
	story_login(&p);
	CHECK(story_open(&p, "RETR big") == 150);
	story_settle();
	/* Long after the last deadline that the transfer would have without a limit. */
	story_wait_ms(100000);
	CHECK(peer_ask(&p, "STAT") > 0 && p.code / 100 == 2);
	CHECK_CODE(&p, peer_ask(&p, "ABOR"), 426);
	CHECK_CODE(&p, peer_reply(&p), 226);
	CHECK_CODE(&p, peer_ask(&p, "NOOP"), 200);
	story_end();
}

static size_t
drain(struct peer *who)
{
	size_t sum = 0;

	while (sim_peer_pending(who->data.sock) > 0) {
		int n = sim_peer_read(who->data.sock, got, sizeof got);

		CHECK(n > 0);
		sum += (size_t)n;
	}
	return sum;
}

static void
the_limit_for_all_is_shared_and_nobody_starves(void **state)
{
	struct peer *const all[] = { &p, &q, &r };
	size_t sum[3] = { 0, 0, 0 };
	uint64_t begin, total;

	(void)state;
	limit("0,30000");
	for (int i = 0; i < 3; i++) {
		story_login(all[i]);
	}
	for (int i = 0; i < 3; i++) {
		CHECK(story_open(all[i], "RETR big") == 150);
	}
	begin = port_clock_ms();
	while (port_clock_ms() - begin < 15000) {
		story_wait_ms(50);
		for (int i = 0; i < 3; i++) {
			sum[i] += drain(all[i]);
		}
	}
	total = sum[0] + sum[1] + sum[2];
	CHECK(total <= 30000 * 15 + 4 * (RECORD + 100) + 3000);
	CHECK(total >= 30000 * 13);
	for (int i = 0; i < 3; i++) {
		CHECK(sum[i] >= total / 4);
	}
	for (int i = 0; i < 3; i++) {
		sim_peer_reset(all[i]->data.sock);
		all[i]->data.sock = 0;
	}
	story_end();
}

/* ---- The log ---- */

static void
the_log_tells_how_long_and_how_much(void **state)
{
	size_t len;

	(void)state;
	story_login(&p);
	CHECK(sim_log_has("event=login session=1 peer=192.0.2.10:"));
	CHECK(sim_log_has(" account=anna by=password"));
	CHECK(story_open(&p, "RETR big") == 150);
	story_wait_ms(1500);
	len = peer_data_read_all(&p, got, sizeof got);
	CHECK_CODE(&p, peer_reply(&p), 226);
	CHECK(len == sizeof big && sim_log_has("bytes=327680 duration_ms=1500 result=ok path=/big"));
	story_wait_ms(500);
	CHECK_CODE(&p, peer_quit(&p), 221);
	CHECK(sim_log_has("duration_ms=2000 bytes=327680"));
	story_end();
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(silent_clients_of_one_address_leave_room_for_the_others_4_25),
		TEST(slow_clients_make_room_whatever_they_are_at_4_25),
		TEST(a_flood_from_many_addresses_ends_no_session_that_is_logged_in),
		TEST(one_address_that_floods_pushes_out_nobody_4_25),
		TEST(who_waits_for_a_late_answer_makes_room_4_25),
		TEST(the_place_of_one_that_logs_out_is_for_those_who_log_in),
		TEST(who_waits_for_its_password_to_be_checked_stays),
		TEST(the_last_session_is_for_administrators),
		TEST(sessions_per_address_counts_those_that_are_open),
		TEST(sessions_per_address_takes_an_ipv6_network_for_one_address),
		TEST(the_fifth_bad_command_before_login_is_421),
		TEST(tls_does_not_make_up_for_bad_commands),
		TEST(the_twentieth_bad_command_after_login_is_421),
		TEST(rein_begins_to_count_bad_commands_anew),
		TEST(empty_records_do_not_hold_up_the_others),
		TEST(what_clients_try_out_is_not_bad),
		TEST(each_wrong_password_makes_the_next_answer_later_4_24),
		TEST(the_server_sleeps_and_serves_others_while_an_answer_waits),
		TEST(after_ten_wrong_passwords_an_address_is_told_421_for_a_while),
		TEST(a_download_is_not_faster_than_its_limit_and_the_server_sleeps),
		TEST(an_upload_is_not_faster_than_its_limit),
		TEST(waiting_for_the_limit_is_not_standing_still),
		TEST(who_reads_nothing_is_426_also_with_a_limit),
		TEST(abor_and_stat_are_answered_while_a_transfer_waits),
		TEST(the_limit_for_all_is_shared_and_nobody_starves),
		TEST(the_log_tells_how_long_and_how_much),
		TEST(after_thirty_handshakes_for_nothing_the_next_has_to_wait),
		TEST(handshakes_that_lead_to_a_login_never_add_up),
		TEST(a_handshake_that_waits_makes_room_and_ends_in_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
