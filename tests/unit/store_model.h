/* SPDX-License-Identifier: MIT */
/*
 * What the tests of the store share: a model of what a store should hold, the shapes of
 * flash that they run on, and images written from the description in core/store.h by
 * other means than those of core/store.c.
 */
#ifndef STORE_MODEL_H
#define STORE_MODEL_H

#include "unit.h"

#include "store.h"

#define AREA PORT_AREA_TRUST

/* What can be kept apart of keys in one test. */
#define MODEL_MAX 48

struct model {
	struct {
		uint8_t  type;
		uint8_t  key_len;
		uint8_t  key[STORE_KEY_MAX];
		uint32_t value_len;
		uint64_t value_hash;
	} item[MODEL_MAX];
	unsigned count;
};

/* FNV-1a: another kind of sum than the store's own. Begin with 0. */
static inline uint64_t
model_hash(uint64_t hash, const void *src, size_t len)
{
	const uint8_t *at = src;

	hash = hash == 0 ? UINT64_C(0xCBF29CE484222325) : hash;
	while (len-- > 0) {
		hash = (hash ^ *at++) * UINT64_C(0x100000001B3);
	}
	return hash;
}

static inline int
model_find(const struct model *m, uint8_t type, const void *key, uint8_t key_len)
{
	for (unsigned i = 0; i < m->count; i++) {
		if (m->item[i].type == type && m->item[i].key_len == key_len
			&& (key_len == 0 || memcmp(m->item[i].key, key, key_len) == 0)) {
			return (int)i;
		}
	}
	return -1;
}

/* Put a value's hash under a key, or take the key away. */
static inline void
model_set(struct model *m, uint8_t type, const void *key, uint8_t key_len, bool removed,
	uint32_t value_len, uint64_t value_hash)
{
	int at = model_find(m, type, key, key_len);

	if (removed) {
		if (at >= 0) {
			m->item[at] = m->item[--m->count];
		}
		return;
	}
	if (at < 0) {
		CLAIM(m->count < MODEL_MAX, "the test: too many keys");
		at = (int)m->count++;
	}
	m->item[at].type = type;
	m->item[at].key_len = key_len;
	if (key_len > 0) {
		memcpy(m->item[at].key, key, key_len);
	}
	m->item[at].value_len = value_len;
	m->item[at].value_hash = value_hash;
}

static inline void
model_apply(struct model *m, const struct store_change *c, unsigned count)
{
	for (; count > 0; count--, c++) {
		model_set(m, c->type, c->key, c->key_len, c->value == NULL, c->value_len,
			c->value == NULL ? 0 : model_hash(0, c->value, c->value_len));
	}
}

static inline bool
model_same(const struct model *a, const struct model *b)
{
	for (unsigned i = 0; i < a->count; i++) {
		int at = model_find(b, a->item[i].type, a->item[i].key, a->item[i].key_len);

		if (at < 0 || a->item[i].value_len != b->item[at].value_len
			|| a->item[i].value_hash != b->item[at].value_hash) {
			return false;
		}
	}
	return a->count == b->count;
}

static inline uint64_t
model_hash_of(const struct store *s, const struct store_record *r)
{
	uint64_t hash = model_hash(0, NULL, 0);
	uint8_t piece[512];

	for (uint32_t at = 0, n; at < r->value_len; at += n) {
		n = r->value_len - at < sizeof piece ? r->value_len - at : (uint32_t)sizeof piece;
		CLAIM(store_read(s, r, at, piece, n) == CUB_OK, "%u bytes at %u", (unsigned)n,
			(unsigned)at);
		hash = model_hash(hash, piece, n);
	}
	return hash;
}

/* What a store holds, by going through its records: CUB_OK or what stopped it. */
static inline int
model_read(struct model *m, const struct store *s)
{
	struct store_record r = { .at = 0 };
	int err;

	m->count = 0;
	while ((err = store_next(s, &r)) == CUB_OK) {
		model_set(m, r.type, r.key, r.key_len, r.removed, r.value_len,
			r.removed ? 0 : model_hash_of(s, &r));
	}
	return err == CUB_EOF ? CUB_OK : err;
}

/* Does it hold exactly this? */
static inline bool
model_holds(const struct model *want, const struct store *s)
{
	static struct model found;

	return model_read(&found, s) == CUB_OK && model_same(&found, want);
}

/* The same, and is each key found, and no other? */
static inline bool
model_is(const struct model *want, const struct store *s)
{
	struct store_record r;

	if (!model_holds(want, s)) {
		return false;
	}
	for (unsigned i = 0; i < want->count; i++) {
		if (store_find(s, want->item[i].type, want->item[i].key, want->item[i].key_len,
			&r) != CUB_OK
			|| r.removed || r.value_len != want->item[i].value_len
			|| model_hash_of(s, &r) != want->item[i].value_hash) {
			return false;
		}
	}
	return store_find(s, 77, "no such key", 11, &r) == CUB_E_NOENT;
}

/* Kinds of flash. A `size` of 0 is a file; the others are devices of two banks. */
struct shape {
	const char *name;
	uint32_t size, erase, write;
};

#define BANK_OF(erase) ((CUB_STORE_BANK + (erase) - 1) / (erase) * (erase))

