/* SPDX-License-Identifier: MIT */
/* Changing inputs: see seeds.h. */
#include "seeds.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* xorshift64: the same numbers from the same seed, everywhere. */
static uint32_t
below(uint32_t bound)
{
	static uint64_t state;

	if (state == 0) {
		const char *seed = getenv("SEED");

		state = seed != NULL ? strtoull(seed, NULL, 10) | 1 : 1;
	}
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 32) % bound;
}

/* A part of some input of the corpus over what is there. */
static void
splice(const struct corpus *corpus, uint8_t *data, size_t len, size_t span)
{
	const struct seed *from = &corpus->seeds[below((uint32_t)corpus->count)];

	span = span < from->len ? span : from->len;
	memcpy(data + below((uint32_t)(len - span + 1)),
		(const uint8_t *)from->at + below((uint32_t)(from->len - span + 1)), span);
}

/* Change `data` once, in place; it has room for FUZZ_MAX bytes. Returns its new length. */
static size_t
change(const struct corpus *corpus, uint8_t *data, size_t len)
{
	size_t at = below((uint32_t)len), span = 1 + below(16);

	span = span > len - at ? len - at : span;
	switch (below(7)) {
	case 0:
		data[at] ^= (uint8_t)(1u << below(8));
		break;
	case 1:
		data[at] = (uint8_t)below(256);
		break;
	case 2:
		data[at] = (uint8_t)corpus->special[below((uint32_t)corpus->special_len)];
		break;
	case 3:
		data[at] = (uint8_t)(data[at] + 1 - 2 * (int)below(2));
		break;
	case 4:
		memmove(data + at, data + at + span, len - at - span);
		len -= span;
		break;
	case 5:
		if (len + span <= FUZZ_MAX) {
			memmove(data + at + span, data + at, len - at);
			len += span;
		}
		break;
	default:
		splice(corpus, data, len, span);
	}
	return len == 0 ? 1 : len;
}

/* In memory of exactly its size, so that a sanitizer sees each byte that is read too many. */
static void
try(const void *at, size_t len)
{
	uint8_t *exact = malloc(len);

	if (exact == NULL) {
		abort();
	}
	memcpy(exact, at, len);
	(void)LLVMFuzzerTestOneInput(exact, len);
	free(exact);
}

void
seeds_try(const struct corpus *corpus, const void *at, size_t len, uint32_t changes)
{
	static uint8_t data[FUZZ_MAX];

	try(at, len);
	for (uint32_t i = 0; i < changes; i++) {
		size_t now = len;

		memcpy(data, at, len);
		for (uint32_t times = 1 + below(4); times > 0; times--) {
			now = change(corpus, data, now);
		}
		try(data, now);
	}
}

static int
write_corpus(const struct corpus *corpus, const char *folder)
{
	for (size_t i = 0; i < corpus->count; i++) {
		const struct seed *seed = &corpus->seeds[i];
		char path[512];
		FILE *file;

		snprintf(path, sizeof path, "%s/%s", folder, seed->name);
		file = fopen(path, "wb");
		if (file == NULL || fwrite(seed->at, 1, seed->len, file) != seed->len
			|| fclose(file) != 0) {
			perror(path);
			return 1;
		}
	}
	return 0;
}

static int
try_file(const struct corpus *corpus, const char *path, uint32_t changes)
{
	static uint8_t data[FUZZ_MAX];
	FILE *file = fopen(path, "rb");
	size_t len;

	if (file == NULL) {
		perror(path);
		return 1;
	}
	len = fread(data, 1, sizeof data, file);
	(void)fclose(file);
	printf("%s: %zu bytes\n", path, len);
	if (len > 0) {
		seeds_try(corpus, data, len, changes);
	}
	return 0;
}

int
seeds_main(const struct corpus *corpus, int argc, char **argv)
{
	int code = 0;

	if (argc > 2 && strcmp(argv[1], "--write") == 0) {
		return write_corpus(corpus, argv[2]);
	}
	for (int i = 2; i < argc; i++) {
		code |= try_file(corpus, argv[i], (uint32_t)strtoul(argv[1], NULL, 10));
	}
	return code;
}
