/* SPDX-License-Identifier: MIT */
/*
 * The simulated port itself: that it keeps the port's contract, that its faults strike
 * where they are told to, that a seed replays, and that it finds the mistakes that it is
 * there to find. It needs nothing of core.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "peer.h"
#include "sim.h"

/* Seeds that a claim about all of them is tried with. */
#define SEEDS 200

static jmp_buf failed;
static char failed_why[512];

static void
fail_test(const char *why)
{
	fail_msg("%s", why);
}

static void
note_failure(const char *why)
{
	snprintf(failed_why, sizeof failed_why, "%s", why);
	longjmp(failed, 1);
}

static int
setup(void **state)
{
	(void)state;
	sim_fail_hook = fail_test;
	sim_pump = NULL;
	sim_reset(sim_seed_or(1));
	return 0;
}

/* Time, log, randomness, panic */

static void
the_same_seed_gives_the_same_random_bytes(void **state)
{
	uint8_t first[37], second[37];

	(void)state;
	port_random(first, sizeof first);
	sim_reset(sim_seed());
	sim_random();
	port_random(second, sizeof second);
	assert_memory_equal(first, second, sizeof first);
	sim_reset(sim_seed() + 1);
	port_random(second, sizeof second);
	assert_memory_not_equal(first, second, sizeof first);
}

static void
the_clocks_move_only_when_told(void **state)
{
	uint64_t start = port_clock_ms();

	(void)state;
	assert_true(port_time() == 1893456000);
	sim_time_set(-5);
	sim_clock_advance(2999);
	assert_true(port_clock_ms() == start + 2999);
	assert_true(port_time() == -3);
}

static void
the_last_log_lines_are_kept(void **state)
{
	(void)state;
	port_log(PORT_LOG_ERROR, "first line", 10);
	assert_true(sim_log_has("st li"));
	for (int i = 0; i < 256; i++) {
		assert_int_equal(sim_log_count_of(PORT_LOG_INFO), i);
		port_log(PORT_LOG_INFO, "another", 7);
	}
	assert_false(sim_log_has("first"));
	assert_int_equal(sim_log_count(), 257);
	assert_int_equal(sim_log_count_of(PORT_LOG_ERROR), 1);
	assert_string_equal(sim_log_line(255), "another");
	assert_string_equal(sim_log_line(256), "");
	sim_log_clear();
	assert_int_equal(sim_log_count(), 0);
	assert_false(sim_log_has("another"));
}

static void
a_secret_is_read_without_its_line_end_and_only_whole(void **state)
{
	static const struct {
		const char *file;
		int result;
	} cases[] = {
		{ "secret", 6 }, { "secret\n", 6 }, { "secret\r\n", 6 }, { "secre\n\n", 6 }, { "a\r", 2 },
		{ "", CUB_E_BAD }, { "\n", CUB_E_BAD }, { "\r\n", CUB_E_BAD }, { "secrets", CUB_E_LIMIT },
	};
	uint8_t buf[6];

	(void)state;
	assert_int_equal(port_secret("/etc/key", buf, sizeof buf), CUB_E_NOENT);
	assert_int_equal(port_secret("", buf, sizeof buf), CUB_E_NOENT);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		sim_secret_put("/etc/key", cases[i].file, strlen(cases[i].file));
		assert_int_equal(port_secret("/etc/key", buf, sizeof buf), cases[i].result);
		if (cases[i].result > 0) {
			assert_memory_equal(buf, cases[i].file, (size_t)cases[i].result);
		}
	}
	sim_secret_put("/etc/other", "b", 1);
	sim_secret_put("/etc/key", "a", 1);
	sim_power_cut();
	assert_int_equal(port_secret("/etc/other", buf, sizeof buf), CUB_E_IO);
	sim_power_on();
	assert_int_equal(port_secret("/etc/other", buf, sizeof buf), 1);
	assert_int_equal(buf[0], 'b');
	sim_secret_fail(CUB_E_DENIED);
	assert_int_equal(port_secret("/etc/other", buf, sizeof buf), CUB_E_DENIED);
	sim_secret_fail(CUB_OK);
	assert_int_equal(port_secret("/etc/key", buf, sizeof buf), 1);
	sim_reset(1);
	assert_int_equal(port_secret("/etc/key", buf, sizeof buf), CUB_E_NOENT);
}

static void
panic_by_itself(void *arg)
{
	CUB_ASSERT(arg == NULL);
}

static void
a_panic_is_caught_where_it_is_expected(void **state)
{
	(void)state;
	assert_false(sim_expect_panic(panic_by_itself, NULL));
	assert_true(sim_expect_panic(panic_by_itself, &failed_why));
	assert_string_equal(sim_panic_text(), "");
	assert_false(sim_expect_panic(panic_by_itself, NULL));
}

static void
a_failure_tells_the_seed(void **state)
{
	(void)state;
	sim_reset(77);
	sim_fail_hook = note_failure;
	if (setjmp(failed) == 0) {
		port_panic("core/x.c", 12);
	}
	assert_string_equal(failed_why, "core/x.c:12: panic (SEED=77)");
}

/* Sockets */

static struct port_addr
any4(uint16_t tcp_port)
{
	return sim_ipv4(0, 0, 0, 0, tcp_port);
}

static port_sock
listen_at(struct port_addr at)
{
	port_sock sock;

	assert_int_equal(port_listen(&at, 4, &sock), CUB_OK);
	return sock;
}

static sim_peer
connect_to(uint16_t tcp_port)
{
	struct port_addr from = sim_ipv4(192, 0, 2, 7, 40000);
	sim_peer peer;

	assert_int_equal(sim_connect(&from, tcp_port, &peer), CUB_OK);
	return peer;
}

/* A connection that is accepted; its listener is closed again. */
static port_sock
pair(sim_peer *peer)
{
	port_sock listener = listen_at(any4(21));
	struct port_addr from;
	port_sock sock;
	int err;

	*peer = connect_to(21);
	while ((err = port_accept(listener, &sock, &from)) == CUB_AGAIN) {
	}
	assert_int_equal(err, CUB_OK);
	port_sock_close(listener);
	return sock;
}

static void
a_connection_needs_a_listener(void **state)
{
	struct port_addr from = sim_ipv4(192, 0, 2, 7, 40000);
	struct port_addr to = sim_ipv4(192, 0, 2, 1, 21);
	struct port_addr seen;
	sim_peer peer, other;
	port_sock listener, sock;

	(void)state;
	assert_int_equal(sim_connect(&from, 21, &peer), CUB_E_IO);
	listener = listen_at(to);
	assert_true(sim_net_listens(21));
	assert_int_equal(port_accept(listener, &sock, &seen), CUB_AGAIN);
	assert_int_equal(sim_connect(&from, 21, &peer), CUB_OK);
	to.ip[3] = 2;
	assert_int_equal(sim_connect_to(&from, &to, &other), CUB_E_IO);
	assert_false(sim_peer_held(peer));
	assert_int_equal(port_accept(listener, &sock, &seen), CUB_OK);
	assert_true(sim_peer_held(peer));
	assert_memory_equal(seen.ip, from.ip, 4);
	assert_int_equal(seen.tcp_port, 40000);
	assert_int_equal(port_sock_local(sock, &seen), CUB_OK);
	assert_int_equal(seen.ip[3], 1);
	assert_int_equal(seen.tcp_port, 21);
	assert_int_equal(sim_net_open_count(), 2);
	port_sock_close(listener);
	assert_int_equal(sim_connect(&from, 21, &other), CUB_E_IO);
	port_sock_close(sock);
	assert_int_equal(sim_net_open_count(), 0);
	assert_int_equal(sim_peer_read(peer, &seen, 1), CUB_EOF);
	sim_peer_close(peer);
}

static int
call(port_sock *sock, const struct port_addr *to)
{
	struct port_addr from = sim_ipv4(192, 0, 2, 1, 21);

	return port_connect(sock, &from, to);
}

static void
the_server_connects_to_who_listens_in_a_second_call(void **state)
{
	struct port_addr there = sim_ipv4(192, 0, 2, 7, 40000), local;
	struct port_wait set = { .deadline_ms = 0 };
	port_sock sock = PORT_NONE, second = PORT_NONE;
	sim_peer peer;

	(void)state;
	assert_int_equal(call(&sock, &there), CUB_AGAIN);
	assert_int_not_equal(sock, PORT_NONE);
	assert_int_equal(call(&sock, &there), CUB_E_IO);  /* refused */
	port_sock_close(sock);

	sim_far_listen(&there, false);
	sock = PORT_NONE;
	assert_int_equal(call(&sock, &there), CUB_AGAIN);
	assert_int_equal(sim_far_accept(&there, &peer), CUB_AGAIN);
	assert_int_equal(call(&sock, &there), CUB_OK);
	assert_int_equal(sim_far_accept(&there, &peer), CUB_OK);
	assert_int_equal(sim_far_accept(&there, &second), CUB_AGAIN);
	assert_int_equal(port_sock_local(sock, &local), CUB_OK);
	assert_int_equal(local.ip[3], 1);
	assert_int_not_equal(local.tcp_port, 21);
	assert_int_equal(port_sock_write(sock, "hi", 2), 2);
	assert_int_equal(sim_peer_pending(peer), 2);
	sim_peer_close(peer);
	port_sock_close(sock);

	sim_far_unlisten();
	sim_far_listen(&there, true);
	sock = PORT_NONE;
	assert_int_equal(call(&sock, &there), CUB_AGAIN);
	assert_int_equal(call(&sock, &there), CUB_AGAIN);
	set.item[0].sock = sock;
	set.item[0].events = PORT_WRITE;
	set.count = 1;
	port_wait(&set);
	assert_int_equal(set.item[0].ready, 0);
	port_sock_close(sock);
	assert_int_equal(sim_net_open_count(), 0);
}

