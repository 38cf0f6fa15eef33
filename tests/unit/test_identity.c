/* SPDX-License-Identifier: MIT */
/*
 * The device's identity: made once and then the same for ever; a key and a certificate that
 * do not belong together, or are damaged, are refused rather than used. What is imported or
 * installed is there as a whole or not at all, and a sealed key is nowhere in the clear. (The
 * build lets pbkdf2_start() be replaced here, so that sealing takes no time.)
 */
#include "unit.h"

#include "clock.h"
#include "identity.h"
#include "pbkdf2.h"
#include "seal.h"
#include "x509.h"

#include "tests/data/keys.h"

#define BYTES(array) ((struct bytes)BYTES_IN(array))
#define BYTES_IN(array) { (array), sizeof(array) }
#define NOTHING ((struct bytes){ NULL, 0 })
#define SECRET ((struct bytes){ (const uint8_t *)"serial 4711", 11 })

static struct store store;
static struct identity id, other;
static const char *why;

void __real_pbkdf2_start(struct pbkdf2 *p, const void *password, size_t password_len,
	const void *salt, size_t salt_len, uint32_t iterations);
void __wrap_pbkdf2_start(struct pbkdf2 *p, const void *password, size_t password_len,
	const void *salt, size_t salt_len, uint32_t iterations);

void
__wrap_pbkdf2_start(struct pbkdf2 *p, const void *password, size_t password_len,
	const void *salt, size_t salt_len, uint32_t iterations)
{
	(void)iterations;
	__real_pbkdf2_start(p, password, password_len, salt, salt_len, 1);
}

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
	assert_int_equal(identity_make(&id, &store, TEXT("router-17"), NOTHING), CUB_OK);
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
	return a->chain_count == b->chain_count && a->key.type == b->key.type
		&& a->key.packed_len == b->key.packed_len
		&& memcmp(a->key.packed, b->key.packed, a->key.packed_len) == 0
		&& memcmp(a->fingerprint, b->fingerprint, sizeof a->fingerprint) == 0
		&& a->der_len == b->der_len && memcmp(a->der, b->der, a->der_len) == 0
		&& a->chain[0].data_len == b->chain[0].data_len
		&& memcmp(a->chain[0].data, b->chain[0].data, a->chain[0].data_len) == 0;
}

static void
a_blank_store_has_no_identity(void **state)
{
	(void)state;
	assert_int_equal(identity_load(&id, &store, NOTHING), CUB_E_NOENT);
}

static void
what_is_made_is_loaded_ever_after(void **state)
{
	struct x509_cert cert;
	struct bytes der;
	uint8_t fingerprint[32];

	(void)state;
	make();
	for (unsigned i = 0; i < 3; i++) {
		reopen();
		assert_int_equal(identity_load(&other, &store, NOTHING), CUB_OK);
		assert_true(is_same(&id, &other));
	}
	assert_int_equal(id.chain_count, 1);
	assert_int_equal(id.key.type, BR_KEYTYPE_EC);
	assert_int_equal(id.key.ec.curve, BR_EC_secp256r1);
	der = (struct bytes){ id.chain[0].data, id.chain[0].data_len };
	x509_hash(der, fingerprint);
	assert_memory_equal(fingerprint, id.fingerprint, 32);
	assert_null(x509_read(der, &cert));
	assert_true(cert.from_s == clock_now() && cert.until_s == X509_FOREVER);
}

static void
each_device_has_its_own_key(void **state)
{
	(void)state;
	make();
	sim_flash_reset();
	assert_int_equal(open_store(), CUB_OK);
	assert_int_equal(identity_make(&other, &store, TEXT("router-17"), NOTHING), CUB_OK);
	assert_memory_not_equal(id.key.ec.x, other.key.ec.x, 32);
	assert_memory_not_equal(id.fingerprint, other.fingerprint, 32);
}