static const struct shape shapes[] = {
	{ "a file", 0, 4096, 1 },
	{ "bytes, 4 KiB blocks", 2 * BANK_OF(4096u), 4096, 1 },
	{ "units of 16, 4 KiB blocks", 2 * BANK_OF(4096u), 4096, 16 },
	{ "units of 256, 4 KiB blocks", 2 * BANK_OF(4096u), 4096, 256 },
	{ "bytes, 64 KiB blocks", 2 * BANK_OF(65536u), 65536, 1 },
	{ "units of 256, 64 KiB blocks", 2 * BANK_OF(65536u), 65536, 256 },
};

/* A blank area of a shape. No unit may be programmed twice: there are chips that need that. */
static inline void
shape_use(const struct shape *shape, bool cached)
{
	sim_flash_geometry(AREA, shape->size, shape->erase, shape->write);
	sim_flash_cached(cached);
	sim_flash_once(true);
}

/* Bytes for values: random ones, the same in each run. */
static inline const uint8_t *
value_bytes(void)
{
	static uint8_t bytes[65536];
	uint32_t n = 1;

	for (size_t i = 0; bytes[sizeof bytes - 1] == 0 && i < sizeof bytes; i++) {
		n = n * 1664525 + 1013904223;
		bytes[i] = (uint8_t)(n >> 24 | (i + 1 == sizeof bytes));
	}
	return bytes;
}

#define PUT(type, key, value, len) \
	((struct store_change){ (type), sizeof(key) - 1, (key), (value), (len) })
#define TAKE(type, key) \
	((struct store_change){ (type), sizeof(key) - 1, (key), NULL, 0 })

/* The state of an area, to go back to. */
struct image {
	uint32_t len;
	uint8_t  bytes[SIM_FLASH_MAX];
	uint32_t at;    /* where the next record goes, while it is written */
	uint32_t unit;
	uint32_t bank_size;
	uint32_t sequence;
};

static inline void
image_take(struct image *image)
{
	image->len = sim_flash_size(AREA);
	memcpy(image->bytes, sim_flash_bytes(AREA), image->len);
}

static inline void
image_put(const struct image *image)
{
	sim_flash_image(AREA, image->bytes, image->len);
}

/* Images made by hand */

/* CRC-32 bit by bit, continued. */
static inline uint32_t
image_crc(uint32_t crc, const uint8_t *src, size_t len)
{
	crc = ~crc;
	for (size_t i = 0; i < len; i++) {
		crc ^= src[i];
		for (int bit = 0; bit < 8; bit++) {
			crc = (crc & 1) != 0 ? crc >> 1 ^ 0xEDB88320 : crc >> 1;
		}
	}
	return ~crc;
}

static inline void
image_put32(uint8_t *dst, uint32_t n)
{
	for (unsigned i = 0; i < 4; i++) {
		dst[i] = (uint8_t)(n >> 8 * i);
	}
}

static inline uint32_t
image_up(const struct image *image, uint32_t n)
{
	return (n + image->unit - 1) / image->unit * image->unit;
}

/* A blank image for a shape. */
static inline void
image_start(struct image *image, const struct shape *shape)
{
	memset(image->bytes, 0xFF, sizeof image->bytes);
	image->unit = shape->write > 16 ? shape->write : 16;
	image->bank_size = BANK_OF(shape->erase);
	image->len = 2 * image->bank_size;
}

/* Begin bank 0 or 1; records follow. */
static inline void
image_bank(struct image *image, unsigned bank, uint32_t sequence)
{
	uint8_t *header = image->bytes + bank * image->bank_size;

	memcpy(header, "cubS\1", 5);
	header[5] = AREA;
	for (header[6] = 0; 1u << header[6] < image->unit;) {
		header[6]++;
	}
	image_put32(header + 8, sequence);
	image_put32(header + 12, image->bank_size);
	image_put32(header + 28, image_crc(0, header, 28));
	memset(header + image_up(image, 32), 0, 16);
	image->sequence = sequence;
	image->at = bank * image->bank_size + image_up(image, 32) + 2 * image->unit;
}

/* A bank that does not count, whether it ever did or not. */
static inline void
image_retire(struct image *image, unsigned bank)
{
	uint8_t *marks = image->bytes + bank * image->bank_size + image_up(image, 32);

	memset(marks, 0, 16);
	memset(marks + image->unit, 0, 16);
}

static inline void
image_record(struct image *image, const struct store_change *c)
{
	uint8_t *header = image->bytes + image->at;
	uint8_t *body = header + image_up(image, 16);
	uint32_t value_len = c->value != NULL ? c->value_len : 0;
	uint8_t *trailer = body + image_up(image, c->key_len + value_len);
	uint8_t sequence[4];
	uint32_t crc;

	image_put32(sequence, image->sequence);
	crc = image_crc(0, sequence, 4);
	header[0] = c->type;
	header[1] = c->key_len;
	image_put32(header + 4, c->value != NULL ? value_len : UINT32_MAX);
	image_put32(header + 8, image_crc(crc, header, 8));
	if (c->key_len > 0) {
		memcpy(body, c->key, c->key_len);
	}
	if (value_len > 0) {
		memcpy(body + c->key_len, c->value, value_len);
	}
	crc = image_crc(crc, header, 8);
	image_put32(trailer, image_crc(crc, body, c->key_len + value_len));
	trailer[15] = 0;
	image->at = (uint32_t)(trailer - image->bytes) + image->unit;
}

#endif
