/* SPDX-License-Identifier: MIT */
/*
 * Simulated flash: two areas of cells, which hold to the contract without mercy.
 *
 * `cells` is what a read sees, `medium` what a power cut leaves. Without the cache both
 * are always the same. With it, `late` holds in order what `medium` lacks; each entry lies
 * within one aligned unit of 16 bytes. A sync, or an overflow, writes all of it; a cut
 * writes, for each unit, the first so many entries.
 */
#include <stdio.h>
#include <string.h>

#include "sim.h"

#define UNIT 16
#define UNITS (SIM_FLASH_MAX / UNIT)
#define LATE_MAX 65536
#define ERASE_STEPS 64

static struct area {
	struct port_flash geometry;
	bool     is_file;    /* its length is what it was made with, or its image's */
	bool     exists;
	bool     open;
	bool     was_open;   /* when the power went or the program ended */
	bool     elsewhere;  /* another program has it open */
	char     where[128];
	bool     replaced;   /* `next` is there the next time it is opened */
	uint32_t next_len;
	uint32_t touched;    /* beyond it all is blank */
	struct sim_flash_counts counts;
	uint8_t  cells[SIM_FLASH_MAX];
	uint8_t  medium[SIM_FLASH_MAX];
	bool     written[SIM_FLASH_MAX];  /* since its erase, for sim_flash_once() */
	uint8_t  next[SIM_FLASH_MAX];
} areas[PORT_AREAS];

static struct late {
	uint8_t  area;
	uint8_t  value;
	uint8_t  len;
	uint32_t at;
} late[LATE_MAX];
static unsigned late_count;

/* Entries of each unit, and how many of them a cut lets through. */
static uint32_t late_of[PORT_AREAS][UNITS];

static struct sim_fault fault;
static bool     cached;
static bool     once;
static bool     scattered;
static uint64_t steps_left = UINT64_MAX;

static struct area *
area_of(enum port_area area)
{
	SIM_RULE((unsigned)area < PORT_AREAS, "flash: no such area");
	return &areas[area];
}

static uint32_t
image_limit(const struct area *a)
{
	return a->is_file ? SIM_FLASH_MAX : a->geometry.size;
}

static void
set_length(struct area *a, uint32_t length)
{
	if (a->is_file) {
		a->geometry.size = length;
	}
}

static void
touch(struct area *a, uint32_t end)
{
	if (end > a->touched) {
		a->touched = end;
	}
}

static void
blank(struct area *a)
{
	memset(a->cells, 0xFF, a->touched);
	memset(a->medium, 0xFF, a->touched);
	memset(a->written, 0, a->touched);
	a->touched = 0;
	set_length(a, 0);
	a->exists = false;
	a->open = false;
	a->was_open = false;
	a->replaced = false;
	a->where[0] = '\0';
	a->counts = (struct sim_flash_counts){ 0 };
}

void
sim_flash_cut_after(uint64_t steps)
{
	steps_left = steps;
}

void
sim_flash_once(bool set)
{
	once = set;
}

void
sim_flash_scattered(bool set)
{
	scattered = set;
}

void
sim_flash_lock_elsewhere(enum port_area area, bool locked)
{
	area_of(area)->elsewhere = locked;
}

void
sim_flash_fail_at(uint64_t n, bool forever, int error)
{
	sim_fault_set(&fault, n, forever, error);
}

uint64_t
sim_flash_calls(void)
{
	return fault.calls;
}

bool
sim_flash_failed(void)
{
	return fault.struck;
}

struct sim_flash_counts
sim_flash_counts(enum port_area area)
{
	return area_of(area)->counts;
}

const uint8_t *
sim_flash_bytes(enum port_area area)
{
	return area_of(area)->cells;
}

uint32_t
sim_flash_size(enum port_area area)
{
	return area_of(area)->geometry.size;
}

bool
sim_flash_is_open(enum port_area area)
{
	return area_of(area)->open;
}

/* What is on its way to the medium */

static void
late_apply(const struct late *l)
{
	memset(areas[l->area].medium + l->at, l->value, l->len);
}