static void
calling_out_may_fail_or_find_no_handle(void **state)
{
	struct port_addr there = sim_ipv4(192, 0, 2, 7, 40000);
	port_sock sock = PORT_NONE;

	(void)state;
	sim_far_listen(&there, false);
	sim_net_fail_at(1, false);
	assert_int_equal(call(&sock, &there), CUB_E_IO);
	assert_int_equal(sock, PORT_NONE);
	sim_net_limit(0);
	assert_int_equal(call(&sock, &there), CUB_E_LIMIT);
	assert_int_equal(sock, PORT_NONE);
	sim_net_limit(64);
	assert_int_equal(call(&sock, &there), CUB_AGAIN);
	sim_net_fail_at(1, false);
	assert_int_equal(call(&sock, &there), CUB_E_IO);
	port_sock_close(sock);
	assert_int_equal(sim_net_open_count(), 0);
}

static void
clients_wait_in_order_until_the_backlog_is_full(void **state)
{
	struct port_addr from = sim_ipv4(192, 0, 2, 7, 1);
	port_sock listener = listen_at(any4(21));
	sim_peer peers[5];
	port_sock sock;

	(void)state;
	for (uint16_t i = 0; i < 4; i++) {
		from.tcp_port = (uint16_t)(100 + i);
		assert_int_equal(sim_connect(&from, 21, &peers[i]), CUB_OK);
	}
	assert_int_equal(sim_connect(&from, 21, &peers[4]), CUB_AGAIN);
	sim_net_limit(3);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(port_accept(listener, &sock, &from), CUB_OK);
		assert_int_equal(from.tcp_port, 100 + i);
	}
	assert_int_equal(port_accept(listener, &sock, &from), CUB_E_LIMIT);
	assert_false(sim_peer_lost(peers[2]));
	port_sock_close(listener);
	assert_true(sim_peer_lost(peers[2]));
	assert_true(sim_peer_lost(peers[3]));
	assert_false(sim_peer_lost(peers[0]));
}

static void
an_address_is_used_once(void **state)
{
	static const struct {
		uint8_t first[2];   /* family, last byte; 0: any */
		uint8_t second[2];
		int result;
	} cases[] = {
		{ { 4, 0 }, { 4, 0 }, CUB_E_BUSY },
		{ { 4, 1 }, { 4, 0 }, CUB_E_BUSY },
		{ { 4, 0 }, { 4, 1 }, CUB_E_BUSY },
		{ { 6, 0 }, { 4, 1 }, CUB_E_BUSY },
		{ { 4, 0 }, { 6, 0 }, CUB_E_BUSY },
		{ { 4, 1 }, { 6, 1 }, CUB_OK },
		{ { 6, 1 }, { 4, 0 }, CUB_OK },
		{ { 4, 0 }, { 4, 9 }, CUB_E_IO },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct port_addr at[2];
		port_sock sock;

		sim_reset(1);
		for (int j = 0; j < 2; j++) {
			const uint8_t *a = j == 0 ? cases[i].first : cases[i].second;

			at[j] = a[0] == 4 ? sim_ipv4(192, 0, 2, a[1], 21) : sim_ipv6(a[1], 21);
			if (a[1] == 0) {
				memset(at[j].ip, 0, 16);
			}
		}
		assert_int_equal(port_listen(&at[0], 4, &sock), CUB_OK);
		assert_int_equal(port_listen(&at[1], 4, &sock), cases[i].result);
	}
}

static void
ports_can_be_in_use_or_forbidden(void **state)
{
	struct port_addr at = any4(21);
	port_sock sock;

	(void)state;
	sim_net_occupy(21);
	assert_int_equal(port_listen(&at, 4, &sock), CUB_E_BUSY);
	sim_net_release(21);
	sim_net_deny(21);
	assert_int_equal(port_listen(&at, 4, &sock), CUB_E_DENIED);
	sim_net_limit(0);
	at.tcp_port = 0;
	assert_int_equal(port_listen(&at, 4, &sock), CUB_E_LIMIT);
	sim_net_limit(64);
	assert_int_equal(port_listen(&at, 4, &sock), CUB_OK);
	assert_int_equal(port_sock_local(sock, &at), CUB_OK);
	assert_int_equal(at.tcp_port, 32768 + 1);
}

static void
a_listener_for_all_takes_both_families(void **state)
{
	struct port_addr at = { .family = 6, .tcp_port = 21 };
	struct port_addr v4 = sim_ipv4(192, 0, 2, 7, 5), v6 = sim_ipv6(7, 5), seen;
	port_sock listener = listen_at(at), sock;
	sim_peer peer;

	(void)state;
	assert_int_equal(sim_connect(&v4, 21, &peer), CUB_OK);
	assert_int_equal(port_accept(listener, &sock, &seen), CUB_OK);
	assert_int_equal(seen.family, 4);
	assert_int_equal(port_sock_local(sock, &seen), CUB_OK);
	assert_int_equal(seen.family, 4);
	assert_int_equal(sim_connect(&v6, 21, &peer), CUB_OK);
	assert_int_equal(port_accept(listener, &sock, &seen), CUB_OK);
	assert_int_equal(seen.family, 6);
	port_sock_close(listener);

	listen_at(any4(22));
	assert_int_equal(sim_connect(&v6, 22, &peer), CUB_E_IO);
}

static void
bytes_arrive_in_order_and_full_is_not_yet(void **state)
{
	uint8_t buf[100];
	sim_peer peer;
	port_sock sock;

	(void)state;
	sim_net_buffer(7);
	sock = pair(&peer);
	assert_int_equal(port_sock_read(sock, buf, 1), CUB_AGAIN);
	assert_int_equal(sim_peer_write(peer, "abcdefghij", 10), 7);
	assert_int_equal(sim_peer_write(peer, "hij", 3), CUB_AGAIN);
	assert_int_equal(sim_peer_unread(peer), 7);
	assert_int_equal(port_sock_read(sock, buf, 5), 5);
	assert_int_equal(sim_peer_write(peer, "hij", 3), 3);
	assert_int_equal(port_sock_read(sock, buf + 5, 95), 5);
	assert_memory_equal(buf, "abcdefghij", 10);
	assert_int_equal(port_sock_write(sock, "0123456789", 10), 7);
	assert_int_equal(port_sock_write(sock, "789", 3), CUB_AGAIN);
	assert_int_equal(sim_peer_pending(peer), 7);
	assert_int_equal(sim_peer_read(peer, buf, 100), 7);
	assert_memory_equal(buf, "0123456", 7);
	assert_int_equal(sim_peer_read(peer, buf, 100), CUB_AGAIN);
}

static void
each_direction_ends_by_itself(void **state)
{
	uint8_t buf[10];
	sim_peer peer;
	port_sock sock = pair(&peer);

	(void)state;
	sim_peer_write(peer, "last", 4);
	sim_peer_shutdown(peer);
	assert_int_equal(port_sock_read(sock, buf, 10), 4);
	assert_int_equal(port_sock_read(sock, buf, 10), CUB_EOF);
	assert_int_equal(port_sock_write(sock, "still", 5), 5);
	assert_false(sim_peer_eof(peer));
	port_sock_shutdown(sock);
	assert_true(sim_peer_eof(peer));
	assert_int_equal(sim_peer_read(peer, buf, 10), 5);
	assert_int_equal(sim_peer_read(peer, buf, 10), CUB_EOF);
	assert_int_equal(port_sock_read(sock, buf, 10), CUB_EOF);
	port_sock_close(sock);
	assert_false(sim_peer_lost(peer));
}

static void
closing_with_unread_bytes_resets(void **state)
{
	uint8_t buf[10];
	sim_peer peer;
	port_sock sock = pair(&peer);

	(void)state;
	port_sock_write(sock, "421", 3);
	sim_peer_write(peer, "x", 1);
	port_sock_close(sock);
	assert_true(sim_peer_lost(peer));
	assert_int_equal(sim_peer_read(peer, buf, 10), 3);
	assert_int_equal(sim_peer_read(peer, buf, 10), CUB_E_IO);
	sim_peer_close(peer);

	sim_net_reset_drops(true);
	sock = pair(&peer);
	port_sock_write(sock, "421", 3);
	sim_peer_write(peer, "x", 1);
	port_sock_close(sock);
	assert_int_equal(sim_peer_read(peer, buf, 10), CUB_E_IO);
}

static void
writing_to_a_closed_far_end_fails_the_second_time(void **state)
{
	sim_peer peer;
	port_sock sock = pair(&peer);

	(void)state;
	sim_peer_close(peer);
	assert_int_equal(port_sock_write(sock, "a", 1), 1);
	assert_int_equal(port_sock_write(sock, "b", 1), CUB_E_IO);
	port_sock_close(sock);

	sock = pair(&peer);
	port_sock_close(sock);
	assert_int_equal(sim_peer_write(peer, "a", 1), CUB_E_IO);

	sock = pair(&peer);
	sim_peer_reset(peer);
	assert_int_equal(port_sock_write(sock, "a", 1), CUB_E_IO);
}

static port_sock
listen_local(void)
{
	port_sock sock;

	assert_int_equal(port_listen_local("/run/x.sock", &sock), CUB_OK);
	return sock;
}

static void
a_program_of_the_host_connects_to_the_unix_socket(void **state)
{
	struct port_wait set = { .count = 1, .deadline_ms = 0 };
	struct port_addr from = sim_ipv4(192, 0, 2, 7, 1);
	port_sock listener, sock;
	sim_peer peer, other;
	char buf[8];

	(void)state;
	assert_int_equal(sim_connect_local(&peer), CUB_E_IO);
	listener = listen_local();
	assert_int_equal(sim_connect(&from, 0, &other), CUB_E_IO);
	assert_int_equal(sim_connect_local(&peer), CUB_OK);
	set.item[0].sock = listener;
	set.item[0].events = PORT_READ;
	port_wait(&set);
	assert_int_equal(set.item[0].ready, PORT_READ);
	assert_int_equal(port_accept(listener, &sock, &from), CUB_OK);
	assert_int_equal(from.family, 0);
	assert_int_equal(sim_peer_local(peer).family, 0);
	from.family = 4;
	assert_int_equal(port_sock_local(sock, &from), CUB_OK);
	assert_int_equal(from.family, 0);
	assert_int_equal(sim_net_open_count(), 2);
	assert_int_equal(sim_peer_write(peer, "ask", 3), 3);
	assert_int_equal(port_sock_read(sock, buf, 8), 3);
	assert_int_equal(port_sock_write(sock, "answer", 6), 6);
	port_sock_close(sock);
	assert_int_equal(sim_peer_read(peer, buf, 8), 6);
	assert_int_equal(sim_peer_read(peer, buf, 8), CUB_EOF);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(sim_connect_local(&peer), CUB_OK);
	}
	assert_int_equal(sim_connect_local(&other), CUB_AGAIN);
	port_sock_close(listener);
	assert_true(sim_peer_lost(peer));
	assert_int_equal(sim_net_open_count(), 0);
}

