/* SPDX-License-Identifier: MIT */
/*
 * Trusted certificates: what is stored comes back, at every power cut the old entries or the
 * new ones, a record that makes no sense lets nobody in, and only the certificate or the key
 * that was trusted is found.
 */
#include "unit.h"

#include "clock.h"
#include "trust.h"

/* As administrators do it. */
static int
remove_trust(struct store *s, const struct trusted *t)
{
	struct store_change change = trust_removal(t);

	return store_write(s, &change, 1);
}

static struct store store;
static struct trust_table table;

static int
setup(void **state)
{
	unit_setup(state);
	memset(&table, 0x5A, sizeof table);
	assert_int_equal(store_open(&store, PORT_AREA_TRUST, "trust", true), CUB_OK);
	return 0;
}

static void
empty_store(void)
{
	store_close(&store);
	sim_flash_reset();
	assert_int_equal(store_open(&store, PORT_AREA_TRUST, "trust", true), CUB_OK);
}

static struct trusted
entry_of(const char *label)
{
	struct trusted t = { .account = "tech", .knows_key = true, .until_s = 20000000, .added_s = 1 };

	strcpy(t.label, label);
	port_random(t.cert, sizeof t.cert);
	port_random(t.key, sizeof t.key);
	return t;
}

static bool
is_same(const struct trusted *a, const struct trusted *b)
{
	return a != NULL && b != NULL && memcmp(a->cert, b->cert, 32) == 0
		&& memcmp(a->key, b->key, 32) == 0 && strcmp(a->account, b->account) == 0
		&& strcmp(a->label, b->label) == 0 && a->is_exact == b->is_exact
		&& a->is_admin == b->is_admin && a->knows_key == b->knows_key
		&& a->until_s == b->until_s && a->added_s == b->added_s;
}

static const struct trusted *
find(const char *label)
{
	return trust_find_label(&table, text_of(label));
}

static void
reload(void)
{
	store_close(&store);
	assert_int_equal(store_open(&store, PORT_AREA_TRUST, "trust", false), CUB_OK);
	assert_int_equal(trust_load(&table, &store), CUB_OK);
}

/* Of a device without a clock: when it starts again, it knows at least that much. */
static void
the_day_of_the_latest_trust_is_known_to_be_past(void **state)
{
	struct trusted t = entry_of("laptop");

	(void)state;
	assert_true(clock_is_plausible());
	t.added_s = port_time() + 86400;
	assert_int_equal(trust_save(&store, &t), CUB_OK);
	reload();
	assert_false(clock_is_plausible());
	assert_int_equal(clock_now(), t.added_s);
	sim_time_set(t.added_s);
	assert_true(clock_is_plausible());
}

static void
what_is_saved_is_loaded_in_every_field(void **state)
{
	struct trusted a = entry_of("Laptop of Zo\xC3\xAB"), b = entry_of("b");

	(void)state;
	if (CUB_TRUSTED < 2) {
		skip();
	}
	memset(a.account, 'n', sizeof a.account - 1);
	memset(a.label, 'l', sizeof a.label - 1);
	a.is_admin = true;
	a.until_s = TRUST_UNKNOWN;
	a.added_s = INT64_C(0x0102030405060708);
	b.knows_key = false;
	b.is_exact = true;
	b.until_s = INT64_MIN;
	assert_int_equal(trust_save(&store, &a), CUB_OK);
	assert_int_equal(trust_save(&store, &b), CUB_OK);
	reload();
	assert_int_equal(table.count, 2);
	assert_true(is_same(find(a.label), &a));
	assert_true(is_same(find("b"), &b));
	strcpy(a.label, "renamed");
	a.is_exact = true;
	a.is_admin = false;
	assert_int_equal(trust_save(&store, &a), CUB_OK);
	assert_int_equal(remove_trust(&store, &b), CUB_OK);
	reload();
	assert_int_equal(table.count, 1);
	assert_true(is_same(find("renamed"), &a));
	assert_null(find("b"));
}

