/* SPDX-License-Identifier: MIT */
/*
 * Accounts: what is stored comes back, passwords are checked at the same cost whoever is
 * named, and a record that makes no sense lets nobody in.
 */
#include "unit.h"

#include "account.h"

/* As administrators do it; certificates that log in to it are another test's. */
static int
remove_account(struct store *s, const struct account *a)
{
	struct store_change change = account_removal(a);

	return store_write(s, &change, 1);
}

static struct store store;
static struct account_table table;

static int
setup(void **state)
{
	unit_setup(state);
	memset(&table, 0x5A, sizeof table);
	assert_int_equal(store_open(&store, PORT_AREA_TRUST, "trust", true), CUB_OK);
	return 0;
}

/* An account with a hash that is as good as any other: deriving one takes its time. */
static struct account
account_of(const char *name)
{
	struct account a = { .root = "/", .rights = RIGHT_READ, .iterations = 7, .has_password = true };

	strcpy(a.name, name);
	port_random(a.salt, sizeof a.salt);
	port_random(a.hash, sizeof a.hash);
	return a;
}

static bool
is_same(const struct account *a, const struct account *b)
{
	return strcmp(a->name, b->name) == 0 && strcmp(a->root, b->root) == 0
		&& a->rights == b->rights && a->is_admin == b->is_admin
		&& a->has_password == b->has_password && a->iterations == b->iterations
		&& memcmp(a->salt, b->salt, sizeof a->salt) == 0
		&& memcmp(a->hash, b->hash, sizeof a->hash) == 0;
}

static const struct account *
find(const char *name)
{
	return account_find(&table, text_of(name));
}

static void
reload(void)
{
	store_close(&store);
	assert_int_equal(store_open(&store, PORT_AREA_TRUST, "trust", false), CUB_OK);
	assert_int_equal(account_load(&table, &store), CUB_OK);
}

static void
what_is_saved_is_loaded_in_every_field(void **state)
{
	struct account a = account_of("admin"), b = account_of("tech.7@acme_x-Y");

	(void)state;
	if (CUB_ACCOUNTS < 2) {
		skip();
	}
	a.is_admin = true;
	a.rights = RIGHT_READ | RIGHT_WRITE | RIGHT_DELETE | RIGHT_LIST;
	a.iterations = UINT32_MAX;
	memset(b.root, 'r', sizeof b.root - 1);
	b.root[0] = '/';
	b.has_password = false;
	b.rights = 0;
	assert_int_equal(account_save(&store, &a), CUB_OK);
	assert_int_equal(account_save(&store, &b), CUB_OK);
	reload();
	assert_int_equal(table.count, 2);
	assert_true(is_same(find("admin"), &a));
	assert_true(is_same(find("tech.7@acme_x-Y"), &b));
	a.rights = RIGHT_LIST;
	strcpy(a.root, "/a/b");
	assert_int_equal(account_save(&store, &a), CUB_OK);
	assert_int_equal(remove_account(&store, &b), CUB_OK);
	reload();
	assert_int_equal(table.count, 1);
	assert_true(is_same(find("admin"), &a));
	assert_null(find("tech.7@acme_x-Y"));
}

static void
a_blank_store_has_no_accounts(void **state)
{
	(void)state;
	assert_int_equal(account_load(&table, &store), CUB_OK);
	assert_int_equal(table.count, 0);
	assert_null(find("admin"));
	assert_null(find(""));
}

static void
names_are_found_byte_for_byte(void **state)
{
	struct account a = account_of("Admin");

	(void)state;
	assert_int_equal(account_save(&store, &a), CUB_OK);
	reload();
	assert_non_null(find("Admin"));
	assert_null(find("admin"));
	assert_null(find("Admi"));
	assert_null(find("Admin "));
	assert_null(account_find(&table, TEXT("Admin\0")));
	assert_null(account_find(&table, (struct text){ NULL, 0 }));
}

static void
names_are_short_and_of_harmless_characters(void **state)
{
	(void)state;
	for (int c = 0; c < 256; c++) {
		char name[3] = { 'a', (char)c, 'b' };
		bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
			|| (c != 0 && strchr("._@-", c) != NULL);

		CLAIM(account_name_is_good((struct text){ name, 3 }) == good, "byte %d", c);
	}
	assert_false(account_name_is_good(TEXT("")));
	assert_false(account_name_is_good((struct text){ NULL, 0 }));
	assert_true(account_name_is_good(TEXT("12345678901234567890123456789012")));
	assert_false(account_name_is_good(TEXT("123456789012345678901234567890123")));
}

