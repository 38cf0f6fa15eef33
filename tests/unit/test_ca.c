/* SPDX-License-Identifier: MIT */
/*
 * CAs of client certificates: what is stored comes back in a form with which BearSSL verifies
 * clients, at every power cut the old CAs or the new ones, and a record that makes no sense
 * leaves no CA at all.
 */
#include "unit.h"

#include "ca.h"
#include "verify.h"

#include "tests/data/certificates.h"
#include "tests/data/chains.h"
#include "tests/data/keys.h"

#define NOW     INT64_C(1900000000)  /* in 2030 */
#define DER(of) ((struct bytes){ (of), sizeof(of) })

static struct store store;
static struct ca_table table;

static int
setup(void **state)
{
	unit_setup(state);
	memset(&table, 0x5A, sizeof table);
	assert_int_equal(store_open(&store, PORT_AREA_IDENTITY, "identity", true), CUB_OK);
	return 0;
}

static void
empty_store(void)
{
	store_close(&store);
	sim_flash_reset();
	assert_int_equal(store_open(&store, PORT_AREA_IDENTITY, "identity", true), CUB_OK);
}

/* Load into memory that holds anything: nothing of it may count. */
static int
load(void)
{
	memset(&table, 0x5A, sizeof table);
	return ca_load(&table, &store);
}

static void
reload(void)
{
	store_close(&store);
	assert_int_equal(store_open(&store, PORT_AREA_IDENTITY, "identity", false), CUB_OK);
	assert_int_equal(load(), CUB_OK);
}

static const struct ca *
find(const char *name)
{
	return ca_find(&table, text_of(name));
}

/* The anchor that a client's certificate leads to; -1: to none. */
static int
verify(struct bytes client)
{
	static uint8_t chain[2048];
	bool is_date_off;
	size_t which;

	chain[0] = (uint8_t)client.len;
	chain[1] = (uint8_t)(client.len >> 8);
	memcpy(chain + 2, client.at, client.len);
	return verify_chain((struct bytes){ chain, client.len + 2 }, X509_FOR_CLIENTS, table.anchor,
		table.count, NOW, false, &is_date_off, &which) == NULL ? (int)which : -1;
}

/*
 * A certificate like `from`, with something else in place of the element `at` of its body
 * (2: issuer, 4: subject, 5: key, after the signature's algorithm as 1). Its signature does not
 * fit, but nobody looks at that.
 */
static struct bytes
with(struct bytes from, unsigned at, struct bytes instead)
{
	static uint8_t made[16384];
	struct der_in all = der_open(from), whole = der_enter(&all, DER_SEQUENCE);
	struct der_in body = der_enter(&whole, DER_SEQUENCE);
	struct bytes part[8], algorithm, signature;
	const uint8_t *until;
	unsigned count = 0;
	struct der d;

	(void)der_take_whole(&body, DER_CONSTRUCTED(0));
	while (count < LEN(part) && der_peek(&body) != 0) {
		part[count++] = der_take_whole(&body, der_peek(&body));
	}
	der_leave(&whole, &body);
	algorithm = der_take_whole(&whole, DER_SEQUENCE);
	signature = der_take_whole(&whole, DER_BIT_STRING);
	assert_true(der_is_done(&whole));
	part[at] = instead;
	der_start(&d, made, sizeof made);
	der_put(&d, signature.at, signature.len);
	der_put(&d, algorithm.at, algorithm.len);
	until = d.at;
	while (count > 0) {
		count--;
		der_put(&d, part[count].at, part[count].len);
	}
	der_put(&d, "\xA0\3\2\1\2", 5);
	der_wrap(&d, DER_SEQUENCE, until);
	der_wrap(&d, DER_SEQUENCE, d.end);
	assert_false(d.cut);
	return (struct bytes){ d.at, (size_t)(d.end - d.at) };
}

/* A Name of so many bytes, from 20 up: a common name of "x". */
static struct bytes
name_of(size_t len)
{
	static uint8_t made[8192], text[8192];
	const uint8_t *until;
	size_t text_len = len;
	struct der d;

	memset(text, 'x', sizeof text);
	do {
		der_start(&d, made, sizeof made);
		until = d.at;
		der_element(&d, DER_UTF8_STRING, text, --text_len);
		der_put(&d, "\6\3\x55\4\3", 5);
		der_wrap(&d, DER_SEQUENCE, until);
		der_wrap(&d, DER_SET, until);
		der_wrap(&d, DER_SEQUENCE, until);
	} while ((size_t)(d.end - d.at) > len);
	return (struct bytes){ d.at, (size_t)(d.end - d.at) };
}

