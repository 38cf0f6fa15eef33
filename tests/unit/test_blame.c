/* SPDX-License-Identifier: MIT */
/* Addresses from which logins failed: see core/blame.h (checklist 4.24). */
#include "unit.h"

#include "blame.h"

#define MINUTE 60000u

static struct blame b;

static int
setup(void **state)
{
	blame_init(&b, 60, BLAME_FAILURES);
	return unit_setup(state);
}

static void
fail_at(struct port_addr who, unsigned times, uint64_t now_ms)
{
	while (times-- > 0) {
		blame_add(&b, &who, now_ms);
	}
}

static unsigned
count(struct port_addr who, uint64_t now_ms)
{
	return blame_count(&b, &who, now_ms);
}

static void
nobody_is_blamed_at_first(void **state)
{
	(void)state;
	assert_int_equal(count(sim_ipv4(0, 0, 0, 0, 1), 0), 0);
	assert_int_equal(count(sim_ipv4(192, 0, 2, 1, 1), 1000), 0);
	assert_int_equal(count(sim_ipv6(0, 1), UINT64_MAX / 2), 0);
}

static void
failures_count_for_all_ports_of_an_address_and_for_no_other(void **state)
{
	(void)state;
	fail_at(sim_ipv4(192, 0, 2, 1, 1000), 2, 5000);
	fail_at(sim_ipv4(192, 0, 2, 1, 2000), 1, 5000);
	assert_int_equal(count(sim_ipv4(192, 0, 2, 1, 3000), 5000), 3);
	assert_int_equal(count(sim_ipv4(192, 0, 2, 2, 1000), 5000), 0);
}

static void
an_ipv6_address_stands_for_its_64(void **state)
{
	struct port_addr near = sim_ipv6(1, 1), far = sim_ipv6(1, 1);

	(void)state;
	near.ip[8] = 77;
	far.ip[7] = 77;
	fail_at(sim_ipv6(1, 1), 1, 0);
	assert_int_equal(count(near, 0), 1);
	assert_int_equal(count(far, 0), 0);
	/* The first bytes of an IPv6 address are no IPv4 address. */
	assert_int_equal(count(sim_ipv4(0x20, 0x01, 0x0d, 0xb8, 1), 0), 0);
}

static void
one_is_forgiven_each_minute_and_ten_are_the_most(void **state)
{
	static const uint64_t starts[] = { 0, 1023, UINT32_MAX, (uint64_t)UINT32_MAX * 1000 };
	struct port_addr who = sim_ipv4(192, 0, 2, 1, 1);

	(void)state;
	for (size_t i = 0; i < LEN(starts); i++) {
		blame_init(&b, 60, BLAME_FAILURES);
		fail_at(who, 25, starts[i]);
		for (unsigned m = 0; m <= 11; m++) {
			unsigned got = count(who, starts[i] + m * MINUTE);

			CLAIM(got == (m < BLAME_FAILURES ? BLAME_FAILURES - m : 0),
				"%u minutes after %llu: %u", m, (unsigned long long)starts[i], got);
		}
	}
}

static void
a_failure_a_minute_never_adds_up(void **state)
{
	struct port_addr who = sim_ipv4(192, 0, 2, 1, 1);

	(void)state;
	for (uint64_t m = 0; m < 100; m++) {
		fail_at(who, 1, m * MINUTE);
		assert_int_equal(count(who, m * MINUTE), 1);
	}
}

static void
delays_double_from_half_a_second_to_eight(void **state)
{
	static const uint32_t wanted[] = { 0, 500, 1000, 2000, 4000, 8000, 8000 };

	(void)state;
	for (unsigned n = 0; n < LEN(wanted); n++) {
		assert_int_equal(blame_delay_ms(n), wanted[n]);
	}
	assert_int_equal(blame_delay_ms(BLAME_FAILURES), 8000);
}

static void
a_flood_of_addresses_does_not_push_out_the_one_that_goes_on(void **state)
{
	struct port_addr who = sim_ipv4(192, 0, 2, 1, 1);

	(void)state;
	fail_at(who, BLAME_FAILURES, 0);
	for (unsigned i = 0; i < 1000; i++) {
		struct port_addr other = sim_ipv4(10, 0, (uint8_t)(i >> 8), (uint8_t)i, 1);

		fail_at(other, 1, i);
		assert_int_equal(count(other, i), 1);
	}
	assert_int_equal(count(who, 1000), BLAME_FAILURES);
}

#undef TEST
#define TEST(name) cmocka_unit_test_setup(name, setup)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nobody_is_blamed_at_first),
		TEST(failures_count_for_all_ports_of_an_address_and_for_no_other),
		TEST(an_ipv6_address_stands_for_its_64),
		TEST(one_is_forgiven_each_minute_and_ten_are_the_most),
		TEST(a_failure_a_minute_never_adds_up),
		TEST(delays_double_from_half_a_second_to_eight),
		TEST(a_flood_of_addresses_does_not_push_out_the_one_that_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
