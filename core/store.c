/* SPDX-License-Identifier: MIT */
/* Records on flash that survive a power cut at any byte: format and argument are in store.h. */
#include "store.h"

#include <string.h>

#include "crc32.h"

#define FREE         0xFF
#define UNIT_MIN     16u
#define UNIT_MAX     256u
#define BANK_HEADER  32u
#define HEADER       16u
#define HEADER_CRC   8u
#define MARK_AT      15u
#define REMOVED      UINT32_C(0xFFFFFFFF)

static const uint8_t bank_magic[] = { 'c', 'u', 'b', 'S', CUBFTPD_STORE_FORMAT };

static void
put32(uint8_t *dst, uint32_t n)
{
	for (int i = 0; i < 4; i++) {
		dst[i] = (uint8_t)(n >> (8 * i));
	}
}

static uint32_t
get32(const uint8_t *src)
{
	return (uint32_t)src[0] | (uint32_t)src[1] << 8 | (uint32_t)src[2] << 16
		| (uint32_t)src[3] << 24;
}

static uint32_t
round_up(uint32_t n, uint32_t unit)
{
	return (n + unit - 1) & ~(unit - 1);
}

/* Where the parts of a bank stand, from its start. */
static uint32_t
commit_at(const struct store *s)
{
	return round_up(BANK_HEADER, s->unit);
}

static uint32_t
retired_at(const struct store *s)
{
	return commit_at(s) + s->unit;
}

static uint32_t
records_at(const struct store *s)
{
	return retired_at(s) + s->unit;
}

/* The space that a record takes. */
static uint32_t
record_size(const struct store *s, uint32_t key_len, uint32_t value_len)
{
	return round_up(HEADER, s->unit) + round_up(key_len + value_len, s->unit) + s->unit;
}

static uint32_t
change_size(const struct store *s, const struct store_change *c)
{
	return record_size(s, c->key_len, c->value == NULL ? 0 : c->value_len);
}

static uint32_t
crc_of_sequence(uint32_t sequence)
{
	uint8_t bytes[4];

	put32(bytes, sequence);
	return crc32(0, bytes, sizeof bytes);
}

/* Is everything in a range free? Returns 1 or 0, or CUB_E_IO. */
static int
is_free(const struct store *s, uint32_t at, uint32_t end)
{
	uint8_t piece[64];

	for (uint32_t len; at < end; at += len) {
		int err;

		len = end - at < sizeof piece ? end - at : (uint32_t)sizeof piece;
		err = port_flash_read(s->area, at, piece, len);
		if (err < 0) {
			return err;
		}
		for (uint32_t i = 0; i < len; i++) {
			if (piece[i] != FREE) {
				return 0;
			}
		}
	}
	return 1;
}

/* Program bytes from a unit's start on, the rest of the last unit stays free. */
static int
program(const struct store *s, uint32_t at, const void *src, uint32_t len)
{
	uint8_t unit[UNIT_MAX];
	uint32_t whole = len & ~(s->unit - 1);
	int err = CUB_OK;

	if (whole > 0) {
		err = port_flash_program(s->area, at, src, whole);
	}
	if (err == CUB_OK && len > whole) {
		memset(unit, FREE, s->unit);
		memcpy(unit, (const uint8_t *)src + whole, len - whole);
		err = port_flash_program(s->area, at + whole, unit, s->unit);
	}
	return err;
}

/* Begin a mark, unless it is begun already. */
static int
set_mark(const struct store *s, uint32_t at)
{
	static const uint8_t zeros[UNIT_MIN];
	int err = is_free(s, at, at + UNIT_MIN);

	if (err <= 0) {
		return err;
	}
	err = program(s, at, zeros, sizeof zeros);
	return err == CUB_OK ? port_flash_sync(s->area) : err;
}

/*
 * See to it that a bank that has never been used is not taken for a blank one. Only where it
 * has no header: one whose header was written before a cut would seem to be in use if an
 * erase, cut in turn, took away just its retired mark.
 */
static int
mark_unused(const struct store *s, uint32_t base)
{
	int err = is_free(s, base, base + BANK_HEADER);

	if (err <= 0) {
		return err;
	}
	err = set_mark(s, base + retired_at(s));
	return err == CUB_OK ? set_mark(s, base + commit_at(s)) : err;
}

/* What a bank is; see the table in store.h. */
struct bank {
	uint32_t base;
	uint32_t sequence;
	bool     committed;
	bool     usable;
};

