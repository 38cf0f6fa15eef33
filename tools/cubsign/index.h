/* SPDX-License-Identifier: MIT */
/*
 * What a CA has signed: BASE.index, a text file of one line for each certificate, in the order
 * of signing:
 *
 *	signed=2026-11-26T18:37:26Z until=2036-11-23T18:37:26Z serial=01... profile=device
 *	renewal=no fingerprint=... key=... file="router-17.crt" subject="CN\x3drouter-17"
 *
 * (in one line; fingerprint and key: SHA-256 of the certificate and of its public key, 64 digits;
 * texts escaped as in the log). A line is appended and synced before its certificate leaves;
 * what a crash leaves of a line has no line end, is no entry, and is cut off by the next run
 * that signs. Where only the line end is missing, as editors leave it, it is an entry, and that
 * run puts the end there. Any other line that is not exactly as it would be written is an error.
 */
#ifndef INDEX_H
#define INDEX_H

#include "disk.h"
#include "x509.h"

struct index_entry {
	int64_t signed_s;
	int64_t until_s;
	const char *profile;   /* issue_profile_name() */
	bool    is_renewal;    /* the key had been signed before */
	uint8_t fingerprint[32];
	uint8_t key[32];
	char    serial[43];    /* digits, two a byte */
	char    file[256];     /* where it was to go */
	char    subject[256];
};

struct index {
	int fd;                      /* what is behind its offset has not been read; -1: not open */
	char path[DISK_PATH_MAX];
	size_t count, room;
	struct index_entry *entry;   /* by malloc(3) */
	const char *warning;         /* it was new, torn or mended; null: nothing to say */
	bool is_new;                 /* there was none */
	bool is_stuck;               /* what a failed write left could not be taken back */
};

/*
 * Open the index of a CA and read it. For writing, it is made where there is none, locked, and the
 * end of its last line is mended; one run waits for another, and the lock is on the file that
 * has the name then. Else it may be missing, and is empty; a torn last line is left out, since
 * somebody may just be writing it.
 * False: told in `why`, with the file's name and the line that is broken; nothing is open.
 */
bool index_open(struct index *x, const char *base, bool to_write, struct out *why);
void index_close(struct index *x);

/* Let others write, as long as nothing is to be added; it stays open. */
void index_unlock(struct index *x);

/*
 * Lock it again, wait for others, and read what they have added; it is mended as by index_open().
 * False: told in `why`; it is not locked.
 */
bool index_lock(struct index *x, struct out *why);

/* Say the warning on standard error, if there is one. */
void index_warn(const struct index *x);

/*
 * Add an entry to one that is open for writing, and locked: synced, or not at all. Its texts must
 * fit a line (INDEX_LINE_MAX), and do where they are those of the struct. Not where the file has
 * lost its name: what is written there would be lost with it.
 * False: told.
 */
bool index_add(struct index *x, const struct index_entry *entry, struct out *why);

/* Has this key been signed before? */
bool index_has_key(const struct index *x, const uint8_t key[32]);

/* Texts may become four times as long by their escapes. */
#define INDEX_LINE_MAX 4096

#endif
