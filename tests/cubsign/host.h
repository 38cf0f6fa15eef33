/* SPDX-License-Identifier: MIT */
/*
 * What the tests of cubsign's parts share, on the real machine: claims, and a folder on the disk
 * for those that write.
 */
#ifndef HOST_H
#define HOST_H

#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "der.h"

#define CLAIM_FAIL fail_msg
#include "tests/claim.h"

#define BYTES(array) ((struct bytes){ (const uint8_t *)(array), sizeof(array) })

#define TEST(name) cmocka_unit_test(name)

static char host_folder[sizeof "/tmp/cubsign.XXXXXX"];

/* A new folder, empty. */
static inline void
host_make_folder(void)
{
	(void)snprintf(host_folder, sizeof host_folder, "/tmp/cubsign.XXXXXX");
	assert_non_null(mkdtemp(host_folder));
}

/* The same before a group of tests, which work in it. */
static inline int
host_enter_folder(void **state)
{
	(void)state;
	host_make_folder();
	return chdir(host_folder);
}

static inline int
host_remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

/* Remove it with all that is in it. What follows a test, for cmocka. */
static inline int
host_remove_folder(void **state)
{
	(void)state;
	return nftw(host_folder, host_remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

#endif
