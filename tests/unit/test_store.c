/* SPDX-License-Identifier: MIT */
/*
 * The store without power cuts (those are in test_store_power.c): its format byte for byte,
 * what it promises to callers, when it erases, and that damage of any kind is either
 * harmless or refused, and never read as other or older contents.
 */
#include "store_model.h"

static struct store store;
static struct model model;
static struct image image;

/* A write that was cut, whose outcome is open. */
static const struct store_change *under_way;

static int
open_store(void)
{
	return store_open(&store, AREA, "trust", true);
}

static int
write_changes(const struct store_change *c, unsigned count)
{
	int err = store_write(&store, c, count);

	if (err == CUB_OK) {
		model_apply(&model, c, count);
	}
	return err;
}

static int
put(uint8_t type, const char *key, const void *value, uint32_t len)
{
	struct store_change c = { type, (uint8_t)strlen(key), key, value, len };

	return write_changes(&c, 1);
}

static int
take(uint8_t type, const char *key)
{
	return put(type, key, NULL, 0);
}

static void
reopen(void)
{
	store_close(&store);
	sim_power_on();
	assert_int_equal(open_store(), CUB_OK);
}

static int
setup(void **state)
{
	unit_setup(state);
	model.count = 0;
	under_way = NULL;
	sim_flash_once(true);
	return 0;
}

/* The writes of tests/data/store_v1.py, whose images are the judges. */
static void
write_golden(void)
{
	static uint8_t counting[100], long_key[64];
	const struct store_change several[] = {
		PUT(3, "k1", counting, 100), TAKE(2, ""), PUT(1, "carol", "x", 1),
	};
	struct store_change long_one = { 254, 64, long_key, counting, 33 };

	for (unsigned i = 0; i < 100; i++) {
		counting[i] = (uint8_t)i;
		long_key[i % 64] = (uint8_t)(i % 64);
	}
	assert_int_equal(put(1, "alice", counting, 60), CUB_OK);
	assert_int_equal(put(1, "bob", "secret", 6), CUB_OK);
	assert_int_equal(put(2, "", "", 0), CUB_OK);
	assert_int_equal(write_changes(&long_one, 1), CUB_OK);
	assert_int_equal(put(1, "bob", "changed", 7), CUB_OK);
	assert_int_equal(take(1, "alice"), CUB_OK);
	assert_int_equal(write_changes(several, 3), CUB_OK);
	assert_int_equal(put(1, "dave", counting, 16), CUB_OK);
	assert_int_equal(take(1, "carol"), CUB_OK);
}

/* Load a file of tests/data; the tests run from the top of the sources. */
static void
load_golden(const char *name)
{
	char path[64];
	FILE *file;

	snprintf(path, sizeof path, "tests/data/%s", name);
	file = fopen(path, "rb");
	if (file == NULL || CUB_STORE_BANK != 16384) {
		print_message("needs %s and banks of 16384 bytes\n", path);
		skip();
	}
	image.len = (uint32_t)fread(image.bytes, 1, sizeof image.bytes, file);
	fclose(file);
	assert_int_equal(image.len, 2 * 16384);
}

static void
try_golden(const char *name, const struct shape *shape)
{
	load_golden(name);
	shape_use(shape, false);
	model.count = 0;
	assert_int_equal(open_store(), CUB_OK);
	write_golden();
	assert_true(model_is(&model, &store));
	store_close(&store);
	assert_int_equal(sim_flash_size(AREA), image.len);
	for (uint32_t at = 0; at < image.len; at++) {
		CLAIM(sim_flash_bytes(AREA)[at] == image.bytes[at], "%s at %#x", name, (unsigned)at);
	}
	/* And the other way: what is in the file loads, and goes on. */
	shape_use(shape, false);
	image_put(&image);
	assert_int_equal(open_store(), CUB_OK);
	assert_true(model_is(&model, &store));
	assert_int_equal(put(1, "erin", "new", 3), CUB_OK);
	reopen();
	assert_true(model_is(&model, &store));
	store_close(&store);
}

static void
the_golden_image_of_format_1_loads_and_is_written_again_byte_for_byte(void **state)
{
	(void)state;
	assert_int_equal(CUBFTPD_STORE_FORMAT, 1);
	try_golden("store-v1.bin", &shapes[0]);
	try_golden("store-v1.bin", &shapes[1]);
	try_golden("store-v1.bin", &shapes[2]);
	try_golden("store-v1-256.bin", &shapes[3]);
}

/* What callers are promised */

