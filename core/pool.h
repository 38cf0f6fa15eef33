/* SPDX-License-Identifier: MIT */
/* The fixed array of sessions. */
#ifndef POOL_H
#define POOL_H

#include "session.h"

/* Make all of them free: once, before their first use. */
void pool_init(struct service *sv);

/*
 * A session for a client that has come, by these rules (PROTOCOL, checklist 4.25):
 *
 * - From one address no more are taken than sessions_per_address.
 * - Who is not logged in has one session less than there are, if there are several; so there
 *   is always one that is logged in, or free.
 * - Where that leaves no room, a client goes that leaves already, or else the oldest that waits
 *   to be logged in, of an address that has more of these than the one that comes. So nobody can
 *   keep others out by saying nothing, nor by coming again and again.
 * - Of three sessions or more, the last one is for administrators. A client is known to be one
 *   only when it logs in: so whoever comes is taken, and then told 421 where guests, as we call
 *   those without that right, have all the others. That rule is in state_has_room().
 *
 * Null where there is none: `*why` says why.
 */
struct session *pool_take(const struct port_addr *peer, const char **why);

void pool_want(struct port_wait *set);
void pool_step(const struct port_wait *set);

/* No session is in use. */
bool pool_is_empty(void);

/* Tell all that have no transfer (`or_transfer`: all) to go. */
void pool_dismiss(bool or_transfer, const char *why);

/* Session `i`, from 0 to CUB_SESSIONS - 1, of which some are free; and by its number. */
const struct session *pool_at(unsigned i);
struct session *pool_find(uint32_t number);

#endif
