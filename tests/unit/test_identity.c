/* SPDX-License-Identifier: MIT */
/*
 * The device's identity: made once and then the same for ever; a key and a certificate that
 * do not belong together, or are damaged, are refused rather than used.
 */
#include "unit.h"

#include "clock.h"
#include "identity.h"
#include "x509.h"

static struct store store;
static struct identity id, other;

static int
open_store(void)
{
	return store_open(&store, PORT_AREA_IDENTITY, "identity", true);
}

static int
setup(void **state)
{
	unit_setup(state);
	memset(&id, 0x5A, sizeof id);
	memset(&other, 0x5A, sizeof other);
	assert_int_equal(open_store(), CUB_OK);
	return 0;
}

static void
make(void)
{
	assert_int_equal(identity_make(&id, &store, TEXT("router-17")), CUB_OK);
}

static void
reopen(void)
{
	store_close(&store);
	sim_power_on();
	assert_int_equal(open_store(), CUB_OK);
}

static bool
is_same(const struct identity *a, const struct identity *b)
{
	return a->chain_count == b->chain_count && a->key.xlen == b->key.xlen
		&& a->key.curve == b->key.curve && memcmp(a->key.x, b->key.x, a->key.xlen) == 0
		&& memcmp(a->fingerprint, b->fingerprint, sizeof a->fingerprint) == 0
		&& a->chain[0].data_len == b->chain[0].data_len
		&& memcmp(a->chain[0].data, b->chain[0].data, a->chain[0].data_len) == 0;
}

static void
a_blank_store_has_no_identity(void **state)
{
	(void)state;
	assert_int_equal(identity_load(&id, &store), CUB_E_NOENT);
}

static void
what_is_made_is_loaded_ever_after(void **state)
{
	struct x509_info info;
	uint8_t fingerprint[32];

	(void)state;
	make();
	for (unsigned i = 0; i < 3; i++) {
		reopen();
		assert_int_equal(identity_load(&other, &store), CUB_OK);
		assert_true(is_same(&id, &other));
	}
	assert_int_equal(id.chain_count, 1);
	assert_int_equal(id.key.curve, BR_EC_secp256r1);
	assert_int_equal(id.key.xlen, 32);
	x509_fingerprint(id.chain[0].data, id.chain[0].data_len, fingerprint);
	assert_memory_equal(fingerprint, id.fingerprint, 32);
	assert_int_equal(x509_look(id.chain[0].data, id.chain[0].data_len, &info), CUB_OK);
	assert_true(info.from_s == clock_now() && info.until_s == X509_FOREVER);
}

static void
each_device_has_its_own_key(void **state)
{
	(void)state;
	make();
	sim_flash_reset();
	assert_int_equal(open_store(), CUB_OK);
	assert_int_equal(identity_make(&other, &store, TEXT("router-17")), CUB_OK);
	assert_memory_not_equal(id.key.x, other.key.x, 32);
	assert_memory_not_equal(id.fingerprint, other.fingerprint, 32);
}

static void
the_store_tells_whether_an_identity_is_still_its_own(void **state)
{
	(void)state;
	make();
	assert_int_equal(identity_is_stored(&id, &store), CUB_OK);
	assert_int_equal(identity_make(&other, &store, TEXT("router-17")), CUB_OK);
	assert_int_equal(identity_is_stored(&id, &store), CUB_E_NOENT);
	assert_int_equal(identity_is_stored(&other, &store), CUB_OK);
	assert_int_equal(store_write(&store, &(struct store_change){ IDENTITY_CHAIN, 0, NULL, NULL, 0 },
		1), CUB_OK);
	assert_int_equal(identity_is_stored(&other, &store), CUB_E_NOENT);
}

static int
load_with(enum identity_record type, const void *value, uint32_t len)
{
	struct store_change c = { (uint8_t)type, 0, NULL, value, len };

	assert_int_equal(store_write(&store, &c, 1), CUB_OK);
	return identity_load(&other, &store);
}

/* The records as they stand in the store. */
static uint8_t key[1 + 32], chain[CUB_CHAIN_MAX];
static uint32_t chain_len;

static void
take_records(void)
{
	struct store_record r;

	assert_int_equal(store_find(&store, IDENTITY_KEY, NULL, 0, &r), CUB_OK);
	assert_int_equal(r.value_len, sizeof key);
	assert_int_equal(store_read(&store, &r, 0, key, sizeof key), CUB_OK);
	assert_int_equal(store_find(&store, IDENTITY_CHAIN, NULL, 0, &r), CUB_OK);
	chain_len = r.value_len;
	assert_int_equal(store_read(&store, &r, 0, chain, chain_len), CUB_OK);
}

