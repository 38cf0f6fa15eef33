/* SPDX-License-Identifier: MIT */
/* The set of what is waited for. */
#include "unit.h"

#include "wait.h"

static void
the_earliest_deadline_counts(void **state)
{
	struct port_wait set = { .deadline_ms = UINT64_MAX };

	(void)state;
	wait_until(&set, 500);
	wait_until(&set, 700);
	assert_int_equal(set.deadline_ms, 500);
	wait_until(&set, UINT64_MAX);
	assert_int_equal(set.deadline_ms, 500);
	wait_until(&set, 0);
	assert_int_equal(set.deadline_ms, 0);
}

static void
what_is_waited_for_is_ready_once_it_is_marked(void **state)
{
	struct port_wait set = { .deadline_ms = UINT64_MAX };

	(void)state;
	memset(set.item, 0xFF, sizeof set.item);
	wait_add(&set, 7, PORT_READ);
	wait_add(&set, 8, PORT_READ | PORT_WRITE);
	assert_int_equal(set.count, 2);
	assert_int_equal(set.item[0].events, PORT_READ);
	assert_int_equal(set.item[1].events, PORT_READ | PORT_WRITE);
	assert_false(wait_is_ready(&set, 7));
	assert_false(wait_is_ready(&set, 8));
	assert_false(wait_is_ready(&set, 9));
	set.item[1].ready = PORT_WRITE;
	assert_false(wait_is_ready(&set, 7));
	assert_true(wait_is_ready(&set, 8));
	assert_false(wait_is_ready(&set, PORT_NONE));
}

static void
fill(void *arg)
{
	struct port_wait set = { .deadline_ms = UINT64_MAX };

	for (unsigned i = 0; i < *(unsigned *)arg; i++) {
		wait_add(&set, (port_sock)(i + 1), PORT_READ);
	}
}

static void
the_set_holds_all_that_it_promises_and_more_is_our_mistake(void **state)
{
	unsigned count = CUB_WAIT_MAX;

	(void)state;
	assert_false(sim_expect_panic(fill, &count));
	count++;
	assert_true(sim_expect_panic(fill, &count));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_earliest_deadline_counts),
		TEST(what_is_waited_for_is_ready_once_it_is_marked),
		TEST(the_set_holds_all_that_it_promises_and_more_is_our_mistake),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