static void
a_new_store_is_blank_and_only_made_where_it_may_be(void **state)
{
	struct store_record r = { .at = 0 };

	(void)state;
	assert_int_equal(store_open(&store, AREA, "trust", false), CUB_E_NOENT);
	assert_false(sim_flash_is_open(AREA));
	assert_int_equal(open_store(), CUB_OK);
	assert_int_equal(store_next(&store, &r), CUB_EOF);
	assert_int_equal(store_find(&store, 1, "a", 1, &r), CUB_E_NOENT);
	assert_int_equal(sim_flash_counts(AREA).bytes + sim_flash_counts(AREA).erases, 0);
	reopen();
	assert_int_equal(store_next(&store, &r), CUB_EOF);
}

static void
what_is_written_is_found_after_reopening_on_every_shape_of_flash(void **state)
{
	(void)state;
	for (size_t i = 0; i < LEN(shapes); i++) {
		shape_use(&shapes[i], false);
		model.count = 0;
		assert_int_equal(open_store(), CUB_OK);
		write_golden();
		CLAIM(model_is(&model, &store), "%s", shapes[i].name);
		reopen();
		CLAIM(model_is(&model, &store), "%s", shapes[i].name);
		store_close(&store);
	}
}

static void
records_come_oldest_first_with_replaced_and_removed_ones(void **state)
{
	static const struct {
		uint8_t type;
		const char *key, *value;
	} want[] = {
		{ 1, "a", "one" }, { 2, "a", "two" }, { 1, "a", "three" }, { 2, "a", NULL }, { 1, "", "" },
	};
	struct store_record r = { .at = 0 };
	char value[8];

	(void)state;
	assert_int_equal(open_store(), CUB_OK);
	for (size_t i = 0; i < LEN(want); i++) {
		uint32_t len = want[i].value != NULL ? (uint32_t)strlen(want[i].value) : 0;

		assert_int_equal(put(want[i].type, want[i].key, want[i].value, len), CUB_OK);
	}
	for (size_t i = 0; i < LEN(want); i++) {
		uint32_t len = want[i].value != NULL ? (uint32_t)strlen(want[i].value) : 0;

		assert_int_equal(store_next(&store, &r), CUB_OK);
		assert_int_equal(r.type, want[i].type);
		assert_true(r.key_len == strlen(want[i].key));
		assert_memory_equal(r.key, want[i].key, r.key_len);
		assert_int_equal(r.removed, want[i].value == NULL);
		assert_int_equal(r.value_len, len);
		assert_int_equal(store_read(&store, &r, 0, value, len), CUB_OK);
		assert_memory_equal(value, want[i].value != NULL ? want[i].value : "", len);
	}
	assert_int_equal(store_next(&store, &r), CUB_EOF);
}

static void
a_key_is_its_type_and_all_of_its_bytes(void **state)
{
	struct store_record r;
	char value;

	(void)state;
	assert_int_equal(open_store(), CUB_OK);
	assert_int_equal(put(1, "key", "1", 1), CUB_OK);
	assert_int_equal(put(2, "key", "2", 1), CUB_OK);
	assert_int_equal(put(1, "ke", "3", 1), CUB_OK);
	assert_int_equal(put(1, "keyy", "4", 1), CUB_OK);
	assert_int_equal(put(1, "KEY", "5", 1), CUB_OK);
	assert_int_equal(store_find(&store, 1, "key", 3, &r), CUB_OK);
	assert_int_equal(store_read(&store, &r, 0, &value, 1), CUB_OK);
	assert_int_equal(value, '1');
	assert_int_equal(take(1, "key"), CUB_OK);
	assert_int_equal(take(1, "never there"), CUB_OK);
	assert_int_equal(store_find(&store, 1, "key", 3, &r), CUB_E_NOENT);
	assert_int_equal(store_find(&store, 3, "key", 3, &r), CUB_E_NOENT);
	assert_true(model_is(&model, &store));
	assert_int_equal(put(1, "key", "6", 1), CUB_OK);
	assert_int_equal(store_find(&store, 1, "key", 3, &r), CUB_OK);
	assert_int_equal(store_read(&store, &r, 0, &value, 1), CUB_OK);
	assert_int_equal(value, '6');
}

static void
read_beyond_the_value(void *arg)
{
	char bytes[8];

	store_read(&store, arg, 3, bytes, 4);
}

