/* SPDX-License-Identifier: MIT */
/*
 * Addresses from which logins failed. A failure is forgiven after a minute, one after the
 * other; until then it makes the next answer to a password later. Never an account: nobody
 * can lock others out of it.
 *
 * The table is fixed. A new address takes the place of the one that will be forgiven first,
 * so that many addresses that fail once don't push out the one that goes on and on.
 */
#ifndef BLAME_H
#define BLAME_H

#include "addr.h"

#define BLAME_ADDRESSES 16
#define BLAME_MAX       10  /* failures that are counted, and of which no more may try */

struct blame {
	struct blamed {
		struct port_addr who;  /* an IPv6 address stands for its /64 */
		uint32_t until;        /* all is forgiven, in units of 1024 ms */
	} item[BLAME_ADDRESSES];
};

/* One more failure. */
void blame_add(struct blame *b, const struct port_addr *who, uint64_t now_ms);

/* Failures that are not forgiven yet, up to BLAME_MAX. */
unsigned blame_count(struct blame *b, const struct port_addr *who, uint64_t now_ms);

/* How much later an answer has to be after so many: 500 ms, doubled with each, to 8 s. */
uint32_t blame_delay_ms(unsigned count);

#endif