static void
the_name_of_the_unix_socket_outlives_its_server(void **state)
{
	port_sock listener, second;
	sim_peer peer;

	(void)state;
	assert_string_equal(sim_local_name(), "");
	listener = listen_local();
	assert_string_equal(sim_local_name(), "/run/x.sock");
	assert_int_equal(port_listen_local("/run/x.sock", &second), CUB_E_BUSY);
	port_sock_close(listener);
	assert_string_equal(sim_local_name(), "/run/x.sock");
	assert_int_equal(sim_connect_local(&peer), CUB_E_IO);
	listen_local();
	sim_power_cut();
	assert_int_equal(port_listen_local("/run/x.sock", &second), CUB_E_IO);
	sim_power_on();
	assert_string_equal(sim_local_name(), "/run/x.sock");
	listener = listen_local();
	port_forget_local("/run/y.sock");
	assert_int_equal(sim_connect_local(&peer), CUB_OK);
	port_forget_local("/run/x.sock");
	assert_string_equal(sim_local_name(), "");
	assert_int_equal(sim_connect_local(&peer), CUB_E_IO);
	port_sock_close(listener);
}

static void
a_unix_socket_is_refused_as_the_contract_says(void **state)
{
	char path[109];
	port_sock sock;

	(void)state;
	memset(path, 'x', sizeof path);
	path[108] = '\0';
	assert_int_equal(port_listen_local(path, &sock), CUB_E_NAME);
	assert_int_equal(port_listen_local("", &sock), CUB_E_NAME);
	assert_int_equal(port_listen_local("/srv", &sock), CUB_E_EXIST);
	sim_net_limit(0);
	assert_int_equal(port_listen_local("/run/x.sock", &sock), CUB_E_LIMIT);
	assert_string_equal(sim_local_name(), "");
	sim_net_limit(64);
	sim_net_fail_at(1, false);
	assert_int_equal(port_listen_local("/run/x.sock", &sock), CUB_E_IO);
	assert_true(sim_net_failed());
	path[107] = '\0';
	assert_int_equal(port_listen_local(path, &sock), CUB_OK);
}

enum net_rule {
	READ_CLOSED, READ_NONE, READ_ZERO, READ_PEER, READ_LISTENER, READ_NOTHING, WRITE_SHUT,
	WRITE_LOST, WAIT_LOST, WAIT_EVENTS, CLOSE_TWICE, ACCEPT_CONNECTED, LOG_LINE_END, NET_RULES,
};

static void
break_net_rule(void *arg)
{
	struct port_wait set = { .count = 1, .deadline_ms = 0 };
	struct port_addr addr;
	sim_peer peer;
	port_sock sock = pair(&peer), other;
	char c = 'x';

	switch (*(enum net_rule *)arg) {
	case READ_CLOSED:
		port_sock_close(sock);
		pair(&peer);
		port_sock_read(sock, &c, 1);
		break;
	case READ_NONE:
		port_sock_read(PORT_NONE, &c, 1);
		break;
	case READ_ZERO:
		port_sock_read(0, &c, 1);
		break;
	case READ_PEER:
		port_sock_read(peer, &c, 1);
		break;
	case READ_LISTENER:
		port_sock_read(listen_at(any4(23)), &c, 1);
		break;
	case READ_NOTHING:
		port_sock_read(sock, &c, 0);
		break;
	case WRITE_SHUT:
		port_sock_shutdown(sock);
		port_sock_write(sock, &c, 1);
		break;
	case WRITE_LOST:
		sim_peer_reset(peer);
		port_sock_read(sock, &c, 1);
		port_sock_write(sock, &c, 1);
		break;
	case WAIT_LOST:
		sim_peer_reset(peer);
		port_sock_read(sock, &c, 1);
		set.item[0].sock = sock;
		set.item[0].events = PORT_READ;
		port_wait(&set);
		break;
	case WAIT_EVENTS:
		set.item[0].sock = sock;
		port_wait(&set);
		break;
	case CLOSE_TWICE:
		port_sock_close(sock);
		port_sock_close(sock);
		break;
	case ACCEPT_CONNECTED:
		port_accept(sock, &other, &addr);
		break;
	case LOG_LINE_END:
		port_log(PORT_LOG_INFO, "a\nb", 3);
		break;
	case NET_RULES:
		break;
	}
}

static void
breaking_the_contract_of_sockets_panics(void **state)
{
	(void)state;
	for (enum net_rule rule = 0; rule < NET_RULES; rule++) {
		sim_reset(1);
		assert_true(sim_expect_panic(break_net_rule, &rule));
		assert_string_not_equal(sim_panic_text(), "");
	}
	sim_reset(1);
	assert_false(sim_expect_panic(break_net_rule, &(enum net_rule){ NET_RULES }));
}

/* Send `len` bytes each way through a pair; the number of calls that said CUB_AGAIN. */
static unsigned
exchange(size_t len)
{
	uint8_t sent[500], got[500], back[500];
	sim_peer peer;
	port_sock sock = pair(&peer);
	size_t taken = 0, given = 0, returned = 0;
	unsigned again = 0;

	assert_true(len <= sizeof sent);
	for (size_t i = 0; i < len; i++) {
		sent[i] = (uint8_t)(i * 7);
	}
	assert_int_equal(sim_peer_write(peer, sent, len), len);
	while (given < len) {
		int n = taken < len ? port_sock_read(sock, got + taken, len - taken) : CUB_AGAIN;

		again += taken < len && n == CUB_AGAIN;
		taken += n > 0 ? (size_t)n : 0;
		n = given < taken ? port_sock_write(sock, got + given, taken - given) : 0;
		again += n == CUB_AGAIN;
		given += n > 0 ? (size_t)n : 0;
	}
	while (returned < len) {
		returned += (size_t)sim_peer_read(peer, back + returned, len - returned);
	}
	assert_memory_equal(back, sent, len);
	port_sock_close(sock);
	sim_peer_close(peer);
	return again;
}

static void
streams_come_whole_in_bytes_or_in_pieces(void **state)
{
	uint64_t digest;

	(void)state;
	assert_int_equal(exchange(500), 0);
	assert_int_equal(sim_net_calls(), 4);
	sim_net_split(SIM_BYTES);
	assert_in_range(exchange(500), 900, 1000);
	sim_net_split(SIM_RANDOM);
	assert_in_range(exchange(500), 1, 900);

	sim_reset(5);
	sim_net_split(SIM_RANDOM);
	exchange(500);
	digest = sim_net_digest();
	sim_reset(5);
	sim_net_split(SIM_RANDOM);
	exchange(500);
	assert_true(sim_net_digest() == digest);
	sim_reset(5);
	sim_net_split(SIM_RANDOM);
	exchange(499);
	assert_false(sim_net_digest() == digest);
}

/* Accept a client and echo four bytes. Returns the first error. */
static int
echo_once(sim_peer peer, port_sock listener)
{
	struct port_addr from;
	port_sock sock;
	uint8_t buf[4];
	int n = port_accept(listener, &sock, &from);

	if (n != CUB_OK) {
		return n;
	}
	sim_peer_write(peer, "ping", 4);
	n = port_sock_read(sock, buf, sizeof buf);
	if (n > 0) {
		n = port_sock_write(sock, buf, (size_t)n);
	}
	port_sock_close(sock);
	return n;
}

static void
each_socket_call_can_fail_once_or_from_then_on(void **state)
{
	(void)state;
	for (int forever = 0; forever < 2; forever++) {
		for (uint64_t n = 1;; n++) {
			struct port_addr at = any4(21);
			port_sock listener = PORT_NONE;
			sim_peer peer;
			int result;

			sim_reset(n);
			sim_net_fail_at(n, forever);
			result = port_listen(&at, 4, &listener);
			if (result == CUB_OK) {
				peer = connect_to(21);
				result = echo_once(peer, listener);
				assert_true(sim_peer_eof(peer));
				assert_int_equal(sim_peer_lost(peer), result < 0);
				port_sock_close(listener);
			}
			assert_int_equal(result, sim_net_failed() ? CUB_E_IO : 4);
			assert_int_equal(sim_net_open_count(), 0);
			if (!sim_net_failed()) {
				assert_int_equal(n, 5);
				break;
			}
		}
	}
}

static void
a_fault_strikes_once_or_ever_after(void **state)
{
	struct port_addr addr;
	port_sock listener = listen_at(any4(21));

	(void)state;
	for (int forever = 0; forever < 2; forever++) {
		sim_net_fail_at(2, forever);
		assert_int_equal(port_sock_local(listener, &addr), CUB_OK);
		assert_false(sim_net_failed());
		assert_int_equal(port_sock_local(listener, &addr), CUB_E_IO);
		assert_true(sim_net_failed());
		assert_int_equal(port_sock_local(listener, &addr), forever ? CUB_E_IO : CUB_OK);
		assert_int_equal(sim_net_calls(), 3);
	}
}