static void
a_value_is_read_in_any_pieces_and_not_beyond_its_end(void **state)
{
	struct store_record r;
	char bytes[8] = { 0 };

	(void)state;
	assert_int_equal(open_store(), CUB_OK);
	assert_int_equal(put(1, "key", "abcdef", 6), CUB_OK);
	assert_int_equal(store_find(&store, 1, "key", 3, &r), CUB_OK);
	for (uint32_t from = 0; from <= 6; from++) {
		for (uint32_t len = 0; from + len <= 6; len++) {
			memset(bytes, '#', sizeof bytes);
			assert_int_equal(store_read(&store, &r, from, bytes, len), CUB_OK);
			assert_memory_equal(bytes, &"abcdef"[from], len);
			assert_int_equal(bytes[len], '#');
		}
	}
	assert_true(sim_expect_panic(read_beyond_the_value, &r));
}

static void
a_store_is_used_by_one_program_at_a_time(void **state)
{
	struct store other;

	(void)state;
	sim_flash_lock_elsewhere(AREA, true);
	assert_int_equal(open_store(), CUB_E_BUSY);
	sim_flash_lock_elsewhere(AREA, false);
	assert_int_equal(open_store(), CUB_OK);
	assert_int_equal(store_open(&other, AREA, "trust", true), CUB_E_BUSY);
	store_close(&store);
	assert_int_equal(open_store(), CUB_OK);
}

static void
flash_that_does_not_suit_is_told_at_opening(void **state)
{
	(void)state;
	sim_flash_geometry(AREA, 2 * BANK_OF(4096u), 4096, 512);
	assert_int_equal(open_store(), CUB_E_LIMIT);
	assert_false(sim_flash_is_open(AREA));
}

static void
open_small(void *err)
{
	*(int *)err = open_store();
}

/* A device: a file of that length would be one that was cut. */
static void
a_device_that_is_too_small_is_told_at_opening(void **state)
{
	int err = CUB_OK;

	(void)state;
	sim_flash_geometry(AREA, 2 * BANK_OF(4096u) - 4096, 4096, 1);
	assert_false(sim_expect_panic(open_small, &err));
	assert_int_equal(err, CUB_E_LIMIT);
}

static void
a_larger_device_is_used_in_its_first_two_banks(void **state)
{
	(void)state;
	sim_flash_geometry(AREA, 4 * BANK_OF(4096u), 4096, 1);
	assert_int_equal(open_store(), CUB_OK);
	for (unsigned i = 0; i < 100; i++) {
		assert_int_equal(put(1, i % 2 == 0 ? "a" : "b", value_bytes() + i, 900), CUB_OK);
	}
	for (uint32_t at = 2 * BANK_OF(4096u); at < 4 * BANK_OF(4096u); at++) {
		assert_int_equal(sim_flash_bytes(AREA)[at], 0xFF);
	}
	reopen();
	assert_true(model_is(&model, &store));
}

/* Space */

#define PART(n) (CUB_STORE_BANK / 16 * (n))

static void
a_change_that_does_not_fit_leaves_everything_as_it_was(void **state)
{
	struct store_change huge[] = {
		PUT(1, "huge", value_bytes(), CUB_STORE_BANK), PUT(1, "huge", value_bytes(), UINT32_MAX),
		PUT(1, "huge", value_bytes(), UINT32_MAX - 1), PUT(1, "huge", value_bytes(), 0xFFFFFFF0),
	};
	struct store_change two[] = { PUT(1, "x", "1", 1), PUT(1, "y", value_bytes(), PART(9)) };
	struct sim_flash_counts before;

	(void)state;
	assert_int_equal(open_store(), CUB_OK);
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(write_changes(&huge[i], 1), CUB_E_FULL);
	}
	assert_int_equal(put(1, "a", value_bytes(), PART(4)), CUB_OK);
	assert_int_equal(put(1, "b", value_bytes(), PART(6)), CUB_OK);
	assert_int_equal(put(1, "b", value_bytes() + 1, PART(5)), CUB_OK);
	image_take(&image);
	before = sim_flash_counts(AREA);
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(write_changes(&huge[i], 1), CUB_E_FULL);
	}
	assert_int_equal(put(1, "c", value_bytes(), PART(8)), CUB_E_FULL);
	assert_int_equal(write_changes(two, 2), CUB_E_FULL);
	assert_int_equal(put(1, "a", value_bytes(), PART(12)), CUB_E_FULL);
	assert_memory_equal(sim_flash_bytes(AREA), image.bytes, image.len);
	assert_int_equal(sim_flash_counts(AREA).erases, before.erases);
	assert_true(model_is(&model, &store));
	assert_int_equal(put(1, "c", value_bytes(), PART(4)), CUB_OK);
	reopen();
	assert_true(model_is(&model, &store));
}

