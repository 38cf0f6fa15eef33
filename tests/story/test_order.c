/* SPDX-License-Identifier: MIT */
/*
 * The order of bytes: replies before TLS, 150 before data, 226 after everything, commands
 * answered one after the other whatever records they come in, and what must not be
 * taken for a command. Closes the gap of pure-ftpd, FileZilla Server and ftp-srv, whose
 * issues are full of clients that lost step here, and of the plaintext injection that
 * each STARTTLS server had once (CVE-2011-1575).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "story.h"

#define BIG 300000

static struct peer p;
static uint8_t big[BIG], got[BIG + 1];

static int
setup(void **state)
{
	story_setup(state);
	story_new();
	story_fill(big, sizeof big, 3);
	sim_file_put("/srv/home/big", big, sizeof big);
	sim_file_put("/srv/home/a", "hello", 5);
	peer_init(&p);
	return 0;
}

/* Replies in this order, and no more. */
static void
expect(const int *codes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int code = peer_reply(&p);

		if (code != codes[i]) {
			sim_fail("reply %zu is %d, not %d: %s", i, code, codes[i], p.reply);
		}
	}
	CHECK(!peer_has_reply(&p));
}

#define EXPECT(...) expect((const int[]){ __VA_ARGS__ }, \
	sizeof (int[]){ __VA_ARGS__ } / sizeof (int))

static void
say(const char *text)
{
	peer_raw(&p, text, strlen(text));
}

/* What a client engine sends first. */
static size_t
client_hello(unsigned char *dst, size_t cap)
{
	static br_ssl_client_context client;
	static br_x509_minimal_context unused;
	static unsigned char io[BR_SSL_BUFSIZE_BIDI];
	unsigned char *at;
	size_t len;

	br_ssl_client_init_full(&client, &unused, NULL, 0);
	br_ssl_engine_set_buffer(&client.eng, io, sizeof io, 1);
	br_ssl_engine_inject_entropy(&client.eng, "0123456789abcdef0123456789abcdef", 32);
	br_ssl_client_reset(&client, NULL, 0);
	at = br_ssl_engine_sendrec_buf(&client.eng, &len);
	CHECK(at != NULL && len <= cap);
	memcpy(dst, at, len);
	return len;
}

static void
all_of_234_leaves_before_the_first_byte_of_tls(void **state)
{
	struct port_addr from = sim_ipv4(192, 0, 2, 10, 40000);
	unsigned char hello[600], in[4000];
	size_t hello_len = client_hello(hello, sizeof hello);
	size_t len = 0;
	const char *end;
	sim_peer peer;
	bool told = false;

	(void)state;
	sim_net_buffer(600);
	CHECK(sim_connect(&from, 21, &peer) == CUB_OK);
	story_settle();
	CHECK(sim_peer_read(peer, in, sizeof in) > 0);
	CHECK(sim_peer_write(peer, "AUTH TLS\r\n", 10) == 10);
	for (int i = 0; i < 2000 && len < 200; i++) {
		int n;

		story_pass();
		sim_net_split(SIM_BYTES);
		n = sim_peer_read(peer, in + len, 1);
		len += n > 0 ? (size_t)n : 0;
		if (len == 1 && !told) {
			/* The rest of the line is still on its way. */
			told = true;
			CHECK(sim_peer_write(peer, hello, hello_len) == (int)hello_len);
		}
	}
	end = memchr(in, '\n', len);
	CHECK(memcmp(in, "234 ", 4) == 0 && end != NULL);
	CHECK((const unsigned char *)end + 1 < in + len && end[1] == 0x16);
	sim_peer_reset(peer);
	story_check_quiet();
	story_end();
}

/* Fill the way of the replies: the client reads no more, and the pipe is full. */
static void
login_over_a_narrow_way(void)
{
	sim_net_buffer(48);
	CHECK_CODE(&p, peer_connect(&p, 21, false), 220);
	sim_net_buffer(65536);
	CHECK_CODE(&p, peer_auth_tls(&p), 234);
	CHECK_CODE(&p, peer_login(&p, "anna", "secret"), 230);
	CHECK_CODE(&p, peer_protect(&p), 200);
	CHECK_CODE(&p, peer_ask(&p, "TYPE I"), 200);
}

static void
turns(unsigned count)
{
	while (count-- > 0) {
		(void)peer_turn(&p);
	}
}

