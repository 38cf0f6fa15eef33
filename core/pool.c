/* SPDX-License-Identifier: MIT */
/* The fixed array of sessions: see pool.h. */
#include "pool.h"

#include "addr.h"

/* Clients that are not logged in. */
#define OUTSIDE_MAX (CUB_SESSIONS > 1 ? CUB_SESSIONS - 1 : 1)

static struct session sessions[CUB_SESSIONS];

void
pool_init(struct service *sv)
{
	for (unsigned i = 0; i < CUB_SESSIONS; i++) {
		session_init(&sessions[i], sv);
	}
}

/* May it be ended for somebody else's sake? Not while we work for it. */
static bool
may_go(const struct session *s)
{
	return s->state < SESSION_CHECKING || (s->state == SESSION_CHECKING && s->check.left == 0);
}

/* How many has that address that are not logged in, and don't leave? */
static unsigned
count_outside(const struct port_addr *who)
{
	unsigned count = 0;

	for (const struct session *s = sessions; s < sessions + CUB_SESSIONS; s++) {
		count += s->state != SESSION_FREE && s->state <= SESSION_CHECKING
			&& addr_same_net(&s->peer, who);
	}
	return count;
}

struct session *
pool_take(const struct port_addr *peer, const char **why)
{
	uint32_t limit = sessions[0].service->config.sessions_per_address;
	struct session *place = NULL, *oldest = NULL, *leaving = NULL;
	unsigned outside = 0, alike = 0;

	for (unsigned i = 0; i < CUB_SESSIONS; i++) {
		struct session *s = &sessions[i];

		if (s->state == SESSION_FREE) {
			place = s;
			continue;
		}
		outside += !state_is_in(s);
		if (s->state >= SESSION_CLOSING) {
			leaving = s;
		} else if (addr_same_net(&s->peer, peer)) {
			alike++;
		} else if (may_go(s) && (oldest == NULL || s->number < oldest->number)
			&& count_outside(&s->peer) > count_outside(peer)) {
			oldest = s;
		}
	}
	if (limit > 0 && alike >= limit) {
		*why = "Too many connections from your address, try again later";
		return NULL;
	}
	*why = STATE_TOO_MANY;
	if (place != NULL && outside < OUTSIDE_MAX) {
		return place;
	}
	if (leaving != NULL && outside - !state_is_in(leaving) < OUTSIDE_MAX) {
		oldest = leaving;
	}
	if (oldest != NULL) {
		session_evict(oldest);
	}
	return oldest;
}

void
pool_want(struct port_wait *set)
{
	for (unsigned i = 0; i < CUB_SESSIONS; i++) {
		session_want(&sessions[i], set);
	}
}

void
pool_step(const struct port_wait *set)
{
	for (unsigned i = 0; i < CUB_SESSIONS; i++) {
		session_step(&sessions[i], set);
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
pool_dismiss(bool or_transfer, const char *why)
{
	for (unsigned i = 0; i < CUB_SESSIONS; i++) {
		if (or_transfer || sessions[i].state != SESSION_TRANSFER) {
			session_dismiss(&sessions[i], why);
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