static void
what_is_saved_is_loaded_in_every_field(void **state)
{
	const struct ca *ca;
	struct x509_cert cert;
	uint8_t hash[32];

	(void)state;
	assert_int_equal(ca_save(&store, "Acme CA", "tech", DER(chain_root)), CUB_OK);
	reload();
	assert_int_equal(table.count, 1);
	ca = find("Acme CA");
	assert_non_null(ca);
	assert_string_equal(ca->name, "Acme CA");
	assert_string_equal(ca->account, "tech");
	assert_string_equal(ca->subject, "CN=Root");
	assert_null(x509_read(DER(chain_root), &cert));
	assert_true(ca->until_s == cert.until_s);
	assert_int_equal(ca->der_len, sizeof chain_root);
	x509_hash(DER(chain_root), hash);
	assert_memory_equal(ca->fingerprint, hash, 32);
	assert_ptr_equal(ca_find_fingerprint(&table, hash), ca);
	hash[31] ^= 1;
	assert_null(ca_find_fingerprint(&table, hash));
	assert_null(find("Acme"));
	assert_null(find("acme CA"));
	assert_null(find("Acme CA "));
	/* The same again with another certificate, and without an account. */
	assert_int_equal(ca_save(&store, "Acme CA", "", DER(chain_twin)), CUB_OK);
	reload();
	assert_int_equal(table.count, 1);
	assert_string_equal(find("Acme CA")->account, "");
	assert_int_equal(ca_remove(&store, find("Acme CA")), CUB_OK);
	reload();
	assert_int_equal(table.count, 0);
	assert_null(find("Acme CA"));
}

static void
a_blank_store_has_no_ca(void **state)
{
	uint8_t zeros[32] = { 0 };

	(void)state;
	assert_int_equal(load(), CUB_OK);
	assert_int_equal(table.count, 0);
	assert_null(find(""));
	assert_null(ca_find_fingerprint(&table, zeros));
	assert_int_equal(verify(DER(chain_direct)), -1);
}

static void
clients_are_verified_with_the_table_and_lead_to_their_own_ca(void **state)
{
	(void)state;
	if (CUB_CAS < 2) {
		skip();
	}
	assert_int_equal(ca_save(&store, "twin", "", DER(chain_twin)), CUB_OK);
	assert_int_equal(ca_save(&store, "root", "tech", DER(chain_root)), CUB_OK);
	reload();
	/* Both have the same name, so only the key tells them apart. */
	assert_ptr_equal(&table.item[verify(DER(chain_direct))], find("root"));
	assert_int_equal(ca_remove(&store, find("root")), CUB_OK);
	reload();
	assert_int_equal(verify(DER(chain_direct)), -1);
	assert_int_equal(ca_save(&store, "root", "tech", DER(chain_root)), CUB_OK);
	assert_int_equal(ca_remove(&store, find("twin")), CUB_OK);
	reload();
	assert_int_equal(verify(DER(chain_direct)), 0);
	assert_int_equal(verify(DER(chain_expired)), -1);
	assert_int_equal(verify(DER(chain_leaf)), -1);
}

static void
clients_of_an_rsa_ca_are_verified_too(void **state)
{
	(void)state;
	if (!CONFIG_CUBFTPD_RSA) {
		skip();
	}
	assert_int_equal(ca_save(&store, "rsa", "", DER(chain_rsa_root)), CUB_OK);
	reload();
	assert_int_equal(verify(DER(chain_rsa_leaf)), 0);
	assert_int_equal(verify(DER(chain_mixed_leaf)), 0);
	assert_int_equal(verify(DER(chain_direct)), -1);
}

