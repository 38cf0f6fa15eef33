/* SPDX-License-Identifier: MIT */
/*
 * Files of the host: read whole, written whole. `why` gets what is wrong with the file, without
 * its name.
 */
#ifndef DISK_H
#define DISK_H

#include "der.h"

#define DISK_PATH_MAX 1024

/* BASE and what follows it, as a path; false: it is too long. */
bool disk_path(char path[DISK_PATH_MAX], const char *base, const char *ending, struct out *why);

bool disk_exists(const char *path);

/*
 * Are both the same file, by whatever names? Where there is none, whether both would be it: the
 * same name in the same folder.
 */
bool disk_is_same(const char *a, const char *b);

/* Is nothing there that only --force overwrites? Else told, and false. */
bool disk_is_free(const char *path, bool force, struct out *why);

/*
 * Read all of a file, which must be regular ("-": standard input), into `dst`.
 * Returns false, told, where it can't be read or is longer than `cap`.
 */
bool disk_read(const char *path, uint8_t *dst, size_t cap, size_t *len, struct out *why);

/* The same of a file that others than its owner must not be able to read: else told, and false. */
bool disk_read_private(const char *path, uint8_t *dst, size_t cap, size_t *len, struct out *why);

/*
 * Write a file in one step: under another name, synced, then under its own. After a crash it is
 * there as a whole or not at all. What exists is only replaced where `force` says so. `mode` is
 * its access: 0600 for what is private, else 0644 less the umask.
 */
bool disk_write(const char *path, const void *src, size_t len, unsigned mode, bool force,
	struct out *why);

/* Rename a file within its folder. What exists is only replaced where `force` says so. */
bool disk_move(const char *from, const char *to, bool force, struct out *why);

/*
 * Will disk_write() do? Tried with an empty file of another name, which leaves open only whether
 * the disk has room. Else told, and false.
 */
bool disk_can_write(const char *path, bool force, struct out *why);

/* The entry of a file in its folder survives a crash only where the folder is synced, too. */
bool disk_sync_folder(const char *path);

#endif