static void
a_blank_store_trusts_nobody(void **state)
{
	uint8_t zeros[32] = { 0 }, any[32] = { 1 };

	(void)state;
	assert_int_equal(trust_load(&table, &store), CUB_OK);
	assert_int_equal(table.count, 0);
	assert_null(trust_find(&table, any, any));
	assert_null(trust_find(&table, zeros, zeros));
	assert_null(find(""));
}

static void
an_exact_entry_does_not_accept_a_renewed_certificate_with_its_key(void **state)
{
	struct trusted a = entry_of("a");
	uint8_t renewed[32];

	(void)state;
	port_random(renewed, sizeof renewed);
	a.is_exact = true;
	assert_int_equal(trust_save(&store, &a), CUB_OK);
	reload();
	assert_true(is_same(trust_find(&table, a.cert, a.key), &a));
	assert_null(trust_find(&table, renewed, a.key));
}

static void
an_entry_that_is_not_exact_accepts_every_certificate_with_its_key(void **state)
{
	struct trusted a = entry_of("a");
	uint8_t other[32];

	(void)state;
	port_random(other, sizeof other);
	assert_int_equal(trust_save(&store, &a), CUB_OK);
	reload();
	assert_true(is_same(trust_find(&table, a.cert, a.key), &a));
	assert_true(is_same(trust_find(&table, other, a.key), &a));
	assert_null(trust_find(&table, other, other));
	assert_null(trust_find(&table, a.key, a.cert));
}

static void
an_entry_without_a_known_key_never_matches_by_key(void **state)
{
	struct trusted a = entry_of("a");
	uint8_t other[32];

	(void)state;
	port_random(other, sizeof other);
	a.knows_key = false;
	assert_int_equal(trust_save(&store, &a), CUB_OK);
	reload();
	assert_int_equal(table.count, 1);
	assert_true(table.item[0].is_exact && !table.item[0].knows_key);
	assert_non_null(trust_find(&table, a.cert, a.key));
	assert_null(trust_find(&table, other, a.key));
	/* Also if somebody forgets that it is exact. */
	table.item[0].is_exact = false;
	assert_null(trust_find(&table, other, a.key));
}

static void
the_entry_for_a_certificate_goes_before_the_one_for_its_key(void **state)
{
	struct trusted by_key = entry_of("key"), by_cert = entry_of("cert");

	(void)state;
	if (CUB_TRUSTED < 2) {
		skip();
	}
	memcpy(by_cert.key, by_key.key, sizeof by_key.key);
	by_cert.is_exact = true;
	assert_int_equal(trust_save(&store, &by_key), CUB_OK);
	assert_int_equal(trust_save(&store, &by_cert), CUB_OK);
	reload();
	assert_true(is_same(trust_find(&table, by_cert.cert, by_cert.key), &by_cert));
	assert_true(is_same(trust_find(&table, by_key.cert, by_key.key), &by_key));
}

/* Row 4.12 of the checklist. */
static void
hashes_of_zeros_never_match(void **state)
{
	static const uint8_t zeros[32];
	uint8_t other[32] = { 1 };

	(void)state;
	table = (struct trust_table){ .count = 1, .item[0] = { .knows_key = true } };
	assert_null(trust_find(&table, zeros, zeros));
	assert_null(trust_find(&table, other, zeros));
	assert_null(trust_find(&table, zeros, other));
}

static void
every_bit_of_a_hash_counts(void **state)
{
	struct trusted a = entry_of("a");
	uint8_t other[32];

	(void)state;
	port_random(other, sizeof other);
	table = (struct trust_table){ .count = 1, .item[0] = a };
	for (unsigned bit = 0; bit < 256; bit++) {
		uint8_t mask = (uint8_t)(1 << bit % 8);

		a.cert[bit / 8] ^= mask;
		CLAIM(trust_find(&table, a.cert, other) == NULL, "bit %u", bit);
		a.cert[bit / 8] ^= mask;
		a.key[bit / 8] ^= mask;
		CLAIM(trust_find(&table, other, a.key) == NULL, "bit %u", bit);
		a.key[bit / 8] ^= mask;
	}
}