static int
bank_look(const struct store *s, uint32_t base, struct bank *b)
{
	uint8_t header[BANK_HEADER];
	bool is_header, fits;
	int free_commit = is_free(s, base + commit_at(s), base + commit_at(s) + UNIT_MIN);
	int free_retired = is_free(s, base + retired_at(s), base + retired_at(s) + UNIT_MIN);
	int err = port_flash_read(s->area, base, header, sizeof header);

	if (err < 0 || free_commit < 0 || free_retired < 0) {
		return CUB_E_IO;
	}
	b->base = base;
	b->sequence = get32(header + 8);
	is_header = memcmp(header, bank_magic, sizeof bank_magic) == 0
		&& get32(header + 28) == crc32(0, header, 28);
	fits = header[5] == s->area && UINT32_C(1) << (header[6] & 31) == s->unit
		&& get32(header + 12) == s->bank_size;
	/* With another geometry the marks stand elsewhere: that is not blank, whatever they say. */
	b->committed = free_commit == 0 || (is_header && !fits);
	b->usable = free_commit == 0 && free_retired == 1 && is_header && fits;
	return CUB_OK;
}

static bool
is_later(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) > 0;
}

/* Choose the bank that counts, and retire the other one for good. */
static int
choose_bank(struct store *s)
{
	struct bank bank[2];
	unsigned chosen;
	int err;

	for (uint32_t i = 0; i < 2; i++) {
		err = bank_look(s, i * s->bank_size, &bank[i]);
		if (err < 0) {
			return err;
		}
	}
	s->blank = !bank[0].committed && !bank[1].committed;
	if (s->blank) {
		return CUB_OK;
	}
	if (!bank[0].usable && !bank[1].usable) {
		return CUB_E_CORRUPT;
	}
	chosen = !bank[0].usable || (bank[1].usable
		&& is_later(bank[1].sequence, bank[0].sequence)) ? 1 : 0;
	s->base = bank[chosen].base;
	s->sequence = bank[chosen].sequence;
	if (bank[!chosen].usable) {
		/* First what was only read must be durable: then the old one may go. */
		err = port_flash_sync(s->area);
		return err == CUB_OK ? set_mark(s, bank[!chosen].base + retired_at(s)) : err;
	}
	return bank[!chosen].committed ? CUB_OK : mark_unused(s, bank[!chosen].base);
}

/* Continue a CRC over a range of the area. */
static int
crc_range(const struct store *s, uint32_t at, uint32_t len, uint32_t *crc)
{
	uint8_t piece[64];

	while (len > 0) {
		uint32_t n = len < sizeof piece ? len : (uint32_t)sizeof piece;
		int err = port_flash_read(s->area, at, piece, n);

		if (err < 0) {
			return err;
		}
		*crc = crc32(*crc, piece, n);
		at += n;
		len -= n;
	}
	return CUB_OK;
}

/*
 * Read the record at `at`.
 *
 * Returns CUB_OK         it is committed and good;
 *         CUB_EOF        free space follows, or (`*torn`) a torn tail;
 *         CUB_E_CORRUPT  damage;
 *         CUB_E_IO.
 */
static int
record_look(const struct store *s, uint32_t at, struct store_record *r, bool *torn)
{
	uint32_t limit = s->base + s->bank_size;
	uint32_t body = at + round_up(HEADER, s->unit);
	uint32_t crc = crc_of_sequence(s->sequence);
	uint8_t header[HEADER], trailer[UNIT_MIN];
	uint32_t size;
	int err;

	*torn = false;
	if (limit - at < record_size(s, 0, 0)) {
		err = is_free(s, at, limit);
		return err < 0 ? err : err ? CUB_EOF : CUB_E_CORRUPT;
	}
	err = port_flash_read(s->area, at, header, sizeof header);
	if (err < 0) {
		return err;
	}
	if (header[0] == FREE || get32(header + HEADER_CRC) != crc32(crc, header, HEADER_CRC)) {
		/* Nothing, or a header that was cut: then nothing can follow it. */
		err = is_free(s, body, limit);
		*torn = err == 1 && is_free(s, at, body) != 1;
		return err < 0 ? err : err ? CUB_EOF : CUB_E_CORRUPT;
	}
	r->at = at;
	r->type = header[0];
	r->key_len = header[1];
	r->removed = get32(header + 4) == REMOVED;
	r->value_len = r->removed ? 0 : get32(header + 4);
	r->value_at = body + r->key_len;
	if (r->key_len > STORE_KEY_MAX || r->value_len > s->bank_size) {
		return CUB_E_CORRUPT;
	}
	size = record_size(s, r->key_len, r->value_len);
	if (size > limit - at) {
		return CUB_E_CORRUPT;
	}
	err = port_flash_read(s->area, at + size - s->unit, trailer, sizeof trailer);
	crc = crc32(crc, header, HEADER_CRC);
	if (err == CUB_OK) {
		err = crc_range(s, body, r->key_len + r->value_len, &crc);
	}
	if (err == CUB_OK && r->key_len > 0) {
		err = port_flash_read(s->area, body, r->key, r->key_len);
	}
	if (err < 0 || get32(trailer) == crc) {
		return err;
	}
	*torn = trailer[MARK_AT] == FREE;
	err = is_free(s, at + size, limit);
	return err < 0 ? err : *torn && err ? CUB_EOF : CUB_E_CORRUPT;
}

