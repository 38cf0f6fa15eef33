/* SPDX-License-Identifier: MIT */
/* CRC-32: that it is the one of zlib, and may be computed in parts. */
#include "unit.h"

#include "crc32.h"

/* Values from Python's zlib.crc32(). */
static void
it_is_the_crc_of_zlib(void **state)
{
	uint8_t all[256];

	(void)state;
	for (unsigned i = 0; i < sizeof all; i++) {
		all[i] = (uint8_t)i;
	}
	assert_int_equal(crc32(0, "123456789", 9), 0xCBF43926);
	assert_int_equal(crc32(0, "", 0), 0);
	assert_int_equal(crc32(0, "\0", 1), 0xD202EF8D);
	assert_int_equal(crc32(0, "\xFF\xFF\xFF\xFF", 4), 0xFFFFFFFF);
	assert_int_equal(crc32(0, all, sizeof all), 0x29058C73);
}

/* Bit by bit, from the definition: reflected, polynomial 0x04C11DB7. */
static uint32_t
crc_by_bits(const uint8_t *src, size_t len)
{
	uint32_t crc = 0xFFFFFFFF;

	for (size_t i = 0; i < len; i++) {
		crc ^= src[i];
		for (int bit = 0; bit < 8; bit++) {
			crc = (crc & 1) != 0 ? crc >> 1 ^ 0xEDB88320 : crc >> 1;
		}
	}
	return ~crc;
}

static void
parts_give_the_crc_of_the_whole(void **state)
{
	uint8_t bytes[100];

	(void)state;
	for (unsigned i = 0; i < sizeof bytes; i++) {
		bytes[i] = (uint8_t)sim_random();
	}
	for (size_t len = 0; len <= sizeof bytes; len++) {
		uint32_t whole = crc_by_bits(bytes, len);

		for (size_t cut = 0; cut <= len; cut++) {
			uint32_t crc = crc32(crc32(0, bytes, cut), bytes + cut, len - cut);

			CLAIM(crc == whole, "%zu of %zu bytes first", cut, len);
		}
	}
}

static void
a_single_flipped_bit_always_shows(void **state)
{
	uint8_t bytes[64] = { 0 };
	uint32_t good = crc32(0, bytes, sizeof bytes);

	(void)state;
	for (unsigned bit = 0; bit < 8 * sizeof bytes; bit++) {
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		CLAIM(crc32(0, bytes, sizeof bytes) != good, "bit %u", bit);
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_is_the_crc_of_zlib),
		TEST(parts_give_the_crc_of_the_whole),
		TEST(a_single_flipped_bit_always_shows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