static void
labels_are_found_byte_for_byte(void **state)
{
	struct trusted a = entry_of("Laptop");

	(void)state;
	assert_int_equal(trust_save(&store, &a), CUB_OK);
	reload();
	assert_non_null(find("Laptop"));
	assert_null(find("laptop"));
	assert_null(find("Lapto"));
	assert_null(find("Laptop "));
	assert_null(trust_find_label(&table, TEXT("Laptop\0")));
	assert_null(trust_find_label(&table, (struct text){ NULL, 0 }));
}

static void
labels_can_be_names_of_files(void **state)
{
	static const char *const good[] = {
		"a", "Technician 7", "a.b-c_d", "Zo\xC3\xAB", "12345678901234567890123456789012", "a.", "~",
	};
	static const char *const bad[] = {
		"", ".", "..", ".a", "-a", "-", "\xFF", "\xC3", "123456789012345678901234567890123",
		"1234567890123456789012345678901\xC3\xAB", "\xC2\x80",
	};

	(void)state;
	for (size_t i = 0; i < LEN(good); i++) {
		CLAIM(trust_label_is_good(text_of(good[i])), "\"%s\"", good[i]);
	}
	for (size_t i = 0; i < LEN(bad); i++) {
		CLAIM(!trust_label_is_good(text_of(bad[i])), "\"%s\"", bad[i]);
	}
	assert_false(trust_label_is_good((struct text){ NULL, 0 }));
	for (int c = 0; c < 128; c++) {
		char label[3] = { 'a', (char)c, 'b' };
		bool is_good = c >= ' ' && c < 0x7F && strchr("/+\"'", c) == NULL;

		CLAIM(trust_label_is_good((struct text){ label, 3 }) == is_good, "byte %d", c);
	}
}

static void
a_full_table_is_loaded_and_one_more_is_not(void **state)
{
	struct trusted first, last, more = entry_of("one-more");
	char label[16];

	(void)state;
	for (unsigned i = 0; i < CUB_TRUSTED; i++) {
		snprintf(label, sizeof label, "entry-%u", i);
		last = entry_of(label);
		if (i == 0) {
			first = last;
		}
		assert_int_equal(trust_save(&store, &last), CUB_OK);
	}
	reload();
	assert_int_equal(table.count, CUB_TRUSTED);
	assert_int_equal(trust_save(&store, &last), CUB_OK);  /* the last one again */
	reload();
	assert_int_equal(trust_save(&store, &more), CUB_OK);
	assert_int_equal(trust_load(&table, &store), CUB_E_FULL);
	assert_int_equal(table.count, 0);
	assert_null(trust_find(&table, first.cert, first.key));
	empty_store();
	/* The same again in an order that always fits. */
	assert_int_equal(trust_save(&store, &first), CUB_OK);
	assert_int_equal(remove_trust(&store, &first), CUB_OK);
	assert_int_equal(trust_save(&store, &more), CUB_OK);
	reload();
	assert_int_equal(table.count, 1);
}

/* A record as in the header's description. */
struct record {
	uint8_t  key[64];
	uint8_t  key_len;
	uint8_t  value[160];
	uint32_t value_len;
};

static struct record
record_of(uint8_t flags, const char *account, const char *label)
{
	struct record r = { .key_len = 32 };

	memset(r.key, 0xC1, sizeof r.key);
	memset(r.value, 0xE2, sizeof r.value);
	r.value[0] = flags;
	memcpy(r.value + 33, "\1\2\3\4\5\6\7\x08\x11\x12\x13\x14\x15\x16\x17\x18", 16);
	r.value[49] = (uint8_t)strlen(account);
	memcpy(r.value + 50, account, strlen(account));
	memcpy(r.value + 50 + strlen(account), label, strlen(label));
	r.value_len = (uint32_t)(50 + strlen(account) + strlen(label));
	return r;
}

static int
load_with(const struct record *r)
{
	struct store_change c = { TRUST_RECORD, r->key_len, r->key, r->value, r->value_len };

	assert_int_equal(store_write(&store, &c, 1), CUB_OK);
	return trust_load(&table, &store);
}