static void
late_apply_all(void)
{
	for (unsigned i = 0; i < late_count; i++) {
		late_apply(&late[i]);
	}
	late_count = 0;
}

/* Apply what belongs to one area, and keep the rest for later. */
static void
late_apply_area(unsigned area)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < late_count; i++) {
		if (late[i].area == area) {
			late_apply(&late[i]);
		} else {
			late[kept++] = late[i];
		}
	}
	late_count = kept;
}

void
sim_flash_reset(void)
{
	for (unsigned i = 0; i < PORT_AREAS; i++) {
		blank(&areas[i]);
	}
	late_count = 0;
	sim_flash_fail_at(0, false, CUB_E_IO);
	sim_flash_cut_after(UINT64_MAX);
	if (sim_power_is_off()) {
		sim_power_on();
	}
}

void
sim_flash_geometry(enum port_area area, uint32_t size, uint32_t erase, uint32_t write)
{
	struct area *a = area_of(area);

	if (erase == 0 || (erase & (erase - 1)) != 0 || write == 0 || (write & (write - 1)) != 0
		|| write > erase || erase > SIM_FLASH_MAX || size > SIM_FLASH_MAX || size % erase != 0) {
		sim_fail("sim_flash_geometry: no flash is like that");
	}
	if (a->geometry.erase_size == 0) {
		a->touched = SIM_FLASH_MAX;  /* at the very first, no cell is blank yet */
	}
	late_apply_area((unsigned)area);
	blank(a);
	a->geometry = (struct port_flash){ .size = size, .erase_size = erase, .write_size = write };
	a->is_file = size == 0;
}

/* After a cut or in an image, a unit that reads as blank counts as blank: nobody could tell. */
static void
forget_written(struct area *a)
{
	static uint8_t erased[4096];
	uint32_t unit = a->geometry.write_size;
	uint32_t at = 0;

	memset(erased, 0xFF, sizeof erased);
	while (at < a->touched) {
		/* In one go, where that is possible. */
		if (at % sizeof erased == 0 && memcmp(a->cells + at, erased, sizeof erased) == 0) {
			memset(a->written + at, false, sizeof erased);
			at += sizeof erased;
			continue;
		}
		memset(a->written + at, memcmp(a->cells + at, erased, unit) != 0, unit);
		at += unit;
	}
}

void
sim_flash_image(enum port_area area, const void *image, uint32_t len)
{
	struct area *a = area_of(area);

	if (len > image_limit(a) || a->open) {
		sim_fail("sim_flash_image: too large, or the area is open");
	}
	late_apply_area((unsigned)area);
	blank(a);
	memcpy(a->cells, image, len);
	memcpy(a->medium, image, len);
	touch(a, len);
	forget_written(a);
	set_length(a, len);
	a->exists = true;
}

void
sim_flash_replace(enum port_area area, const void *image, uint32_t len)
{
	struct area *a = area_of(area);

	if (len > image_limit(a)) {
		sim_fail("sim_flash_replace: too large");
	}
	memcpy(a->next, image, len);
	a->next_len = len;
	a->replaced = true;
}

const char *
sim_flash_where(enum port_area area)
{
	return area_of(area)->where;
}

void
sim_flash_flip(enum port_area area, uint32_t offset, uint8_t mask)
{
	struct area *a = area_of(area);

	if (offset >= a->geometry.size) {
		sim_fail("sim_flash_flip: beyond the area");
	}
	late_apply_area((unsigned)area);
	a->cells[offset] ^= mask;
	a->medium[offset] ^= mask;
	touch(a, offset + 1);
}