static void
all_of_150_leaves_before_a_byte_of_data(void **state)
{
	size_t len;

	(void)state;
	login_over_a_narrow_way();
	story_data(&p);
	CHECK(peer_data_handshake(&p) == CUB_OK);
	p.control.dst_cap = 0;
	say("NOOP\r\n");
	turns(20);
	say("RETR a\r\n");
	turns(50);
	CHECK(sim_peer_pending(p.data.sock) == 0);
	CHECK((br_ssl_engine_current_state(&p.data.client.eng) & BR_SSL_RECVAPP) == 0);
	p.control.dst_cap = sizeof p.in;
	CHECK_CODE(&p, peer_reply(&p), 200);
	CHECK_CODE(&p, peer_reply(&p), 150);
	len = peer_data_read_all(&p, got, sizeof got);
	CHECK(len == 5 && memcmp(got, "hello", 5) == 0);
	CHECK_CODE(&p, peer_reply(&p), 226);
	story_end();
}

static void
a_download_is_226_only_after_close_notify_has_left(void **state)
{
	(void)state;
	story_login(&p);
	sim_net_buffer(100);
	CHECK(story_open(&p, "RETR big") == 150);
	sim_net_buffer(65536);
	for (size_t len = 0; p.data.end == PEER_OPEN; ) {
		CHECK(!p.data.notified && p.control.dst_len == 0);
		len += peer_data_read(&p, got + len, sizeof got - len);
	}
	CHECK(p.data.notified && p.data.end == PEER_ENDED);
	CHECK(memcmp(got, big, sizeof big) == 0);
	CHECK_CODE(&p, peer_reply(&p), 226);
	story_end();
}

static void
an_upload_is_226_only_after_it_is_durable_under_its_name(void **state)
{
	(void)state;
	story_login(&p);
	for (uint64_t seed = 0; seed < story_times(20, 3); seed++) {
		char path[32];

		CHECK(story_open(&p, "STOR new") == 150);
		CHECK(peer_data_write(&p, big, 40000 + seed) == 40000 + seed);
		peer_turn(&p);
		CHECK(p.control.dst_len == 0);
		peer_data_close(&p);
		CHECK(p.data.end == PEER_ENDED && p.data.notified);
		CHECK_CODE(&p, peer_reply(&p), 226);
		sim_power_cut();
		sim_power_on();
		snprintf(path, sizeof path, "/srv/home/new");
		CHECK(sim_file_is(path, big, 40000 + seed));
		CHECK(sim_dir_count("/srv/home") == 3);
		story_start();
		peer_init(&p);
		story_login_as(&p, "anna");
	}
	story_end();
}

static void
tell_pipelined(void)
{
	size_t len;

	sim_dir_put("/srv/home/sub");
	sim_file_put("/srv/home/a", "hello", 5);
	story_start();
	peer_init(&p);
	story_login_as(&p, "anna");
	say("PWD\r\nNOOP\r\nSYST\r\nTYPE I\r\nCWD sub\r\nPWD\r\nBLAH\r\nCDUP\r\nSIZE a\r\n");
	EXPECT(257, 200, 215, 200, 250, 257, 500, 250, 213);
	story_data(&p);
	say("RETR a\r\nPWD\r\nNOOP\r\nSIZE a\r\n");
	CHECK_CODE(&p, peer_reply(&p), 150);
	len = peer_data_read_all(&p, got, sizeof got);
	CHECK(len == 5);
	EXPECT(226, 257, 200, 213);
	story_check_code(__FILE__, __LINE__, "QUIT", &p, peer_quit(&p), 221);
}

static void
pipelined_commands_are_answered_in_order_at_every_split(void **state)
{
	(void)state;
	story_each_way(tell_pipelined);
}

static void
many_commands_in_one_record_are_all_answered(void **state)
{
	(void)state;
	story_login(&p);
	for (int i = 0; i < 500; i++) {
		say(i % 2 == 0 ? "NOOP\r\n" : "PWD\r\n");
	}
	for (int i = 0; i < 500; i++) {
		CHECK_CODE(&p, peer_reply(&p), i % 2 == 0 ? 200 : 257);
	}
	CHECK(!peer_has_reply(&p));
	story_end();
}

static void
one_command_may_come_in_many_records(void **state)
{
	static const char command[] = "mkd Some Directory\r\n";

	(void)state;
	story_login(&p);
	for (size_t i = 0; i < sizeof command - 1; i++) {
		CHECK(p.control.dst_len == 0);
		peer_raw(&p, command + i, 1);
		turns(3);
	}
	EXPECT(257);
	CHECK(sim_dir_exists("/srv/home/Some Directory"));
	story_end();
}