static void
a_record_is_read_as_its_description_says(void **state)
{
	static const struct {
		uint8_t flags;
		bool is_exact, is_admin, knows_key;
	} rows[] = {
		{ 0, false, false, true }, { 1, true, false, true }, { 2, false, true, true },
		{ 3, true, true, true }, { 5, true, false, false }, { 7, true, true, false },
	};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		struct record r = record_of(rows[i].flags, "admin", "The label");
		const struct trusted *t;

		empty_store();
		CLAIM(load_with(&r) == CUB_OK, "flags %u", rows[i].flags);
		t = find("The label");
		CLAIM(t != NULL, "flags %u", rows[i].flags);
		CLAIM(t->is_exact == rows[i].is_exact && t->is_admin == rows[i].is_admin
			&& t->knows_key == rows[i].knows_key, "flags %u", rows[i].flags);
		assert_string_equal(t->account, "admin");
		assert_memory_equal(t->cert, r.key, 32);
		assert_memory_equal(t->key, r.value + 1, 32);
		assert_true(t->until_s == INT64_C(0x0807060504030201));
		assert_true(t->added_s == INT64_C(0x1817161514131211));
	}
}

/* And what is written is what is described: the store of one version is read by the next. */
static void
a_record_is_written_as_its_description_says(void **state)
{
	struct record r = record_of(3, "admin", "The label");
	uint8_t value[sizeof r.value];
	struct store_record found;
	struct trusted t;

	(void)state;
	assert_int_equal(load_with(&r), CUB_OK);
	t = *find("The label");
	empty_store();
	assert_int_equal(trust_save(&store, &t), CUB_OK);
	assert_int_equal(store_find(&store, TRUST_RECORD, r.key, 32, &found), CUB_OK);
	assert_int_equal(found.value_len, r.value_len);
	assert_int_equal(store_read(&store, &found, 0, value, found.value_len), CUB_OK);
	assert_memory_equal(value, r.value, r.value_len);
}

static void
expect_corrupt(const struct record *r, const char *what)
{
	struct trusted other = entry_of("other");

	empty_store();
	assert_int_equal(trust_save(&store, &other), CUB_OK);
	CLAIM(load_with(r) == CUB_E_CORRUPT, "%s", what);
	CLAIM(table.count == 0 && find("other") == NULL, "%s", what);
	CLAIM(trust_find(&table, other.cert, other.key) == NULL, "%s", what);
}

static void
a_record_that_makes_no_sense_lets_nobody_in(void **state)
{
	static const struct {
		uint8_t flags;
		const char *account, *label;
	} bad[] = {
		{ 4, "a", "l" }, { 6, "a", "l" }, { 8, "a", "l" }, { 0x80, "a", "l" }, { 0xFF, "a", "l" },
		{ 0, "", "l" }, { 0, "a b", "l" }, { 0, "a/b", "l" }, { 0, "a\n", "l" }, { 0, "a", "" },
		{ 0, "a", ".l" }, { 0, "a", "-l" }, { 0, "a", "l/l" }, { 0, "a", "l\n" },
		{ 0, "a", "\xFF" },
		{ 0, "a", "l\"" }, { 0, "a", "123456789012345678901234567890123" },
		{ 0, "123456789012345678901234567890123", "l" }, { 0, "a", "other" },
	};
	struct record r;

	(void)state;
	if (CUB_TRUSTED < 2) {
		skip();
	}
	for (size_t i = 0; i < LEN(bad); i++) {
		char what[80];

		snprintf(what, sizeof what, "%u, \"%s\", \"%s\"", bad[i].flags, bad[i].account,
			bad[i].label);
		r = record_of(bad[i].flags, bad[i].account, bad[i].label);
		expect_corrupt(&r, what);
	}
	r = record_of(0, "a", "l");
	memset(r.key, 0, sizeof r.key);
	expect_corrupt(&r, "a certificate's hash of zeros");
	r = record_of(0, "a", "l");
	memset(r.value + 1, 0, 32);
	expect_corrupt(&r, "a key's hash of zeros");
	r = record_of(0, "a", "lll");
	r.value[52] = '\0';
	expect_corrupt(&r, "a label with a NUL in it");
	r = record_of(0, "name", "l");
	r.value[52] = '\0';
	expect_corrupt(&r, "a name with a NUL in it");
}