/* In banks of 16 KiB: marks and header take 64 bytes, a record 32 and its rounded contents. */
static void
a_bank_is_used_to_its_last_byte(void **state)
{
	const uint32_t room = BANK_OF(4096u) - 64 - 32;

	(void)state;
	for (uint32_t spare = 0; spare <= 64; spare++) {
		shape_use(&shapes[1], false);
		model.count = 0;
		assert_int_equal(open_store(), CUB_OK);
		assert_int_equal(put(1, "a", value_bytes(), room), CUB_E_FULL);
		CLAIM(put(1, "a", value_bytes(), room - 1 - spare) == CUB_OK, "%u", (unsigned)spare);
		reopen();
		CLAIM(model_is(&model, &store), "%u bytes to spare", (unsigned)spare);
		/* The same again: there is no room to append it, but it fits in the other bank. */
		CLAIM(put(1, "a", value_bytes() + 1, room - 1 - spare) == CUB_OK, "%u", (unsigned)spare);
		CLAIM(put(2, "", "", 0) == (spare / 16 >= 2 ? CUB_OK : CUB_E_FULL), "%u", (unsigned)spare);
		reopen();
		CLAIM(model_is(&model, &store), "%u bytes to spare", (unsigned)spare);
		CLAIM(take(1, "a") == CUB_OK && put(2, "", "", 0) == CUB_OK, "%u", (unsigned)spare);
		reopen();
		CLAIM(model_is(&model, &store), "%u bytes to spare", (unsigned)spare);
		store_close(&store);
	}
}

/* Flash wears out by erasing: a bank is erased once for all that fits into it. */
static void
nothing_is_erased_where_an_append_would_do(void **state)
{
	const uint32_t size = 32 + 64, appends = (BANK_OF(4096u) - 64) / size,
		blocks = BANK_OF(4096u) / 4096;
	struct sim_flash_counts counts;

	(void)state;
	shape_use(&shapes[1], false);
	assert_int_equal(open_store(), CUB_OK);
	for (uint32_t i = 0; i < appends; i++) {
		assert_int_equal(put(1, "key", value_bytes() + i, 61), CUB_OK);
		CLAIM(sim_flash_counts(AREA).erases == 0, "write %u", (unsigned)i);
	}
	/* From now on, one bank for each bank that is filled. */
	for (uint32_t i = 0; i < 10 * appends; i++) {
		assert_int_equal(put(1, "key", value_bytes() + i, 61), CUB_OK);
		CLAIM(sim_flash_counts(AREA).erases == blocks * (1 + i / appends), "write %u", (unsigned)i);
	}
	counts = sim_flash_counts(AREA);
	/* Nor is more programmed than what was written, and headers and marks. */
	assert_in_range(counts.bytes, 11 * appends * size, 11 * (appends * size + 32 + 2 * 32));
	reopen();
	assert_true(model_is(&model, &store));
	assert_int_equal(sim_flash_counts(AREA).erases, counts.erases);
	assert_int_equal(sim_flash_counts(AREA).bytes, counts.bytes);
}

static void
a_file_has_its_full_length_from_the_start(void **state)
{
	(void)state;
	shape_use(&shapes[0], false);
	assert_int_equal(open_store(), CUB_OK);
	for (unsigned i = 0; i < 100; i++) {
		assert_int_equal(sim_flash_size(AREA), 2 * BANK_OF(4096u));
		assert_int_equal(put(1, "key", value_bytes() + i, 900), CUB_OK);
	}
}

/* Sequence numbers */

/* An image of two usable banks: `first` and `second`, each with its own number as a value. */
static void
two_banks(const struct shape *shape, uint32_t first, uint32_t second)
{
	const uint32_t sequence[2] = { first, second };

	image_start(&image, shape);
	for (unsigned bank = 0; bank < 2; bank++) {
		struct store_change c = PUT(1, "sequence", &sequence[bank], 4);

		image_bank(&image, bank, sequence[bank]);
		image_record(&image, &c);
	}
	shape_use(shape, false);
	image_put(&image);
}

