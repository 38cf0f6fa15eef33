/* SPDX-License-Identifier: MIT */
/*
 * The store and the power: at whatever byte a write is cut, the old contents or the new ones
 * are there afterwards, and stay. So too where the recovery is cut, or the write after it,
 * where a page cache has lost what it liked, and where calls fail without a cut.
 *
 * Each way of writing is tried: the first write, an append, several changes at once, moving
 * to either bank, over the end of the sequence numbers, and away from a torn tail.
 */
#include "store_model.h"

static struct store store;
static struct image start;

/* What may be there after a cut; each look at the store narrows it to one. */
static struct {
	struct model model[4];
	unsigned count;
} states;

static int
open_store(void)
{
	return store_open(&store, AREA, "trust", true);
}

/* Ways to write. Each `prepare` leaves the store open, in the state that it is about. */

static struct model prepared;
static const struct shape *prepared_shape;

static void
write_now(const struct store_change *c, unsigned count)
{
	int err = store_write(&store, c, count);

	CLAIM(err == CUB_OK, "the test: preparing, error %d", err);
	model_apply(&prepared, c, count);
}

static void
put_now(const char *key, const void *value, uint32_t len)
{
	struct store_change c = { 1, (uint8_t)strlen(key), key, value, len };

	write_now(&c, 1);
}

static void
prepare_blank(void)
{
	CLAIM(store.blank, "the test: it is not blank");
}

static void
prepare_some(void)
{
	put_now("kept", value_bytes(), 50);
	put_now("replaced", "before", 6);
	put_now("removed", "before", 6);
}

/* Fill the bank with what is outdated, up to less than the three units of a small record. */
static void
fill_up(void)
{
	uint32_t left = store.base + store.bank_size - store.end;

	put_now("replaced", value_bytes(), left - 7 * store.unit - 8);
	put_now("replaced", "before", 6);
	CLAIM(store.base + store.bank_size - store.end == 2 * store.unit, "the test: filling up");
}

static void
move_banks(void)
{
	struct store_change two[] = { PUT(2, "moved", "m", 1), PUT(2, "also", "a", 1) };

	write_now(two, 2);
}

static void
prepare_full(void)
{
	prepare_some();
	fill_up();
}

static void
prepare_moved(void)
{
	prepare_some();
	move_banks();
}

static void
prepare_moved_and_full(void)
{
	prepare_moved();
	fill_up();
}

static void
prepare_torn(void)
{
	struct store_change c = PUT(1, "torn", value_bytes(), 300);

	prepare_some();
	sim_flash_cut_after(300);
	CLAIM(store_write(&store, &c, 1) == CUB_E_IO, "the test: no cut");
	sim_power_on();
	CLAIM(open_store() == CUB_OK && store.torn, "the test: no torn tail");
}

/* A bank whose successor has the sequence number 0. */
static void
prepare_wrap(void)
{
	struct store_change c = PUT(1, "kept", "long ago", 8);

	store_close(&store);
	image_start(&start, prepared_shape);
	image_bank(&start, 0, UINT32_MAX);
	image_record(&start, &c);
	image_retire(&start, 1);
	image_put(&start);
	CLAIM(open_store() == CUB_OK, "the test: the image is none");
	model_apply(&prepared, &c, 1);
	prepare_some();
	fill_up();
}

static const struct scenario {
	const char *name;
	void (*prepare)(void);
	unsigned count;
	struct {
		const char *key, *value;
	} change[3];
} scenarios[] = {
	{ "first write", prepare_blank, 1, { { "first", "value" } } },
	{ "first write of several", prepare_blank, 2, { { "first", "value" }, { "second", "" } } },
	{ "append", prepare_some, 1, { { "appended", "a value of more than a unit" } } },
	{ "append of nothing", prepare_some, 1, { { "", "" } } },
	{ "replace", prepare_some, 1, { { "replaced", "after" } } },
	{ "remove", prepare_some, 1, { { "removed", NULL } } },
	{ "append to the second bank", prepare_moved, 1, { { "replaced", "after" } } },
	{ "several, to the second bank", prepare_some, 3,
		{ { "new", "value" }, { "replaced", "after" }, { "removed", NULL } } },
	{ "several, to the first bank", prepare_moved, 3,
		{ { "new", "value" }, { "replaced", "after" }, { "removed", NULL } } },
	{ "full, to the second bank", prepare_full, 1, { { "replaced", "after" } } },
	{ "full, to the first bank", prepare_moved_and_full, 1, { { "removed", NULL } } },
	{ "full, over the wrap", prepare_wrap, 1, { { "new", "value" } } },
	{ "after a torn tail", prepare_torn, 1, { { "new", "value" } } },
};