static void
a_line_may_end_in_lf_alone(void **state)
{
	(void)state;
	story_login(&p);
	say("NOOP\nPWD\r\nNOOP\n");
	EXPECT(200, 257, 200);
	story_end();
}

/* Begin a download that does not go on before the client reads. */
static void
start_download(void)
{
	CHECK(story_open(&p, "RETR big") == 150);
	CHECK(!peer_has_reply(&p));
}

/* Read what is left of it, after `had` bytes. */
static void
finish_download(size_t had)
{
	size_t len = had + peer_data_read_all(&p, got + had, sizeof got - had);

	CHECK(p.data.notified && len == sizeof big && memcmp(got, big, len) == 0);
}

static void
noop_during_a_transfer_is_answered_after_it(void **state)
{
	(void)state;
	story_login(&p);
	start_download();
	say("NOOP\r\n");
	turns(10);
	say("NOOP\r\nPWD\r\nNOOP\r\n");
	CHECK(!peer_has_reply(&p));
	finish_download(0);
	EXPECT(226, 200, 200, 257, 200);
	story_end();
}

/* One each half minute, for hours. */
static void
many_noops_during_a_transfer_are_all_answered(void **state)
{
	(void)state;
	story_login(&p);
	start_download();
	for (int i = 0; i < 400; i++) {
		say("NOOP\r\n");
	}
	turns(10);
	finish_download(0);
	CHECK_CODE(&p, peer_reply(&p), 226);
	for (int i = 0; i < 400; i++) {
		CHECK_CODE(&p, peer_reply(&p), 200);
	}
	CHECK(!peer_has_reply(&p));
	story_end();
}

static void
stat_during_a_transfer_tells_the_bytes_so_far_at_once(void **state)
{
	unsigned long long first, second;
	const char *at;
	size_t had;

	(void)state;
	story_login(&p);
	start_download();
	CHECK_CODE(&p, peer_ask(&p, "STAT"), 211);
	at = strstr(p.reply, "bytes so far: ");
	CHECK(at != NULL);
	first = strtoull(at + 14, NULL, 10);
	CHECK(first > 0 && first < sizeof big);
	had = peer_data_read(&p, got, 50000);
	while (had < 50000) {
		had += peer_data_read(&p, got + had, 50000 - had);
	}
	CHECK_CODE(&p, peer_ask(&p, "STAT"), 211);
	at = strstr(p.reply, "bytes so far: ");
	second = strtoull(at + 14, NULL, 10);
	CHECK(second >= had && second > first && second < sizeof big);
	CHECK_CODE(&p, peer_ask(&p, "STAT a"), 450);
	finish_download(had);
	EXPECT(226);
	CHECK_CODE(&p, peer_ask(&p, "STAT"), 211);
	CHECK(strstr(p.reply, "bytes so far") == NULL);
	story_end();
}

/* Give up a download by these bytes; the data connection must not look whole. */
static void
abort_download(const char *bytes, size_t len)
{
	size_t had;

	story_login(&p);
	start_download();
	peer_raw(&p, bytes, len);
	EXPECT(426, 226);
	had = peer_data_read_all(&p, got, sizeof got);
	CHECK(had < sizeof big && !p.data.notified);
	CHECK(memcmp(got, big, had) == 0);
	/* The next transfer is whole, and its own. */
	CHECK_FETCH(&p, "RETR a", "hello", 5);
	story_leave(&p);
}

static void
abor_ends_a_download_with_426_and_226(void **state)
{
	(void)state;
	abort_download("ABOR\r\n", 6);
}

static void
abor_after_telnet_interrupts_ends_a_download(void **state)
{
	(void)state;
	abort_download("\xFF\xF4\xFF\xF2" "ABOR\r\n", 10);
}

static void
abor_before_the_data_connection_comes_ends_the_transfer(void **state)
{
	(void)state;
	story_login(&p);
	CHECK(peer_epsv(&p) != 0);
	CHECK_CODE(&p, peer_ask(&p, "RETR a"), 150);
	say("ABOR\r\n");
	EXPECT(426, 226);
	CHECK(sim_net_open_count() == 3);
	CHECK_CODE(&p, peer_ask(&p, "RETR a"), 425);
	story_end();
}