static void
of_two_complete_banks_the_later_one_counts_also_after_a_wrap(void **state)
{
	static const uint32_t pairs[][2] = {
		{ 1, 2 }, { 7, 8 }, { 0, 1 }, { 0xFFFFFFFF, 0 }, { 0xFFFFFFFE, 0xFFFFFFFF },
		{ 0x7FFFFFFF, 0x80000000 }, { 0xFFFFFFFF, 1 }, { 5, 0x80000004 },
	};

	(void)state;
	for (size_t i = 0; i < 2 * LEN(pairs) * LEN(shapes); i++) {
		const struct shape *shape = &shapes[i / (2 * LEN(pairs))];
		const uint32_t *pair = pairs[i / 2 % LEN(pairs)];
		struct store_record r;
		uint32_t found = 0;

		two_banks(shape, pair[i % 2], pair[1 - i % 2]);
		/* The second time the old bank is retired, and is not looked at. */
		for (unsigned again = 0; again < 2; again++) {
			CLAIM(open_store() == CUB_OK, "%s, case %zu", shape->name, i);
			CLAIM(store_find(&store, 1, "sequence", 8, &r) == CUB_OK, "case %zu", i);
			CLAIM(store_read(&store, &r, 0, &found, 4) == CUB_OK && found == pair[1],
				"%#x is later than %#x", (unsigned)pair[1], (unsigned)pair[0]);
			store_close(&store);
		}
		/* Nor does it come back when the later one is damaged. */
		sim_flash_flip(AREA, i % 2 == 0 ? image.bank_size : 0, 1);
		CLAIM(open_store() == CUB_E_CORRUPT, "case %zu", i);
	}
}

static void
sequence_numbers_go_on_beyond_their_end(void **state)
{
	struct store_change c = PUT(1, "first", "value", 5);

	(void)state;
	image_start(&image, &shapes[1]);
	image_bank(&image, 1, 0xFFFFFFFD);
	image_record(&image, &c);
	model_apply(&model, &c, 1);
	shape_use(&shapes[1], false);
	image_put(&image);
	assert_int_equal(open_store(), CUB_OK);
	for (unsigned i = 0; i < 10; i++) {
		struct store_change two[] = { PUT(1, "a", value_bytes() + i, 5), PUT(1, "b", "b", i % 2) };

		assert_true(model_is(&model, &store));
		assert_int_equal(store.sequence, 0xFFFFFFFD + i);
		assert_int_equal(write_changes(two, 2), CUB_OK);
		reopen();
	}
}

/* Damage */

/* A store with records of many kinds in bank 1 and a retired bank 0. */
static void
make_used_image(const struct shape *shape)
{
	shape_use(shape, false);
	model.count = 0;
	assert_int_equal(open_store(), CUB_OK);
	write_golden();
	assert_int_equal(store.base, store.bank_size);
	image_take(&image);
	image.at = store.end;
	image.unit = store.unit;
	image.bank_size = store.bank_size;
	store_close(&store);
	/* A flip may have begun a unit that is blank. */
	sim_flash_once(false);
	image_put(&image);
}

/*
 * What a damaged image comes to: refused, or exactly what it was, and then it works on.
 * (Or what the write in `under_way` would have made of it, if there is one.)
 */
enum outcome { REFUSED, HARMLESS };

static enum outcome
outcome_of_damage(const char *what, uint32_t at)
{
	struct store_change c = PUT(9, "after", "the damage", 10);
	struct model after = model;
	int err = open_store();

	CLAIM(err == CUB_OK || err == CUB_E_CORRUPT, "%s at %#x", what, (unsigned)at);
	CLAIM(sim_flash_is_open(AREA) == (err == CUB_OK), "%s at %#x", what, (unsigned)at);
	if (err != CUB_OK) {
		return REFUSED;
	}
	if (under_way != NULL && !model_holds(&after, &store)) {
		model_apply(&after, under_way, 1);
	}
	CLAIM(model_holds(&after, &store), "%s at %#x: other contents", what, (unsigned)at);
	CLAIM(store_write(&store, &c, 1) == CUB_OK, "%s at %#x", what, (unsigned)at);
	model_apply(&after, &c, 1);
	store_close(&store);
	CLAIM(open_store() == CUB_OK, "%s at %#x: not after a write", what, (unsigned)at);
	CLAIM(model_holds(&after, &store), "%s at %#x: lost after a write", what, (unsigned)at);
	store_close(&store);
	return HARMLESS;
}

/* The image is in the area before and afterwards. */
static enum outcome
outcome_of_flip(uint32_t at, unsigned bit)
{
	enum outcome outcome;

	sim_flash_flip(AREA, at, (uint8_t)(1u << bit));
	outcome = outcome_of_damage("a flipped bit", at);
	if (outcome == REFUSED) {
		sim_flash_flip(AREA, at, (uint8_t)(1u << bit));
	} else {
		image_put(&image);
	}
	return outcome;
}

