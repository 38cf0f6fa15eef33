/* SPDX-License-Identifier: MIT */
/* PBKDF2: the vectors of RFC 7914, and that slicing changes nothing but when it is done. */
#include "unit.h"

#include "pbkdf2.h"

/* Section 11 asks for 64 bytes; one block of ours is the first 32 of them. */
static void
the_vectors_of_rfc_7914_hold(void **state)
{
	static const struct {
		const char *password, *salt;
		uint32_t iterations;
		uint8_t want[PBKDF2_LEN];
	} table[] = {
		{ "passwd", "salt", 1, {
			0x55, 0xAC, 0x04, 0x6E, 0x56, 0xE3, 0x08, 0x9F, 0xEC, 0x16, 0x91, 0xC2, 0x25, 0x44,
			0xB6, 0x05, 0xF9, 0x41, 0x85, 0x21, 0x6D, 0xDE, 0x04, 0x65, 0xE6, 0x8B, 0x9D, 0x57,
			0xC2, 0x0D, 0xAC, 0xBC,
		} },
		{ "Password", "NaCl", 80000, {
			0x4D, 0xDC, 0xD8, 0xF6, 0x0B, 0x98, 0xBE, 0x21, 0x83, 0x0C, 0xEE, 0x5E, 0xF2, 0x27,
			0x01, 0xF9, 0x64, 0x1A, 0x44, 0x18, 0xD0, 0x4C, 0x04, 0x14, 0xAE, 0xFF, 0x08, 0x87,
			0x6B, 0x34, 0xAB, 0x56,
		} },
	};

	(void)state;
	for (size_t i = 0; i < LEN(table); i++) {
		struct pbkdf2 p;

		pbkdf2_start(&p, table[i].password, strlen(table[i].password), table[i].salt,
			strlen(table[i].salt), table[i].iterations);
		assert_true(pbkdf2_step(&p, table[i].iterations));
		assert_memory_equal(p.sum, table[i].want, PBKDF2_LEN);
		assert_true(pbkdf2_is(&p, table[i].want));
	}
}

static void
slices_of_any_size_give_the_same_result(void **state)
{
	struct pbkdf2 whole;

	(void)state;
	pbkdf2_start(&whole, "secret", 6, "salt of 16 bytes", 16, 100);
	assert_true(pbkdf2_step(&whole, UINT32_MAX));
	for (uint32_t slice = 1; slice <= 101; slice++) {
		struct pbkdf2 p;
		uint32_t steps = 1;

		pbkdf2_start(&p, "secret", 6, "salt of 16 bytes", 16, 100);
		while (!pbkdf2_step(&p, slice)) {
			steps++;
		}
		CLAIM(pbkdf2_is(&p, whole.sum), "slices of %u", (unsigned)slice);
		/* The first of the 100 rounds is done at the start. */
		CLAIM(steps == (99 + slice - 1) / slice, "slices of %u", (unsigned)slice);
	}
}

static void
a_slice_of_nothing_does_nothing(void **state)
{
	struct pbkdf2 p;

	(void)state;
	pbkdf2_start(&p, "secret", 6, "salt", 4, 2);
	assert_false(pbkdf2_step(&p, 0));
	assert_true(pbkdf2_step(&p, 1));
	assert_true(pbkdf2_step(&p, 0));
	pbkdf2_start(&p, "secret", 6, "salt", 4, 1);
	assert_true(pbkdf2_step(&p, 0));
}

static void
password_salt_and_rounds_all_count(void **state)
{
	struct pbkdf2 p, other;

	(void)state;
	pbkdf2_start(&p, "secret", 6, "salt", 4, 10);
	pbkdf2_step(&p, 10);
	pbkdf2_start(&other, "secre", 5, "salt", 4, 10);
	pbkdf2_step(&other, 10);
	assert_false(pbkdf2_is(&p, other.sum));
	pbkdf2_start(&other, "secret", 6, "SALT", 4, 10);
	pbkdf2_step(&other, 10);
	assert_false(pbkdf2_is(&p, other.sum));
	pbkdf2_start(&other, "secret", 6, "salt", 4, 11);
	pbkdf2_step(&other, 11);
	assert_false(pbkdf2_is(&p, other.sum));
	/* A password may be empty, hold NULs, or be longer than a block of the hash. */
	pbkdf2_start(&p, "", 0, "salt", 4, 1);
	pbkdf2_start(&other, "\0", 1, "salt", 4, 1);
	assert_true(pbkdf2_is(&p, other.sum));  /* RFC 2104: keys are filled up with zeros */
}

static void
a_difference_in_any_bit_is_a_difference(void **state)
{
	struct pbkdf2 p;
	uint8_t expected[PBKDF2_LEN];

	(void)state;
	pbkdf2_start(&p, "secret", 6, "salt", 4, 1);
	memcpy(expected, p.sum, sizeof expected);
	assert_true(pbkdf2_is(&p, expected));
	for (unsigned bit = 0; bit < 8 * PBKDF2_LEN; bit++) {
		expected[bit / 8] ^= (uint8_t)(1u << bit % 8);
		CLAIM(!pbkdf2_is(&p, expected), "bit %u", bit);
		expected[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_vectors_of_rfc_7914_hold),
		TEST(slices_of_any_size_give_the_same_result),
		TEST(a_slice_of_nothing_does_nothing),
		TEST(password_salt_and_rounds_all_count),
		TEST(a_difference_in_any_bit_is_a_difference),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