static void
a_record_of_any_other_length_lets_nobody_in(void **state)
{
	char what[32];

	(void)state;
	if (CUB_TRUSTED < 2) {
		skip();
	}
	for (uint8_t len = 0; len <= 64; len++) {
		struct record r = record_of(0, "a", "l");

		r.key_len = len;
		snprintf(what, sizeof what, "a key of %u bytes", len);
		if (len != 32) {
			expect_corrupt(&r, what);
		}
	}
	for (uint32_t len = 0; len <= 160; len++) {
		struct record r = record_of(0, "a", "l");

		r.value_len = len;
		memset(r.value + 52, 'x', sizeof r.value - 52);
		snprintf(what, sizeof what, "%u bytes", (unsigned)len);
		if (len < 52 || len > 51 + 32) {
			expect_corrupt(&r, what);
		} else {
			empty_store();
			CLAIM(load_with(&r) == CUB_OK, "%s", what);
		}
	}
}

/* Also where somebody has made the CRC right again. */
static void
a_record_with_any_byte_changed_is_refused_or_read_as_it_stands(void **state)
{
	(void)state;
	for (unsigned at = 0; at < 64; at++) {
		for (unsigned byte = 0; byte < 256; byte++) {
			struct record r = record_of(0, "admin", "The label");
			int err;

			r.value[at] = (uint8_t)byte;
			empty_store();
			err = load_with(&r);
			CLAIM(err == CUB_OK || err == CUB_E_CORRUPT, "byte %u: %u", at, byte);
			CLAIM(table.count == (err == CUB_OK), "byte %u: %u", at, byte);
			if (err == CUB_OK) {
				struct trusted t = table.item[0];

				empty_store();
				CLAIM(trust_save(&store, &t) == CUB_OK, "byte %u: %u", at, byte);
				CLAIM(trust_load(&table, &store) == CUB_OK, "byte %u: %u", at, byte);
				CLAIM(is_same(&table.item[0], &t), "byte %u: %u", at, byte);
			}
		}
	}
}

static void
a_flipped_bit_on_the_medium_lets_nobody_in_or_does_not_matter(void **state)
{
	struct trusted a = entry_of("a");
	uint32_t end;

	(void)state;
	assert_int_equal(trust_save(&store, &a), CUB_OK);
	end = store.end;
	store_close(&store);
	for (uint32_t at = 0; at < end; at++) {
		int err;

		sim_flash_flip(PORT_AREA_TRUST, at, (uint8_t)(1 << at % 8));
		err = store_open(&store, PORT_AREA_TRUST, "trust", false);
		if (err == CUB_OK) {
			err = trust_load(&table, &store);
			CLAIM(table.count == (err == CUB_OK), "byte %u", (unsigned)at);
			CLAIM(err != CUB_OK || is_same(&table.item[0], &a), "byte %u", (unsigned)at);
			store_close(&store);
		}
		sim_flash_flip(PORT_AREA_TRUST, at, (uint8_t)(1 << at % 8));
	}
}

static void
records_of_other_types_are_left_alone(void **state)
{
	struct store_change c = { TRUST_RECORD + 1, 5, "other", "x", 1 };
	struct trusted a = entry_of("a");

	(void)state;
	assert_int_equal(store_write(&store, &c, 1), CUB_OK);
	assert_int_equal(trust_save(&store, &a), CUB_OK);
	reload();
	assert_int_equal(table.count, 1);
}

static void
a_medium_that_fails_leaves_the_table_empty(void **state)
{
	struct trusted a = entry_of("a");
	int err = CUB_E_IO;

	(void)state;
	assert_int_equal(trust_save(&store, &a), CUB_OK);
	for (uint64_t n = 1; err != CUB_OK; n++) {
		sim_flash_fail_at(n, false, CUB_E_IO);
		err = trust_load(&table, &store);
		CLAIM(err == (sim_flash_failed() ? CUB_E_IO : CUB_OK), "call %u", (unsigned)n);
		CLAIM(table.count == (err == CUB_OK), "call %u", (unsigned)n);
	}
}