static void
rights_are_letters_in_any_order(void **state)
{
	static const char *const bad[] = { "", "x", "rwx", "R", "r w", "rwdl,", " r" };
	uint8_t rights = 0;

	(void)state;
	for (uint8_t bits = 1; bits < 16; bits++) {
		char letters[8];
		struct out o = OUT(letters);
		struct text t;

		account_put_rights(&o, bits);
		t = out_so_far(&o);
		CLAIM(account_parse_rights(t, &rights) && rights == bits, "%u", bits);
		/* Backwards. */
		for (size_t i = 0; i < t.len / 2; i++) {
			char c = letters[i];

			letters[i] = letters[t.len - 1 - i];
			letters[t.len - 1 - i] = c;
		}
		CLAIM(account_parse_rights(t, &rights) && rights == bits, "%u", bits);
	}
	assert_true(account_parse_rights(TEXT("rr"), &rights));
	assert_int_equal(rights, RIGHT_READ);
	assert_true(account_parse_rights(TEXT("rwdl"), &rights));
	assert_int_equal(rights, RIGHT_READ | RIGHT_WRITE | RIGHT_DELETE | RIGHT_LIST);
	for (size_t i = 0; i < LEN(bad); i++) {
		CLAIM(!account_parse_rights(text_of(bad[i]), &rights), "\"%s\"", bad[i]);
	}
}

/* Check a password, and count the rounds that it takes. */
static bool
check(const struct account *a, const char *password, uint32_t *rounds)
{
	struct pbkdf2 p;
	bool done;

	account_check_start(&p, a, text_of(password));
	*rounds = 1 + p.left;
	done = pbkdf2_step(&p, p.left);
	assert_true(done);
	return account_check_end(&p, a);
}

static void
only_the_right_password_is_right(void **state)
{
	struct account a = account_of("admin");
	char longest[ACCOUNT_PASSWORD + 1];
	uint32_t rounds;

	(void)state;
	account_set_password(&a, TEXT("correct horse"));
	assert_true(a.has_password);
	assert_int_equal(account_save(&store, &a), CUB_OK);
	reload();
	assert_true(check(find("admin"), "correct horse", &rounds));
	assert_int_equal(rounds, CONFIG_CUBFTPD_PBKDF2_ITERATIONS);
	assert_false(check(find("admin"), "correct hors", &rounds));
	assert_false(check(find("admin"), "correct horse ", &rounds));
	assert_false(check(find("admin"), "Correct horse", &rounds));
	assert_false(check(find("admin"), "", &rounds));
	assert_int_equal(rounds, CONFIG_CUBFTPD_PBKDF2_ITERATIONS);
	memset(longest, 'p', sizeof longest - 1);
	longest[sizeof longest - 1] = '\0';
	account_set_password(&a, text_of(longest));
	assert_true(check(&a, longest, &rounds));
	longest[0] = 'q';
	assert_false(check(&a, longest, &rounds));
}

/* Whoever tries names must not see by the time it takes which of them exist. */
static void
an_unknown_name_costs_as_much_as_a_known_one(void **state)
{
	struct account a = account_of("admin"), passwordless = account_of("key-only");
	uint32_t known, unknown, without;

	(void)state;
	account_set_password(&a, TEXT("secret"));
	passwordless.has_password = false;
	passwordless.iterations = 1;
	assert_false(check(&a, "guess", &known));
	assert_false(check(NULL, "guess", &unknown));
	assert_false(check(&passwordless, "guess", &without));
	assert_int_equal(known, unknown);
	assert_int_equal(known, without);
}

/* All that could compare equal by accident: hashes of zeros, and one that is left over. */
static void
without_a_password_nothing_is_right(void **state)
{
	struct account a = account_of("admin");
	struct pbkdf2 p = { .left = 0 };

	(void)state;
	a.has_password = false;
	memset(a.hash, 0, sizeof a.hash);
	assert_false(account_check_end(&p, NULL));
	assert_false(account_check_end(&p, &a));
	memcpy(p.sum, a.hash, sizeof a.hash);
	assert_false(account_check_end(&p, &a));
}

static void
the_same_password_is_stored_differently_each_time(void **state)
{
	struct account a = account_of("a"), b = account_of("b");

	(void)state;
	account_set_password(&a, TEXT("secret"));
	account_set_password(&b, TEXT("secret"));
	assert_memory_not_equal(a.salt, b.salt, sizeof a.salt);
	assert_memory_not_equal(a.hash, b.hash, sizeof a.hash);
}