static void
waiting_marks_what_can_be_done(void **state)
{
	struct port_wait set = { .count = 2, .deadline_ms = UINT64_MAX };
	port_sock listener = listen_at(any4(22));
	sim_peer peer, other;
	uint8_t buf[4];

	(void)state;
	sim_net_buffer(4);
	set.item[0].sock = listener;
	set.item[0].events = PORT_READ;
	set.item[1].sock = pair(&peer);
	set.item[1].events = PORT_READ;
	port_wait(&set);
	assert_int_equal(sim_waited(), SIM_WAITED_NEVER);

	other = connect_to(22);
	set.item[1].events = PORT_READ | PORT_WRITE;
	port_wait(&set);
	assert_int_equal(sim_waited(), SIM_WAITED_READY);
	assert_int_equal(set.item[0].ready, PORT_READ);
	assert_int_equal(set.item[1].ready, PORT_WRITE);

	port_sock_write(set.item[1].sock, "full", 4);
	sim_peer_write(peer, "x", 1);
	port_wait(&set);
	assert_int_equal(set.item[1].ready, PORT_READ);
	set.item[1].events = PORT_WRITE;
	port_wait(&set);
	assert_int_equal(set.item[1].ready, 0);
	sim_peer_read(peer, buf, 1);
	port_wait(&set);
	assert_int_equal(set.item[1].ready, PORT_WRITE);

	set.item[1].events = PORT_READ;
	port_sock_read(set.item[1].sock, buf, 4);
	sim_peer_read(peer, buf, 4);
	port_wait(&set);
	assert_int_equal(set.item[1].ready, 0);
	sim_peer_close(peer);
	port_wait(&set);
	assert_int_equal(set.item[1].ready, PORT_READ);
	sim_peer_close(other);
}

static void
waiting_in_vain_moves_the_clock_to_the_deadline(void **state)
{
	struct port_wait set = { .count = 0 };
	uint64_t start = port_clock_ms();

	(void)state;
	set.deadline_ms = start + 500;
	assert_int_equal(sim_clock_budget(0), -1);
	port_wait(&set);
	assert_true(port_clock_ms() == start);
	assert_int_equal(sim_waited(), SIM_WAITED_TIME);
	sim_clock_budget(1);
	port_wait(&set);
	assert_true(port_clock_ms() == start + 500);
	assert_int_equal(sim_clock_budget(-1), 0);
	port_wait(&set);
	assert_int_equal(sim_waited(), SIM_WAITED_DUE);
	set.deadline_ms = start + 900;
	port_wait(&set);
	assert_true(port_clock_ms() == start + 900);
}

static void
without_power_nothing_works_and_handles_may_be_closed(void **state)
{
	struct port_wait set = { .count = 1, .deadline_ms = UINT64_MAX };
	struct port_addr at = any4(21);
	sim_peer peer;
	port_sock sock = pair(&peer), other;
	port_root root;
	uint8_t c;

	(void)state;
	assert_int_equal(port_root_open(PORT_NONE, "/srv", &root), CUB_OK);
	sim_power_cut();
	assert_true(sim_power_is_off());
	assert_true(sim_peer_lost(peer));
	assert_int_equal(port_sock_read(sock, &c, 1), CUB_E_IO);
	assert_int_equal(port_sock_write(sock, &c, 1), CUB_E_IO);
	assert_int_equal(port_listen(&at, 4, &other), CUB_E_IO);
	assert_int_equal(port_dir_make(root, "d", 0755), CUB_E_IO);
	set.item[0].sock = sock;
	set.item[0].events = PORT_READ;
	port_wait(&set);
	assert_int_equal(set.item[0].ready, PORT_READ);
	assert_int_equal(sim_net_open_count() + sim_file_open_count(), 0);
	sim_power_on();
	port_sock_close(sock);
	port_root_close(root);
	sock = listen_at(at);
	assert_int_equal(sim_net_open_count(), 1);
}

/* Files */

static port_root
open_root(void)
{
	port_root root;

	assert_int_equal(port_root_open(PORT_NONE, "/srv", &root), CUB_OK);
	return root;
}

/* Put content under a name in the ways that the contract offers. Returns the first error. */
static int
store_file(port_root root, const char *name, enum port_open how, const char *text, bool sync)
{
	port_file file;
	int closed;
	int n = port_file_open(root, name, how, 0644, &file);

	if (n != CUB_OK) {
		return n;
	}
	for (size_t done = 0, len = strlen(text); done < len; done += (size_t)n) {
		n = port_file_write(file, done, text + done, len - done);
		if (n < 0) {
			break;
		}
	}
	if (n >= 0) {
		n = sync ? port_file_sync(file) : CUB_OK;
	}
	closed = port_file_close(file);
	return n != CUB_OK ? n : closed;
}

static void
what_the_server_writes_is_there(void **state)
{
	port_root root = open_root();
	struct port_stat st;
	port_file file;
	char buf[10];

	(void)state;
	assert_int_equal(store_file(root, "a", PORT_OPEN_CREATE, "hello", true), CUB_OK);
	assert_true(sim_file_is("/srv/a", "hello", 5));
	assert_false(sim_file_is("/srv/a", "hellO", 5));
	assert_false(sim_file_is("/srv/a", "hell", 4));
	assert_int_equal(sim_file_size("srv//a"), 5);
	assert_int_equal(store_file(root, "a", PORT_OPEN_UPDATE, "J", true), CUB_OK);
	assert_true(sim_file_is("/srv/a", "Jello", 5));
	sim_file_put("/srv/d/b", "x", 1);
	assert_true(sim_dir_exists("/srv/d"));
	assert_int_equal(port_file_open(root, "d/b", PORT_OPEN_READ, 0644, &file), CUB_OK);
	assert_int_equal(port_file_read(file, 0, buf, 10), 1);
	assert_int_equal(port_file_read(file, 1, buf, 10), CUB_EOF);
	assert_int_equal(port_file_stat(file, &st), CUB_OK);
	assert_true(st.kind == PORT_FILE && st.size == 1 && st.mode == 0644);
	assert_true(st.mtime_s == port_time());
	assert_int_equal(sim_file_open_count(), 2);
	assert_int_equal(port_file_close(file), CUB_OK);
	port_root_close(root);
	assert_int_equal(sim_file_open_count(), 0);
}

static void
names_are_refused_as_the_contract_says(void **state)
{
	port_root root = open_root(), below;
	struct port_stat st;
	struct port_dir dir;
	port_file file;
	char name[258];

	(void)state;
	memset(name, 'n', 256);
	name[256] = '\0';
	sim_file_put("/srv/d/file", "", 0);
	sim_other_put("/srv/pipe");
	assert_int_equal(port_stat(root, "x", &st), CUB_E_NOENT);
	assert_int_equal(port_stat(root, "x/y", &st), CUB_E_NOENT);
	assert_int_equal(port_stat(root, "d/file/y", &st), CUB_E_NOTDIR);
	assert_int_equal(port_stat(root, name, &st), CUB_E_NAME);
	assert_int_equal(port_stat(root, ".", &st), CUB_OK);
	assert_int_equal(st.kind, PORT_DIR);
	assert_int_equal(port_stat(root, "pipe", &st), CUB_OK);
	assert_int_equal(st.kind, PORT_OTHER);
	assert_int_equal(port_file_open(root, "d", PORT_OPEN_READ, 0644, &file), CUB_E_ISDIR);
	assert_int_equal(port_file_open(root, ".", PORT_OPEN_UPDATE, 0644, &file), CUB_E_ISDIR);
	assert_int_equal(port_file_open(root, "d", PORT_OPEN_CREATE, 0644, &file), CUB_E_EXIST);
	assert_int_equal(port_file_open(root, "d/file", PORT_OPEN_CREATE, 0644, &file), CUB_E_EXIST);
	assert_int_equal(port_file_open(root, "pipe", PORT_OPEN_READ, 0644, &file), CUB_E_DENIED);
	assert_int_equal(port_file_open(root, "x", PORT_OPEN_READ, 0644, &file), CUB_E_NOENT);
	assert_int_equal(port_dir_open(root, "d/file", &dir), CUB_E_NOTDIR);
	assert_int_equal(port_dir_make(root, "d", 0755), CUB_E_EXIST);
	assert_int_equal(port_root_open(root, "d/file", &below), CUB_E_NOTDIR);
	assert_int_equal(port_root_open(PORT_NONE, "/nowhere", &below), CUB_E_NOENT);
	sim_file_deny("/srv/d/file", true);
	assert_int_equal(port_file_open(root, "d/file", PORT_OPEN_READ, 0644, &file), CUB_E_DENIED);
	sim_file_deny("/srv/d", true);
	assert_int_equal(port_stat(root, "d/file", &st), CUB_E_DENIED);
	assert_int_equal(port_dir_open(root, "d", &dir), CUB_E_DENIED);
	sim_file_deny("/srv/d", false);
	assert_int_equal(port_root_open(root, "d", &below), CUB_OK);
	assert_int_equal(port_stat(below, "file", &st), CUB_OK);
	sim_file_limit(2);
	assert_int_equal(port_root_open(root, "d", &below), CUB_E_LIMIT);
	assert_int_equal(port_file_open(root, "new", PORT_OPEN_CREATE, 0644, &file), CUB_E_LIMIT);
	assert_false(sim_file_exists("/srv/new"));
}

enum file_rule {
	PATH_EMPTY, PATH_ABSOLUTE, PATH_UP, PATH_UP_BELOW, PATH_DOT, PATH_DOUBLE, PATH_TRAILING,
	FILE_AS_ROOT, FILE_CLOSED, FILE_WRITE_READING, FILE_READ_WRITING, FILE_NOTHING,
	DIR_CLOSED, DIR_ZERO, FILE_RULES,
};

static void
break_file_rule(void *arg)
{
	static const char *const paths[] = { "", "/a", "..", "d/../a", "d/./a", "d//a", "d/" };
	enum file_rule rule = *(enum file_rule *)arg;
	port_root root = open_root();
	struct port_dir dir = { .handle = 0 };
	struct port_entry entry;
	struct port_stat st;
	port_file file;
	char c = 'x';

	sim_file_put("/srv/f", "x", 1);
	port_file_open(root, "f", rule == FILE_READ_WRITING ? PORT_OPEN_UPDATE : PORT_OPEN_READ, 0,
		&file);
	switch (rule) {
	case FILE_AS_ROOT:
		port_stat(file, "f", &st);
		break;
	case FILE_CLOSED:
		port_file_close(file);
		port_file_stat(file, &st);
		break;
	case FILE_WRITE_READING:
		port_file_write(file, 0, &c, 1);
		break;
	case FILE_READ_WRITING:
		port_file_read(file, 0, &c, 1);
		break;
	case FILE_NOTHING:
		port_file_read(file, 0, &c, 0);
		break;
	case DIR_CLOSED:
		port_dir_open(root, ".", &dir);
		port_dir_close(&dir);
		port_dir_next(&dir, &entry);
		break;
	case DIR_ZERO:
		port_dir_next(&dir, &entry);
		break;
	case FILE_RULES:
		break;
	default:
		port_stat(root, paths[rule], &st);
		break;
	}
}