static void
flip_each_bit(const struct shape *shape)
{
	uint32_t in_records = 0, refused = 0, step = claim_rounds(20) == 20 ? 1 : 7;

	make_used_image(shape);
	for (uint32_t at = 0; at < image.at; at++) {
		bool is_used = at < 0x400 || at >= image.bank_size;
		/* Large units are mostly padding: there, one bit of a byte is enough. */
		uint32_t bits = at % image.unit < 64 ? step : 8;

		for (unsigned bit = at % bits; is_used && bit < 8; bit += bits) {
			enum outcome outcome = outcome_of_flip(at, bit);

			CLAIM(at >= image.bank_size || outcome == HARMLESS, "the retired bank at %#x",
				(unsigned)at);
			in_records += at >= image.bank_size;
			refused += outcome == REFUSED;
		}
	}
	/* Only what nobody reads is harmless: free bytes, padding, and more of a mark's zeros. */
	assert_in_range(refused, in_records / (shape->write == 256 ? 20 : 3), in_records);
}

static void
each_flipped_bit_of_what_is_used_is_harmless_or_refused(void **state)
{
	(void)state;
	flip_each_bit(&shapes[1]);
	flip_each_bit(&shapes[3]);
}

/* All that says something: headers to their CRCs, keys, values, and the trailers' CRCs. */
static void
each_flipped_bit_of_keys_values_and_checksums_is_refused(void **state)
{
	struct store_record r = { .at = 0 };
	uint32_t header = BANK_OF(4096u);
	struct store walk;

	(void)state;
	make_used_image(&shapes[1]);
	for (uint32_t i = 0; i < 8 * 32; i++) {
		CLAIM(outcome_of_flip(header + i / 8, i % 8) == REFUSED, "bank header, bit %u",
			(unsigned)i);
	}
	image_put(&image);
	assert_int_equal(store_open(&walk, AREA, "trust", false), CUB_OK);
	while (store_next(&walk, &r) == CUB_OK) {
		uint32_t body = 16 + (r.key_len + r.value_len + 15) / 16 * 16;

		store_close(&walk);
		for (uint32_t i = 0; i < 8 * (body + 4); i++) {
			bool free = (i / 8 >= 12 && i / 8 < 16)
				|| (i / 8 >= 16u + r.key_len + r.value_len && i / 8 < body);

			CLAIM(free || outcome_of_flip(r.at + i / 8, i % 8) == REFUSED,
				"bit %u of the record at %#x",
				(unsigned)i, (unsigned)r.at);
		}
		image_put(&image);
		assert_int_equal(store_open(&walk, AREA, "trust", false), CUB_OK);
	}
	store_close(&walk);
}

/* Where the next header would stand, it looks like a torn one and is repaired by moving. */
static void
a_flipped_bit_of_free_space_is_repaired_or_refused(void **state)
{
	uint32_t step = claim_rounds(20) == 20 ? 9 : 101;

	(void)state;
	make_used_image(&shapes[1]);
	for (uint32_t at = image.at; at < 2 * image.bank_size; at += at < image.at + 64 ? 1
		: 1 + sim_random_below(step)) {
		enum outcome want = at < image.at + 16 ? HARMLESS : REFUSED;

		CLAIM(outcome_of_flip(at, sim_random_below(8)) == want, "%#x", (unsigned)at);
	}
	/* Of the bank that doesn't count, nothing matters. */
	for (uint32_t at = 0; at < image.bank_size; at += 1 + sim_random_below(5 * step)) {
		CLAIM(outcome_of_flip(at, sim_random_below(8)) == HARMLESS, "%#x", (unsigned)at);
	}
}

static void
a_flipped_bit_of_a_torn_tail_is_harmless_or_refused(void **state)
{
	const struct store_change torn = PUT(5, "torn", value_bytes(), 40);

	(void)state;
	for (uint32_t cut = 1;; cut += claim_rounds(20) == 20 ? 9 : 17) {
		make_used_image(&shapes[1]);
		assert_int_equal(open_store(), CUB_OK);
		sim_flash_cut_after(cut);
		if (store_write(&store, &torn, 1) == CUB_OK) {
			break;
		}
		sim_power_on();
		image_take(&image);
		under_way = &torn;
		for (uint32_t i = 0; i < 8 * 96; i += claim_rounds(20) == 20 ? 1 : 29) {
			outcome_of_flip(image.at + i / 8, i % 8);
		}
	}
}

/* A blank device: a flip makes it no other store than a blank or a damaged one. */
static void
a_flipped_bit_of_a_blank_device_is_harmless_or_refused(void **state)
{
	(void)state;
	shape_use(&shapes[1], false);
	sim_flash_once(false);
	image_take(&image);
	image_put(&image);
	for (uint32_t at = 0; at < image.len; at += at % 16384 < 256 ? 1 : 61) {
		outcome_of_flip(at, sim_random_below(8));
	}
}

