/* SPDX-License-Identifier: MIT */
/*
 * A device that stays silent, or that never comes to an end: what a step does then. The limit
 * is lowered, or has passed already.
 */
#include <fcntl.h>
#include <sys/socket.h>

#include "dial.h"
#include "host.h"
#include "tunnel.h"

#define LIMIT_MS 5

static struct tunnel tunnel;
static int device;

static int
setup(void **state)
{
	int ends[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	device = ends[1];
	tunnel_start(&tunnel, ends[0]);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	tunnel_close(&tunnel);
	(void)close(device);
	return 0;
}

/* The device says this again and again, as often as there is room for on the way. */
static void
fill(const void *src, size_t len)
{
	while (send(device, src, len, MSG_DONTWAIT) == (ssize_t)len) {
	}
}

static void
assert_too_long(void)
{
	assert_string_equal(tunnel.problem, "it takes too long");
}

/* Nothing came any more; where the machine is slow, the limit was over before it was looked at. */
static void
assert_left(void)
{
	if (strcmp(tunnel.problem, "it does not answer in time") != 0) {
		assert_too_long();
	}
}

static void
a_device_that_stays_silent_is_left(void **state)
{
	uint8_t byte;

	(void)state;
	tunnel.deadline_ms = dial_now_ms() + LIMIT_MS;
	assert_int_equal(tunnel_read(&tunnel, &byte, 1), -1);
	assert_left();
}

static void
a_device_that_stays_silent_in_the_handshake_is_left(void **state)
{
	(void)state;
	tunnel.deadline_ms = dial_now_ms() + LIMIT_MS;
	assert_false(tunnel_secure(&tunnel, NULL, NULL, NULL));
	assert_left();
}

static void
a_device_that_takes_nothing_is_left(void **state)
{
	static const uint8_t much[1 << 20];

	(void)state;
	assert_int_equal(fcntl(tunnel.fd, F_SETFL, O_NONBLOCK), 0);
	tunnel.deadline_ms = dial_now_ms() + LIMIT_MS;
	assert_false(tunnel_write(&tunnel, much, sizeof much));
	assert_left();
}

static void
a_handshake_that_never_ends_is_left_however_much_comes(void **state)
{
	/* HelloRequest: within a handshake it is ignored (RFC 5246 section 7.4.1.1). */
	static const uint8_t hello[] = { 22, 3, 3, 0, 4, 0, 0, 0, 0 };
	uint8_t hellos[1000 * sizeof hello];

	(void)state;
	for (size_t i = 0; i < sizeof hellos; i++) {
		hellos[i] = hello[i % sizeof hello];
	}
	fill(hellos, sizeof hellos);
	tunnel.deadline_ms = dial_now_ms() + LIMIT_MS;
	assert_false(tunnel_secure(&tunnel, NULL, NULL, NULL));
	assert_too_long();
}

static void
a_limit_is_for_all_of_a_step_and_the_next_one_has_its_own(void **state)
{
	uint8_t byte;

	(void)state;
	fill("x", 1);
	tunnel.deadline_ms = dial_now_ms();
	assert_int_equal(tunnel_read(&tunnel, &byte, 1), -1);
	assert_too_long();
	tunnel.problem[0] = '\0';
	tunnel_step(&tunnel);
	assert_int_equal(tunnel_read(&tunnel, &byte, 1), 1);
	tunnel.deadline_ms = dial_now_ms();
	assert_int_equal(tunnel_read(&tunnel, &byte, 1), -1);
	assert_too_long();
}

#undef TEST
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_device_that_stays_silent_is_left),
		TEST(a_device_that_stays_silent_in_the_handshake_is_left),
		TEST(a_device_that_takes_nothing_is_left),
		TEST(a_handshake_that_never_ends_is_left_however_much_comes),
		TEST(a_limit_is_for_all_of_a_step_and_the_next_one_has_its_own),
	};

	return cmocka_run_group_tests_name("tunnel", tests, NULL, NULL);
}