static void
breaking_the_contract_of_files_panics(void **state)
{
	(void)state;
	for (enum file_rule rule = 0; rule < FILE_RULES; rule++) {
		sim_reset(1);
		assert_true(sim_expect_panic(break_file_rule, &rule));
		assert_string_not_equal(sim_panic_text(), "");
	}
	sim_reset(1);
	assert_false(sim_expect_panic(break_file_rule, &(enum file_rule){ FILE_RULES }));
}

static void
a_file_can_be_huge_where_it_is_sparse(void **state)
{
	const uint64_t far = UINT64_C(5) << 44;
	port_root root = open_root();
	uint64_t free_before, free_after;
	port_file file;
	char buf[8];

	(void)state;
	port_root_free(root, &free_before);
	port_file_open(root, "big", PORT_OPEN_CREATE, 0644, &file);
	assert_int_equal(port_file_write(file, 0, "near", 4), 4);
	assert_int_equal(port_file_write(file, far - 2, "1234", 4), 4);
	assert_int_equal(sim_file_peek("/srv/big", 0, buf, 8), 8);
	assert_memory_equal(buf, "near\0\0\0\0", 8);
	assert_true(sim_file_size("/srv/big") == far + 2);
	port_root_free(root, &free_after);
	assert_true(free_before - free_after == 3 * 4096);
	assert_int_equal(sim_file_peek("/srv/big", far - 4, buf, 8), 6);
	assert_memory_equal(buf, "\0\0001234", 6);
	assert_int_equal(port_file_truncate(file, far - 1), CUB_OK);
	assert_int_equal(port_file_truncate(file, far + 4), CUB_OK);
	assert_int_equal(sim_file_peek("/srv/big", far - 2, buf, 8), 6);
	assert_memory_equal(buf, "1\0\0\0\0", 6);
	assert_int_equal(port_file_write(file, INT64_MAX, "1", 1), CUB_E_FULL);
	assert_int_equal(port_file_write(file, INT64_MAX - 1, "12", 2), 1);
	sim_file_size_max(100);
	assert_int_equal(port_file_write(file, 98, "1234", 4), 2);
	assert_int_equal(port_file_write(file, 100, "1234", 4), CUB_E_FULL);
	assert_int_equal(port_file_truncate(file, 101), CUB_E_FULL);
}

static void
a_listing_comes_in_order_of_creation(void **state)
{
	port_root root = open_root();
	struct port_entry entry;
	struct port_dir dir;
	const char *name;

	(void)state;
	sim_file_put("/srv/zebra", "12345", 5);
	sim_dir_put("/srv/apple");
	sim_file_put("/srv/middle", "", 0);
	sim_file_mtime_set("/srv/zebra", 1234);
	assert_int_equal(sim_dir_count("/srv"), 3);
	assert_int_equal(port_dir_open(root, ".", &dir), CUB_OK);
	assert_int_equal(port_dir_next(&dir, &entry), CUB_OK);
	assert_string_equal(entry.name, "zebra");
	assert_true(entry.stat.size == 5 && entry.stat.mtime_s == 1234);
	name = entry.name;
	assert_int_equal(port_remove(root, "zebra"), CUB_OK);
	assert_int_equal(port_dir_remove(root, "apple"), CUB_OK);
	sim_file_put("/srv/later", "", 0);
	assert_int_equal(port_dir_next(&dir, &entry), CUB_OK);
	assert_string_equal(entry.name, "middle");
	assert_int_equal(port_dir_next(&dir, &entry), CUB_OK);
	assert_string_equal(entry.name, "later");
	assert_int_equal(port_dir_next(&dir, &entry), CUB_EOF);
	assert_string_not_equal(name, "later");
	assert_int_equal(sim_file_open_count(), 2);
	port_dir_close(&dir);
	assert_int_equal(sim_file_open_count(), 1);
}

static void
names_change_as_the_contract_says(void **state)
{
	port_root root = open_root();

	(void)state;
	sim_file_put("/srv/a", "A", 1);
	sim_file_put("/srv/b", "B", 1);
	sim_file_put("/srv/d/e/f", "F", 1);
	sim_dir_put("/srv/empty");
	assert_int_equal(port_rename(root, "x", "y"), CUB_E_NOENT);
	assert_int_equal(port_rename(root, "a", "x/y"), CUB_E_NOENT);
	assert_int_equal(port_rename(root, "a", "d"), CUB_E_ISDIR);
	assert_int_equal(port_rename(root, "d", "a"), CUB_E_NOTDIR);
	assert_int_equal(port_rename(root, "d", "empty"), CUB_E_EXIST);
	assert_int_equal(port_rename(root, "d", "d/e/g"), CUB_E_BAD);
	assert_int_equal(port_rename(root, ".", "g"), CUB_E_BUSY);
	assert_int_equal(port_rename(root, "a", "a"), CUB_OK);
	assert_int_equal(port_rename(root, "a", "b"), CUB_OK);
	assert_false(sim_file_exists("/srv/a"));
	assert_true(sim_file_is("/srv/b", "A", 1));
	assert_int_equal(port_rename(root, "d/e", "g"), CUB_OK);
	assert_true(sim_file_is("/srv/g/f", "F", 1));
	assert_int_equal(port_remove(root, "d"), CUB_E_ISDIR);
	assert_int_equal(port_remove(root, "x"), CUB_E_NOENT);
	assert_int_equal(port_remove(root, "."), CUB_E_ISDIR);
	assert_int_equal(port_dir_remove(root, "b"), CUB_E_NOTDIR);
	assert_int_equal(port_dir_remove(root, "g"), CUB_E_NOTEMPTY);
	assert_int_equal(port_dir_remove(root, "."), CUB_E_BUSY);
	assert_int_equal(port_remove(root, "g/f"), CUB_OK);
	assert_int_equal(port_dir_remove(root, "g"), CUB_OK);
	assert_int_equal(sim_dir_count("/srv"), 3);
}

static void
modes_and_times_change_as_the_contract_says(void **state)
{
	port_root root = open_root();
	struct port_stat stat;

	(void)state;
	sim_file_put("/srv/a", "A", 1);
	sim_dir_put("/srv/d");
	sim_other_put("/srv/o");
	assert_int_equal(port_change(root, "a", PORT_MODE, 0751), CUB_OK);
	assert_int_equal(port_change(root, "a", PORT_MTIME, -5), CUB_OK);
	assert_int_equal(port_stat(root, "a", &stat), CUB_OK);
	assert_true(stat.mode == 0751 && stat.mtime_s == -5);
	assert_int_equal(port_change(root, "d", PORT_MTIME, INT64_C(5000000000)), CUB_OK);
	assert_int_equal(port_stat(root, "d", &stat), CUB_OK);
	assert_true(stat.mtime_s == INT64_C(5000000000));
	assert_int_equal(port_change(root, "o", PORT_MODE, 0600), CUB_E_DENIED);
	assert_int_equal(port_change(root, "x", PORT_MODE, 0600), CUB_E_NOENT);
	assert_int_equal(port_change(root, "a/x", PORT_MTIME, 0), CUB_E_NOTDIR);
	sim_file_deny("/srv/a", true);
	assert_int_equal(port_change(root, "a", PORT_MODE, 0600), CUB_E_DENIED);
}

static void
a_removed_file_lives_until_it_is_closed(void **state)
{
	port_root root = open_root();
	struct port_stat st, other;
	port_file file;
	char buf[5];

	(void)state;
	sim_file_put("/srv/a", "alpha", 5);
	port_file_open(root, "a", PORT_OPEN_READ, 0644, &file);
	store_file(root, "b", PORT_OPEN_CREATE, "beta", true);
	assert_int_equal(port_rename(root, "b", "a"), CUB_OK);
	assert_int_equal(port_file_read(file, 0, buf, 5), 5);
	assert_memory_equal(buf, "alpha", 5);
	port_file_stat(file, &st);
	port_stat(root, "a", &other);
	assert_false(st.inode == other.inode);
	port_file_close(file);
	assert_true(sim_file_is("/srv/a", "beta", 4));
}

static void
the_medium_can_be_full_or_damaged(void **state)
{
	static char text[10000];
	port_root root = open_root();
	uint64_t left;
	port_file file;

	(void)state;
	memset(text, 't', sizeof text);
	sim_disk_limit(8192);
	port_file_open(root, "a", PORT_OPEN_CREATE, 0644, &file);
	assert_int_equal(port_file_write(file, 0, text, sizeof text), 8192);
	assert_int_equal(port_file_write(file, 8192, text, 1), CUB_E_FULL);
	assert_int_equal(port_file_write(file, 100, text, 1), 1);
	assert_int_equal(port_file_truncate(file, 4096), CUB_OK);
	port_root_free(root, &left);
	assert_int_equal(left, 4096);
	assert_int_equal(port_file_write(file, 4000, text, 1000), 1000);
	sim_file_write_error_at("/srv/a", 50);
	assert_int_equal(port_file_write(file, 40, text, 100), 10);
	assert_int_equal(port_file_write(file, 50, text, 100), CUB_E_IO);
	assert_int_equal(port_file_write(file, 51, text, 100), 100);
	port_file_close(file);
	sim_file_read_error_at("/srv/a", 4500);
	port_file_open(root, "a", PORT_OPEN_READ, 0644, &file);
	assert_int_equal(port_file_read(file, 0, text, sizeof text), 4500);
	assert_int_equal(port_file_read(file, 4500, text, sizeof text), CUB_E_IO);
	sim_file_read_error_at("/srv/a", UINT64_MAX);
	assert_int_equal(port_file_read(file, 4500, text, sizeof text), 500);
}