/* The largest of each kind has room, name and key. */
static void
keys_of_all_sizes_are_kept_whole(void **state)
{
	static const struct {
		bool built;
		struct bytes spki;
	} table_of_keys[] = {
		{ true, { key_p256_public, sizeof key_p256_public } },
		{ CONFIG_CUBFTPD_P384, { key_p384_public, sizeof key_p384_public } },
		{ CONFIG_CUBFTPD_RSA, { key_rsa2048_public, sizeof key_rsa2048_public } },
		{ CONFIG_CUBFTPD_RSA, { key_rsa2049_e3_public, sizeof key_rsa2049_e3_public } },
		{ CONFIG_CUBFTPD_RSA, { key_rsa4096_public, sizeof key_rsa4096_public } },
	};

	(void)state;
	for (size_t i = 0; i < LEN(table_of_keys); i++) {
		struct bytes der = with(DER(chain_root), 5, table_of_keys[i].spki);
		const br_x509_pkey *found = &table.anchor[0].key;
		struct key_public public;
		br_x509_pkey want;

		CLAIM((ca_check(der, NOW) == NULL) == table_of_keys[i].built, "key %zu", i);
		if (!table_of_keys[i].built) {
			continue;
		}
		empty_store();
		assert_int_equal(ca_save(&store, "ca", "", der), CUB_OK);
		CLAIM(load() == CUB_OK, "key %zu", i);
		assert_null(key_read_public(table_of_keys[i].spki, &public));
		want = key_for_bearssl(&public);
		assert_int_equal(found->key_type, want.key_type);
		if (want.key_type == BR_KEYTYPE_EC) {
			assert_int_equal(found->key.ec.curve, want.key.ec.curve);
			assert_int_equal(found->key.ec.qlen, want.key.ec.qlen);
			assert_memory_equal(found->key.ec.q, want.key.ec.q, want.key.ec.qlen);
		} else {
			assert_int_equal(found->key.rsa.nlen, want.key.rsa.nlen);
			assert_memory_equal(found->key.rsa.n, want.key.rsa.n, want.key.rsa.nlen);
			assert_int_equal(found->key.rsa.elen, want.key.rsa.elen);
			assert_memory_equal(found->key.rsa.e, want.key.rsa.e, want.key.rsa.elen);
		}
	}
}

static void
anchors_point_into_the_table_and_nowhere_else(void **state)
{
	(void)state;
	assert_int_equal(ca_save(&store, "root", "", DER(chain_root)), CUB_OK);
	assert_int_equal(ca_save(&store, "middle", "", DER(chain_middle)), CUB_OK);
	assert_int_equal(load(), CUB_OK);
	for (unsigned i = 0; i < 2; i++) {
		assert_ptr_equal(table.name[i].data, table.item[i].dn);
		assert_ptr_equal(table.anchor[i].name.at, table.item[i].dn);
		assert_int_equal(table.anchor[i].name.len, table.name[i].len);
		assert_ptr_equal(table.anchor[i].key.key.ec.q, table.item[i].key);
		assert_int_equal(table.anchor[i].until_s, table.item[i].until_s);
	}
	assert_int_equal(table.anchor[0].path_length, -1);
	assert_int_equal(table.anchor[1].path_length, 0);
}

static bool
has(const char *why, const char *part)
{
	return why != NULL && strstr(why, part) != NULL;
}

static void
what_can_be_no_ca_is_refused_with_its_reason(void **state)
{
	struct x509_cert brief;

	(void)state;
	assert_null(ca_check(DER(chain_root), NOW));
	assert_null(ca_check(DER(chain_middle), NOW));
	assert_true(has(ca_check(DER(chain_no_flag), NOW), "CA:TRUE"));
	assert_true(has(ca_check(DER(chain_direct), NOW), "CA:TRUE"));
	assert_true(has(ca_check(DER(chain_no_usage), NOW), "key usage"));
	assert_true(has(ca_check(DER(chain_bounded), NOW), "critical"));
	assert_true(has(ca_check(with(DER(chain_root), 5, DER(key_rsa1024_public)), NOW), "key"));
	assert_true(has(ca_check(DER(certificate_ed25519), NOW), "Ed25519"));
	assert_true(has(ca_check((struct bytes){ NULL, 0 }, NOW), "no certificate"));
	assert_non_null(ca_check((struct bytes){ chain_root, sizeof chain_root - 1 }, NOW));
	assert_null(x509_read(DER(chain_brief), &brief));
	assert_null(ca_check(DER(chain_brief), brief.until_s));
	assert_true(has(ca_check(DER(chain_brief), brief.until_s + 1), "expired"));
}

