/* SPDX-License-Identifier: MIT */
/*
 * Sealed secrets: what another program sealed by the description is opened, what is sealed
 * here is opened here, and nothing else is. (The build lets pbkdf2_start() be replaced here,
 * so that numbers of rounds that damage makes take no time.)
 */
#include "unit.h"

#include "pbkdf2.h"
#include "seal.h"

#include "tests/data/sealed.h"

#define BYTES(array) ((struct bytes){ (array), sizeof(array) })

void __real_pbkdf2_start(struct pbkdf2 *p, const void *password, size_t password_len,
	const void *salt, size_t salt_len, uint32_t iterations);
void __wrap_pbkdf2_start(struct pbkdf2 *p, const void *password, size_t password_len,
	const void *salt, size_t salt_len, uint32_t iterations);

static uint32_t rounds_max, rounds_asked;

void
__wrap_pbkdf2_start(struct pbkdf2 *p, const void *password, size_t password_len,
	const void *salt, size_t salt_len, uint32_t iterations)
{
	rounds_asked = iterations;
	__real_pbkdf2_start(p, password, password_len, salt, salt_len,
		iterations < rounds_max ? iterations : rounds_max);
}

static int
setup(void **state)
{
	unit_setup(state);
	rounds_max = UINT32_MAX;
	return 0;
}

/* Open a copy, of exactly its size, of `len` bytes. `*plain`, if not null, gets what is in it. */
static int
open_copy(struct bytes secret, const uint8_t *sealed, size_t len, uint8_t *plain)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);
	int err;

	assert_non_null(copy);
	memcpy(copy, sealed, len);
	err = seal_open(secret, copy, len);
	if (len > SEAL_EXTRA && plain != NULL) {
		memcpy(plain, copy + SEAL_AT_SECRET, len - SEAL_EXTRA);
	}
	free(copy);
	return err;
}

static void
what_another_program_sealed_is_opened(void **state)
{
	uint8_t plain[sizeof seal_plain];

	(void)state;
	assert_int_equal(sizeof seal_sealed, sizeof seal_plain + SEAL_EXTRA);
	assert_int_equal(open_copy(BYTES(seal_secret), seal_sealed, sizeof seal_sealed, plain), CUB_OK);
	assert_memory_equal(plain, seal_plain, sizeof plain);
}

static void
what_is_sealed_is_opened_again(void **state)
{
	static uint8_t secret[1500], sealed[sizeof secret + SEAL_EXTRA], plain[sizeof secret];
	static const size_t lens[] = { 0, 1, 33, 63, 64, 65, 1300, sizeof secret };

	(void)state;
	rounds_max = 3;
	for (size_t i = 0; i < sizeof secret; i++) {
		secret[i] = (uint8_t)sim_random();
	}
	for (size_t i = 0; i < LEN(lens); i++) {
		size_t len = lens[i];

		memset(sealed, 0x5A, sizeof sealed);
		seal_close(BYTES(seal_secret), (struct bytes){ secret, len }, sealed);
		CLAIM(rounds_asked == CONFIG_CUBFTPD_PBKDF2_ITERATIONS, "%u", (unsigned)rounds_asked);
		CLAIM(rounds_asked == (sealed[0] | (uint32_t)sealed[1] << 8 | (uint32_t)sealed[2] << 16
			| (uint32_t)sealed[3] << 24), "%u", (unsigned)rounds_asked);
		for (size_t at = len + SEAL_EXTRA; at < sizeof sealed; at++) {
			CLAIM(sealed[at] == 0x5A, "%u bytes, byte %u", (unsigned)len, (unsigned)at);
		}
		CLAIM(len < 33 || memcmp(sealed + SEAL_AT_SECRET, secret, len) != 0, "%u", (unsigned)len);
		CLAIM(open_copy(BYTES(seal_secret), sealed, len + SEAL_EXTRA, plain) == CUB_OK, "%u bytes",
			(unsigned)len);
		CLAIM(memcmp(plain, secret, len) == 0, "%u bytes", (unsigned)len);
	}
}