static void
files_come_in_pieces(void **state)
{
	port_root root = open_root();
	port_file file;
	char buf[10];
	int n;

	(void)state;
	sim_file_put("/srv/a", "0123456789", 10);
	port_file_open(root, "a", PORT_OPEN_READ, 0644, &file);
	sim_file_split(SIM_BYTES);
	assert_int_equal(port_file_read(file, 3, buf, 10), 1);
	assert_int_equal(buf[0], '3');
	sim_file_split(SIM_RANDOM);
	for (size_t at = 0; at < 10; at += (size_t)n) {
		n = port_file_read(file, at, buf + at, 10 - at);
		assert_in_range(n, 1, 10 - at);
	}
	assert_memory_equal(buf, "0123456789", 10);
	assert_int_equal(store_file(root, "b", PORT_OPEN_CREATE, "in pieces", true), CUB_OK);
	assert_true(sim_file_is("/srv/b", "in pieces", 9));
}

/* What an upload should do: beside, sync, rename. Returns the first error. */
static int
replace_file(const char *text, bool sync)
{
	port_root root;
	int err = port_root_open(PORT_NONE, "/srv", &root);

	if (err != CUB_OK) {
		return err;
	}
	err = store_file(root, "a.part", PORT_OPEN_CREATE, text, sync);
	if (err == CUB_OK) {
		err = port_rename(root, "a.part", "a");
	} else if (err != CUB_E_EXIST) {
		port_remove(root, "a.part");
	}
	port_root_close(root);
	return err;
}

static void
each_file_call_can_fail_once_or_from_then_on(void **state)
{
	(void)state;
	for (int forever = 0; forever < 2; forever++) {
		for (uint64_t n = 1;; n++) {
			int err;

			sim_reset(n);
			sim_file_put("/srv/a", "old", 3);
			sim_file_fail_at(n, forever, CUB_E_FULL);
			err = replace_file("new one", true);
			assert_int_equal(err, sim_file_failed() ? CUB_E_FULL : CUB_OK);
			assert_int_equal(sim_file_open_count(), 0);
			assert_true(sim_file_is("/srv/a", "old", 3) == sim_file_failed());
			if (!sim_file_failed()) {
				assert_true(sim_file_is("/srv/a", "new one", 7));
				assert_int_equal(sim_dir_count("/srv"), 1);
				assert_int_equal(n, 7);
				break;
			}
		}
	}
}

/* Cut the power at each call of replacing a file. Returns how often neither state was left. */
static unsigned
torn_replacements(bool sync)
{
	unsigned torn = 0;

	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		for (uint64_t n = 1;; n++) {
			bool finished;

			sim_reset(seed);
			sim_file_put("/srv/a", "old", 3);
			sim_file_cut_at(n);
			replace_file("new one", sync);
			finished = !sim_power_is_off();
			sim_power_cut();
			sim_power_on();
			torn += !sim_file_is("/srv/a", "old", 3) && !sim_file_is("/srv/a", "new one", 7);
			if (finished) {
				assert_true(!sync || sim_file_is("/srv/a", "new one", 7));
				assert_int_equal(n, sync ? 7 : 6);
				break;
			}
		}
	}
	return torn;
}

/* The second half is why the simulator is there: the usual mistake does not get by. */
static void
a_synced_file_survives_a_cut_and_another_may_not(void **state)
{
	(void)state;
	assert_int_equal(torn_replacements(true), 0);
	assert_int_not_equal(torn_replacements(false), 0);
}

static void
unsynced_data_is_lost_and_kept_by_sectors(void **state)
{
	static char ones[8192], twos[8192], found[8192];
	unsigned kept = 0, lost = 0, longer = 0, vanished = 0;

	(void)state;
	memset(ones, '1', sizeof ones);
	memset(twos, '2', sizeof twos);
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		port_root root;
		port_file file;
		size_t len;

		sim_reset(seed);
		sim_file_put("/srv/a", ones, 4096);
		root = open_root();
		port_file_open(root, "a", PORT_OPEN_UPDATE, 0644, &file);
		port_file_write(file, 0, twos, 8192);
		store_file(root, "new", PORT_OPEN_CREATE, "n", false);
		sim_power_cut();
		sim_power_on();
		vanished += !sim_file_exists("/srv/new");
		len = sim_file_peek("/srv/a", 0, found, sizeof found);
		assert_true(len == 4096 || len == 8192);
		longer += len == 8192;
		for (size_t at = 0; at < len; at += 512) {
			bool is_new = memcmp(found + at, twos, 512) == 0;

			kept += is_new;
			lost += !is_new;
			assert_true(is_new || (at < 4096 && memcmp(found + at, ones, 512) == 0)
				|| found[at] == 0);
		}
	}
	assert_true(kept > 0 && lost > 0);
	assert_in_range(longer, 1, SEEDS - 1);
	assert_in_range(vanished, 1, SEEDS - 1);
}

static void
a_cut_finds_a_change_of_names_done_or_not_begun(void **state)
{
	unsigned done = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		port_root root;

		sim_reset(seed);
		root = open_root();
		store_file(root, "new", PORT_OPEN_CREATE, "n", false);
		assert_int_equal(port_rename(root, "new", "durable"), CUB_OK);
		sim_file_cut_at(2);
		assert_int_equal(port_dir_make(root, "first", 0755), CUB_OK);
		assert_int_equal(port_dir_make(root, "second", 0755), CUB_E_IO);
		assert_int_equal(port_dir_make(root, "third", 0755), CUB_E_IO);
		sim_power_on();
		assert_true(sim_file_exists("/srv/durable"));
		assert_true(sim_dir_exists("/srv/first"));
		assert_false(sim_dir_exists("/srv/third"));
		done += sim_dir_exists("/srv/second");
	}
	assert_in_range(done, 1, SEEDS - 1);
}

static void
a_restart_without_a_cut_loses_nothing(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 20; seed++) {
		sim_reset(seed);
		assert_int_equal(replace_file("new one", false), CUB_OK);
		sim_power_on();
		sim_power_cut();
		sim_power_on();
		assert_true(sim_file_is("/srv/a", "new one", 7));
	}
}

/* Flash */

static struct port_flash
open_area(void)
{
	struct port_flash geometry;

	assert_int_equal(port_flash_open(PORT_AREA_TRUST, "trust", 2 * CUB_STORE_BANK, &geometry),
		CUB_OK);
	return geometry;
}

static void
cells_are_erased_to_ones_and_programmed_to_zeros(void **state)
{
	struct port_flash geometry;
	struct sim_flash_counts counts;
	uint8_t buf[4];

	(void)state;
	assert_int_equal(port_flash_open(PORT_AREA_TRUST, "trust", 0, &geometry), CUB_E_NOENT);
	geometry = open_area();
	assert_true(geometry.size == 2 * CUB_STORE_BANK && geometry.write_size == 1);
	assert_int_equal(port_flash_open(PORT_AREA_TRUST, "trust", 0, &geometry), CUB_E_BUSY);
	assert_int_equal(port_flash_program(PORT_AREA_TRUST, 1, "\xF0\x0F", 2), CUB_OK);
	assert_int_equal(port_flash_program(PORT_AREA_TRUST, 1, "\x30", 1), CUB_OK);
	assert_int_equal(port_flash_read(PORT_AREA_TRUST, 0, buf, 4), CUB_OK);
	assert_memory_equal(buf, "\xFF\x30\x0F\xFF", 4);
	sim_flash_flip(PORT_AREA_TRUST, 1, 0x81);
	assert_int_equal(sim_flash_bytes(PORT_AREA_TRUST)[1], 0xB1);
	assert_int_equal(port_flash_erase(PORT_AREA_TRUST, 0, 8192), CUB_OK);
	assert_int_equal(port_flash_sync(PORT_AREA_TRUST), CUB_OK);
	assert_int_equal(sim_flash_bytes(PORT_AREA_TRUST)[1], 0xFF);
	counts = sim_flash_counts(PORT_AREA_TRUST);
	assert_true(counts.erases == 2 && counts.programs == 2 && counts.bytes == 3);
	assert_true(counts.syncs == 1 && sim_flash_counts(PORT_AREA_IDENTITY).bytes == 0);
	port_flash_close(PORT_AREA_TRUST);
	sim_flash_lock_elsewhere(PORT_AREA_TRUST, true);
	assert_int_equal(port_flash_open(PORT_AREA_TRUST, "trust", 0, &geometry), CUB_E_BUSY);
	sim_flash_lock_elsewhere(PORT_AREA_TRUST, false);
	sim_flash_image(PORT_AREA_TRUST, "golden", 6);
	assert_int_equal(port_flash_open(PORT_AREA_TRUST, "trust", 0, &geometry), CUB_OK);
	assert_memory_equal(sim_flash_bytes(PORT_AREA_TRUST), "golden\xFF", 7);
}

static void
an_area_in_a_file_has_the_length_it_was_made_with(void **state)
{
	struct port_flash geometry;

	(void)state;
	sim_flash_geometry(PORT_AREA_TRUST, 0, 4096, 4);
	assert_int_equal(port_flash_open(PORT_AREA_TRUST, "trust", 8192, &geometry), CUB_OK);
	assert_true(geometry.size == 8192 && geometry.is_file && geometry.write_size == 4);
	assert_int_equal(port_flash_program(PORT_AREA_TRUST, 8188, "four", 4), CUB_OK);
	port_flash_close(PORT_AREA_TRUST);
	assert_int_equal(port_flash_open(PORT_AREA_TRUST, "trust", 4096, &geometry), CUB_OK);
	assert_int_equal(geometry.size, 8192);
	port_flash_close(PORT_AREA_TRUST);
	sim_flash_image(PORT_AREA_TRUST, "cut", 3);
	assert_int_equal(port_flash_open(PORT_AREA_TRUST, "trust", 8192, &geometry), CUB_OK);
	assert_int_equal(geometry.size, 3);
}

static void
another_medium_is_found_at_the_next_opening(void **state)
{
	struct port_flash geometry;
	char seen[4];

	(void)state;
	sim_flash_image(PORT_AREA_TRUST, "this", 4);
	assert_int_equal(port_flash_open(PORT_AREA_TRUST, "trust", 0, &geometry), CUB_OK);
	sim_flash_replace(PORT_AREA_TRUST, "that", 4);
	assert_int_equal(port_flash_read(PORT_AREA_TRUST, 0, seen, 4), CUB_OK);
	assert_memory_equal(seen, "this", 4);
	port_flash_close(PORT_AREA_TRUST);
	assert_int_equal(port_flash_open(PORT_AREA_TRUST, "trust", 0, &geometry), CUB_OK);
	assert_int_equal(port_flash_read(PORT_AREA_TRUST, 0, seen, 4), CUB_OK);
	assert_memory_equal(seen, "that", 4);
}