/* Where the record after `r` begins, or the first one's place. */
static uint32_t
after(const struct store *s, const struct store_record *r)
{
	return r->at == 0 ? s->base + records_at(s)
		: r->at + record_size(s, r->key_len, r->value_len);
}

int
store_next(const struct store *s, struct store_record *r)
{
	bool torn;

	if (s->blank || after(s, r) == s->end) {
		return CUB_EOF;
	}
	return record_look(s, after(s, r), r, &torn);
}

/* Go through all records, so that damage shows, and find the end. */
static int
find_end(struct store *s)
{
	struct store_record r;
	int err;

	r.at = 0;
	do {
		s->end = after(s, &r);
		err = record_look(s, s->end, &r, &s->torn);
	} while (err == CUB_OK);
	return err == CUB_EOF ? CUB_OK : err;
}

/* Take over the area's geometry. Files are made with their full length: a short one was cut. */
static int
measure(struct store *s, const struct port_flash *flash)
{
	s->unit = flash->write_size > UNIT_MIN ? flash->write_size : UNIT_MIN;
	s->bank_size = round_up(CUB_STORE_BANK, flash->erase_size);
	if (s->unit > UNIT_MAX || (s->bank_size & (s->unit - 1)) != 0) {
		return CUB_E_LIMIT;
	}
	if (flash->size < 2 * s->bank_size) {
		return flash->is_file ? CUB_E_CORRUPT : CUB_E_LIMIT;
	}
	return CUB_OK;
}

int
store_open(struct store *s, enum port_area area, const char *where, bool create)
{
	struct port_flash flash;
	int err;

	*s = (struct store){ .area = area };
	err = port_flash_open(area, where, create ? 2 * CUB_STORE_BANK : 0, &flash);
	if (err < 0) {
		return err;
	}
	err = measure(s, &flash);
	if (err == CUB_OK) {
		err = choose_bank(s);
	}
	if (err == CUB_OK && !s->blank) {
		err = find_end(s);
	}
	if (err < 0) {
		port_flash_close(area);
	}
	return err;
}

void
store_close(struct store *s)
{
	port_flash_close(s->area);
}

int
store_read(const struct store *s, const struct store_record *r, uint32_t from,
	void *dst, uint32_t len)
{
	CUB_ASSERT(from <= r->value_len && len <= r->value_len - from);
	return len > 0 ? port_flash_read(s->area, r->value_at + from, dst, len) : CUB_OK;
}

static bool
has_key(const struct store_record *r, uint8_t type, const void *key, uint8_t key_len)
{
	return r->type == type && r->key_len == key_len
		&& (key_len == 0 || memcmp(r->key, key, key_len) == 0);
}

int
store_find(const struct store *s, uint8_t type, const void *key, uint8_t key_len,
	struct store_record *r)
{
	struct store_record walk;
	bool found = false;
	int err;

	walk.at = 0;
	while ((err = store_next(s, &walk)) == CUB_OK) {
		if (has_key(&walk, type, key, key_len)) {
			found = !walk.removed;
			*r = walk;
		}
	}
	return err != CUB_EOF ? err : found ? CUB_OK : CUB_E_NOENT;
}