static void
nothing_is_sealed_in_the_same_way_twice(void **state)
{
	uint8_t first[100 + SEAL_EXTRA] = { 0 }, second[sizeof first] = { 0 };

	(void)state;
	rounds_max = 1;
	seal_close(BYTES(seal_secret), BYTES(seal_plain), first);
	seal_close(BYTES(seal_secret), BYTES(seal_plain), second);
	assert_memory_not_equal(first + 4, second + 4, 16);
	assert_memory_not_equal(first + 20, second + 20, 12);
	assert_memory_not_equal(first + SEAL_AT_SECRET, second + SEAL_AT_SECRET, 100);
}

static void
another_secret_opens_nothing(void **state)
{
	uint8_t secret[sizeof seal_secret + 1] = { 0 };

	(void)state;
	memcpy(secret, seal_secret, sizeof seal_secret);
	for (size_t len = 0; len < sizeof seal_secret; len++) {
		CLAIM(open_copy((struct bytes){ secret, len }, seal_sealed, sizeof seal_sealed, NULL)
			== CUB_E_DENIED, "%u bytes", (unsigned)len);
	}
	secret[sizeof secret - 1] = '\n';
	assert_int_equal(open_copy(BYTES(secret), seal_sealed, sizeof seal_sealed, NULL), CUB_E_DENIED);
	secret[3] ^= 1;
	assert_int_equal(open_copy((struct bytes){ secret, sizeof seal_secret }, seal_sealed,
		sizeof seal_sealed, NULL), CUB_E_DENIED);
}

static void
each_bit_that_is_changed_is_noticed(void **state)
{
	uint8_t sealed[sizeof seal_sealed], plain[sizeof seal_plain];
	uint8_t wiped[sizeof seal_plain] = { 0 };

	(void)state;
	memcpy(sealed, seal_sealed, sizeof sealed);
	rounds_max = 1000;
	for (unsigned bit = 0; bit < 8 * sizeof sealed; bit++) {
		int err;

		sealed[bit / 8] ^= (uint8_t)(1u << bit % 8);
		err = open_copy(BYTES(seal_secret), sealed, sizeof sealed, plain);
		sealed[bit / 8] ^= (uint8_t)(1u << bit % 8);
		CLAIM(err == (bit >= 27 && bit < 32 ? CUB_E_CORRUPT : CUB_E_DENIED), "bit %u: %d", bit,
			err);
		CLAIM(err == CUB_E_CORRUPT || memcmp(plain, wiped, sizeof plain) == 0, "bit %u", bit);
	}
}

static void
what_is_too_short_is_damaged(void **state)
{
	(void)state;
	rounds_max = 1;
	for (size_t len = 0; len < sizeof seal_sealed; len++) {
		CLAIM(open_copy(BYTES(seal_secret), seal_sealed, len, NULL)
			== (len < SEAL_EXTRA ? CUB_E_CORRUPT : CUB_E_DENIED), "%u bytes", (unsigned)len);
	}
}

static void
more_rounds_than_anybody_waits_for_are_damage(void **state)
{
	static const struct {
		uint32_t rounds;
		int err;
	} row[] = {
		{ 0, CUB_E_CORRUPT }, { 1, CUB_E_DENIED }, { 100000000, CUB_E_DENIED },
		{ 100000001, CUB_E_CORRUPT }, { UINT32_MAX, CUB_E_CORRUPT },
	};
	uint8_t sealed[sizeof seal_sealed];

	(void)state;
	rounds_max = 1;
	memcpy(sealed, seal_sealed, sizeof sealed);
	for (size_t i = 0; i < LEN(row); i++) {
		for (unsigned byte = 0; byte < 4; byte++) {
			sealed[byte] = (uint8_t)(row[i].rounds >> 8 * byte);
		}
		CLAIM(open_copy(BYTES(seal_secret), sealed, sizeof sealed, NULL) == row[i].err, "%u rounds",
			(unsigned)row[i].rounds);
	}
}

#undef TEST
#define TEST(name) cmocka_unit_test_setup(name, setup)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_another_program_sealed_is_opened),
		TEST(what_is_sealed_is_opened_again),
		TEST(nothing_is_sealed_in_the_same_way_twice),
		TEST(another_secret_opens_nothing),
		TEST(each_bit_that_is_changed_is_noticed),
		TEST(what_is_too_short_is_damaged),
		TEST(more_rounds_than_anybody_waits_for_are_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