enum flash_rule {
	PROGRAM_TO_ONE, PROGRAM_UNALIGNED, PROGRAM_PART, PROGRAM_BEYOND, PROGRAM_AGAIN,
	ERASE_UNALIGNED, ERASE_PART, ERASE_BEYOND, READ_BEYOND, FLASH_CLOSED, FLASH_CLOSE_TWICE,
	FLASH_CLOSE_LATER, FLASH_AREA, FLASH_RULES,
};

static void
break_flash_rule(void *arg)
{
	static const uint8_t zeros[8], ones[4] = { 0x01 };
	uint8_t c;

	sim_flash_geometry(PORT_AREA_TRUST, 8192, 4096, 4);
	open_area();
	port_flash_program(PORT_AREA_TRUST, 0, zeros, 8);
	switch (*(enum flash_rule *)arg) {
	case PROGRAM_TO_ONE:
		port_flash_program(PORT_AREA_TRUST, 4, ones, 4);
		break;
	case PROGRAM_UNALIGNED:
		port_flash_program(PORT_AREA_TRUST, 2, zeros, 4);
		break;
	case PROGRAM_PART:
		port_flash_program(PORT_AREA_TRUST, 4, zeros, 3);
		break;
	case PROGRAM_BEYOND:
		port_flash_program(PORT_AREA_TRUST, 8188, zeros, 8);
		break;
	case PROGRAM_AGAIN:
		sim_flash_once(true);
		port_flash_program(PORT_AREA_TRUST, 4, zeros, 4);
		break;
	case ERASE_UNALIGNED:
		port_flash_erase(PORT_AREA_TRUST, 2048, 4096);
		break;
	case ERASE_PART:
		port_flash_erase(PORT_AREA_TRUST, 0, 2048);
		break;
	case ERASE_BEYOND:
		port_flash_erase(PORT_AREA_TRUST, 4096, 8192);
		break;
	case READ_BEYOND:
		port_flash_read(PORT_AREA_TRUST, 8192, &c, 1);
		break;
	case FLASH_CLOSED:
		port_flash_read(PORT_AREA_IDENTITY, 0, &c, 1);
		break;
	case FLASH_CLOSE_TWICE:
		port_flash_close(PORT_AREA_TRUST);
		port_flash_close(PORT_AREA_TRUST);
		break;
	case FLASH_CLOSE_LATER:
		sim_power_on();
		open_area();
		port_flash_close(PORT_AREA_TRUST);
		port_flash_close(PORT_AREA_TRUST);
		break;
	case FLASH_AREA:
		port_flash_close(PORT_AREAS);
		break;
	case FLASH_RULES:
		break;
	}
}

static void
breaking_the_contract_of_flash_panics(void **state)
{
	(void)state;
	for (enum flash_rule rule = 0; rule < FLASH_RULES; rule++) {
		sim_reset(1);
		assert_true(sim_expect_panic(break_flash_rule, &rule));
		assert_string_not_equal(sim_panic_text(), "");
	}
	sim_reset(1);
	assert_false(sim_expect_panic(break_flash_rule, &(enum flash_rule){ FLASH_RULES }));
}

static void
a_cut_in_programming_leaves_exactly_so_many_bytes(void **state)
{
	static const uint8_t zeros[40];

	(void)state;
	for (uint32_t cut = 0;; cut++) {
		uint8_t found[40];
		bool finished;

		sim_flash_reset();
		open_area();
		sim_flash_cut_after(cut);
		port_flash_program(PORT_AREA_TRUST, 8, zeros, 40);
		finished = !sim_power_is_off();
		if (!finished) {
			assert_int_equal(port_flash_read(PORT_AREA_TRUST, 0, found, 1), CUB_E_IO);
			assert_int_equal(port_flash_erase(PORT_AREA_TRUST, 0, 4096), CUB_E_IO);
		}
		sim_power_on();
		open_area();
		port_flash_read(PORT_AREA_TRUST, 8, found, 40);
		for (uint32_t i = 0; i < 40; i++) {
			assert_int_equal(found[i], i < cut ? 0 : 0xFF);
		}
		if (finished) {
			assert_int_equal(cut, 40);
			break;
		}
	}
}

static void
a_cut_in_erasing_leaves_a_part_at_either_end(void **state)
{
	static uint8_t zeros[4096];
	unsigned from_start = 0, from_end = 0;

	(void)state;
	for (uint32_t cut = 0; cut <= 64; cut++) {
		const uint8_t *cells = sim_flash_bytes(PORT_AREA_TRUST);
		unsigned erased = 0;

		sim_flash_image(PORT_AREA_TRUST, zeros, sizeof zeros);
		open_area();
		sim_flash_cut_after(cut);
		port_flash_erase(PORT_AREA_TRUST, 0, 4096);
		assert_true(sim_power_is_off() == (cut < 64));
		sim_power_on();
		for (unsigned i = 0; i < 4096; i++) {
			erased += cells[i] == 0xFF;
		}
		assert_int_equal(erased, cut * 64);
		from_start += cells[0] == 0xFF && cut < 64;
		from_end += cells[4095] == 0xFF && cut < 64;
	}
	assert_true(from_start > 0 && from_end > 0);
}

static void
a_cut_in_a_scattered_erase_leaves_any_units(void **state)
{
	static uint8_t zeros[4096];
	unsigned first = 0, last = 0, mixed = 0;

	(void)state;
	sim_flash_scattered(true);
	for (uint32_t cut = 0; cut <= 64; cut++) {
		const uint8_t *cells = sim_flash_bytes(PORT_AREA_TRUST);
		unsigned erased = 0, changes = 0;

		sim_flash_image(PORT_AREA_TRUST, zeros, sizeof zeros);
		open_area();
		sim_flash_cut_after(cut);
		port_flash_erase(PORT_AREA_TRUST, 0, 4096);
		sim_power_on();
		for (unsigned i = 0; i < 4096; i++) {
			erased += cells[i] == 0xFF;
			changes += i > 0 && cells[i] != cells[i - 1];
			assert_true(i % 16 == 0 || cells[i] == cells[i - 1]);
		}
		assert_int_equal(erased, cut * 64);
		first += cells[0] == 0xFF && cells[4095] == 0;
		last += cells[0] == 0 && cells[4095] == 0xFF;
		mixed += changes > 2;
	}
	assert_true(first > 0 && last > 0 && mixed > 40);
}

/*
 * Write 32 bytes and then a mark that says that they are there, and cut after each step.
 * Returns how often the mark was there without all of them.
 */
static unsigned
broken_promises(bool cached, bool sync)
{
	static const uint8_t zeros[32];
	unsigned broken = 0;

	for (uint64_t seed = 1; seed <= SEEDS / 4; seed++) {
		for (uint64_t cut = 0;; cut++) {
			const uint8_t *cells = sim_flash_bytes(PORT_AREA_TRUST);
			bool finished;

			sim_reset(seed);
			sim_flash_cached(cached);
			open_area();
			sim_flash_cut_after(cut);
			port_flash_program(PORT_AREA_TRUST, 16, zeros, 32);
			if (sync) {
				port_flash_sync(PORT_AREA_TRUST);
			}
			port_flash_program(PORT_AREA_TRUST, 64, zeros, 1);
			finished = !sim_power_is_off();
			port_flash_sync(PORT_AREA_TRUST);
			sim_power_cut();
			sim_power_on();
			broken += cells[64] == 0 && memcmp(cells + 16, zeros, 32) != 0;
			if (finished && cut > 40) {
				assert_true(cells[64] == 0 && memcmp(cells + 16, zeros, 32) == 0);
				break;
			}
		}
	}
	return broken;
}

static void
behind_a_cache_only_a_sync_keeps_the_order(void **state)
{
	(void)state;
	assert_int_equal(broken_promises(false, false), 0);
	assert_int_equal(broken_promises(true, true), 0);
	assert_int_not_equal(broken_promises(true, false), 0);
}

static void
behind_a_cache_a_unit_of_16_bytes_keeps_its_order(void **state)
{
	static const uint8_t zeros[64];
	unsigned whole = 0, none = 0, part = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		const uint8_t *cells = sim_flash_bytes(PORT_AREA_TRUST);

		sim_reset(seed);
		sim_flash_cached(true);
		open_area();
		port_flash_program(PORT_AREA_TRUST, 0, zeros, 64);
		assert_memory_equal(cells, zeros, 64);
		sim_power_cut();
		for (unsigned unit = 0; unit < 64; unit += 16) {
			unsigned len = 0;

			while (len < 16 && cells[unit + len] == 0) {
				len++;
			}
			for (unsigned i = len; i < 16; i++) {
				assert_int_equal(cells[unit + i], 0xFF);
			}
			whole += len == 16;
			none += len == 0;
			part += len > 0 && len < 16;
		}
		sim_power_on();
	}
	assert_true(whole > 0 && none > 0 && part > 0);
}

static void
each_flash_call_can_fail(void **state)
{
	static uint8_t zeros[4096];
	struct port_flash geometry;

	(void)state;
	for (uint64_t n = 1; n <= 6; n++) {
		int err[5];

		sim_reset(n);
		sim_flash_fail_at(n, false, CUB_E_IO);
		err[0] = port_flash_open(PORT_AREA_TRUST, "trust", 2 * CUB_STORE_BANK, &geometry);
		if (err[0] == CUB_OK) {
			err[1] = port_flash_program(PORT_AREA_TRUST, 0, zeros, 4096);
			err[2] = port_flash_erase(PORT_AREA_TRUST, 0, 4096);
			err[3] = port_flash_read(PORT_AREA_TRUST, 0, zeros, 1);
			err[4] = port_flash_sync(PORT_AREA_TRUST);
			for (uint64_t i = 1; i < 5; i++) {
				assert_int_equal(err[i], i + 1 == n ? CUB_E_IO : CUB_OK);
			}
			port_flash_close(PORT_AREA_TRUST);
		}
		zeros[0] = 0;
		assert_true(sim_flash_failed() == (n < 6));
		assert_false(sim_flash_is_open(PORT_AREA_TRUST));
	}
}

