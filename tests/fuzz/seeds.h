/* SPDX-License-Identifier: MIT */
/*
 * A corpus for a fuzzer's test: each of its inputs as it is and with changes that SEED chooses,
 * files instead, and the corpus as files for libFuzzer.
 */
#ifndef SEEDS_H
#define SEEDS_H

#include "fuzz.h"

struct seed {
	const char *name;
	const void *at;
	size_t len;
};

struct corpus {
	const struct seed *seeds;
	size_t count;
	const char *special;  /* bytes that mean something */
	size_t special_len;
};

/* Try an input of at most FUZZ_MAX bytes, and so many changes of it. */
void seeds_try(const struct corpus *corpus, const void *at, size_t len, uint32_t changes);

/*
 * The rest of main(), where there are arguments: `--write FOLDER`, or `CHANGES FILE...`, as what
 * libFuzzer has found. Returns the exit code.
 */
int seeds_main(const struct corpus *corpus, int argc, char **argv);

#endif