static struct store_change changes[3];

/* Make the image that each trial of a scenario starts from. */
static void
prepare(const struct scenario *scenario, const struct shape *shape)
{
	shape_use(shape, false);
	prepared.count = 0;
	prepared_shape = shape;
	CLAIM(open_store() == CUB_OK, "the test: %s", shape->name);
	scenario->prepare();
	store_close(&store);
	image_take(&start);
	for (unsigned i = 0; i < scenario->count; i++) {
		const char *key = scenario->change[i].key, *value = scenario->change[i].value;

		changes[i] = (struct store_change){
			1, (uint8_t)strlen(key), key, value, value != NULL ? (uint32_t)strlen(value) : 0,
		};
	}
}

static void
begin_trial(const struct scenario *scenario)
{
	image_put(&start);
	sim_flash_scattered(sim_random_below(2) == 0);
	CLAIM(open_store() == CUB_OK, "%s", scenario->name);
	states.model[0] = states.model[1] = prepared;
	model_apply(&states.model[1], changes, scenario->count);
	states.count = 2;
}

/* It holds one of the states that may be: from now on, this one and no other. */
static void
narrow(const char *what, uint64_t step)
{
	static struct model found;

	CLAIM(model_read(&found, &store) == CUB_OK, "%s, step %u", what, (unsigned)step);
	for (unsigned i = 0; i < states.count; i++) {
		if (model_same(&states.model[i], &found)) {
			states.model[0] = found;
			states.count = 1;
			return;
		}
	}
	CLAIM(false, "%s, step %u: neither old nor new", what, (unsigned)step);
}

/* Of each state that may be, there may now be one with this change, too. */
static void
widen(const struct store_change *c)
{
	for (unsigned i = 0; i < states.count; i++) {
		states.model[states.count + i] = states.model[i];
		model_apply(&states.model[states.count + i], c, 1);
	}
	states.count *= 2;
}

/* Take only the states with the last change. */
static void
only_widened(void)
{
	states.count /= 2;
	memmove(&states.model[0], &states.model[states.count], states.count * sizeof states.model[0]);
}

/* Start the device again and open the store; half of the times not without a cut on the way. */
static void
recover(const char *what, uint64_t step)
{
	int err;

	if (sim_random_below(2) == 0) {
		sim_power_on();
		sim_flash_cut_after(sim_random_below(40));
		err = open_store();
		CLAIM(err == CUB_OK || sim_power_is_off(), "%s, step %u: %d", what, (unsigned)step, err);
		if (err == CUB_OK) {
			narrow(what, step);
		}
		sim_power_cut();
	}
	sim_power_on();
	err = open_store();
	CLAIM(err == CUB_OK, "%s, step %u: %d", what, (unsigned)step, err);
	narrow(what, step);
}

/* After a cut: recover, write with another cut, recover, write, and look at all of it. */
static void
live_on(const char *what, uint64_t step)
{
	struct store_change c = PUT(3, "afterwards", value_bytes() + step, 30);

	recover(what, step);
	widen(&c);
	sim_flash_cut_after(sim_random_below(sim_random_below(2) == 0 ? 150 : 3000));
	if (store_write(&store, &c, 1) == CUB_OK) {
		only_widened();
	} else {
		CLAIM(sim_power_is_off(), "%s, step %u: no write afterwards", what, (unsigned)step);
	}
	sim_power_cut();
	recover(what, step);
	c.value = "the last one";
	c.value_len = 12;
	CLAIM(store_write(&store, &c, 1) == CUB_OK, "%s, step %u", what, (unsigned)step);
	model_apply(&states.model[0], &c, 1);
	sim_power_cut();
	recover(what, step);
	CLAIM(model_is(&states.model[0], &store), "%s, step %u", what, (unsigned)step);
	store_close(&store);
}

/* Cut a way of writing at its steps, with up to `leap` between two. Returns the last one. */
static uint64_t
cut_at_steps(const struct scenario *scenario, uint32_t leap)
{
	bool is_off;

	leap = claim_rounds(1000) == 1000 ? leap : 100;
	for (uint64_t step = sim_random_below(leap);; step += 1 + sim_random_below(leap)) {
		int err;

		begin_trial(scenario);
		sim_flash_cut_after(step);
		err = store_write(&store, changes, scenario->count);
		is_off = sim_power_is_off();
		CLAIM(err == (is_off ? CUB_E_IO : CUB_OK), "%s, step %u", scenario->name, (unsigned)step);
		if (!is_off) {
			states.model[0] = states.model[1];  /* durable on return */
			states.count = 1;
		}
		sim_power_cut();
		live_on(scenario->name, step);
		if (!is_off) {
			return step;
		}
	}
}