static void
a_failed_program_has_happened_in_part(void **state)
{
	static const uint8_t zeros[64];
	unsigned parts = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		const uint8_t *cells = sim_flash_bytes(PORT_AREA_TRUST);

		sim_reset(seed);
		open_area();
		sim_flash_fail_at(1, false, CUB_E_IO);
		assert_int_equal(port_flash_program(PORT_AREA_TRUST, 0, zeros, 64), CUB_E_IO);
		parts += cells[0] == 0 && cells[63] == 0xFF;
	}
	assert_in_range(parts, 1, SEEDS);
}

/* The scripted client, with a server that says what the test wants */

static struct peer client;
static port_sock scripted_listener;
static port_sock scripted_sock;
static const char *scripted_answer;
static uint64_t scripted_at_ms;

/* Accept, read and forget, and say the answer when its time has come. */
static void
scripted_pump(void)
{
	struct port_wait set = { .count = 1, .deadline_ms = UINT64_MAX };
	struct port_addr from;
	char buf[100];

	set.item[0].sock = scripted_sock > 0 ? scripted_sock : scripted_listener;
	set.item[0].events = PORT_READ;
	if (scripted_sock > 0 && scripted_answer != NULL) {
		set.deadline_ms = scripted_at_ms;
	}
	port_wait(&set);
	if (scripted_sock == 0) {
		port_accept(scripted_listener, &scripted_sock, &from);
		return;
	}
	if (set.item[0].ready) {
		port_sock_read(scripted_sock, buf, sizeof buf);
	}
	if (scripted_answer != NULL && port_clock_ms() >= scripted_at_ms) {
		scripted_answer += port_sock_write(scripted_sock, scripted_answer,
			strlen(scripted_answer));
		if (*scripted_answer == '\0') {
			scripted_answer = NULL;
		}
	}
}

static void
start_script(const char *greeting)
{
	sim_reset(1);
	sim_pump = scripted_pump;
	scripted_listener = listen_at(any4(21));
	scripted_sock = 0;
	scripted_answer = greeting;
	scripted_at_ms = 0;
	peer_init(&client);
}

static void
the_client_understands_replies(void **state)
{
	uint64_t start;

	(void)state;
	start_script("220-Hello\r\n220 is not the end\r\n");
	assert_int_equal(peer_connect(&client, 22, false), CUB_E_IO);
	assert_int_equal(peer_connect(&client, 21, false), 220);
	assert_string_equal(client.reply, "220-Hello\r\n220 is not the end\r\n");
	assert_false(peer_has_reply(&client));

	scripted_answer = "211-Features:\r\n MDTM\r\n211-x\r\n212 y\r\n211 End\r\n200 Next\r\n";
	assert_int_equal(peer_ask(&client, "%s", "FEAT"), 211);
	assert_string_equal(client.reply + strlen(client.reply) - 9, "211 End\r\n");
	assert_true(peer_has_reply(&client));
	assert_int_equal(peer_reply(&client), 200);

	scripted_answer = "227 Entering Passive Mode (192,0,2,1,195,80).\r\n";
	assert_int_equal(peer_pasv(&client), 50000);
	scripted_answer = "229 Extended (|||50001|)\r\n";
	assert_int_equal(peer_epsv(&client), 50001);
	scripted_answer = "425 No.\r\n";
	assert_int_equal(peer_epsv(&client), 0);

	start = port_clock_ms();
	scripted_at_ms = start + 5000;
	scripted_answer = "530 After a while.\r\n";
	assert_false(peer_has_reply(&client));
	assert_true(port_clock_ms() == start);
	assert_int_equal(peer_login(&client, "anna", "secret"), 530);
	assert_true(port_clock_ms() == start + 5000);

	port_sock_close(scripted_sock);
	scripted_sock = 0;
	assert_int_equal(peer_reply(&client), CUB_EOF);
	assert_int_equal(client.control.end, PEER_ENDED);
}

/* Ask the scripted server, and keep why that ended the test. */
static void
ask_in_vain(const char *answer)
{
	start_script("220 Hello\r\n");
	assert_int_equal(peer_connect(&client, 21, false), 220);
	scripted_answer = answer;
	failed_why[0] = '\0';
	sim_fail_hook = note_failure;
	if (setjmp(failed) == 0) {
		peer_ask(&client, "NOOP");
	}
	sim_fail_hook = fail_test;
}

static void
the_client_does_not_accept_or_await_just_anything(void **state)
{
	static const struct {
		const char *answer;
		const char *why;
	} cases[] = {
		{ NULL, "waits for nothing" },
		{ "200 Bare\n", "CR LF" },
		{ "200 In\rside\r\n", "CR LF" },
		{ "\n", "CR LF" },
		{ "OK\r\n", "no reply" },
		{ "2000\r\n", "no reply" },
		{ "200-\r\n200\r\n", "waits for nothing" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		ask_in_vain(cases[i].answer);
		assert_non_null(strstr(failed_why, cases[i].why));
		assert_non_null(strstr(failed_why, "NOOP"));
	}
}

static void
the_client_moves_plain_data(void **state)
{
	struct port_addr from;
	port_sock listener, sock;
	char buf[10];

	(void)state;
	start_script("220 Hello\r\n");
	assert_int_equal(peer_connect(&client, 21, false), 220);
	listener = listen_at(any4(50000));
	assert_int_equal(peer_data_connect(&client, 50000), CUB_OK);
	assert_int_equal(port_accept(listener, &sock, &from), CUB_OK);
	port_sock_write(sock, "data", 4);
	port_sock_close(sock);
	assert_int_equal(peer_data_read_all(&client, buf, 4), 4);
	assert_memory_equal(buf, "data", 4);
	assert_int_equal(client.data.end, PEER_ENDED);

	assert_int_equal(peer_data_connect(&client, 50000), CUB_OK);
	assert_int_equal(port_accept(listener, &sock, &from), CUB_OK);
	assert_int_equal(peer_data_write(&client, "upload", 6), 6);
	peer_data_close(&client);
	assert_int_equal(port_sock_read(sock, buf, 10), 6);
	assert_int_equal(port_sock_read(sock, buf, 10), CUB_EOF);

	assert_int_equal(peer_data_connect(&client, 50000), CUB_OK);
	assert_int_equal(port_accept(listener, &sock, &from), CUB_OK);
	peer_data_reset(&client);
	assert_int_equal(port_sock_read(sock, buf, 10), CUB_E_IO);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_same_seed_gives_the_same_random_bytes),
		TEST(the_clocks_move_only_when_told),
		TEST(the_last_log_lines_are_kept),
		TEST(a_secret_is_read_without_its_line_end_and_only_whole),
		TEST(a_panic_is_caught_where_it_is_expected),
		TEST(a_failure_tells_the_seed),
		TEST(a_connection_needs_a_listener),
		TEST(the_server_connects_to_who_listens_in_a_second_call),
		TEST(calling_out_may_fail_or_find_no_handle),
		TEST(clients_wait_in_order_until_the_backlog_is_full),
		TEST(an_address_is_used_once),
		TEST(ports_can_be_in_use_or_forbidden),
		TEST(a_listener_for_all_takes_both_families),
		TEST(bytes_arrive_in_order_and_full_is_not_yet),
		TEST(each_direction_ends_by_itself),
		TEST(closing_with_unread_bytes_resets),
		TEST(writing_to_a_closed_far_end_fails_the_second_time),
		TEST(a_program_of_the_host_connects_to_the_unix_socket),
		TEST(the_name_of_the_unix_socket_outlives_its_server),
		TEST(a_unix_socket_is_refused_as_the_contract_says),
		TEST(breaking_the_contract_of_sockets_panics),
		TEST(streams_come_whole_in_bytes_or_in_pieces),
		TEST(each_socket_call_can_fail_once_or_from_then_on),
		TEST(a_fault_strikes_once_or_ever_after),
		TEST(waiting_marks_what_can_be_done),
		TEST(waiting_in_vain_moves_the_clock_to_the_deadline),
		TEST(without_power_nothing_works_and_handles_may_be_closed),
		TEST(what_the_server_writes_is_there),
		TEST(names_are_refused_as_the_contract_says),
		TEST(breaking_the_contract_of_files_panics),
		TEST(a_file_can_be_huge_where_it_is_sparse),
		TEST(a_listing_comes_in_order_of_creation),
		TEST(names_change_as_the_contract_says),
		TEST(modes_and_times_change_as_the_contract_says),
		TEST(a_removed_file_lives_until_it_is_closed),
		TEST(the_medium_can_be_full_or_damaged),
		TEST(files_come_in_pieces),
		TEST(each_file_call_can_fail_once_or_from_then_on),
		TEST(a_synced_file_survives_a_cut_and_another_may_not),
		TEST(unsynced_data_is_lost_and_kept_by_sectors),
		TEST(a_cut_finds_a_change_of_names_done_or_not_begun),
		TEST(a_restart_without_a_cut_loses_nothing),
		TEST(cells_are_erased_to_ones_and_programmed_to_zeros),
		TEST(an_area_in_a_file_has_the_length_it_was_made_with),
		TEST(another_medium_is_found_at_the_next_opening),
		TEST(breaking_the_contract_of_flash_panics),
		TEST(a_cut_in_programming_leaves_exactly_so_many_bytes),
		TEST(a_cut_in_erasing_leaves_a_part_at_either_end),
		TEST(a_cut_in_a_scattered_erase_leaves_any_units),
		TEST(behind_a_cache_only_a_sync_keeps_the_order),
		TEST(behind_a_cache_a_unit_of_16_bytes_keeps_its_order),
		TEST(each_flash_call_can_fail),
		TEST(a_failed_program_has_happened_in_part),
		TEST(the_client_understands_replies),
		TEST(the_client_does_not_accept_or_await_just_anything),
		TEST(the_client_moves_plain_data),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