/* The header of a record, with its CRC. Returns the CRC to continue for the trailer. */
static uint32_t
make_header(uint8_t header[HEADER], uint32_t sequence, const struct store_change *c)
{
	uint32_t crc = crc_of_sequence(sequence);

	memset(header, FREE, HEADER);
	header[0] = c->type;
	header[1] = c->key_len;
	put32(header + 4, c->value == NULL ? REMOVED : c->value_len);
	put32(header + HEADER_CRC, crc32(crc, header, HEADER_CRC));
	/* Not of the CRC itself: what is continued over its own CRC always gives the same. */
	return crc32(crc, header, HEADER_CRC);
}

/* A record's body: programmed unit by unit, from pieces of any length, with its CRC. */
struct body {
	uint32_t at;
	uint32_t fill;
	uint32_t crc;
	uint8_t  unit[UNIT_MAX];
	uint8_t  piece[64];       /* for what is copied */
};

static int
body_put(const struct store *s, struct body *b, const void *src, uint32_t len)
{
	const uint8_t *from = src;

	b->crc = crc32(b->crc, src, len);
	while (len > 0) {
		uint32_t n = s->unit - b->fill < len ? s->unit - b->fill : len;

		memcpy(b->unit + b->fill, from, n);
		b->fill += n;
		from += n;
		len -= n;
		if (b->fill == s->unit) {
			int err = program(s, b->at, b->unit, s->unit);

			if (err < 0) {
				return err;
			}
			b->at += s->unit;
			b->fill = 0;
		}
	}
	return CUB_OK;
}

/*
 * Write key and value. Where the value comes from: memory, or (`from` not null) a record of this
 * store.
 */
static int
write_body(const struct store *s, struct body *b, const struct store_change *c,
	const struct store_record *from)
{
	int err = body_put(s, b, c->key, c->key_len);

	if (from == NULL && err == CUB_OK && c->value != NULL) {
		err = body_put(s, b, c->value, c->value_len);
	}
	for (uint32_t done = 0, n; from != NULL && err == CUB_OK && done < c->value_len; done += n) {
		n = c->value_len - done < sizeof b->piece ? c->value_len - done : (uint32_t)sizeof b->piece;
		err = store_read(s, from, done, b->piece, n);
		if (err == CUB_OK) {
			err = body_put(s, b, b->piece, n);
		}
	}
	return err == CUB_OK && b->fill > 0 ? program(s, b->at, b->unit, b->fill) : err;
}

/* Sync, if the order of what is programmed before and after matters. */
static int
barrier(const struct store *s, int err, bool ordered)
{
	return err == CUB_OK && ordered ? port_flash_sync(s->area) : err;
}

/*
 * Write a whole record at `at`; `ordered` where it is appended to a bank that counts.
 * `*at` moves to its end.
 */
static int
write_record(const struct store *s, uint32_t *at, uint32_t sequence,
	const struct store_change *c, const struct store_record *from, bool ordered)
{
	uint32_t size = change_size(s, c);
	struct body body = { .at = *at + round_up(HEADER, s->unit) };
	uint8_t header[HEADER], trailer[UNIT_MIN];
	int err;

	body.crc = make_header(header, sequence, c);
	err = barrier(s, program(s, *at, header, sizeof header), ordered);
	if (err == CUB_OK) {
		err = write_body(s, &body, c, from);
	}
	err = barrier(s, err, ordered);
	memset(trailer, FREE, sizeof trailer);
	put32(trailer, body.crc);
	trailer[MARK_AT] = 0;
	if (err == CUB_OK) {
		err = program(s, *at + size - s->unit, trailer, sizeof trailer);
	}
	*at += size;
	wipe(&body, sizeof body);
	return barrier(s, err, ordered);
}

/* Does a record still count, once the changes are made? */
static int
is_live(const struct store *s, const struct store_record *r,
	const struct store_change *change, unsigned count)
{
	struct store_record later = *r;
	int err;

	for (unsigned i = 0; i < count; i++) {
		if (has_key(r, change[i].type, change[i].key, change[i].key_len)) {
			return 0;
		}
	}
	while ((err = store_next(s, &later)) == CUB_OK) {
		if (has_key(&later, r->type, r->key, r->key_len)) {
			return 0;
		}
	}
	return err == CUB_EOF ? !r->removed : err;
}

