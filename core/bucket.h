/* SPDX-License-Identifier: MIT */
/*
 * A limit on bytes a second, as a token bucket that holds a tenth of a second: instead of
 * the tokens it keeps the moment from which there are some. What is taken may be more than
 * it holds; then it takes as much longer until there are some again.
 */
#ifndef BUCKET_H
#define BUCKET_H

#include <stdint.h>

#define BUCKET_RATE_MAX  1000000000u  /* bytes a second */

struct bucket {
	uint64_t open_ms;  /* nothing may be taken before */
	uint32_t rest;     /* bytes, times 1000, that made no whole millisecond yet */
};

/* How long nothing may be taken; 0: some may be now. */
uint64_t bucket_wait_ms(const struct bucket *b, uint64_t now_ms);

/* Take `bytes` where `rate` a second are allowed; 0: any number. */
void bucket_take(struct bucket *b, uint32_t rate, uint32_t bytes, uint64_t now_ms);

#endif
