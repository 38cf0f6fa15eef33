/* SPDX-License-Identifier: MIT */
/*
 * What all sessions share: which error of a store is told in which words, that a trust store
 * which can't be used denies everybody, and that a reload takes over all or nothing.
 */
#include "unit.h"

#include "service.h"

#include "tests/data/keys.h"

#define DER(array) ((struct bytes){ (array), sizeof (array) })
#define NONE       ((struct bytes){ NULL, 0 })

static struct service sv;
static struct cubftpd_config next;
static struct identity id;
static struct store store;
static char told[256];
static struct out why;

static int
setup(void **state)
{
	unit_setup(state);
	memset(&sv, 0, sizeof sv);
	cubftpd_config_default(&sv.config);
	why = OUT(told);
	return 0;
}

/* What went wrong last; it is forgotten. */
static const char *
complaint(void)
{
	static char text[sizeof told + 1];

	snprintf(text, sizeof text, "%.*s", (int)why.len, told);
	why = OUT(told);
	return text;
}

#define COMPLAINS(part) assert_non_null(strstr(complaint(), (part)))

static const struct bytes device_secret = { (const uint8_t *)"hunter2", 7 };

/* Make an identity store, sealed if a secret is given. */
static void
make_identity(struct text name, struct bytes secret)
{
	assert_int_equal(store_open(&store, PORT_AREA_IDENTITY, "/identity", true), CUB_OK);
	assert_int_equal(identity_make(&id, &store, name, secret), CUB_OK);
	store_close(&store);
}

static void
make_accounts(unsigned count)
{
	struct account a = { .root = "/", .rights = RIGHT_READ, .iterations = 1 };

	assert_int_equal(store_open(&store, PORT_AREA_TRUST, "/trust", true), CUB_OK);
	for (unsigned i = 0; i < count; i++) {
		snprintf(a.name, sizeof a.name, "user%u", i);
		assert_int_equal(account_save(&store, &a), CUB_OK);
	}
	store_close(&store);
}

/* A record that no account is, in a store that is whole. */
static void
spoil_trust(void)
{
	struct store_change change = { ACCOUNT_RECORD, 4, "anna", "?", 1 };

	assert_int_equal(store_open(&store, PORT_AREA_TRUST, "/trust", true), CUB_OK);
	assert_int_equal(store_write(&store, &change, 1), CUB_OK);
	store_close(&store);
}

static void
a_store_that_cant_be_used_is_named_with_what_is_wrong(void **state)
{
	static const struct { int err; const char *text; } rows[] = {
		{ CUB_E_NOENT, "/x: does not exist" }, { CUB_E_BUSY, "/x: is in use by another program" },
		{ CUB_E_DENIED, "/x: permission denied, or others than its owner may use it" },
		{ CUB_E_NOTDIR, "/x: is not a directory" }, { CUB_E_FULL, "/x: is full" },
		{ CUB_E_CORRUPT, "/x: is damaged: restore it, or remove it to begin anew" },
		{ CUB_E_LIMIT, "/x: is too small for a store of this build" },
		{ CUB_E_IO, "/x: can't be read or written" }, { CUB_E_NAME, "/x: name" },
	};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		service_explain(&why, "/x", rows[i].err);
		assert_string_equal(complaint(), rows[i].text);
	}
}

static void
what_is_not_there_is_made_only_where_that_is_meant(void **state)
{
	(void)state;
	for (unsigned area = 0; area < PORT_AREAS; area++) {
		enum port_area a = (enum port_area)area;

		assert_int_equal(service_open(&sv, a, false, &why), CUB_E_NOENT);
		COMPLAINS(": does not exist");
		assert_false(sv.is_open[a]);
		assert_int_equal(service_open(&sv, a, true, &why), CUB_OK);
		assert_true(sv.is_open[a] && why.len == 0);
		assert_int_equal(service_open(&sv, a, false, &why), CUB_OK);
	}
	assert_int_equal(sv.trust_error, CUB_OK);
	assert_int_equal(service_identity(&sv)->chain_count, 0);
	service_close(&sv);
	assert_false(sim_flash_is_open(PORT_AREA_IDENTITY) || sim_flash_is_open(PORT_AREA_TRUST));
}

static void
a_store_in_use_elsewhere_is_left_alone(void **state)
{
	(void)state;
	make_accounts(1);
	sim_flash_lock_elsewhere(PORT_AREA_TRUST, true);
	assert_int_equal(service_open(&sv, PORT_AREA_TRUST, true, &why), CUB_E_BUSY);
	COMPLAINS("in use by another program");
	assert_int_equal(sv.trust_error, CUB_E_BUSY);
	sim_flash_lock_elsewhere(PORT_AREA_TRUST, false);
	assert_int_equal(service_open(&sv, PORT_AREA_TRUST, false, &why), CUB_OK);
	assert_true(sv.trust_error == CUB_OK && sv.accounts.count == 1);
	service_close(&sv);
}

