/* SPDX-License-Identifier: MIT */
/* The fixed array of sessions: see pool.h. */
#include "pool.h"

static struct session sessions[CUB_SESSIONS];

void
pool_init(struct service *sv)
{
	for (unsigned i = 0; i < CUB_SESSIONS; i++) {
		session_init(&sessions[i], sv);
	}
}

struct session *
pool_free(void)
{
	for (unsigned i = 0; i < CUB_SESSIONS; i++) {
		if (sessions[i].state == SESSION_FREE) {
			return &sessions[i];
		}
	}
	return NULL;
}

void
pool_want(struct port_wait *set)
{
	for (unsigned i = 0; i < CUB_SESSIONS; i++) {
		session_want(&sessions[i], set);
	}
}

void
pool_step(const struct port_wait *set, uint64_t now_ms)
{
	for (unsigned i = 0; i < CUB_SESSIONS; i++) {
		session_step(&sessions[i], set, now_ms);
	}
}

bool
pool_is_empty(void)
{
	for (unsigned i = 0; i < CUB_SESSIONS; i++) {
		if (sessions[i].state != SESSION_FREE) {
			return false;
		}
	}
	return true;
}

void
pool_dismiss(bool or_transfer, const char *why, uint64_t now_ms)
{
	for (unsigned i = 0; i < CUB_SESSIONS; i++) {
		if (or_transfer || sessions[i].state != SESSION_TRANSFER) {
			session_dismiss(&sessions[i], why, now_ms);
		}
	}
}

const struct session *
pool_at(unsigned i)
{
	return &sessions[i];
}

struct session *
pool_find(uint32_t number)
{
	for (unsigned i = 0; i < CUB_SESSIONS; i++) {
		if (sessions[i].state != SESSION_FREE && sessions[i].number == number) {
			return &sessions[i];
		}
	}
	return NULL;
}