static void
a_ca_has_its_limits_of_length(void **state)
{
	(void)state;
	assert_null(ca_check(with(DER(chain_root), 4, name_of(CUB_DN_MAX)), NOW));
	assert_true(has(ca_check(with(DER(chain_root), 4, name_of(CUB_DN_MAX + 1)), NOW), "too long"));
	for (size_t len = CUB_CA_MAX - 500; ; len++) {
		struct bytes der = with(DER(chain_root), 2, name_of(len));

		CLAIM(has(ca_check(der, NOW), "too long") == (der.len > CUB_CA_MAX), "%zu bytes", der.len);
		if (der.len == CUB_CA_MAX || der.len == CUB_CA_MAX + 1) {
			empty_store();
			assert_int_equal(ca_save(&store, "12345678901234567890123456789012",
				der.len > CUB_CA_MAX ? "" : "abcdefghijklmnopqrstuvwxyz.12345", der), CUB_OK);
			assert_int_equal(load(), der.len > CUB_CA_MAX ? CUB_E_CORRUPT : CUB_OK);
		}
		if (der.len > CUB_CA_MAX) {
			assert_int_equal(der.len, CUB_CA_MAX + 1);
			break;
		}
	}
}

/* An expired one is no damage: it says so where it is shown. */
static void
a_ca_that_has_expired_is_loaded(void **state)
{
	(void)state;
	assert_int_equal(ca_save(&store, "brief", "", DER(chain_brief)), CUB_OK);
	assert_int_equal(load(), CUB_OK);
	assert_true(find("brief")->until_s < NOW);
}

static void
a_full_table_is_loaded_and_one_more_is_not(void **state)
{
	char name[16];

	(void)state;
	for (unsigned i = 0; i < CUB_CAS; i++) {
		snprintf(name, sizeof name, "ca-%u", i);
		assert_int_equal(ca_save(&store, name, "", DER(chain_root)), CUB_OK);
	}
	assert_int_equal(ca_save(&store, name, "a", DER(chain_twin)), CUB_OK);
	reload();
	assert_int_equal(table.count, CUB_CAS);
	assert_string_equal(find(name)->account, "a");
	assert_int_equal(ca_save(&store, "one-more", "", DER(chain_root)), CUB_OK);
	assert_int_equal(load(), CUB_E_FULL);
	assert_int_equal(table.count, 0);
	assert_null(find("ca-0"));
}

static int
load_with(const char *key, uint8_t key_len, const uint8_t *value, size_t value_len)
{
	struct store_change c = { IDENTITY_CA, key_len, key, value, (uint32_t)value_len };

	assert_int_equal(store_write(&store, &c, 1), CUB_OK);
	return load();
}

/* A record as in the header's description. */
static uint8_t record[1 + 255 + sizeof chain_root];

static size_t
make_record(const char *account)
{
	size_t len = strlen(account);

	record[0] = (uint8_t)len;
	memcpy(record + 1, account, len);
	memcpy(record + 1 + len, chain_root, sizeof chain_root);
	return 1 + len + sizeof chain_root;
}

static void
a_record_is_read_and_written_as_its_description_says(void **state)
{
	size_t len = make_record("tech.7");
	static uint8_t found[sizeof record];
	struct store_record r;

	(void)state;
	assert_int_equal(load_with("Acme", 4, record, len), CUB_OK);
	assert_string_equal(find("Acme")->account, "tech.7");
	assert_int_equal(find("Acme")->der_len, sizeof chain_root);
	empty_store();
	assert_int_equal(ca_save(&store, "Acme", "tech.7", DER(chain_root)), CUB_OK);
	assert_int_equal(store_find(&store, IDENTITY_CA, "Acme", 4, &r), CUB_OK);
	assert_int_equal(r.value_len, len);
	assert_int_equal(store_read(&store, &r, 0, found, r.value_len), CUB_OK);
	assert_memory_equal(found, record, len);
}

