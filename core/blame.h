/* SPDX-License-Identifier: MIT */
/*
 * Addresses that did something too often; never an account: nobody can lock others out of it.
 * What they did is forgiven one after the other, each after a while.
 *
 *	failures    of logins, forgiven after a minute each: they make the next answer to a
 *	            password later, and after ten none is asked for
 *	handshakes  that led to no login, forgiven after about three seconds each: after thirty
 *	            the next has to wait for that. They are what costs a small CPU most.
 *
 * The table is fixed. A new address takes the place of the one that will be forgiven first,
 * so that many addresses that fail once don't push out the one that goes on and on.
 */
#ifndef BLAME_H
#define BLAME_H

#include "addr.h"

#define BLAME_ADDRESSES  16
#define BLAME_FAILURES   10
#define BLAME_HANDSHAKES 30

/* Times are in units of 1024 ms. */
struct blame {
	uint32_t each;  /* it takes to forgive one */
	uint32_t most;  /* that are counted */
	struct blamed {
		struct port_addr who;  /* an IPv6 address stands for its /64 */
		uint32_t until;        /* all is forgiven */
	} item[BLAME_ADDRESSES];
};

/* Nobody is blamed; each will be forgiven after so many seconds, and `most` are counted. */
void blame_init(struct blame *b, uint32_t seconds, uint32_t most);

/* One more. */
void blame_add(struct blame *b, const struct port_addr *who, uint64_t now_ms);

/* Those that are not forgiven yet. */
unsigned blame_count(struct blame *b, const struct port_addr *who, uint64_t now_ms);

/* Are these as many as are counted? */
bool blame_is_full(struct blame *b, const struct port_addr *who, uint64_t now_ms);

/* How much later an answer has to be after so many: 500 ms, doubled with each, to 8 s. */
uint32_t blame_delay_ms(unsigned count);

#endif