static void
the_records_are_what_their_description_says(void **state)
{
	(void)state;
	make();
	take_records();
	assert_int_equal(key[0], BR_EC_secp256r1);
	assert_memory_equal(key + 1, id.key.x, 32);
	assert_int_equal(chain[0] | chain[1] << 8, id.chain[0].data_len);
	assert_int_equal(chain_len, 2 + id.chain[0].data_len);
	assert_memory_equal(chain + 2, id.chain[0].data, id.chain[0].data_len);
}

static void
a_key_that_is_not_the_certificates_is_refused(void **state)
{
	uint8_t first_chain[sizeof chain];
	uint32_t first_len;

	(void)state;
	make();
	take_records();
	memcpy(first_chain, chain, sizeof chain);
	first_len = chain_len;
	make();
	take_records();
	assert_int_equal(load_with(IDENTITY_CHAIN, first_chain, first_len), CUB_E_CORRUPT);
	assert_int_equal(load_with(IDENTITY_CHAIN, chain, chain_len), CUB_OK);
	for (unsigned bit = 0; bit < 8 * sizeof key; bit++) {
		key[bit / 8] ^= (uint8_t)(1u << bit % 8);
		CLAIM(load_with(IDENTITY_KEY, key, sizeof key) == CUB_E_CORRUPT, "bit %u", bit);
		key[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	assert_int_equal(load_with(IDENTITY_KEY, key, sizeof key), CUB_OK);
}

static void
a_key_that_is_none_is_refused(void **state)
{
	/* The order of P-256: the first number that is too large. */
	static const uint8_t order[32] = {
		0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
		0xFF, 0xBC, 0xE6, 0xFA, 0xAD, 0xA7, 0x17, 0x9E, 0x84, 0xF3, 0xB9, 0xCA, 0xC2, 0xFC, 0x63,
		0x25, 0x51,
	};
	uint8_t value[80] = { BR_EC_secp256r1 };

	(void)state;
	make();
	take_records();
	assert_int_equal(load_with(IDENTITY_KEY, value, 33), CUB_E_CORRUPT);
	memcpy(value + 1, order, 32);
	assert_int_equal(load_with(IDENTITY_KEY, value, 33), CUB_E_CORRUPT);
	memset(value + 1, 0xFF, 32);
	assert_int_equal(load_with(IDENTITY_KEY, value, 33), CUB_E_CORRUPT);
	memcpy(value, key, sizeof key);
	for (uint32_t len = 0; len <= sizeof value; len++) {
		CLAIM(load_with(IDENTITY_KEY, value, len) == (len == 33 ? CUB_OK : CUB_E_CORRUPT),
			"%u bytes", (unsigned)len);
	}
}

static void
half_an_identity_is_damage_and_not_a_reason_to_make_another(void **state)
{
	(void)state;
	make();
	take_records();
	assert_int_equal(load_with(IDENTITY_CHAIN, NULL, 0), CUB_E_CORRUPT);
	assert_int_equal(load_with(IDENTITY_CHAIN, chain, chain_len), CUB_OK);
	assert_int_equal(load_with(IDENTITY_KEY, NULL, 0), CUB_E_CORRUPT);
}

static void
a_chain_that_was_cut_or_has_too_much_is_refused(void **state)
{
	uint32_t step = unit_rounds(20) == 20 ? 1 : 29;

	(void)state;
	make();
	take_records();
	for (uint32_t len = 0; len < chain_len; len += step) {
		CLAIM(load_with(IDENTITY_CHAIN, chain, len) == CUB_E_CORRUPT, "%u bytes", (unsigned)len);
	}
	memset(chain + chain_len, 0, 2);
	chain[chain_len] = 1;
	assert_int_equal(load_with(IDENTITY_CHAIN, chain, chain_len + 1), CUB_E_CORRUPT);
	assert_int_equal(load_with(IDENTITY_CHAIN, chain, chain_len + 2), CUB_E_CORRUPT);
	/* The first certificate a byte shorter or longer than it is. */
	chain[0]--;
	assert_int_equal(load_with(IDENTITY_CHAIN, chain, chain_len - 1), CUB_E_CORRUPT);
	chain[0] = (uint8_t)(chain[0] + 2);
	chain[chain_len] = 0;
	assert_int_equal(load_with(IDENTITY_CHAIN, chain, chain_len + 1), CUB_E_CORRUPT);
}

static void
a_chain_has_up_to_four_certificates(void **state)
{
	static uint8_t chains[6 * 600];
	uint32_t len = 0;

	(void)state;
	make();
	take_records();
	for (unsigned count = 1; count <= 6 && len + chain_len <= CUB_CHAIN_MAX; count++) {
		memcpy(chains + len, chain, chain_len);
		len += chain_len;
		CLAIM(load_with(IDENTITY_CHAIN, chains, len)
			== (count <= CUB_CHAIN_CERTS ? CUB_OK : CUB_E_CORRUPT), "%u certificates", count);
		if (count > CUB_CHAIN_CERTS) {
			continue;
		}
		assert_int_equal(other.chain_count, count);
		for (unsigned i = 0; i < count; i++) {
			assert_int_equal(other.chain[i].data_len, chain_len - 2);
			assert_memory_equal(other.chain[i].data, chain + 2, chain_len - 2);
		}
	}
}

static void
a_chain_larger_than_the_build_has_room_for_is_refused(void **state)
{
	static uint8_t large[CUB_CHAIN_MAX + 1];

	(void)state;
	make();
	take_records();
	memcpy(large, chain, chain_len);
	large[chain_len] = (uint8_t)(sizeof large - chain_len - 2);
	large[chain_len + 1] = (uint8_t)((sizeof large - chain_len - 2) >> 8);
	assert_int_equal(load_with(IDENTITY_CHAIN, large, sizeof large), CUB_E_CORRUPT);
}

static void
an_identity_is_made_as_a_whole_or_not_at_all(void **state)
{
	uint32_t leap = unit_rounds(40) == 40 ? 40 : 400;

	(void)state;
	for (uint64_t step = 0;; step += 1 + sim_random_below(leap)) {
		bool is_off;
		int err;

		store_close(&store);
		sim_flash_reset();
		assert_int_equal(open_store(), CUB_OK);
		sim_flash_cut_after(step);
		err = identity_make(&id, &store, TEXT("router-17"));
		is_off = sim_power_is_off();
		CLAIM((err == CUB_OK) == !is_off, "step %u: %d", (unsigned)step, err);
		sim_power_on();
		CLAIM(open_store() == CUB_OK, "step %u", (unsigned)step);
		err = identity_load(&other, &store);
		CLAIM(err == CUB_OK || (is_off && err == CUB_E_NOENT), "step %u: %d", (unsigned)step, err);
		if (!is_off) {
			assert_true(is_same(&id, &other));
			return;
		}
	}
}

static void
a_medium_that_fails_is_told_and_no_damage(void **state)
{
	bool failed = true;

	(void)state;
	make();
	for (uint64_t n = 1; failed; n++) {
		int err;

		sim_flash_fail_at(n, false, CUB_E_IO);
		err = identity_load(&other, &store);
		failed = sim_flash_failed();
		CLAIM(err == (failed ? CUB_E_IO : CUB_OK), "call %u: %d", (unsigned)n, err);
	}
}

/* A device whose clock is lost after a restart: it was made after that, so it's later now. */
static void
the_certificates_date_is_known_to_be_past(void **state)
{
	int64_t made_s;

	(void)state;
	sim_time_set(clock_now() + 1000000);
	made_s = clock_now();
	make();
	sim_time_set(0);
	assert_true(clock_now() >= made_s);
	assert_false(clock_is_plausible());
}

#undef TEST
#define TEST(name) cmocka_unit_test_setup(name, setup)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_blank_store_has_no_identity),
		TEST(what_is_made_is_loaded_ever_after),
		TEST(each_device_has_its_own_key),
		TEST(the_store_tells_whether_an_identity_is_still_its_own),
		TEST(the_records_are_what_their_description_says),
		TEST(a_key_that_is_not_the_certificates_is_refused),
		TEST(a_key_that_is_none_is_refused),
		TEST(half_an_identity_is_damage_and_not_a_reason_to_make_another),
		TEST(a_chain_that_was_cut_or_has_too_much_is_refused),
		TEST(a_chain_has_up_to_four_certificates),
		TEST(a_chain_larger_than_the_build_has_room_for_is_refused),
		TEST(an_identity_is_made_as_a_whole_or_not_at_all),
		TEST(a_medium_that_fails_is_told_and_no_damage),
		TEST(the_certificates_date_is_known_to_be_past),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