static void
abor_ends_an_upload_and_the_old_file_stays(void **state)
{
	(void)state;
	story_login(&p);
	CHECK(story_open(&p, "STOR a") == 150);
	CHECK(peer_data_write(&p, big, 50000) == 50000);
	say("ABOR\r\n");
	EXPECT(426, 226);
	peer_data_cut(&p);
	CHECK(sim_file_is("/srv/home/a", "hello", 5));
	CHECK(sim_dir_count("/srv/home") == 2);
	CHECK_CODE(&p, story_store(&p, "STOR a", big, 1000), 226);
	CHECK(sim_file_is("/srv/home/a", big, 1000));
	story_end();
}

static void
quit_during_a_transfer_waits_for_its_end(void **state)
{
	(void)state;
	story_login(&p);
	start_download();
	say("QUIT\r\n");
	CHECK(!peer_has_reply(&p));
	finish_download(0);
	CHECK_CODE(&p, peer_reply(&p), 226);
	CHECK_CODE(&p, peer_reply(&p), 221);
	CHECK_CODE(&p, peer_reply(&p), CUB_EOF);
	story_check_quiet();
	story_end();
}

static void
a_line_that_is_too_long_waits_for_the_end_of_a_transfer(void **state)
{
	char line[CUB_LINE_MAX + 100];

	(void)state;
	story_login(&p);
	start_download();
	memset(line, 'x', sizeof line);
	peer_raw(&p, line, sizeof line);
	say("\r\nPWD\r\n");
	turns(20);
	finish_download(0);
	EXPECT(226, 500, 257);
	story_end();
}

static void
a_line_that_is_too_long_is_answered_once(void **state)
{
	static char line[60000];

	(void)state;
	story_login(&p);
	memset(line, 'x', sizeof line);
	memcpy(line, "NOOP ", 5);
	memcpy(line + 20000, " DELE a ", 8);
	for (size_t at = 0; at < sizeof line; at += 4000) {
		peer_raw(&p, line + at, 4000);  /* in records that the server takes */
		turns(5);
	}
	say("\r\nPWD\r\n");
	EXPECT(500, 257);
	CHECK(sim_file_exists("/srv/home/a"));
	peer_raw(&p, line, CUB_LINE_MAX);
	say("\r\n");
	EXPECT(200);
	peer_raw(&p, line, CUB_LINE_MAX + 1);
	say("\r\n");
	EXPECT(500);
	story_end();
}

static void
a_record_that_does_not_fit_ends_the_connection(void **state)
{
	static char line[CONFIG_CUBFTPD_CONTROL_RECORD + 400];

	(void)state;
	story_login(&p);
	memset(line, 'x', sizeof line);
	peer_raw(&p, line, sizeof line);
	CHECK(peer_reply(&p) < 0);
	story_check_quiet();
	story_end();
}

/* These bytes, before TLS and after login: one reply 500, and the end. */
static void
expect_hangup(const char *bytes, size_t len)
{
	CHECK_CODE(&p, peer_connect(&p, 21, false), 220);
	peer_raw(&p, bytes, len);
	CHECK_CODE(&p, peer_reply(&p), 500);
	CHECK(strstr(p.reply, "XYZZY") == NULL);
	CHECK_CODE(&p, peer_reply(&p), CUB_EOF);
	story_login(&p);
	peer_raw(&p, bytes, len);
	CHECK_CODE(&p, peer_reply(&p), 500);
	CHECK(strstr(p.reply, "XYZZY") == NULL);
	CHECK_CODE(&p, peer_reply(&p), CUB_EOF);
	CHECK(p.control.notified);
	story_check_quiet();
}

static void
control_characters_hang_up(void **state)
{
	(void)state;
	expect_hangup("NOOP XYZZY\0\r\nPWD\r\n", 18);
	expect_hangup("NO\x01OP XYZZY\r\nPWD\r\n", 18);
	expect_hangup("NOOP XYZZY\x1B[2J\r\nPWD\r\n", 22);
	expect_hangup("NOOP XYZZY\rPWD\r\nPWD\r\n", 21);
	story_end();
}

/* Row 4.6 of the checklist. */
static void
verbs_of_other_protocols_hang_up(void **state)
{
	static const char *const lines[] = {
		"GET /XYZZY HTTP/1.1\r\nHost: x\r\n\r\n", "POST /XYZZY HTTP/1.1\r\nUSER anna\r\n",
		"HEAD / HTTP/1.0\r\n\r\n", "OPTIONS * HTTP/1.1\r\n", "CONNECT x:1 HTTP/1.1\r\n",
		"EHLO XYZZY\r\nNOOP\r\n", "HELO XYZZY\r\n", "MAIL FROM:<XYZZY>\r\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		expect_hangup(lines[i], strlen(lines[i]));
	}
	story_end();
}