static void
a_trust_store_that_makes_no_sense_denies_everybody(void **state)
{
	uint32_t changes;

	(void)state;
	make_accounts(2);
	assert_int_equal(service_open(&sv, PORT_AREA_TRUST, false, &why), CUB_OK);
	assert_int_equal(sv.accounts.count, 2);
	service_close(&sv);
	spoil_trust();
	changes = sv.changes;
	assert_int_equal(service_open(&sv, PORT_AREA_TRUST, true, &why), CUB_E_CORRUPT);
	COMPLAINS("is damaged");
	assert_true(sv.trust_error == CUB_E_CORRUPT && sv.accounts.count == 0 && sv.trust.count == 0);
	assert_true(sv.changes != changes && !sv.is_open[PORT_AREA_TRUST]);
}

static void
more_than_this_build_holds_denies_everybody(void **state)
{
	(void)state;
	make_accounts(CUB_ACCOUNTS + 1);
	assert_int_equal(service_open(&sv, PORT_AREA_TRUST, true, &why), CUB_E_FULL);
	assert_true(sv.trust_error == CUB_E_FULL && sv.accounts.count == 0);
}

/* A medium that fails while its tables are loaded after a change: nobody is let in by half. */
static void
tables_that_cant_be_loaded_again_deny_everybody(void **state)
{
	(void)state;
	make_accounts(2);
	assert_int_equal(service_open(&sv, PORT_AREA_TRUST, false, &why), CUB_OK);
	sim_flash_fail_at(1, true, CUB_E_IO);
	assert_int_equal(service_refresh(&sv, PORT_AREA_TRUST), CUB_E_IO);
	sim_flash_fail_at(0, false, CUB_OK);
	assert_true(sv.trust_error == CUB_E_IO && sv.accounts.count == 0);
	/* It is not written to any more as if it were empty, and opened anew it is whole. */
	assert_false(sim_flash_is_open(PORT_AREA_TRUST));
	assert_int_equal(service_open(&sv, PORT_AREA_TRUST, false, &why), CUB_OK);
	assert_true(sv.trust_error == CUB_OK && sv.accounts.count == 2);
	service_close(&sv);
}

/* ---- The identity and its secret ---- */

static void
an_identity_store_without_a_key_has_lost_it(void **state)
{
	(void)state;
	assert_int_equal(store_open(&store, PORT_AREA_IDENTITY, "/identity", true), CUB_OK);
	assert_int_equal(ca_save(&store, "Acme", "", DER(cert_root)), CUB_OK);
	store_close(&store);
	assert_int_equal(service_open(&sv, PORT_AREA_IDENTITY, true, &why), CUB_E_CORRUPT);
	COMPLAINS("is damaged");
	assert_false(sim_flash_is_open(PORT_AREA_IDENTITY));
}

static void
set_secret(const char *path)
{
	(void)text_copy(text_of(path), sv.config.key_secret, sizeof sv.config.key_secret);
}

static void
what_is_wrong_with_the_secret_is_told(void **state)
{
	static const uint8_t long_secret[IDENTITY_SECRET_MAX + 1] = { 1 };
	uint8_t room[IDENTITY_SECRET_MAX];
	struct bytes secret;

	(void)state;
	sim_secret_put("/empty", "", 0);
	sim_secret_put("/long", long_secret, sizeof long_secret);
	sim_secret_put("/good", device_secret.at, device_secret.len);
	assert_int_equal(service_secret(&sv.config, room, &secret, &why), CUB_OK);
	assert_int_equal(secret.len, 0);
	set_secret("/none");
	assert_int_equal(service_secret(&sv.config, room, &secret, &why), CUB_E_NOENT);
	assert_string_equal(complaint(), "key_secret /none: does not exist");
	set_secret("/empty");
	assert_int_equal(service_secret(&sv.config, room, &secret, &why), CUB_E_DENIED);
	assert_string_equal(complaint(), "key_secret /empty: is empty");
	set_secret("/long");
	assert_int_equal(service_secret(&sv.config, room, &secret, &why), CUB_E_LIMIT);
	assert_string_equal(complaint(), "key_secret /long: is longer than 256 bytes");
	set_secret("/good");
	assert_int_equal(service_secret(&sv.config, room, &secret, &why), CUB_OK);
	assert_memory_equal(secret.at, device_secret.at, device_secret.len);
	sim_secret_fail(CUB_E_DENIED);
	assert_int_equal(service_secret(&sv.config, room, &secret, &why), CUB_E_DENIED);
	COMPLAINS("key_secret /good: permission denied, or others");
	assert_true(secret.len == 0 && room[0] == 0);
}

