/* SPDX-License-Identifier: MIT */
/* The fixed array of sessions. */
#ifndef POOL_H
#define POOL_H

#include "session.h"

/* Make all of them free: once, before their first use. */
void pool_init(struct service *sv);

/* A session that is free; null if all are in use. */
struct session *pool_free(void);

void pool_want(struct port_wait *set);
void pool_step(const struct port_wait *set, uint64_t now_ms);

/* No session is in use. */
bool pool_is_empty(void);

/* Tell all that have no transfer (`or_transfer`: all) to go. */
void pool_dismiss(bool or_transfer, const char *why, uint64_t now_ms);

/* Session `i`, from 0 to CUB_SESSIONS - 1, of which some are free; and by its number. */
const struct session *pool_at(unsigned i);
struct session *pool_find(uint32_t number);

#endif