static void
the_store_tells_whether_an_identity_is_still_its_own(void **state)
{
	(void)state;
	make();
	assert_int_equal(identity_is_stored(&id, &store), CUB_OK);
	assert_int_equal(identity_make(&other, &store, TEXT("router-17"), NOTHING), CUB_OK);
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
	return identity_load(&other, &store, NOTHING);
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
	assert_memory_equal(key + 1, id.key.ec.x, 32);
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
	uint32_t step = claim_rounds(20) == 20 ? 1 : 29;

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
	uint32_t leap = claim_rounds(40) == 40 ? 40 : 400;

	(void)state;
	for (uint64_t step = 0;; step += 1 + sim_random_below(leap)) {
		bool is_off;
		int err;

		store_close(&store);
		sim_flash_reset();
		assert_int_equal(open_store(), CUB_OK);
		sim_flash_cut_after(step);
		err = identity_make(&id, &store, TEXT("router-17"), NOTHING);
		is_off = sim_power_is_off();
		CLAIM((err == CUB_OK) == !is_off, "step %u: %d", (unsigned)step, err);
		sim_power_on();
		CLAIM(open_store() == CUB_OK, "step %u", (unsigned)step);
		err = identity_load(&other, &store, NOTHING);
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
		err = identity_load(&other, &store, NOTHING);
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

/* Chains */

static uint8_t built[CUB_CHAIN_MAX + 1];

/* A chain of these certificates, up to an empty one. */
static struct bytes
chain_of(const struct bytes *cert)
{
	size_t len = 0;

	for (; cert->len > 0; cert++) {
		assert_true(len + 2 + cert->len <= sizeof built);
		built[len++] = (uint8_t)cert->len;
		built[len++] = (uint8_t)(cert->len >> 8);
		memcpy(built + len, cert->at, cert->len);
		len += cert->len;
	}
	return (struct bytes){ built, len };
}

#define CHAIN(...) chain_of((const struct bytes[]){ __VA_ARGS__, { NULL, 0 } })
#define LEAF    BYTES_IN(cert_leaf)
#define INTER   BYTES_IN(cert_inter)
#define ROOT    BYTES_IN(cert_root)

static int
import(struct bytes der, struct bytes certs, struct bytes secret)
{
	struct identity_parts parts = { der, certs, TEXT("router-17"), secret };

	why = "unset";
	return identity_import(&id, &store, &parts, &why);
}

static int
install(struct bytes certs)
{
	why = "unset";
	memset(&other, 0x5A, sizeof other);
	return identity_install(&other, &store, &id, certs, &why);
}

/* All of the medium, to see whether anything changed, or to begin again from there. */
static uint8_t image[SIM_FLASH_MAX];
static uint32_t image_len;

static void
take_image(void)
{
	image_len = sim_flash_size(PORT_AREA_IDENTITY);
	memcpy(image, sim_flash_bytes(PORT_AREA_IDENTITY), image_len);
}

static bool
is_image(void)
{
	return image_len == sim_flash_size(PORT_AREA_IDENTITY)
		&& memcmp(image, sim_flash_bytes(PORT_AREA_IDENTITY), image_len) == 0;
}

static void
put_image(void)
{
	store_close(&store);
	sim_flash_image(PORT_AREA_IDENTITY, image, image_len);
	assert_int_equal(open_store(), CUB_OK);
}

/* Is any of the runs of 8 bytes of this somewhere on the medium? */
static bool
is_on_flash(const uint8_t *part, size_t len)
{
	const uint8_t *bytes = sim_flash_bytes(PORT_AREA_IDENTITY);

	for (uint32_t at = 0; at + 8 <= sim_flash_size(PORT_AREA_IDENTITY); at++) {
		for (size_t i = 0; i + 8 <= len; i += 8) {
			if (bytes[at] == part[i] && memcmp(bytes + at, part + i, 8) == 0) {
				return true;
			}
		}
	}
	return false;
}

static bool
has_record(enum identity_record type)
{
	struct store_record r;

	return store_find(&store, (uint8_t)type, NULL, 0, &r) == CUB_OK;
}

static void
the_identity_of_an_older_version_loads(void **state)
{
	FILE *file = fopen("tests/data/identity-v1.bin", "rb");

	(void)state;
	if (file == NULL || CUB_STORE_BANK != 16384) {
		print_message("needs tests/data/identity-v1.bin and banks of 16384 bytes\n");
		skip();
	}
	image_len = (uint32_t)fread(image, 1, sizeof image, file);
	fclose(file);
	put_image();
	assert_int_equal(identity_load(&id, &store, NOTHING), CUB_OK);
	assert_memory_equal(id.fingerprint, "\x4f\xfd\xc1\x01\xb5\xce\x25\x63", 8);
	assert_true(is_image());
}

static void
with_a_secret_a_key_is_only_ever_stored_sealed(void **state)
{
	(void)state;
	assert_int_equal(identity_make(&id, &store, TEXT("router-17"), SECRET), CUB_OK);
	assert_true(has_record(IDENTITY_SEALED) && !has_record(IDENTITY_KEY));
	assert_false(is_on_flash(id.key.packed, id.key.packed_len));
	assert_int_equal(import(BYTES(key_p256), NOTHING, SECRET), CUB_OK);
	assert_false(is_on_flash(id.key.packed, id.key.packed_len));
	assert_int_equal(import(BYTES(key_p256), CHAIN(LEAF, INTER), SECRET), CUB_OK);
	assert_true(has_record(IDENTITY_SEALED) && !has_record(IDENTITY_KEY));
	assert_false(is_on_flash(id.key.packed, id.key.packed_len));
	reopen();
	take_image();
	assert_int_equal(identity_load(&other, &store, SECRET), CUB_OK);
	assert_true(is_same(&id, &other));
	assert_true(is_image());
}

static void
a_sealed_key_opens_only_with_its_secret(void **state)
{
	(void)state;
	assert_int_equal(identity_make(&id, &store, TEXT("router-17"), SECRET), CUB_OK);
	take_image();
	assert_int_equal(identity_load(&other, &store, NOTHING), CUB_E_DENIED);
	assert_int_equal(identity_load(&other, &store, (struct bytes){ SECRET.at, 10 }), CUB_E_DENIED);
	assert_true(is_image());
	assert_int_equal(identity_load(&other, &store, SECRET), CUB_OK);
	/* Without a secret, a new key is in the clear again, and the old one is gone. */
	make();
	assert_true(has_record(IDENTITY_KEY) && !has_record(IDENTITY_SEALED));
	assert_int_equal(identity_load(&other, &store, NOTHING), CUB_OK);
	assert_true(is_same(&id, &other));
}

static void
a_sealed_key_that_is_damaged_is_refused(void **state)
{
	static uint8_t value[KEY_PACKED_MAX + SEAL_EXTRA + 1];
	struct store_record r;

	(void)state;
	assert_int_equal(identity_make(&id, &store, TEXT("router-17"), SECRET), CUB_OK);
	assert_int_equal(store_find(&store, IDENTITY_SEALED, NULL, 0, &r), CUB_OK);
	assert_int_equal(r.value_len, 33 + SEAL_EXTRA);
	assert_int_equal(store_read(&store, &r, 0, value, r.value_len), CUB_OK);
	for (uint32_t len = 0; len <= sizeof value; len += len < 100 ? 1 : 53) {
		struct store_change c = { IDENTITY_SEALED, 0, NULL, value, len };
		int err;

		assert_int_equal(store_write(&store, &c, 1), CUB_OK);
		err = identity_load(&other, &store, SECRET);
		CLAIM(len == r.value_len ? err == CUB_OK : err == CUB_E_DENIED || err == CUB_E_CORRUPT,
			"%u bytes: %d", (unsigned)len, err);
	}
	/* A key that is none, though it is sealed well. */
	seal_close(SECRET, (struct bytes){ value, 33 }, value + 33);
	assert_int_equal(store_write(&store, &(struct store_change){ IDENTITY_SEALED, 0, NULL,
		value + 33, 33 + SEAL_EXTRA }, 1), CUB_OK);
	assert_int_equal(identity_load(&other, &store, SECRET), CUB_E_CORRUPT);
}

static void
a_key_in_the_clear_is_sealed_when_there_is_a_secret(void **state)
{
	(void)state;
	make();
	/* And again, so that both banks hold it. */
	assert_int_equal(import(BYTES(key_p256), NOTHING, NOTHING), CUB_OK);
	assert_int_equal(import(BYTES(key_p256), CHAIN(LEAF), NOTHING), CUB_OK);
	assert_true(is_on_flash(id.key.packed, id.key.packed_len));
	reopen();
	assert_int_equal(identity_load(&other, &store, SECRET), CUB_OK);
	assert_true(is_same(&id, &other));
	assert_false(is_on_flash(id.key.packed, id.key.packed_len));
	assert_true(has_record(IDENTITY_SEALED) && !has_record(IDENTITY_KEY));
	take_image();
	reopen();
	assert_int_equal(identity_load(&other, &store, NOTHING), CUB_E_DENIED);
	assert_int_equal(identity_load(&other, &store, SECRET), CUB_OK);
	assert_true(is_same(&id, &other) && is_image());
}

/* Also one that is replaced at once. */
static void
no_older_key_stays_in_the_clear_where_there_is_a_secret(void **state)
{
	uint8_t old[33];

	(void)state;
	make();
	memcpy(old, id.key.packed, sizeof old);
	assert_true(is_on_flash(old + 1, 32));
	assert_int_equal(identity_make(&id, &store, TEXT("router-17"), SECRET), CUB_OK);
	assert_false(is_on_flash(old + 1, 32));
}

/* How flash behaves at a cut. */
static void
use_flash(unsigned kind)
{
	sim_flash_cached(kind == 1);
	sim_flash_scattered(kind == 2);
}

/* Each moment in turn where all is simple; some of them where chance has its part anyway. */
static uint32_t
leap(unsigned kind)
{
	return claim_rounds(1000) != 1000 ? 1 + sim_random_below(200)
		: kind > 0 ? 1 + sim_random_below(10) : 1;
}

static void
power_may_fail_at_any_moment_of_sealing(void **state)
{
	unsigned was_sealed = 0, was_plain = 0;
	uint64_t step = 0;

	(void)state;
	make();
	reopen();
	take_image();
	for (unsigned kind = 0; kind < 3; kind++, step = 0) {
		for (bool is_off = true; is_off; step += leap(kind)) {
			int err;

			use_flash(kind);
			put_image();
			sim_flash_cut_after(step);
			err = identity_load(&other, &store, SECRET);
			is_off = sim_power_is_off();
			CLAIM((err == CUB_OK) == !is_off, "step %u: %d", (unsigned)step, err);
			reopen();
			was_sealed += has_record(IDENTITY_SEALED);
			was_plain += !has_record(IDENTITY_SEALED);
			err = identity_load(&other, &store, SECRET);
			CLAIM(err == CUB_OK && is_same(&id, &other), "step %u: %d", (unsigned)step, err);
			CLAIM(!is_on_flash(id.key.packed, id.key.packed_len), "step %u", (unsigned)step);
			CLAIM(!has_record(IDENTITY_KEY), "step %u", (unsigned)step);
		}
	}
	use_flash(0);
	assert_true(was_sealed >= 3 && was_plain >= 3);
}

static void
a_medium_that_fails_while_sealing_is_told(void **state)
{
	bool failed = true;

	(void)state;
	make();
	reopen();
	take_image();
	for (uint64_t n = 1; failed; n++) {
		int err;

		put_image();
		sim_flash_fail_at(n, true, CUB_E_IO);
		err = identity_load(&other, &store, SECRET);
		failed = sim_flash_failed();
		sim_flash_fail_at(0, false, CUB_E_IO);
		CLAIM(err == (failed ? CUB_E_IO : CUB_OK), "call %u: %d", (unsigned)n, err);
		reopen();
		CLAIM(identity_load(&other, &store, SECRET) == CUB_OK, "call %u", (unsigned)n);
		CLAIM(is_same(&id, &other), "call %u", (unsigned)n);
	}
}

static void
a_key_is_imported_with_its_chain(void **state)
{
	(void)state;
	assert_int_equal(import(BYTES(key_p256), CHAIN(LEAF, INTER, ROOT), NOTHING), CUB_OK);
	assert_int_equal(id.chain_count, 3);
	assert_int_equal(id.chain[1].data_len, sizeof cert_inter);
	assert_memory_equal(id.chain[1].data, cert_inter, sizeof cert_inter);
	reopen();
	assert_int_equal(identity_load(&other, &store, NOTHING), CUB_OK);
	assert_true(is_same(&id, &other));
}

static void
a_key_is_imported_with_a_certificate_of_its_own(void **state)
{
	static const struct bytes keys[] = {
		BYTES_IN(key_p256), BYTES_IN(key_p256_sec1),
#if CONFIG_CUBFTPD_P384
		BYTES_IN(key_p384), BYTES_IN(key_p384_sec1),
#endif
#if CONFIG_CUBFTPD_RSA
		BYTES_IN(key_rsa2048_pkcs1), BYTES_IN(key_rsa4096),
#endif
	};

	(void)state;
	for (size_t i = 0; i < LEN(keys); i++) {
		struct x509_cert cert;

		CLAIM(import(keys[i], NOTHING, i % 2 == 0 ? NOTHING : SECRET) == CUB_OK, "key %u: %s",
			(unsigned)i, why);
		assert_null(x509_read((struct bytes){ id.chain[0].data, id.chain[0].data_len }, &cert));
		assert_true(key_fits(&id.key, &cert.key));
		reopen();
		assert_int_equal(identity_load(&other, &store, SECRET), CUB_OK);
		CLAIM(is_same(&id, &other), "key %u", (unsigned)i);
	}
}

static void
an_rsa_key_is_sealed_as_well(void **state)
{
	(void)state;
	if (!CONFIG_CUBFTPD_RSA) {
		skip();
	}
	assert_int_equal(import(BYTES(key_rsa2048), CHAIN(BYTES_IN(cert_rsa), INTER), NOTHING), CUB_OK);
	assert_true(is_on_flash(id.key.packed, id.key.packed_len));
	assert_int_equal(identity_load(&other, &store, SECRET), CUB_OK);
	assert_true(is_same(&id, &other));
	assert_false(is_on_flash(id.key.packed, id.key.packed_len));
	reopen();
	assert_int_equal(identity_load(&other, &store, SECRET), CUB_OK);
	assert_true(is_same(&id, &other));
}

static void
what_is_refused_at_import_changes_nothing(void **state)
{
	(void)state;
	make();
	reopen();
	take_image();
	assert_int_equal(import(BYTES(key_secp256k1), NOTHING, NOTHING), CUB_E_BAD);
	assert_non_null(strstr(why, "P-256"));
	assert_int_equal(import(BYTES(cert_leaf), NOTHING, NOTHING), CUB_E_BAD);
	assert_int_equal(import(BYTES(key_p256), CHAIN(BYTES_IN(cert_foreign)), NOTHING), CUB_E_BAD);
	assert_non_null(strstr(why, "key"));
	assert_int_equal(import(BYTES(key_p256), CHAIN(LEAF, ROOT), SECRET), CUB_E_BAD);
	assert_true(is_image());
	assert_int_equal(identity_load(&other, &store, NOTHING), CUB_OK);
}

static void
a_signed_chain_is_installed_for_the_key(void **state)
{
	(void)state;
	assert_int_equal(import(BYTES(key_p256), NOTHING, NOTHING), CUB_OK);
	assert_int_equal(install(CHAIN(LEAF, INTER, ROOT)), CUB_OK);
	assert_int_equal(other.chain_count, 3);
	assert_memory_equal(other.chain[0].data, cert_leaf, sizeof cert_leaf);
	assert_memory_equal(other.key.packed, id.key.packed, id.key.packed_len);
	reopen();
	assert_int_equal(identity_load(&id, &store, NOTHING), CUB_OK);
	assert_true(is_same(&id, &other));
	/* One alone, and with only a part of those above it. */
	assert_int_equal(install(CHAIN(LEAF)), CUB_OK);
	id = (struct identity){ .der_len = 0 };
	assert_int_equal(identity_load(&id, &store, NOTHING), CUB_OK);
	assert_int_equal(install(CHAIN(LEAF, INTER)), CUB_OK);
}

static void
a_chain_is_installed_for_a_sealed_key_without_its_secret(void **state)
{
	(void)state;
	assert_int_equal(import(BYTES(key_p256), NOTHING, SECRET), CUB_OK);
	assert_int_equal(install(CHAIN(LEAF, INTER)), CUB_OK);
	assert_true(has_record(IDENTITY_SEALED) && !has_record(IDENTITY_KEY));
	assert_false(is_on_flash(id.key.packed, id.key.packed_len));
	assert_int_equal(identity_load(&id, &store, SECRET), CUB_OK);
	assert_true(is_same(&id, &other));
}

static void
try_refusal(struct bytes certs, const char *words)
{
	CLAIM(install(certs) == CUB_E_BAD, "%s", words);
	CLAIM(strstr(why, words) != NULL, "%s: %s", words, why);
	CLAIM(is_image(), "%s", words);
}

static void
a_chain_that_does_not_hold_is_refused_with_the_reason(void **state)
{
	static uint8_t damaged[sizeof cert_leaf];

	(void)state;
	assert_int_equal(import(BYTES(key_p256), NOTHING, NOTHING), CUB_OK);
	reopen();
	take_image();
	try_refusal(NOTHING, "no certificate");
	try_refusal(CHAIN(BYTES_IN(cert_foreign), INTER), "not for this device's key");
	try_refusal(CHAIN(INTER, LEAF), "not for this device's key");
	try_refusal(CHAIN(LEAF, ROOT), "order");
	try_refusal(CHAIN(LEAF, INTER, ROOT, INTER), "");
	try_refusal(CHAIN(LEAF, INTER, ROOT, ROOT, ROOT), "more certificates");
	try_refusal(CHAIN(BYTES_IN(key_p256)), "no certificate");
	try_refusal((struct bytes){ built, CHAIN(LEAF).len - 1 }, "cut short");
	try_refusal((struct bytes){ built, CHAIN(LEAF).len + 1 }, "cut short");
	memset(built, 1, sizeof built);
	try_refusal((struct bytes){ built, sizeof built }, "longer than");
	memcpy(damaged, cert_leaf, sizeof damaged);
	damaged[sizeof damaged - 1] ^= 1;
	try_refusal(CHAIN(BYTES_IN(damaged), INTER), "signature");
	if (CONFIG_CUBFTPD_RSA) {
		try_refusal(CHAIN(BYTES_IN(cert_rsa), INTER), "not for this device's key");
	}
	assert_int_equal(identity_load(&other, &store, NOTHING), CUB_OK);
	assert_true(is_same(&id, &other));
}

/* At 2032-01-01, in a clock that is right. */
static void
a_chain_whose_time_is_over_is_refused(void **state)
{
	(void)state;
	sim_time_set(INT64_C(1956528000));
	assert_true(clock_is_plausible());
	assert_int_equal(import(BYTES(key_p256), CHAIN(LEAF, INTER), NOTHING), CUB_OK);
	reopen();
	take_image();
	try_refusal(CHAIN(BYTES_IN(cert_expired), INTER), "expired");
	assert_int_equal(import(BYTES(key_p256), CHAIN(BYTES_IN(cert_expired)), NOTHING), CUB_E_BAD);
	assert_true(is_image());
}

/* Without a clock nobody knows whether it is over. */
static void
a_wrong_clock_refuses_no_chain(void **state)
{
	(void)state;
	sim_time_set(0);
	assert_false(clock_is_plausible());
	assert_int_equal(import(BYTES(key_p256), NOTHING, NOTHING), CUB_OK);
	assert_int_equal(install(CHAIN(BYTES_IN(cert_expired), INTER)), CUB_OK);
}

static void
no_chain_is_installed_for_a_key_that_the_store_does_not_hold(void **state)
{
	(void)state;
	assert_int_equal(import(BYTES(key_p256), NOTHING, NOTHING), CUB_OK);
	assert_int_equal(identity_make(&other, &store, TEXT("router-17"), NOTHING), CUB_OK);
	reopen();
	take_image();
	try_refusal(CHAIN(LEAF, INTER), "another identity");
}

static void
power_may_fail_at_any_moment_of_installing(void **state)
{
	unsigned old = 0, new = 0;
	uint64_t step = 0;

	(void)state;
	assert_int_equal(import(BYTES(key_p256), NOTHING, NOTHING), CUB_OK);
	reopen();
	/* Once appended to a bank, and once into the other one: fill it up to then. */
	for (unsigned kind = 0; kind < 3; kind++, step = 0) {
		static uint8_t filling[CUB_STORE_BANK];
		struct store_change fill = { IDENTITY_CA, 1, "x", filling, 0 };

		fill.value_len = store.base + store.bank_size - store.end - 500;
		assert_true(kind != 1 || store_write(&store, &fill, 1) == CUB_OK);
		fill.value = NULL;
		assert_true(kind != 1 || store_write(&store, &fill, 1) == CUB_OK);
		take_image();
		for (bool is_off = true; is_off; step += leap(kind)) {
			int err;

			use_flash(kind);
			put_image();
			sim_flash_cut_after(step);
			err = install(CHAIN(LEAF, INTER));
			is_off = sim_power_is_off();
			CLAIM((err == CUB_OK) == !is_off, "step %u: %d", (unsigned)step, err);
			reopen();
			err = identity_load(&other, &store, NOTHING);
			CLAIM(err == CUB_OK, "step %u: %d", (unsigned)step, err);
			CLAIM(is_same(&id, &other) || (other.chain_count == 2
				&& memcmp(other.chain[0].data, cert_leaf, sizeof cert_leaf) == 0), "step %u",
				(unsigned)step);
			old += other.chain_count == 1;
			new += other.chain_count == 2;
			CLAIM(is_off || other.chain_count == 2, "step %u", (unsigned)step);
		}
		put_image();
	}
	use_flash(0);
	assert_true(old >= 3 && new >= 3);
}

static void
a_medium_that_fails_while_installing_is_told(void **state)
{
	bool failed = true;

	(void)state;
	assert_int_equal(import(BYTES(key_p256), NOTHING, NOTHING), CUB_OK);
	reopen();
	take_image();
	for (uint64_t n = 1; failed; n++) {
		int err;

		put_image();
		sim_flash_fail_at(n, true, CUB_E_IO);
		err = install(CHAIN(LEAF, INTER));
		failed = sim_flash_failed();
		sim_flash_fail_at(0, false, CUB_E_IO);
		CLAIM(err == (failed ? CUB_E_IO : CUB_OK), "call %u: %d", (unsigned)n, err);
	}
}

/* From 2031 on, while it is 2030. That its time has not come yet is the clock's fault. */
static void
a_certificate_of_the_future_tells_the_time(void **state)
{
	(void)state;
	assert_true(clock_is_plausible());
	assert_int_equal(import(BYTES(key_p256), NOTHING, NOTHING), CUB_OK);
	assert_int_equal(install(CHAIN(BYTES_IN(cert_future), INTER)), CUB_OK);
	assert_false(clock_is_plausible());
	assert_true(clock_now() == INT64_C(1924992000));
}

/* What another boot stored. */
static void
a_certificate_that_is_loaded_tells_the_time(void **state)
{
	int64_t later_s = clock_now() + 1000;
	struct store_change change[2] = {
		{ IDENTITY_KEY, 0, NULL, id.key.packed, 0 }, { IDENTITY_CHAIN, 0, NULL, built, 0 },
	};
	int len;

	(void)state;
	key_make(&id.key);
	len = x509_self_signed(built + 2, sizeof built - 2, &id.key, TEXT("router-17"), later_s);
	assert_true(len > 0);
	built[0] = (uint8_t)len;
	built[1] = (uint8_t)(len >> 8);
	change[0].value_len = id.key.packed_len;
	change[1].value_len = 2 + (uint32_t)len;
	assert_int_equal(store_write(&store, change, 2), CUB_OK);
	assert_true(clock_now() < later_s);
	assert_int_equal(identity_load(&other, &store, NOTHING), CUB_OK);
	assert_true(clock_now() == later_s);
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
		TEST(the_identity_of_an_older_version_loads),
		TEST(with_a_secret_a_key_is_only_ever_stored_sealed),
		TEST(a_sealed_key_opens_only_with_its_secret),
		TEST(a_sealed_key_that_is_damaged_is_refused),
		TEST(a_key_in_the_clear_is_sealed_when_there_is_a_secret),
		TEST(no_older_key_stays_in_the_clear_where_there_is_a_secret),
		TEST(power_may_fail_at_any_moment_of_sealing),
		TEST(a_medium_that_fails_while_sealing_is_told),
		TEST(a_key_is_imported_with_its_chain),
		TEST(a_key_is_imported_with_a_certificate_of_its_own),
		TEST(an_rsa_key_is_sealed_as_well),
		TEST(what_is_refused_at_import_changes_nothing),
		TEST(a_signed_chain_is_installed_for_the_key),
		TEST(a_chain_is_installed_for_a_sealed_key_without_its_secret),
		TEST(a_chain_that_does_not_hold_is_refused_with_the_reason),
		TEST(a_wrong_clock_refuses_no_chain),
		TEST(no_chain_is_installed_for_a_key_that_the_store_does_not_hold),
		TEST(power_may_fail_at_any_moment_of_installing),
		TEST(a_medium_that_fails_while_installing_is_told),
		/* What they see stays seen: these come last, and in this order. */
		TEST(a_certificate_of_the_future_tells_the_time),
		TEST(a_chain_whose_time_is_over_is_refused),
		TEST(a_certificate_that_is_loaded_tells_the_time),
		TEST(the_certificates_date_is_known_to_be_past),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