static void
a_file_that_was_cut_short_is_refused(void **state)
{
	uint32_t step = claim_rounds(20) == 20 ? 19 : 999, whole;

	(void)state;
	make_used_image(&shapes[0]);
	whole = image.len;
	for (uint32_t len = 0; len < whole; len += len % 16384 < 0x300 || len > whole - 300 ? 1
		: step) {
		image.len = len;
		image_put(&image);
		CLAIM(open_store() == CUB_E_CORRUPT, "%u of %u bytes", (unsigned)len, (unsigned)whole);
	}
	image.len = whole;
	image_put(&image);
	assert_int_equal(outcome_of_damage("nothing", 0), HARMLESS);
}

/* A new file has its full length from the start, so that these can't be new ones. */
static void
short_files_of_erased_bytes_and_zeros_of_any_length_are_refused(void **state)
{
	(void)state;
	shape_use(&shapes[0], false);
	image_start(&image, &shapes[0]);
	for (uint32_t len = 0; len < 2 * image.bank_size; len += 1 + len / 50) {
		image.len = len;
		image_put(&image);
		CLAIM(open_store() == CUB_E_CORRUPT, "%u erased bytes", (unsigned)len);
	}
	image.len = 2 * image.bank_size;
	image_put(&image);
	assert_int_equal(outcome_of_damage("erased bytes", 0), HARMLESS);
	memset(image.bytes, 0, sizeof image.bytes);
	for (uint32_t len = 0; len <= 2 * image.bank_size; len += 1 + len / 50) {
		image.len = len < 2 * image.bank_size - 999 ? len : 2 * image.bank_size;
		image_put(&image);
		CLAIM(open_store() == CUB_E_CORRUPT, "%u zeros", (unsigned)image.len);
	}
}

static void
random_bytes_are_no_store(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 100; round++) {
		shape_use(&shapes[round % LEN(shapes)], false);
		image_start(&image, &shapes[round % LEN(shapes)]);
		for (uint32_t at = 0; at < image.len; at++) {
			image.bytes[at] = (uint8_t)sim_random();
		}
		image_put(&image);
		CLAIM(open_store() == CUB_E_CORRUPT, "round %u", round);
	}
}

/* A store is of one area, one format and one geometry; any other is refused, never "blank". */
static void
a_store_of_another_kind_is_refused(void **state)
{
	struct store_change c = PUT(1, "key", "value", 5);
	static const struct {
		uint32_t at;
		uint8_t value;
	} other[] = { { 0, 'C' }, { 4, 2 }, { 4, 0 }, { 5, 0 }, { 5, 2 }, { 6, 5 }, { 13, 0x80 } };

	(void)state;
	model_apply(&model, &c, 1);
	for (size_t i = 0; i <= LEN(other); i++) {
		image_start(&image, &shapes[1]);
		image_bank(&image, 0, 1);
		image_record(&image, &c);
		if (i < LEN(other)) {
			image.bytes[other[i].at] = other[i].value;
			image_put32(image.bytes + 28, image_crc(0, image.bytes, 28));
		}
		image_put(&image);
		CLAIM(open_store() == (i < LEN(other) ? CUB_E_CORRUPT : CUB_OK), "case %zu", i);
	}
	assert_true(model_is(&model, &store));
}

/* As when an image that was made as a file is put on a device with larger units. */
static void
a_store_with_other_units_is_refused(void **state)
{
	(void)state;
	make_used_image(&shapes[1]);
	shape_use(&shapes[3], false);
	image_put(&image);
	assert_int_equal(open_store(), CUB_E_CORRUPT);
	make_used_image(&shapes[3]);
	shape_use(&shapes[1], false);
	image_put(&image);
	assert_int_equal(open_store(), CUB_E_CORRUPT);
}

/* Records that no writer of this format makes, but whose CRCs fit. */
static void
records_that_make_no_sense_are_refused(void **state)
{
	static uint8_t key[65];
	struct store_change c = { 1, 65, key, "v", 1 };

	(void)state;
	image_start(&image, &shapes[1]);
	image_bank(&image, 0, 1);
	image_record(&image, &c);
	image_put(&image);
	assert_int_equal(open_store(), CUB_E_CORRUPT);
	for (uint32_t len = BANK_OF(4096u) - 96; len < 60000; len += 1 + len / 7) {
		c = (struct store_change){ 1, 1, "k", value_bytes(), len };
		shape_use(&shapes[4], false);
		image_start(&image, &shapes[4]);
		image.bank_size = BANK_OF(4096u);
		image.len = 2 * BANK_OF(4096u);
		image_bank(&image, 0, 1);
		image_record(&image, &c);
		shape_use(&shapes[1], false);
		image_put(&image);
		CLAIM(open_store() == CUB_E_CORRUPT, "a value of %u bytes", (unsigned)len);
	}
}