static void
try_all_scenarios(const struct shape *shape, bool cached, uint32_t leap)
{
	for (size_t i = 0; i < LEN(scenarios); i++) {
		/* Moving away from a full bank takes the same steps, but long checksums. */
		uint32_t slow = strncmp(scenarios[i].name, "full", 4) == 0 ? 10 : 1;

		slow *= shape->erase > 4096 ? 4 : 1;
		prepare(&scenarios[i], shape);
		sim_flash_cached(cached);
		CLAIM(cut_at_steps(&scenarios[i], slow * leap) > 30, "%s", scenarios[i].name);
	}
}

static void
a_cut_at_any_byte_leaves_the_old_state_or_the_new_one(void **state)
{
	(void)state;
	try_all_scenarios(&shapes[1], false, 1);
}

static void
so_it_does_on_larger_units_and_blocks(void **state)
{
	(void)state;
	for (size_t i = 2; i < LEN(shapes); i++) {
		try_all_scenarios(&shapes[i], false, 10);
	}
}

static void
so_it_does_behind_a_cache_that_keeps_no_order(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= claim_rounds(3); seed++) {
		sim_reset(sim_seed_or(seed));
		for (size_t i = 0; i < LEN(shapes); i++) {
			try_all_scenarios(&shapes[i], true, 30);
		}
	}
}

/* Calls that fail */

/*
 * Only the program starts again: what it finds may not be on the medium yet. If it relies on
 * that, and the power goes soon after, it shows.
 */
static void
start_again_and_cut(void)
{
	sim_flash_cut_after(sim_random_below(40));
	if (open_store() == CUB_OK && sim_random_below(2) == 0) {
		store_close(&store);
	}
	sim_power_cut();
}

/* Let the n-th call of a write fail. Returns false if there are not so many. */
static bool
fail_call(const struct scenario *scenario, uint64_t n, bool forever, int error)
{
	struct store_change c = PUT(3, "afterwards", "value", 5);
	int err;

	begin_trial(scenario);
	sim_flash_fail_at(n, forever, error);
	err = store_write(&store, changes, scenario->count);
	if (!sim_flash_failed()) {
		sim_flash_fail_at(0, false, error);
		CLAIM(err == CUB_OK, "%s", scenario->name);
		store_close(&store);
		return false;
	}
	CLAIM(err == CUB_E_IO || err == error, "%s, call %u: %d", scenario->name, (unsigned)n, err);
	if (!forever) {
		static struct model found;

		/* Reading goes on: the old state or the new one. */
		CLAIM(model_read(&found, &store) == CUB_OK && (model_same(&found, &states.model[0])
			|| model_same(&found, &states.model[1])), "%s, call %u", scenario->name, (unsigned)n);
	}
	/* A write after a failure may be refused, but if it is not, it is there. */
	widen(&c);
	if (store_write(&store, &c, 1) == CUB_OK) {
		only_widened();
	}
	sim_flash_fail_at(0, false, error);
	if (n % 2 == 0) {
		sim_power_cut();
	} else {
		store_close(&store);
		start_again_and_cut();
	}
	live_on(scenario->name, n);
	return true;
}

static uint64_t
calls_of(const struct scenario *scenario)
{
	uint64_t calls;

	begin_trial(scenario);
	sim_flash_fail_at(0, false, CUB_E_IO);
	CLAIM(store_write(&store, changes, scenario->count) == CUB_OK, "%s", scenario->name);
	calls = sim_flash_calls();
	store_close(&store);
	return calls;
}

static void
a_call_that_fails_leaves_the_old_state_or_the_new_one(void **state)
{
	static const int errors[] = { CUB_E_IO, CUB_E_FULL };

	(void)state;
	for (size_t i = 0; i < LEN(scenarios) * 4; i++) {
		const struct scenario *scenario = &scenarios[i / 4];
		uint64_t calls;

		prepare(scenario, &shapes[i % 2]);
		sim_flash_cached(i % 4 >= 2);
		calls = calls_of(scenario);
		/* Most calls are for reading, in the beginning; the last ones decide. */
		for (uint64_t n = 1; fail_call(scenario, n, i % 2 == 0, errors[i / 2 % 2]);) {
			uint64_t left = n + claim_rounds(20) < calls ? calls - n - claim_rounds(20) : 0;

			n += 1 + sim_random_below(left < 70 ? (uint32_t)left + 1 : 70);
		}
	}
}