static void
a_control_character_during_a_transfer_ends_all_of_it(void **state)
{
	(void)state;
	story_login(&p);
	start_download();
	peer_raw(&p, "NO\0OP\r\n", 7);
	turns(50);
	CHECK(peer_data_read_all(&p, got, sizeof got) < sizeof big);
	CHECK(!p.data.notified);
	CHECK_CODE(&p, peer_reply(&p), 500);
	CHECK_CODE(&p, peer_reply(&p), CUB_EOF);
	story_check_quiet();
	story_end();
}

/* Row 4.1 of the checklist. */
static void
what_follows_auth_in_the_clear_is_never_executed(void **state)
{
	static const char *const injected[] = {
		"AUTH TLS\r\nUSER anna\r\n", "AUTH TLS\r\nN", "AUTH TLS\r\n\r\n",
		"AUTH TLS\r\nUSER anna\r\nPASS secret\r\nDELE a\r\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof injected / sizeof injected[0]; i++) {
		CHECK_CODE(&p, peer_connect(&p, 21, false), 220);
		say(injected[i]);
		CHECK_CODE(&p, peer_reply(&p), 503);
		CHECK_CODE(&p, peer_reply(&p), CUB_EOF);
		story_check_quiet();
	}
	/* The same, but it comes while 234 is on its way, or after it. */
	CHECK_CODE(&p, peer_connect(&p, 21, false), 220);
	CHECK_CODE(&p, peer_ask(&p, "AUTH TLS"), 234);
	say("USER anna\r\n");
	CHECK(peer_reply(&p) < 0);
	story_check_quiet();
	story_end();
}

/* Row 4.1 of the checklist. */
static void
what_was_said_in_the_clear_is_forgotten_by_tls(void **state)
{
	(void)state;
	CHECK_CODE(&p, peer_connect(&p, 21, false), 220);
	CHECK_CODE(&p, peer_ask(&p, "OPTS MLST size;"), 200);
	CHECK_CODE(&p, peer_auth_tls(&p), 234);
	CHECK_CODE(&p, peer_login(&p, "anna", "secret"), 230);
	CHECK_CODE(&p, peer_ask(&p, "MLST a"), 250);
	CHECK(strstr(p.reply, "type=file;") != NULL);
	story_end();
}

static void
half_a_line_in_the_clear_is_no_beginning_inside_tls(void **state)
{
	(void)state;
	CHECK_CODE(&p, peer_connect(&p, 21, false), 220);
	say("\xFF");
	turns(5);
	say("\xF4" "AUTH TLS\r\n");
	CHECK_CODE(&p, peer_reply(&p), 234);
	CHECK(peer_handshake(&p) == CUB_OK);
	CHECK_CODE(&p, peer_ask(&p, "PWD"), 530);
	CHECK_CODE(&p, peer_ask(&p, "USER anna"), 331);
	story_end();
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(all_of_234_leaves_before_the_first_byte_of_tls),
		TEST(all_of_150_leaves_before_a_byte_of_data),
		TEST(a_download_is_226_only_after_close_notify_has_left),
		TEST(an_upload_is_226_only_after_it_is_durable_under_its_name),
		TEST(pipelined_commands_are_answered_in_order_at_every_split),
		TEST(many_commands_in_one_record_are_all_answered),
		TEST(one_command_may_come_in_many_records),
		TEST(a_line_may_end_in_lf_alone),
		TEST(noop_during_a_transfer_is_answered_after_it),
		TEST(many_noops_during_a_transfer_are_all_answered),
		TEST(stat_during_a_transfer_tells_the_bytes_so_far_at_once),
		TEST(abor_ends_a_download_with_426_and_226),
		TEST(abor_after_telnet_interrupts_ends_a_download),
		TEST(abor_before_the_data_connection_comes_ends_the_transfer),
		TEST(abor_ends_an_upload_and_the_old_file_stays),
		TEST(quit_during_a_transfer_waits_for_its_end),
		TEST(a_line_that_is_too_long_waits_for_the_end_of_a_transfer),
		TEST(a_line_that_is_too_long_is_answered_once),
		TEST(a_record_that_does_not_fit_ends_the_connection),
		TEST(control_characters_hang_up),
		TEST(verbs_of_other_protocols_hang_up),
		TEST(a_control_character_during_a_transfer_ends_all_of_it),
		TEST(what_follows_auth_in_the_clear_is_never_executed),
		TEST(what_was_said_in_the_clear_is_forgotten_by_tls),
		TEST(half_a_line_in_the_clear_is_no_beginning_inside_tls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