/* As many entries of each unit as the seed wants, in order; all or none more often. */
static void
late_apply_some(void)
{
	if (late_count == 0) {
		return;
	}
	memset(late_of, 0, sizeof late_of);
	for (unsigned i = 0; i < late_count; i++) {
		late_of[late[i].area][late[i].at / UNIT]++;
	}
	for (unsigned area = 0; area < PORT_AREAS; area++) {
		for (unsigned unit = 0; unit < UNITS; unit++) {
			uint32_t *count = &late_of[area][unit];

			if (*count == 0 || sim_draw_below(SIM_FLASH, 3) == 0) {
				continue;
			}
			*count = sim_coin(SIM_FLASH) ? 0 : sim_draw_below(SIM_FLASH, *count + 1);
		}
	}
	for (unsigned i = 0; i < late_count; i++) {
		uint32_t *left = &late_of[late[i].area][late[i].at / UNIT];

		if (*left > 0) {
			(*left)--;
			late_apply(&late[i]);
		}
	}
	late_count = 0;
}

void
sim_flash_cached(bool set)
{
	late_apply_all();
	cached = set;
}

void
sim_flash_restart(void)
{
	late_apply_all();
	for (unsigned i = 0; i < PORT_AREAS; i++) {
		areas[i].was_open = areas[i].was_open || areas[i].open;
		areas[i].open = false;
	}
}

void
sim_flash_power_cut(void)
{
	late_apply_some();
	for (unsigned i = 0; i < PORT_AREAS; i++) {
		memcpy(areas[i].cells, areas[i].medium, areas[i].touched);
		forget_written(&areas[i]);
	}
	sim_flash_restart();
}

/* Set a few cells, at most one unit of them. */
static void
set_cells(struct area *a, uint32_t at, uint8_t value, uint32_t len)
{
	memset(a->cells + at, value, len);
	touch(a, at + len);
	if (!cached) {
		memset(a->medium + at, value, len);
		return;
	}
	if (late_count == LATE_MAX) {
		late_apply_all();
	}
	late[late_count++] = (struct late){
		.area = (uint8_t)(a - areas),
		.value = value,
		.len = (uint8_t)len,
		.at = at,
	};
}

/* One step of work; false: the power went before it. */
static bool
step(void)
{
	if (steps_left == 0) {
		sim_power_cut();
		return false;
	}
	steps_left -= steps_left != UINT64_MAX;
	return true;
}

/* The port */

/* Every call on an open area begins with this. */
static int
call_begin(struct area *a)
{
	if (!a->open) {
		SIM_RULE(a->was_open, "flash: the area is not open");
		return CUB_E_IO;
	}
	return sim_fault_count(&fault);
}

int
port_flash_open(enum port_area area, const char *where, uint32_t create_len,
	struct port_flash *out)
{
	struct area *a = area_of(area);
	int err = sim_fault_count(&fault);

	SIM_RULE(where[0] != '\0', "flash open: no name");
	if (err != CUB_OK || sim_power_is_off()) {
		return err != CUB_OK ? err : CUB_E_IO;
	}
	if (a->replaced && !a->open) {
		sim_flash_image(area, a->next, a->next_len);
	}
	if (!a->exists && create_len == 0) {
		return CUB_E_NOENT;
	}
	if (a->elsewhere || a->open) {
		return CUB_E_BUSY;
	}
	if (!a->exists) {
		SIM_RULE(!a->is_file || create_len <= SIM_FLASH_MAX, "flash open: too long a file");
		set_length(a, create_len);
		a->exists = true;
	}
	a->open = true;
	a->was_open = false;
	snprintf(a->where, sizeof a->where, "%s", where);
	*out = a->geometry;
	out->is_file = a->is_file;
	return CUB_OK;
}

void
port_flash_close(enum port_area area)
{
	struct area *a = area_of(area);

	SIM_RULE(a->open || a->was_open, "flash close: the area is not open");
	a->open = false;
	a->was_open = false;
}

int
port_flash_read(enum port_area area, uint32_t at, void *dst, uint32_t len)
{
	struct area *a = area_of(area);
	int err = call_begin(a);

	if (err != CUB_OK) {
		return err;
	}
	SIM_RULE(at <= a->geometry.size && len <= a->geometry.size - at,
		"flash read: out of range");
	memcpy(dst, a->cells + at, len);
	return CUB_OK;
}

