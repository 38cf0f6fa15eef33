/* SPDX-License-Identifier: MIT */
/* Limits on bytes a second: see core/bucket.h. */
#include "unit.h"

#include "bucket.h"

/* A server that is up for long. */
#define LATE (UINT64_C(1) << 33)

/* Take a record whenever that may be, for `ms`. Returns the bytes. */
static uint64_t
take_for(struct bucket *b, uint32_t rate, uint32_t record, uint64_t from_ms, uint64_t ms)
{
	uint64_t sum = 0;
	uint64_t now_ms = from_ms;

	while (now_ms < from_ms + ms) {
		uint64_t wait = bucket_wait_ms(b, now_ms);

		now_ms += wait > 0 ? wait : 0;
		if (wait == 0) {
			bucket_take(b, rate, record, now_ms);
			sum += record;
		}
	}
	return sum;
}

static void
over_time_it_is_the_rate_and_never_more_than_a_record_and_a_tenth_over_it(void **state)
{
	static const uint32_t rates[] = { 1, 999, 16384, 1000000, 123456789, BUCKET_RATE_MAX };
	static const uint32_t records[] = { 1, 512, 16384, UINT32_MAX };

	(void)state;
	for (size_t i = 0; i < LEN(rates); i++) {
		for (size_t k = 0; k < LEN(records); k++) {
			struct bucket b = { 0, 0 };
			uint64_t want = rates[i] * UINT64_C(60);
			uint64_t got;

			if (want / records[k] > 10000000) {
				continue;
			}
			got = take_for(&b, rates[i], records[k], LATE, 60000);
			CLAIM(got <= want + rates[i] / 10 + records[k] + rates[i] / 1000,
				"rate %u, records of %u: %llu", rates[i], records[k], (unsigned long long)got);
			CLAIM(got + records[k] >= want, "rate %u, records of %u: %llu", rates[i], records[k],
				(unsigned long long)got);
		}
	}
}

static void
parts_of_milliseconds_are_not_lost(void **state)
{
	struct bucket b = { 0, 0 };

	(void)state;
	for (int i = 0; i < 1000; i++) {
		bucket_take(&b, 3000, 1, LATE);
	}
	assert_int_equal(bucket_wait_ms(&b, LATE), 333 - 100);
}

static void
a_fresh_or_an_old_one_lets_take_at_any_time(void **state)
{
	static const uint64_t times[] = {
		0, 1, 99, 100, UINT32_MAX - 1, UINT32_MAX, (uint64_t)UINT32_MAX + 1, LATE,
		UINT64_C(0xC0000000), UINT64_C(0x180000000),
	};

	(void)state;
	for (size_t i = 0; i < LEN(times); i++) {
		struct bucket fresh = { 0, 0 };
		struct bucket old = { 0, 0 };

		CLAIM(bucket_wait_ms(&fresh, times[i]) == 0, "%llu", (unsigned long long)times[i]);
		bucket_take(&old, 1000, 1000, 5);
		CLAIM(times[i] < 2000 || bucket_wait_ms(&old, times[i]) == 0, "%llu",
			(unsigned long long)times[i]);
	}
}

static void
waiting_goes_on_where_the_low_32_bits_wrap_around(void **state)
{
	struct bucket b = { 0, 0 };

	(void)state;
	bucket_take(&b, 1000, 5000, UINT32_MAX - 99);
	assert_int_equal(bucket_wait_ms(&b, UINT32_MAX - 99), 4900);
	assert_int_equal(bucket_wait_ms(&b, (uint64_t)UINT32_MAX + 1), 4800);
	assert_int_equal(bucket_wait_ms(&b, (uint64_t)UINT32_MAX + 4801), 0);
}

static void
what_was_not_used_is_saved_for_a_tenth_of_a_second_only(void **state)
{
	struct bucket b = { 0, 0 };

	(void)state;
	bucket_take(&b, 1000, 1, LATE);
	bucket_take(&b, 1000, 1100, LATE + 3600000);
	assert_int_equal(bucket_wait_ms(&b, LATE + 3600000), 1000);
}

static void
without_a_rate_nothing_waits_and_what_was_owed_is_forgotten(void **state)
{
	struct bucket b = { 0, 0 };

	(void)state;
	bucket_take(&b, 1, 16384, LATE);
	assert_true(bucket_wait_ms(&b, LATE) > 16000000);
	bucket_take(&b, 0, 16384, LATE);
	assert_int_equal(bucket_wait_ms(&b, LATE), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(over_time_it_is_the_rate_and_never_more_than_a_record_and_a_tenth_over_it),
		TEST(parts_of_milliseconds_are_not_lost),
		TEST(a_fresh_or_an_old_one_lets_take_at_any_time),
		TEST(waiting_goes_on_where_the_low_32_bits_wrap_around),
		TEST(what_was_not_used_is_saved_for_a_tenth_of_a_second_only),
		TEST(without_a_rate_nothing_waits_and_what_was_owed_is_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