/* Power cuts */

static struct trusted kept, old;

enum change { ADD, RENAME, REMOVE };

static int
make(enum change change)
{
	struct trusted t = old;

	if (change == REMOVE) {
		return remove_trust(&store, &old);
	}
	strcpy(t.label, change == ADD ? "old" : "new");
	t.is_admin = change == RENAME;
	return trust_save(&store, &t);
}

static void
pad(uint32_t len)
{
	static const uint8_t value[CUB_STORE_BANK];
	struct store_change c = { TRUST_RECORD + 1, 3, "pad", value, len };

	assert_int_equal(store_write(&store, &c, 1), CUB_OK);
}

/* What the cut comes upon; where it is full, a change moves all of it to the other bank. */
static void
prepare(enum change change, bool is_full)
{
	empty_store();
	assert_int_equal(trust_save(&store, &kept), CUB_OK);
	if (change != ADD) {
		assert_int_equal(make(ADD), CUB_OK);
	}
	if (is_full) {
		pad(store.base + store.bank_size - store.end - 6 * 16 - 3);
		pad(1);
		assert_int_equal(store.base + store.bank_size - store.end, 16);
	}
	assert_int_equal(trust_load(&table, &store), CUB_OK);
}

static bool
is_same_table(const struct trust_table *a, const struct trust_table *b)
{
	for (unsigned i = 0; i < a->count; i++) {
		if (!is_same(&a->item[i], trust_find_label(b, text_of(a->item[i].label)))) {
			return false;
		}
	}
	return a->count == b->count;
}

static void
cut_at_each_step(enum change change, bool is_full)
{
	struct trust_table before, after;
	uint32_t leap = claim_rounds(1000) < 1000 ? 100 : is_full ? 15 : 1;
	bool is_off = true;
	uint64_t step;

	prepare(change, is_full);
	before = table;
	assert_int_equal(make(change), CUB_OK);
	assert_int_equal(trust_load(&after, &store), CUB_OK);
	assert_false(is_same_table(&before, &after));
	for (step = 0; is_off; step += 1 + sim_random_below(leap)) {
		int err;

		prepare(change, is_full);
		sim_flash_cut_after(step);
		err = make(change);
		is_off = sim_power_is_off();
		CLAIM(err == (is_off ? CUB_E_IO : CUB_OK), "%d, step %u: %d", change, (unsigned)step, err);
		sim_power_cut();
		sim_power_on();
		err = store_open(&store, PORT_AREA_TRUST, "trust", false);
		CLAIM(err == CUB_OK, "%d, step %u: %d", change, (unsigned)step, err);
		err = trust_load(&table, &store);
		CLAIM(err == CUB_OK, "%d, step %u: %d", change, (unsigned)step, err);
		CLAIM((is_off && is_same_table(&table, &before)) || is_same_table(&table, &after),
			"%d, step %u", change, (unsigned)step);
	}
	assert_in_range(step, 60, UINT32_MAX);
}

static void
trust_changes_are_all_or_nothing_at_every_power_cut(void **state)
{
	(void)state;
	if (CUB_TRUSTED < 2) {
		skip();
	}
	kept = entry_of("kept");
	old = entry_of("old");
	for (int cached = 0; cached <= 1; cached++) {
		sim_flash_cached(cached == 1);
		for (enum change change = ADD; change <= REMOVE; change++) {
			cut_at_each_step(change, false);
			cut_at_each_step(change, true);
		}
	}
}