/* What a cut leaves is the last thing in a bank. Before another record, it is something else. */
static void
a_torn_record_with_anything_after_it_is_damage(void **state)
{
	struct store_change first = PUT(1, "first", "value", 5), second = PUT(1, "second", "value", 5);

	(void)state;
	for (unsigned after = 0; after < 3; after++) {
		uint32_t end;

		image_start(&image, &shapes[1]);
		image_bank(&image, 0, 1);
		image_retire(&image, 1);
		image_record(&image, &first);
		end = image.at;
		if (after == 1) {
			image_record(&image, &second);
		} else if (after == 2) {
			image.bytes[end + 5000] = 0x7F;
		}
		memset(image.bytes + end - 16, 0xFF, 16);  /* the first one's trailer */
		shape_use(&shapes[1], false);
		image_put(&image);
		assert_int_equal(open_store(), after == 0 ? CUB_OK : CUB_E_CORRUPT);
		if (after == 0) {
			assert_true(store.torn && model_is(&model, &store));
			store_close(&store);
		}
	}
}

/* Two records whose keys and values are the same bytes, but which mean different things. */
static void
a_trailer_belongs_to_its_header_and_its_bank(void **state)
{
	struct store_change a = PUT(1, "ab", "c", 1), b = PUT(2, "a", "bc", 2);
	uint8_t trailer[3][4];

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		shape_use(&shapes[1], false);
		assert_int_equal(open_store(), CUB_OK);
		assert_int_equal(store_write(&store, i == 1 ? &b : &a, 1), CUB_OK);
		if (i == 2) {
			struct store_change two[] = { a, TAKE(9, "none") };

			assert_int_equal(store_write(&store, two, 2), CUB_OK);
		}
		memcpy(trailer[i], sim_flash_bytes(AREA) + store.end - 16, 4);
		store_close(&store);
	}
	assert_memory_not_equal(trailer[0], trailer[1], 4);
	assert_memory_not_equal(trailer[0], trailer[2], 4);
}

#undef TEST
#define TEST(name) cmocka_unit_test_setup(name, setup)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_golden_image_of_format_1_loads_and_is_written_again_byte_for_byte),
		TEST(a_new_store_is_blank_and_only_made_where_it_may_be),
		TEST(what_is_written_is_found_after_reopening_on_every_shape_of_flash),
		TEST(records_come_oldest_first_with_replaced_and_removed_ones),
		TEST(a_key_is_its_type_and_all_of_its_bytes),
		TEST(a_value_is_read_in_any_pieces_and_not_beyond_its_end),
		TEST(a_store_is_used_by_one_program_at_a_time),
		TEST(flash_that_does_not_suit_is_told_at_opening),
		TEST(a_device_that_is_too_small_is_told_at_opening),
		TEST(a_larger_device_is_used_in_its_first_two_banks),
		TEST(a_change_that_does_not_fit_leaves_everything_as_it_was),
		TEST(a_bank_is_used_to_its_last_byte),
		TEST(nothing_is_erased_where_an_append_would_do),
		TEST(a_file_has_its_full_length_from_the_start),
		TEST(of_two_complete_banks_the_later_one_counts_also_after_a_wrap),
		TEST(sequence_numbers_go_on_beyond_their_end),
		TEST(each_flipped_bit_of_what_is_used_is_harmless_or_refused),
		TEST(each_flipped_bit_of_keys_values_and_checksums_is_refused),
		TEST(a_flipped_bit_of_free_space_is_repaired_or_refused),
		TEST(a_flipped_bit_of_a_torn_tail_is_harmless_or_refused),
		TEST(a_flipped_bit_of_a_blank_device_is_harmless_or_refused),
		TEST(a_file_that_was_cut_short_is_refused),
		TEST(short_files_of_erased_bytes_and_zeros_of_any_length_are_refused),
		TEST(random_bytes_are_no_store),
		TEST(a_store_of_another_kind_is_refused),
		TEST(a_store_with_other_units_is_refused),
		TEST(records_that_make_no_sense_are_refused),
		TEST(a_torn_record_with_anything_after_it_is_damage),
		TEST(a_trailer_belongs_to_its_header_and_its_bank),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