/* Would everything that counts after the changes fit into a bank? CUB_OK, CUB_E_FULL, or worse. */
static int
check_room(const struct store *s, const struct store_change *change, unsigned count)
{
	struct store_record r;
	uint32_t need = records_at(s);
	int err;

	r.at = 0;
	for (unsigned i = 0; i < count; i++) {
		if (change[i].value_len > s->bank_size) {
			return CUB_E_FULL;
		}
		need += change[i].value == NULL ? 0 : change_size(s, &change[i]);
	}
	while ((err = store_next(s, &r)) == CUB_OK) {
		int live = is_live(s, &r, change, count);

		if (live < 0) {
			return live;
		}
		need += live ? record_size(s, r.key_len, r.value_len) : 0;
	}
	return err != CUB_EOF ? err : need <= s->bank_size ? CUB_OK : CUB_E_FULL;
}

/* Make a bank erased. */
static int
clear_bank(const struct store *s, uint32_t base)
{
	int is_clear = is_free(s, base, base + s->bank_size);
	int err;

	if (is_clear != 0) {
		return is_clear < 0 ? is_clear : CUB_OK;
	}
	err = port_flash_erase(s->area, base, s->bank_size);
	return err == CUB_OK ? port_flash_sync(s->area) : err;
}

/* Copy what counts and add the changes, from `*at` on. */
static int
copy_live(const struct store *s, uint32_t *at, uint32_t sequence,
	const struct store_change *change, unsigned count)
{
	struct store_record r;
	int err;

	r.at = 0;
	while ((err = store_next(s, &r)) == CUB_OK) {
		/* Its value is read from the record: what stands for it here is only not null. */
		struct store_change copy = { r.type, r.key_len, r.key, &r, r.value_len };
		int live = is_live(s, &r, change, count);

		if (live > 0) {
			live = write_record(s, at, sequence, &copy, &r, false);
		}
		if (live < 0) {
			return live;
		}
	}
	err = err == CUB_EOF ? CUB_OK : err;
	for (unsigned i = 0; err == CUB_OK && i < count; i++) {
		if (change[i].value != NULL) {
			err = write_record(s, at, sequence, &change[i], NULL, false);
		}
	}
	return err;
}

/* Program a bank's header, then its commit mark. */
static int
commit_bank(const struct store *s, uint32_t base, uint32_t sequence)
{
	uint8_t header[BANK_HEADER];
	int err;

	memset(header, FREE, sizeof header);
	memcpy(header, bank_magic, sizeof bank_magic);
	header[5] = (uint8_t)s->area;
	header[6] = 0;
	while (UINT32_C(1) << header[6] < s->unit) {
		header[6]++;
	}
	put32(header + 8, sequence);
	put32(header + 12, s->bank_size);
	put32(header + 28, crc32(0, header, 28));
	err = program(s, base, header, sizeof header);
	err = barrier(s, err, true);
	return err == CUB_OK ? set_mark(s, base + commit_at(s)) : err;
}

static int
compact(struct store *s, const struct store_change *change, unsigned count)
{
	uint32_t base = s->blank || s->base != 0 ? 0 : s->bank_size;
	uint32_t sequence = s->blank ? 1 : s->sequence + 1;
	uint32_t at = base + records_at(s);
	int err = clear_bank(s, base);

	if (err == CUB_OK) {
		err = copy_live(s, &at, sequence, change, count);
	}
	err = barrier(s, err, true);
	if (err == CUB_OK) {
		err = commit_bank(s, base, sequence);
	}
	if (err == CUB_OK) {
		err = s->blank ? mark_unused(s, s->bank_size) : set_mark(s, s->base + retired_at(s));
	}
	if (err < 0) {
		return err;
	}
	s->blank = false;
	s->torn = false;
	s->base = base;
	s->sequence = sequence;
	s->end = at;
	return CUB_OK;
}

int
store_write(struct store *s, const struct store_change *change, unsigned count)
{
	const struct store_change *c = change;
	int err = s->failed ? CUB_E_IO : check_room(s, change, count);

	if (err < 0) {
		return err;
	}
	if (count > 1 || s->blank || s->torn
		|| change_size(s, c) > s->base + s->bank_size - s->end) {
		err = compact(s, change, count);
	} else {
		err = write_record(s, &s->end, s->sequence, c, NULL, true);
	}
	s->failed = err < 0;
	return err;
}

int
store_remove(struct store *s, uint8_t type, const void *key, size_t key_len)
{
	struct store_change change = { type, (uint8_t)key_len, key, NULL, 0 };

	return store_write(s, &change, 1);
}