static void
a_record_that_makes_no_sense_leaves_no_ca(void **state)
{
	static const struct {
		const char *name, *account;
	} bad[] = {
		{ "", "" }, { ".a", "" }, { "-a", "" }, { "a/b", "" }, { "a\n", "" }, { "\xFF", "" },
		{ "123456789012345678901234567890123", "" }, { "a", "a b" }, { "a", "/" }, { "a", "a\n" },
		{ "a", "123456789012345678901234567890123" },
	};

	(void)state;
	if (CUB_CAS < 2) {
		skip();
	}
	for (size_t i = 0; i < LEN(bad); i++) {
		size_t len = make_record(bad[i].account);

		empty_store();
		assert_int_equal(ca_save(&store, "other", "", DER(chain_twin)), CUB_OK);
		CLAIM(load_with(bad[i].name, (uint8_t)strlen(bad[i].name), record, len) == CUB_E_CORRUPT,
			"\"%s\", \"%s\"", bad[i].name, bad[i].account);
		CLAIM(table.count == 0 && find("other") == NULL, "\"%s\", \"%s\"", bad[i].name,
			bad[i].account);
	}
	empty_store();
	assert_int_equal(ca_save(&store, "other", "", DER(chain_direct)), CUB_OK);
	assert_int_equal(load(), CUB_E_CORRUPT);
	assert_int_equal(table.count, 0);
}

static void
a_record_of_any_other_length_leaves_no_ca(void **state)
{
	static const uint8_t long_one[CUB_CA_MAX + 200];
	size_t whole = make_record("tech");

	(void)state;
	for (size_t len = 0; len <= whole + 1; len++) {
		empty_store();
		CLAIM(load_with("a", 1, record, len) == (len == whole ? CUB_OK : CUB_E_CORRUPT),
			"%zu bytes", len);
		CLAIM(table.count == (len == whole), "%zu bytes", len);
	}
	empty_store();
	assert_int_equal(load_with("a", 1, long_one, sizeof long_one), CUB_E_CORRUPT);
	assert_int_equal(load_with("a", 1, (const uint8_t *)"\xFF\0", 2), CUB_E_CORRUPT);
}

/* Also where somebody has made the CRC right again. */
static void
a_record_with_any_byte_changed_is_refused_or_read_as_it_stands(void **state)
{
	size_t whole = make_record("tech");
	unsigned good = 0;

	(void)state;
	for (uint32_t round = 0; round < claim_rounds(4000); round++) {
		size_t at = round < whole ? round : sim_random_below((uint32_t)whole);
		int err;

		make_record("tech");
		record[at] = (uint8_t)(record[at] ^ (1 + sim_random_below(255)));
		empty_store();
		err = load_with("a", 1, record, whole);
		CLAIM(err == CUB_OK || err == CUB_E_CORRUPT, "byte %zu: %d", at, err);
		CLAIM(table.count == (err == CUB_OK), "byte %zu", at);
		good += err == CUB_OK;
		if (err == CUB_OK) {
			CLAIM(table.anchor[0].name.len <= CUB_DN_MAX, "byte %zu", at);
			CLAIM(strlen(find("a")->subject) < CUB_NAME_SHOWN, "byte %zu", at);
		}
	}
	assert_int_not_equal(good, 0);
}

static void
records_of_other_types_are_left_alone(void **state)
{
	struct store_change c = { IDENTITY_KEY, 0, "", "x", 1 };

	(void)state;
	assert_int_equal(store_write(&store, &c, 1), CUB_OK);
	assert_int_equal(ca_save(&store, "root", "", DER(chain_root)), CUB_OK);
	reload();
	assert_int_equal(table.count, 1);
}

static void
a_medium_that_fails_leaves_the_table_empty(void **state)
{
	int err = CUB_E_IO;

	(void)state;
	assert_int_equal(ca_save(&store, "root", "", DER(chain_root)), CUB_OK);
	for (uint64_t n = 1; err != CUB_OK; n++) {
		sim_flash_fail_at(n, false, CUB_E_IO);
		err = load();
		CLAIM(err == (sim_flash_failed() ? CUB_E_IO : CUB_OK), "call %u", (unsigned)n);
		CLAIM(table.count == (err == CUB_OK), "call %u", (unsigned)n);
	}
}