static void
check_program(const struct area *a, uint32_t at, const uint8_t *from, uint32_t len)
{
	uint32_t size = a->geometry.size;
	uint32_t unit = a->geometry.write_size;

	SIM_RULE(at <= size && len <= size - at, "flash program: out of range");
	SIM_RULE(at % unit == 0 && len % unit == 0, "flash program: not aligned");
	for (uint32_t i = 0; i < len; i++) {
		SIM_RULE((from[i] & ~a->cells[at + i]) == 0, "flash program: a bit from 0 to 1");
		SIM_RULE(!once || !a->written[at + i], "flash program: a second time");
	}
}

int
port_flash_program(enum port_area area, uint32_t at, const void *src, uint32_t len)
{
	struct area *a = area_of(area);
	const uint8_t *from = src;
	uint32_t done = len;
	int err = call_begin(a);

	if (!a->open) {
		return CUB_E_IO;
	}
	check_program(a, at, from, len);
	if (err != CUB_OK) {
		done = sim_draw_below(SIM_FLASH, len + 1);
	}
	a->counts.programs++;
	for (uint32_t i = 0; i < done; i++) {
		if (!step()) {
			return CUB_E_IO;
		}
		set_cells(a, at + i, from[i], 1);
		a->written[at + i] = true;
		a->counts.bytes++;
	}
	return err;
}

/* The n-th part of a block to be erased, as a permutation: there are a power of two of them. */
struct order {
	uint32_t first;
	uint32_t step;  /* odd, so that no part is left out */
};

static struct order
draw_order(const struct area *a, uint32_t at)
{
	bool grows = at + a->geometry.erase_size > a->geometry.size;

	if (scattered && !grows) {
		return (struct order){ (uint32_t)sim_draw(SIM_FLASH), (uint32_t)sim_draw(SIM_FLASH) | 1 };
	}
	return !grows && sim_coin(SIM_FLASH) ? (struct order){ UINT32_MAX, UINT32_MAX }
		: (struct order){ 0, 1 };
}

/* Erase a block, or its part of `pieces` ERASE_STEPS-ths. Returns false if the power went. */
static bool
erase_block(struct area *a, uint32_t at, uint32_t pieces)
{
	uint32_t size = a->geometry.erase_size;
	uint32_t steps = size < ERASE_STEPS ? size : ERASE_STEPS;
	uint32_t part = size / steps < UNIT ? size / steps : UNIT, parts = size / part;
	struct order order = draw_order(a, at);

	for (uint32_t i = 0; i < parts && i / (parts / steps) < pieces; i++) {
		uint32_t start = at + ((order.first + i * order.step) & (parts - 1)) * part;

		if (i % (parts / steps) == 0 && !step()) {
			return false;
		}
		set_cells(a, start, 0xFF, part);
		memset(a->written + start, false, part);
	}
	return true;
}

int
port_flash_erase(enum port_area area, uint32_t at, uint32_t len)
{
	struct area *a = area_of(area);
	uint32_t block = a->geometry.erase_size;
	int err = call_begin(a);

	if (!a->open) {
		return CUB_E_IO;
	}
	SIM_RULE(at <= a->geometry.size && len <= a->geometry.size - at,
		"flash erase: out of range");
	SIM_RULE(at % block == 0 && len % block == 0, "flash erase: not aligned");
	for (uint32_t done = 0; done < len; done += block) {
		/* A failure strikes within the first block. */
		uint32_t pieces = err == CUB_OK ? ERASE_STEPS : sim_draw_below(SIM_FLASH, ERASE_STEPS);

		if (!erase_block(a, at + done, pieces)) {
			return CUB_E_IO;
		}
		if (err != CUB_OK) {
			return err;
		}
		a->counts.erases++;
	}
	return err;
}

int
port_flash_sync(enum port_area area)
{
	struct area *a = area_of(area);
	int err = call_begin(a);

	if (err != CUB_OK) {
		return err;
	}
	if (!step()) {
		return CUB_E_IO;
	}
	late_apply_area((unsigned)area);
	a->counts.syncs++;
	return CUB_OK;
}