/* Of a login that takes its time, while an administrator changes the account. */
static void
a_copy_is_stale_once_its_account_is_gone_or_has_another_password(void **state)
{
	struct account a = account_of("admin"), copy;

	(void)state;
	assert_int_equal(account_save(&store, &a), CUB_OK);
	reload();
	copy = *find("admin");
	assert_false(account_is_stale(&copy, &table));
	a.rights = 0;
	assert_int_equal(account_save(&store, &a), CUB_OK);
	reload();
	assert_false(account_is_stale(&copy, &table));
	port_random(a.salt, sizeof a.salt);
	assert_int_equal(account_save(&store, &a), CUB_OK);
	reload();
	assert_true(account_is_stale(&copy, &table));
	copy = *find("admin");
	assert_int_equal(remove_account(&store, &a), CUB_OK);
	reload();
	assert_true(account_is_stale(&copy, &table));
}

static void
a_full_table_is_loaded_and_one_more_is_not(void **state)
{
	char name[16];
	struct account a;

	(void)state;
	for (unsigned i = 0; i < CUB_ACCOUNTS; i++) {
		snprintf(name, sizeof name, "user-%u", i);
		a = account_of(name);
		assert_int_equal(account_save(&store, &a), CUB_OK);
	}
	reload();
	assert_int_equal(table.count, CUB_ACCOUNTS);
	assert_int_equal(account_save(&store, &a), CUB_OK);  /* the last one again */
	reload();
	a = account_of("one-more");
	assert_int_equal(account_save(&store, &a), CUB_OK);
	assert_int_equal(account_load(&table, &store), CUB_E_FULL);
	assert_int_equal(table.count, 0);
	assert_null(find("user-0"));
	assert_int_equal(remove_account(&store, &a), CUB_OK);
	/* The store still tells the whole story, but where it leads fits. */
	a = account_of("user-0");
	assert_int_equal(remove_account(&store, &a), CUB_OK);
	a = account_of("instead");
	assert_int_equal(account_save(&store, &a), CUB_OK);
}

static int
load_with(const void *key, uint8_t key_len, const void *value, uint32_t value_len)
{
	struct store_change c = { ACCOUNT_RECORD, key_len, key, value, value_len };

	assert_int_equal(store_write(&store, &c, 1), CUB_OK);
	return account_load(&table, &store);
}

/* A record as in the header's description; the root begins at 54. */
static uint8_t record[54 + CUB_ACCOUNT_ROOT + 1];

static void
make_record(const char *root)
{
	memset(record, 7, sizeof record);
	memcpy(record + 54, root, strlen(root));
}

static void
a_record_is_read_as_its_description_says(void **state)
{
	const struct account *a;

	(void)state;
	make_record("/in");
	record[1] = 1;
	memcpy(record + 2, "\x01\x02\x03\x04", 4);
	assert_int_equal(load_with("name", 4, record, 57), CUB_OK);
	a = find("name");
	assert_non_null(a);
	assert_true(a->is_admin && !a->has_password && a->rights == 7);
	assert_int_equal(a->iterations, 0x04030201);
	assert_string_equal(a->root, "/in");
}

static void
empty_store(void)
{
	store_close(&store);
	sim_flash_reset();
	assert_int_equal(store_open(&store, PORT_AREA_TRUST, "trust", true), CUB_OK);
}

static void
a_record_that_makes_no_sense_lets_nobody_in(void **state)
{
	static const struct {
		const char *name, *root;
	} bad[] = {
		{ "", "/" }, { "a b", "/" }, { "a/b", "/" }, { "a\n", "/" }, { "name", "" }, { "name",
			"a" },
		{ "name", "a/b" }, { "name", "/a/" }, { "name", "/a//b" }, { "name", "/.." },
		{ "name", "/../etc" }, { "name", "/a/./b" }, { "name", "/a\n" }, { "name", "/\xFF" },
		{ "name", "/.cubftpd-1" }, { "123456789012345678901234567890123", "/" },
	};
	struct account other = account_of("other");

	(void)state;
	if (CUB_ACCOUNTS < 2) {
		skip();
	}
	for (size_t i = 0; i < LEN(bad); i++) {
		uint8_t name_len = (uint8_t)strlen(bad[i].name);

		empty_store();
		assert_int_equal(account_save(&store, &other), CUB_OK);
		make_record(bad[i].root);
		CLAIM(load_with(bad[i].name, name_len, record, (uint32_t)(54 + strlen(bad[i].root)))
			== CUB_E_CORRUPT, "%s %s", bad[i].name, bad[i].root);
		CLAIM(table.count == 0 && find("other") == NULL, "%s %s", bad[i].name, bad[i].root);
	}
	for (uint32_t len = 0; len < 55; len++) {
		empty_store();
		make_record("/");
		CLAIM(load_with("name", 4, record, len) == CUB_E_CORRUPT, "%u bytes", (unsigned)len);
	}
	empty_store();
	make_record("/");
	memset(record + 55, 'a', sizeof record - 55);
	assert_int_equal(load_with("name", 4, record, 54 + CUB_ACCOUNT_ROOT - 1), CUB_OK);
	assert_int_equal(load_with("name", 4, record, 54 + CUB_ACCOUNT_ROOT), CUB_E_CORRUPT);
	assert_int_equal(load_with("name", 4, record, sizeof record), CUB_E_CORRUPT);
	/* No rounds at all would let the derivation run for hours. */
	empty_store();
	make_record("/");
	memset(record + 2, 0, 4);
	assert_int_equal(load_with("name", 4, record, 55), CUB_E_CORRUPT);
}