/* A few entries, saved, changed and removed at random, against a list. */
static void
random_changes_agree_with_a_list(void **state)
{
	struct trusted all[CUB_TRUSTED];
	bool is_there[CUB_TRUSTED] = { false };

	(void)state;
	for (unsigned i = 0; i < CUB_TRUSTED; i++) {
		all[i] = entry_of("");
	}
	for (uint32_t round = 0; round < claim_rounds(600); round++) {
		unsigned at = sim_random_below(CUB_TRUSTED), count = 0;

		if (sim_random_below(3) == 0) {
			CLAIM(remove_trust(&store, &all[at]) == CUB_OK, "round %u", (unsigned)round);
			is_there[at] = false;
		} else {
			snprintf(all[at].label, sizeof all[at].label, "%u of %u", (unsigned)round, at);
			all[at].until_s = (int64_t)sim_random();
			all[at].is_exact = sim_random_below(2) == 0;
			CLAIM(trust_save(&store, &all[at]) == CUB_OK, "round %u", (unsigned)round);
			is_there[at] = true;
		}
		if (round % 8 == 0) {
			reload();
		} else {
			CLAIM(trust_load(&table, &store) == CUB_OK, "round %u", (unsigned)round);
		}
		for (unsigned i = 0; i < CUB_TRUSTED; i++) {
			const struct trusted *found = trust_find(&table, all[i].cert, all[i].key);

			CLAIM(is_there[i] ? is_same(found, &all[i]) : found == NULL, "round %u",
				(unsigned)round);
			count += is_there[i];
		}
		CLAIM(table.count == count, "round %u", (unsigned)round);
	}
}

/* Fingerprints */

#define LOWER "00112233445566778899aabbccddeeff0123456789abcdef0f1e2d3c4b5a6978"
#define UPPER "00112233445566778899AABBCCDDEEFF0123456789ABCDEF0F1E2D3C4B5A6978"
#define COLONS "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:" \
	"01:23:45:67:89:AB:CD:EF:0F:1E:2D:3C:4B:5A:69:78"

static void
all_spellings_of_a_fingerprint_are_read_alike(void **state)
{
	static const char *const spellings[] = {
		LOWER, UPPER, COLONS, "sha256:" LOWER, "SHA256:" UPPER, "sha256:" COLONS,
		"SHA256 Fingerprint=" COLONS,  /* OpenSSL 1 */
		"sha256 Fingerprint=" COLONS,  /* OpenSSL 3 */
		"SHA256 Fingerprint=" LOWER, "  " LOWER "\t", " sha256 Fingerprint=" COLONS " ",
		"00:112233445566778899aabbccddeeff:0123456789abcdef0f1e2d3c4b5a6978",
	};
	char digits[TRUST_DIGITS];

	(void)state;
	for (size_t i = 0; i < LEN(spellings); i++) {
		CLAIM(trust_parse(text_of(spellings[i]), digits) == 64, "\"%s\"", spellings[i]);
		CLAIM(strcmp(digits, LOWER) == 0, "\"%s\": %s", spellings[i], digits);
	}
}

static void
the_beginning_of_a_fingerprint_is_read_as_far_as_it_goes(void **state)
{
	static const struct {
		const char *text, *digits;
	} rows[] = {
		{ "0", "0" }, { "AB", "ab" }, { "ab:c", "abc" }, { "AB:CD", "abcd" },
		{ "sha256:1f2", "1f2" }, { "SHA256 Fingerprint=1F:2", "1f2" },
	};
	char digits[TRUST_DIGITS];

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		CLAIM(trust_parse(text_of(rows[i].text), digits) == strlen(rows[i].digits), "%s",
			rows[i].text);
		CLAIM(strcmp(digits, rows[i].digits) == 0, "%s: %s", rows[i].text, digits);
	}
	for (size_t len = 1; len <= 64; len++) {
		CLAIM(trust_parse((struct text){ UPPER, len }, digits) == len, "%zu digits", len);
		CLAIM(memcmp(digits, LOWER, len) == 0 && digits[len] == '\0', "%zu digits", len);
	}
}

static void
what_is_no_fingerprint_is_told(void **state)
{
	static const char *const bad[] = {
		"", " ", ":", "sha256:", "SHA256 Fingerprint=", "g", "abg", "a b", "ab cd", ":ab", "ab:",
		"ab::cd", "a:b", "abc:d", "0x12", LOWER "0", COLONS ":", COLONS ":00", LOWER ":0",
		"sha1:ab", "md5:ab", "sha256:sha256:ab", "sha256=ab", "sha256:SHA256 Fingerprint=ab",
		"sha256", "\x10", "\x19", "ab\n", "technician", "\xE1",
		"SHA1 Fingerprint=A9:99:3E:36:47:06:81:6A:BA:3E:25:71:78:50:C2:6C:9C:D0:D8:9D",
	};
	char digits[TRUST_DIGITS];

	(void)state;
	for (size_t i = 0; i < LEN(bad); i++) {
		CLAIM(trust_parse(text_of(bad[i]), digits) == 0, "\"%s\"", bad[i]);
	}
	assert_int_equal(trust_parse((struct text){ NULL, 0 }, digits), 0);
	assert_int_equal(trust_parse(TEXT("ab\0"), digits), 0);
}

