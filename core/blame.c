/* SPDX-License-Identifier: MIT */
/* Addresses that did something too often: see blame.h. */
#include "blame.h"

#include <string.h>

void
blame_init(struct blame *b, uint32_t seconds, uint32_t most)
{
	memset(b, 0, sizeof *b);
	b->each = seconds * 1000 >> 10;
	b->most = most;
}

/* Its place in the table, or the one that it would take. */
static struct blamed *
place_of(struct blame *b, const struct port_addr *who)
{
	struct blamed *first = b->item;

	for (struct blamed *at = b->item; at < b->item + BLAME_ADDRESSES; at++) {
		if (addr_same_net(&at->who, who)) {
			return at;
		}
		first = at->until < first->until ? at : first;
	}
	return first;
}

unsigned
blame_count(struct blame *b, const struct port_addr *who, uint64_t now_ms)
{
	const struct blamed *at = place_of(b, who);
	uint32_t now = (uint32_t)(now_ms >> 10);
	uint64_t left = addr_same_net(&at->who, who) && at->until > now ? at->until - now : 0;

	return (unsigned)((left + b->each - 1) / b->each);
}

bool
blame_is_full(struct blame *b, const struct port_addr *who, uint64_t now_ms)
{
	return blame_count(b, who, now_ms) >= b->most;
}

void
blame_add(struct blame *b, const struct port_addr *who, uint64_t now_ms)
{
	struct blamed *at = place_of(b, who);
	unsigned count = blame_count(b, who, now_ms);

	if (count == 0) {
		at->who = *who;
		at->until = (uint32_t)(now_ms >> 10);
	}
	at->until += count < b->most ? b->each : 0;
}

uint32_t
blame_delay_ms(unsigned count)
{
	return count == 0 ? 0 : 500u << (count < 5 ? count - 1 : 4);
}