static void
a_certificate_is_read_back_in_pieces(void **state)
{
	static uint8_t read[sizeof chain_root];
	struct ca gone;

	(void)state;
	assert_int_equal(ca_save(&store, "root", "tech", DER(chain_root)), CUB_OK);
	reload();
	for (uint32_t from = 0, len; from < sizeof read; from += len) {
		len = 1 + sim_random_below(100);
		len = len < sizeof read - from ? len : (uint32_t)sizeof read - from;
		assert_int_equal(ca_read(&store, find("root"), from, read + from, len), CUB_OK);
	}
	assert_memory_equal(read, chain_root, sizeof read);
	assert_int_equal(ca_read(&store, find("root"), sizeof read, read, 0), CUB_OK);
	gone = *find("root");
	assert_int_equal(ca_save(&store, "root", "tech", DER(chain_middle)), CUB_OK);
	assert_int_equal(ca_read(&store, &gone, 0, read, 10), CUB_E_NOENT);
	assert_int_equal(ca_remove(&store, &gone), CUB_OK);
	assert_int_equal(ca_read(&store, &gone, 0, read, 10), CUB_E_NOENT);
	sim_flash_fail_at(1, true, CUB_E_IO);
	assert_int_equal(ca_read(&store, &gone, 0, read, 10), CUB_E_IO);
}

/* An index into the table for a name and an account, or what is there instead. */
static bool
holds(const char *name, struct bytes der, const char *account)
{
	const struct ca *ca = find(name);
	uint8_t hash[32];

	x509_hash(der, hash);
	return ca != NULL && memcmp(ca->fingerprint, hash, 32) == 0
		&& strcmp(ca->account, account) == 0;
}

static void
ca_changes_are_all_or_nothing_at_every_power_cut(void **state)
{
	enum { ADD, CHANGE, REMOVE } change;
	bool is_off;

	(void)state;
	if (CUB_CAS < 2) {
		skip();
	}
	for (change = ADD; change <= REMOVE; change++) {
		is_off = true;
		for (uint64_t step = 0; is_off; step += 1 + sim_random_below(12)) {
			struct ca old = { .name = "changed" };
			bool is_old, is_new;
			int err;

			empty_store();
			assert_int_equal(ca_save(&store, "kept", "", DER(chain_root)), CUB_OK);
			if (change != ADD) {
				assert_int_equal(ca_save(&store, "changed", "old", DER(chain_twin)), CUB_OK);
			}
			sim_flash_cut_after(step);
			err = change == REMOVE ? ca_remove(&store, &old)
				: ca_save(&store, "changed", "new", DER(chain_middle));
			is_off = sim_power_is_off();
			CLAIM(err == (is_off ? CUB_E_IO : CUB_OK), "step %u: %d", (unsigned)step, err);
			sim_power_cut();
			sim_power_on();
			reload();
			is_old = change == ADD ? find("changed") == NULL
				: holds("changed", DER(chain_twin), "old");
			is_new = change == REMOVE ? find("changed") == NULL
				: holds("changed", DER(chain_middle), "new");
			CLAIM(holds("kept", DER(chain_root), ""), "step %u", (unsigned)step);
			CLAIM((is_off && is_old) || is_new, "step %u", (unsigned)step);
		}
	}
}

#undef TEST
#define TEST(name) cmocka_unit_test_setup(name, setup)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_saved_is_loaded_in_every_field),
		TEST(a_blank_store_has_no_ca),
		TEST(clients_are_verified_with_the_table_and_lead_to_their_own_ca),
		TEST(clients_of_an_rsa_ca_are_verified_too),
		TEST(keys_of_all_sizes_are_kept_whole),
		TEST(anchors_point_into_the_table_and_nowhere_else),
		TEST(what_can_be_no_ca_is_refused_with_its_reason),
		TEST(a_ca_has_its_limits_of_length),
		TEST(a_ca_that_has_expired_is_loaded),
		TEST(a_full_table_is_loaded_and_one_more_is_not),
		TEST(a_record_is_read_and_written_as_its_description_says),
		TEST(a_record_that_makes_no_sense_leaves_no_ca),
		TEST(a_record_of_any_other_length_leaves_no_ca),
		TEST(a_record_with_any_byte_changed_is_refused_or_read_as_it_stands),
		TEST(records_of_other_types_are_left_alone),
		TEST(a_medium_that_fails_leaves_the_table_empty),
		TEST(a_certificate_is_read_back_in_pieces),
		TEST(ca_changes_are_all_or_nothing_at_every_power_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