static void
random_texts_are_no_fingerprints_or_have_digits_only(void **state)
{
	(void)state;
	for (uint32_t round = 0; round < claim_rounds(50000); round++) {
		char bytes[100], digits[TRUST_DIGITS + 1];
		struct text t = unit_random_text(bytes, round % 4 == 0 ? 100 : 6, "0123456789abcdefAF:");
		size_t len;

		memset(digits, '#', sizeof digits);
		len = trust_parse(t, digits);
		CLAIM(len < TRUST_DIGITS && digits[TRUST_DIGITS] == '#', "round %u", (unsigned)round);
		CLAIM(len == 0 || (strspn(digits, "0123456789abcdef") == len && digits[len] == '\0'),
			"round %u", (unsigned)round);
	}
}

static void
a_fingerprint_begins_with_its_own_digits_only(void **state)
{
	uint8_t fingerprint[32];
	char digits[TRUST_DIGITS];

	(void)state;
	for (unsigned i = 0; i < 32; i++) {
		unsigned byte;

		assert_int_equal(sscanf(LOWER + 2 * i, "%2x", &byte), 1);
		fingerprint[i] = (uint8_t)byte;
	}
	for (size_t len = 1; len <= 64; len++) {
		memcpy(digits, LOWER, len);
		digits[len] = '\0';
		CLAIM(trust_begins(fingerprint, digits), "%zu digits", len);
		digits[len - 1] = digits[len - 1] == 'a' ? 'b' : 'a';
		CLAIM(!trust_begins(fingerprint, digits), "%zu digits", len);
	}
	assert_false(trust_begins(fingerprint, LOWER "0"));
}

#undef TEST
#define TEST(name) cmocka_unit_test_setup(name, setup)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_day_of_the_latest_trust_is_known_to_be_past),  /* first: it is never forgotten */
		TEST(what_is_saved_is_loaded_in_every_field),
		TEST(a_blank_store_trusts_nobody),
		TEST(an_exact_entry_does_not_accept_a_renewed_certificate_with_its_key),
		TEST(an_entry_that_is_not_exact_accepts_every_certificate_with_its_key),
		TEST(an_entry_without_a_known_key_never_matches_by_key),
		TEST(the_entry_for_a_certificate_goes_before_the_one_for_its_key),
		TEST(hashes_of_zeros_never_match),
		TEST(every_bit_of_a_hash_counts),
		TEST(labels_are_found_byte_for_byte),
		TEST(labels_can_be_names_of_files),
		TEST(a_full_table_is_loaded_and_one_more_is_not),
		TEST(a_record_is_read_as_its_description_says),
		TEST(a_record_is_written_as_its_description_says),
		TEST(a_record_that_makes_no_sense_lets_nobody_in),
		TEST(a_record_of_any_other_length_lets_nobody_in),
		TEST(a_record_with_any_byte_changed_is_refused_or_read_as_it_stands),
		TEST(a_flipped_bit_on_the_medium_lets_nobody_in_or_does_not_matter),
		TEST(records_of_other_types_are_left_alone),
		TEST(a_medium_that_fails_leaves_the_table_empty),
		TEST(trust_changes_are_all_or_nothing_at_every_power_cut),
		TEST(random_changes_agree_with_a_list),
		TEST(all_spellings_of_a_fingerprint_are_read_alike),
		TEST(the_beginning_of_a_fingerprint_is_read_as_far_as_it_goes),
		TEST(what_is_no_fingerprint_is_told),
		TEST(random_texts_are_no_fingerprints_or_have_digits_only),
		TEST(a_fingerprint_begins_with_its_own_digits_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
