/* SPDX-License-Identifier: MIT */
/* The set of what is waited for: see wait.h. */
#include "wait.h"

void
wait_add(struct port_wait *set, port_sock sock, unsigned events)
{
	CUB_ASSERT(set->count < CUB_WAIT_MAX);
	set->item[set->count].sock = sock;
	set->item[set->count].events = (uint8_t)events;
	set->item[set->count].ready = 0;
	set->count++;
}

void
wait_until(struct port_wait *set, uint64_t deadline_ms)
{
	if (deadline_ms < set->deadline_ms) {
		set->deadline_ms = deadline_ms;
	}
}

bool
wait_is_ready(const struct port_wait *set, port_sock sock)
{
	for (unsigned i = 0; i < set->count; i++) {
		if (set->item[i].sock == sock) {
			return set->item[i].ready != 0;
		}
	}
	return false;
}
