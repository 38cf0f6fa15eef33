/* SPDX-License-Identifier: MIT */
/*
 * A store: typed records under keys, on an area of flash, that survives a power cut at any
 * byte with its old contents or its new ones. See port_flash_open() for what an area is.
 *
 * The format, version 1. Numbers are little-endian, CRCs are CRC-32 (crc32.h). U, the unit,
 * is the area's write size, but at least 16 bytes. Bytes called free are 0xFF.
 *
 * An area has two banks of the same size, one after the other. A bank is:
 *
 *	0      header, 32 bytes, filled up with free bytes to a multiple of U:
 *	        0  "cubS"
 *	        4  format version, 1
 *	        5  area: 0 identity, 1 trust
 *	        6  U as a power of two
 *	        7  free
 *	        8  sequence number, 4 bytes
 *	       12  size of the bank, 4 bytes
 *	       16  free, 12 bytes
 *	       28  CRC of the bytes 0 to 27
 *	H      commit mark, one unit: free, or begun with 16 zeros when the bank is complete,
 *	       or retired without ever having been in use
 *	H+U    retired mark, one unit: free, or begun with 16 zeros when the bank is outdated
 *	H+2U   records, one after the other, each from a multiple of U; then free bytes
 *
 * A record is:
 *
 *	0      header, 16 bytes, filled up to a multiple of U:
 *	        0  type, 1 to 254; 255 is free space
 *	        1  length of the key, 0 to 64
 *	        2  free, 2 bytes
 *	        4  length of the value; 0xFFFFFFFF: the key is removed, there is no value
 *	        8  CRC of the bytes 0 to 7, continued from the CRC of the sequence number
 *	       12  free, 4 bytes
 *	       key and value, filled up to a multiple of U
 *	       trailer, one unit:
 *	        0  CRC of header bytes 0 to 7, key and value, continued likewise
 *	        4  free, 11 bytes
 *	       15  commit mark: 0
 *
 * A later record replaces an earlier one of the same type and key.
 *
 * Which bank counts. A bank is committed if its commit mark is begun, usable if it is
 * committed, its header's CRC fits and it is not retired:
 *
 *	usable banks      otherwise           the store is
 *	two                                   the one with the later sequence number; the other is
 *	                                      retired
 *	one                                   that one
 *	none              none is committed   blank: never written, or not to its end
 *	none              one is committed    damaged, and so is a file that is too short
 *
 * The bank that does not count is retired at once, also one that was never used and has no
 * header: so a store that has been written can't become blank by damage to its bank.
 *
 * Sequence numbers are compared by their signed difference, so that they may wrap.
 *
 * Append: header, sync, key and value, sync, trailer, sync. Whatever is cut leaves a record
 * whose CRC does not fit, without its commit mark and nothing after it: a torn tail, which is
 * not data. A record with its mark that does not fit its CRC is damage, and so is anything
 * else after the last record; then the store as a whole is refused, since what is missing
 * might be what denies somebody. (A header that is torn stands alone, as nothing follows
 * before its sync.)
 *
 * Compaction, when the bank is full, its tail is torn or several records change at once: the
 * other bank is erased, unless it is blank; live records are copied; sync; header; sync;
 * commit mark; sync; then the old bank is retired. The old bank counts until the new one is
 * committed, and never again once it is retired, even if the new one is damaged one day.
 */
#ifndef STORE_H
#define STORE_H

#include "text.h"

#define STORE_KEY_MAX 64

struct store {
	enum port_area area;
	uint32_t unit;
	uint32_t bank_size;
	uint32_t base;      /* of the bank that counts, unless blank */
	uint32_t sequence;
	uint32_t end;       /* where the next record goes, from the start of the area */
	bool     blank;     /* nothing has ever been stored */
	bool     torn;      /* there is a torn tail at `end` */
	bool     failed;    /* a write failed: only opening it again tells what holds */
};

/* A record as found; it is valid until the store changes. */
struct store_record {
	uint32_t at;        /* of its header, from the start of the area */
	uint8_t  type;
	bool     removed;   /* the key is gone: there is no value */
	uint8_t  key_len;
	uint8_t  key[STORE_KEY_MAX];
	uint32_t value_len;
	uint32_t value_at;
};

/* A change: put a value under a key, or remove the key where `value` is null. */
struct store_change {
	uint8_t     type;
	uint8_t     key_len;
	const void *key;
	const void *value;
	uint32_t    value_len;
};

/*
 * Open a store at `where` and check all of it. It stays locked until it is closed.
 *
 * Returns CUB_OK         (a blank store is a good one);
 *         CUB_E_NOENT    there is none, and `create` is false;
 *         CUB_E_CORRUPT  it is damaged, or not of this kind or format;
 *         CUB_E_LIMIT    the area is too small or its write units are too large;
 *         CUB_E_FULL     it can't be made: the medium is full;
 *         CUB_E_BUSY, CUB_E_DENIED, CUB_E_IO.
 */
int store_open(struct store *s, enum port_area area, const char *where, bool create);
void store_close(struct store *s);

/*
 * Go through the records, oldest first, replaced ones and removals too: applied in order they
 * give the state. Begin with `r->at` 0.
 *
 * Returns CUB_OK, CUB_EOF after the last one, CUB_E_CORRUPT or CUB_E_IO.
 */
int store_next(const struct store *s, struct store_record *r);

/* Read `len` bytes of a record's value from its byte `from` on. Returns CUB_OK or CUB_E_IO. */
int store_read(const struct store *s, const struct store_record *r, uint32_t from,
	void *dst, uint32_t len);

/* Find the last value under a key. Returns CUB_OK, CUB_E_NOENT, or as store_next(). */
int store_find(const struct store *s, uint8_t type, const void *key, uint8_t key_len,
	struct store_record *r);

/*
 * Make changes, all of them or none. They are durable on return. Each key at most once.
 *
 * Returns CUB_OK; CUB_E_FULL: they do not fit, nothing changed;
 *         CUB_E_IO, CUB_E_CORRUPT: the medium failed; the old state or the new one holds,
 *         and the store takes no more changes until it is opened again.
 */
int store_write(struct store *s, const struct store_change *change, unsigned count);

/* Remove what is under a key, likewise. */
int store_remove(struct store *s, uint8_t type, const void *key, size_t key_len);

#endif