/* The root ends where the record does, not at a NUL that hides the rest of it. */
static void
a_root_with_a_nul_in_it_is_damage(void **state)
{
	(void)state;
	make_record("/a");
	record[56] = '\0';
	record[57] = 'b';
	assert_int_equal(load_with("name", 4, record, 58), CUB_E_CORRUPT);
}

static void
records_of_other_types_are_left_alone(void **state)
{
	struct store_change c = { ACCOUNT_RECORD + 1, 5, "other", "x", 1 };
	struct account a = account_of("admin");

	(void)state;
	assert_int_equal(store_write(&store, &c, 1), CUB_OK);
	assert_int_equal(account_save(&store, &a), CUB_OK);
	reload();
	assert_int_equal(table.count, 1);
	assert_non_null(find("admin"));
}

static void
a_medium_that_fails_leaves_the_table_empty(void **state)
{
	struct account a = account_of("admin");
	int err = CUB_E_IO;

	(void)state;
	assert_int_equal(account_save(&store, &a), CUB_OK);
	for (uint64_t n = 1; err != CUB_OK; n++) {
		sim_flash_fail_at(n, false, CUB_E_IO);
		err = account_load(&table, &store);
		CLAIM(err == (sim_flash_failed() ? CUB_E_IO : CUB_OK), "call %u", (unsigned)n);
		CLAIM(table.count == (err == CUB_OK), "call %u", (unsigned)n);
		CLAIM((find("admin") != NULL) == (err == CUB_OK), "call %u", (unsigned)n);
	}
}

/* A few names, saved, changed and removed at random, against a list. */
static void
random_changes_agree_with_a_list(void **state)
{
	struct account kept[CUB_ACCOUNTS];
	unsigned count = 0;

	(void)state;
	for (uint32_t round = 0; round < claim_rounds(400); round++) {
		struct account a;
		char name[16];
		unsigned at = 0;

		snprintf(name, sizeof name, "user-%u", (unsigned)sim_random_below(2 * CUB_ACCOUNTS));
		a = account_of(name);
		while (at < count && strcmp(kept[at].name, name) != 0) {
			at++;
		}
		if (sim_random_below(3) == 0) {
			CLAIM(remove_account(&store, &a) == CUB_OK, "round %u", (unsigned)round);
			if (at < count) {
				kept[at] = kept[--count];
			}
		} else if (at < CUB_ACCOUNTS) {
			CLAIM(account_save(&store, &a) == CUB_OK, "round %u", (unsigned)round);
			count += at == count;
			kept[at] = a;
		}
		if (round % 8 == 0) {
			reload();
		} else {
			CLAIM(account_load(&table, &store) == CUB_OK, "round %u", (unsigned)round);
		}
		CLAIM(table.count == count, "round %u", (unsigned)round);
		for (unsigned i = 0; i < count; i++) {
			CLAIM(find(kept[i].name) != NULL && is_same(find(kept[i].name), &kept[i]), "round %u",
				(unsigned)round);
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
		TEST(a_blank_store_has_no_accounts),
		TEST(names_are_found_byte_for_byte),
		TEST(names_are_short_and_of_harmless_characters),
		TEST(rights_are_letters_in_any_order),
		TEST(only_the_right_password_is_right),
		TEST(an_unknown_name_costs_as_much_as_a_known_one),
		TEST(without_a_password_nothing_is_right),
		TEST(the_same_password_is_stored_differently_each_time),
		TEST(a_copy_is_stale_once_its_account_is_gone_or_has_another_password),
		TEST(a_full_table_is_loaded_and_one_more_is_not),
		TEST(a_record_is_read_as_its_description_says),
		TEST(a_record_that_makes_no_sense_lets_nobody_in),
		TEST(a_root_with_a_nul_in_it_is_damage),
		TEST(records_of_other_types_are_left_alone),
		TEST(a_medium_that_fails_leaves_the_table_empty),
		TEST(random_changes_agree_with_a_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
