/* SPDX-License-Identifier: MIT */
/* Limits on bytes a second: see bucket.h. */
#include "bucket.h"

/* So late may a client be without losing what it could have had. */
#define SAVED_MS 100

uint64_t
bucket_wait_ms(const struct bucket *b, uint64_t now_ms)
{
	return b->open_ms > now_ms ? b->open_ms - now_ms : 0;
}

void
bucket_take(struct bucket *b, uint32_t rate, uint32_t bytes, uint64_t now_ms)
{
	uint64_t due = UINT64_C(1000) * bytes + b->rest;

	if (rate == 0) {
		b->open_ms = 0;  /* there may have been a limit before */
		return;
	}
	if (b->open_ms + SAVED_MS < now_ms) {
		b->open_ms = now_ms - SAVED_MS;
	}
	b->open_ms += due / rate;
	b->rest = (uint32_t)(due % rate);
}