static void
a_sealed_key_opens_with_its_secret_alone(void **state)
{
	(void)state;
	sim_secret_put("/good", device_secret.at, device_secret.len);
	sim_secret_put("/other", "hunter3", 7);
	make_identity(TEXT("router"), device_secret);
	assert_int_equal(service_open(&sv, PORT_AREA_IDENTITY, false, &why), CUB_E_DENIED);
	COMPLAINS("the key is sealed, and key_secret is not set");
	set_secret("/other");
	assert_int_equal(service_open(&sv, PORT_AREA_IDENTITY, false, &why), CUB_E_DENIED);
	COMPLAINS("key_secret does not open the sealed key");
	set_secret("/none");
	assert_int_equal(service_open(&sv, PORT_AREA_IDENTITY, false, &why), CUB_E_NOENT);
	COMPLAINS("key_secret /none: does not exist");
	assert_false(sim_flash_is_open(PORT_AREA_IDENTITY));
	set_secret("/good");
	assert_int_equal(service_open(&sv, PORT_AREA_IDENTITY, false, &why), CUB_OK);
	assert_memory_equal(service_identity(&sv)->fingerprint, id.fingerprint, 32);
	service_close(&sv);
}

static bool
is_zero(const void *at, size_t len)
{
	const uint8_t *byte = at;

	while (len > 0 && *byte == 0) {
		byte++;
		len--;
	}
	return len == 0;
}

static void
closing_wipes_keys_hashes_and_what_was_given(void **state)
{
	(void)state;
	make_identity(TEXT("router"), NONE);
	make_accounts(1);
	assert_int_equal(service_open(&sv, PORT_AREA_IDENTITY, false, &why), CUB_OK);
	assert_int_equal(service_open(&sv, PORT_AREA_TRUST, false, &why), CUB_OK);
	memset(&sv.inbox, 0x5A, sizeof sv.inbox);
	service_close(&sv);
	assert_true(is_zero(sv.identity, sizeof sv.identity));
	assert_true(is_zero(&sv.accounts, sizeof sv.accounts));
	assert_true(is_zero(&sv.inbox, sizeof sv.inbox));
}

static void
the_device_is_named_by_its_certificate_or_as_configured(void **state)
{
	(void)state;
	assert_true(text_same(service_device_name(&sv), "cubftpd"));
	(void)text_copy(text_of("shelf 3"), sv.config.device_name, sizeof sv.config.device_name);
	assert_true(text_same(service_device_name(&sv), "shelf 3"));
	make_identity(TEXT("router"), NONE);
	assert_int_equal(service_open(&sv, PORT_AREA_IDENTITY, false, &why), CUB_OK);
	assert_true(text_same(service_device_name(&sv), "router"));
	service_close(&sv);
}

/* ---- Reload ---- */

/* A server with an identity and an account, as it runs. */
static void
run(void)
{
	make_identity(TEXT("old"), NONE);
	make_accounts(1);
	assert_int_equal(service_open(&sv, PORT_AREA_IDENTITY, false, &why), CUB_OK);
	assert_int_equal(service_open(&sv, PORT_AREA_TRUST, false, &why), CUB_OK);
	next = sv.config;
}

/* Another identity in the store, the next time it is opened. */
static void
replace_identity(void)
{
	static uint8_t image[SIM_FLASH_MAX];
	static uint8_t before[SIM_FLASH_MAX];
	uint32_t len = sim_flash_size(PORT_AREA_IDENTITY), new_len;
	static struct store now;

	now = sv.store[PORT_AREA_IDENTITY];
	store_close(&now);
	memcpy(before, sim_flash_bytes(PORT_AREA_IDENTITY), len);
	sim_flash_image(PORT_AREA_IDENTITY, before, len);
	sim_flash_geometry(PORT_AREA_IDENTITY, 0, 4096, 1);
	make_identity(TEXT("new"), NONE);
	new_len = sim_flash_size(PORT_AREA_IDENTITY);
	memcpy(image, sim_flash_bytes(PORT_AREA_IDENTITY), new_len);
	sim_flash_image(PORT_AREA_IDENTITY, before, len);
	assert_int_equal(store_open(&sv.store[PORT_AREA_IDENTITY], PORT_AREA_IDENTITY,
		sv.config.identity_store, false), CUB_OK);
	sim_flash_replace(PORT_AREA_IDENTITY, image, new_len);
}

