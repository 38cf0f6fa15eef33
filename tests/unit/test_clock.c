/* SPDX-License-Identifier: MIT */
/* The clock's floor. It outlives a test, so each test here begins from a later date. */
#include "unit.h"

#include "clock.h"

#define YEAR INT64_C(31536000)

/* 2030-01-01, later than any build for a while: the simulated clock's start. */
#define START INT64_C(1893456000)

static void
a_clock_that_was_never_set_is_not_believed(void **state)
{
	(void)state;
	sim_time_set(0);
	assert_false(clock_is_plausible());
	/* The build is the floor; this test was written at 1795000000. */
	assert_true(clock_now() > 1700000000 && clock_now() < START);
	sim_time_set(-YEAR);
	assert_false(clock_is_plausible());
	assert_true(clock_now() > 1700000000);
}

static void
a_clock_above_the_floor_is_believed_as_it_goes(void **state)
{
	(void)state;
	sim_time_set(START);
	assert_true(clock_is_plausible());
	assert_true(clock_now() == START);
	sim_clock_advance(2000);
	assert_true(clock_now() == START + 2);
}

static void
the_floor_rises_with_what_was_seen_and_never_sinks(void **state)
{
	(void)state;
	sim_time_set(START);
	clock_saw(START + YEAR);
	assert_false(clock_is_plausible());
	assert_true(clock_now() == START + YEAR);
	clock_saw(START);
	clock_saw(0);
	clock_saw(INT64_MIN);
	assert_true(clock_now() == START + YEAR);
	sim_time_set(START + YEAR);
	assert_true(clock_is_plausible());
	sim_time_set(START + YEAR - 1);
	assert_false(clock_is_plausible());
	assert_true(clock_now() == START + YEAR);
	sim_time_set(START + 2 * YEAR);
	assert_true(clock_is_plausible() && clock_now() == START + 2 * YEAR);
	/* A clock that was set too late by mistake leaves no trace. */
	sim_time_set(START + YEAR + 1);
	assert_true(clock_is_plausible() && clock_now() == START + YEAR + 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_clock_that_was_never_set_is_not_believed),
		TEST(a_clock_above_the_floor_is_believed_as_it_goes),
		TEST(the_floor_rises_with_what_was_seen_and_never_sinks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