/* A medium that can't be read is no damaged store: it may be better tomorrow. */
static void
a_call_that_fails_at_opening_is_no_damage(void **state)
{
	(void)state;
	for (size_t i = 0; i < LEN(scenarios); i++) {
		bool failed = true;
		int err;

		prepare(&scenarios[i], &shapes[0]);
		image_put(&start);
		for (uint64_t n = 1; failed; n += 1 + sim_random_below(10)) {
			sim_flash_fail_at(n, false, CUB_E_IO);
			err = open_store();
			failed = sim_flash_failed();
			sim_flash_fail_at(0, false, CUB_E_IO);
			CLAIM(err == CUB_OK || (err == CUB_E_IO && failed), "%s, call %u: %d",
				scenarios[i].name,
				(unsigned)n, err);
			CLAIM(sim_flash_is_open(AREA) == (err == CUB_OK), "%s", scenarios[i].name);
			if (err == CUB_OK) {
				CLAIM(model_is(&prepared, &store), "%s, call %u", scenarios[i].name, (unsigned)n);
				store_close(&store);
			}
		}
	}
}

/* Everything at once, at random, against the model. */

static char keys[12][STORE_KEY_MAX];

/* A change of a random key, with a value that is small most of the time. */
static struct store_change
random_change(void)
{
	uint32_t key = sim_random_below(LEN(keys));
	uint32_t max = sim_random_below(8) == 0 ? 5000 : 120;
	struct store_change c = {
		(uint8_t)(key % 3 == 0 ? 254 : key % 3), (uint8_t)(key * key % (STORE_KEY_MAX + 1)),
		keys[key], value_bytes() + sim_random_below(5000), sim_random_below(max),
	};

	if (sim_random_below(5) == 0) {
		c.value = NULL;
		c.value_len = 0;
	}
	return c;
}

/* One to three changes of different keys. */
static unsigned
random_changes(void)
{
	unsigned want = sim_random_below(6) == 0 ? 2 + sim_random_below(2) : 1, count = 0;

	while (count < want) {
		struct store_change c = random_change();
		bool is_new = true;

		for (unsigned i = 0; i < count; i++) {
			is_new = is_new && changes[i].key != c.key;
		}
		if (is_new) {
			changes[count++] = c;
		}
	}
	return count;
}

/* One write, with a cut on some days. Returns its error. */
static int
random_write(unsigned op)
{
	unsigned count = random_changes();
	bool cut = sim_random_below(4) == 0;
	int err;

	states.model[1] = states.model[0];
	model_apply(&states.model[1], changes, count);
	if (cut) {
		sim_flash_cut_after(sim_random_below(sim_random_below(2) == 0 ? 200 : 20000));
	}
	err = store_write(&store, changes, count);
	CLAIM(err == CUB_OK || err == CUB_E_FULL || sim_power_is_off(), "operation %u: %d", op, err);
	if (err == CUB_OK) {
		states.model[0] = states.model[1];
	}
	states.count = err == CUB_E_IO ? 2 : 1;
	if (cut) {
		sim_power_cut();
		recover("random writes", op);
	}
	return err;
}

static void
random_writes_and_cuts_agree_with_a_model(void **state)
{
	uint64_t full = 0, moves = 0, seeds = claim_rounds(60);

	(void)state;
	for (uint64_t seed = 1; seed <= seeds; seed++) {
		sim_reset(seed * 1000 + sim_seed_or(0));
		shape_use(&shapes[seed % LEN(shapes)], seed % 3 != 0);
		for (size_t i = 0; i < sizeof keys; i++) {
			keys[i / STORE_KEY_MAX][i % STORE_KEY_MAX] = (char)sim_random();
		}
		states.model[0].count = 0;
		CLAIM(open_store() == CUB_OK, "seed %u", (unsigned)seed);
		for (unsigned op = 0; op < 60; op++) {
			full += random_write(op) == CUB_E_FULL;
			if (sim_random_below(6) == 0) {
				store_close(&store);
				recover("random writes", op);
			}
			CLAIM(model_holds(&states.model[0], &store), "operation %u", op);
		}
		CLAIM(model_is(&states.model[0], &store), "seed %u", (unsigned)seed);
		moves += store.sequence;
		store_close(&store);
	}
	/* So that the dice are known to have come to the interesting places. */
	assert_true(seeds < 60 || (full >= 5 && moves > 5 * seeds));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_cut_at_any_byte_leaves_the_old_state_or_the_new_one),
		TEST(so_it_does_on_larger_units_and_blocks),
		TEST(so_it_does_behind_a_cache_that_keeps_no_order),
		TEST(a_call_that_fails_leaves_the_old_state_or_the_new_one),
		TEST(a_call_that_fails_at_opening_is_no_damage),
		TEST(random_writes_and_cuts_agree_with_a_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