static void
a_reload_without_changes_changes_nothing(void **state)
{
	(void)state;
	run();
	assert_int_equal(service_reload(&sv, &next, &why), CUB_OK);
	assert_int_equal(sv.identity_now, 0);
	assert_memory_equal(service_identity(&sv)->fingerprint, id.fingerprint, 32);
	assert_int_equal(sv.accounts.count, 1);
	service_close(&sv);
}

static void
a_new_identity_takes_the_spare_place_unless_it_is_in_use(void **state)
{
	uint8_t old[32];

	(void)state;
	run();
	memcpy(old, id.fingerprint, sizeof old);
	replace_identity();
	sv.identity_users[1] = 1;
	assert_int_equal(service_reload(&sv, &next, &why), CUB_E_BUSY);
	COMPLAINS("try again when it has gone");
	assert_memory_equal(service_identity(&sv)->fingerprint, old, 32);
	sv.identity_users[1] = 0;
	assert_int_equal(service_reload(&sv, &next, &why), CUB_OK);
	assert_memory_equal(service_identity(&sv)->fingerprint, id.fingerprint, 32);
	/* Who still holds the one before it goes on with that. */
	assert_memory_equal(sv.identity[!sv.identity_now].fingerprint, old, 32);
	service_close(&sv);
}

static void
a_reload_that_fails_leaves_the_identity_store_of_before(void **state)
{
	(void)state;
	run();
	(void)text_copy(text_of("/other/identity"), next.identity_store, sizeof next.identity_store);
	replace_identity();
	sv.identity_users[1] = 1;
	assert_int_equal(service_reload(&sv, &next, &why), CUB_E_BUSY);
	assert_true(sv.is_open[PORT_AREA_IDENTITY]);
	assert_string_equal(sim_flash_where(PORT_AREA_IDENTITY), sv.config.identity_store);
	assert_string_not_equal(sv.config.identity_store, next.identity_store);
	sv.identity_users[1] = 0;
	sim_flash_lock_elsewhere(PORT_AREA_TRUST, true);
	assert_int_equal(service_reload(&sv, &next, &why), CUB_E_BUSY);
	assert_string_equal(sim_flash_where(PORT_AREA_IDENTITY), sv.config.identity_store);
	assert_int_equal(sv.accounts.count, 1);
	sim_flash_lock_elsewhere(PORT_AREA_TRUST, false);
	why = OUT(told);
	assert_int_equal(service_reload(&sv, &next, &why), CUB_OK);
	assert_string_equal(sim_flash_where(PORT_AREA_IDENTITY), "/other/identity");
	service_close(&sv);
}

static void
a_trust_store_found_damaged_on_reload_denies_everybody(void **state)
{
	static uint8_t image[SIM_FLASH_MAX];
	uint32_t len;

	(void)state;
	spoil_trust();
	len = sim_flash_size(PORT_AREA_TRUST);
	memcpy(image, sim_flash_bytes(PORT_AREA_TRUST), len);
	sim_flash_reset();
	run();
	sim_flash_replace(PORT_AREA_TRUST, image, len);
	assert_int_equal(service_reload(&sv, &next, &why), CUB_E_CORRUPT);
	COMPLAINS("is damaged");
	assert_true(sv.trust_error == CUB_E_CORRUPT && sv.accounts.count == 0);
	/* As at the start of the server, nothing can be written into it. */
	assert_int_equal(service_open(&sv, PORT_AREA_TRUST, true, &why), CUB_E_CORRUPT);
	assert_false(sv.is_open[PORT_AREA_TRUST]);
	service_close(&sv);
}

#undef TEST
#define TEST(name) cmocka_unit_test_setup(name, setup)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_store_that_cant_be_used_is_named_with_what_is_wrong),
		TEST(what_is_not_there_is_made_only_where_that_is_meant),
		TEST(a_store_in_use_elsewhere_is_left_alone),
		TEST(a_trust_store_that_makes_no_sense_denies_everybody),
		TEST(more_than_this_build_holds_denies_everybody),
		TEST(tables_that_cant_be_loaded_again_deny_everybody),
		TEST(an_identity_store_without_a_key_has_lost_it),
		TEST(what_is_wrong_with_the_secret_is_told),
		TEST(a_sealed_key_opens_with_its_secret_alone),
		TEST(closing_wipes_keys_hashes_and_what_was_given),
		TEST(the_device_is_named_by_its_certificate_or_as_configured),
		TEST(a_reload_without_changes_changes_nothing),
		TEST(a_new_identity_takes_the_spare_place_unless_it_is_in_use),
		TEST(a_reload_that_fails_leaves_the_identity_store_of_before),
		TEST(a_trust_store_found_damaged_on_reload_denies_everybody),
	};

	return cmocka_run_group_tests_name("service", tests, NULL, NULL);
}
