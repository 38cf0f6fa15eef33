/* SPDX-License-Identifier: MIT */
/* The states of a session and the one door between them: see state.h. */
#include "state.h"

#include "path.h"

enum limit {
	LIMIT_NONE,
	LIMIT_LOGIN,    /* one deadline from connecting to being logged in */
	LIMIT_IDLE,
	LIMIT_CLOSING,
};

#define CLOSING_MS UINT64_C(5000)

#define IN_USE    (IN(SESSION_READY) | IN(SESSION_TRANSFER) | IN(SESSION_REPLYING) \
	| IN(SESSION_HASHING))
#define IN_LIVING (IN(SESSION_CLEAR) | IN(SESSION_HANDSHAKE) | IN(SESSION_LOGIN) \
	| IN(SESSION_PASSWORD) | IN(SESSION_CHECKING) | IN_USE)

static const struct {
	const char *name;
	enum limit  limit;
	uint16_t    from;  /* IN() of each state that it is entered from */
} states[] = {
	[SESSION_FREE] = { "free", LIMIT_NONE,
		IN_LIVING | IN(SESSION_CLOSING) | IN(SESSION_DRAINING) },
	[SESSION_CLEAR] = { "clear", LIMIT_LOGIN, IN(SESSION_FREE) },
	[SESSION_HANDSHAKE] = { "handshake", LIMIT_LOGIN, IN(SESSION_FREE) | IN(SESSION_CLEAR) },
	[SESSION_LOGIN] = { "login", LIMIT_LOGIN,
		IN(SESSION_HANDSHAKE) | IN(SESSION_LOGIN) | IN(SESSION_PASSWORD)
		| IN(SESSION_CHECKING) | IN(SESSION_READY) },
	[SESSION_PASSWORD] = { "password", LIMIT_LOGIN, IN(SESSION_LOGIN) | IN(SESSION_PASSWORD) },
	[SESSION_CHECKING] = { "checking", LIMIT_LOGIN, IN(SESSION_PASSWORD) },
	[SESSION_READY] = { "ready", LIMIT_IDLE,
		IN(SESSION_LOGIN) | IN(SESSION_PASSWORD) | IN(SESSION_CHECKING)
		| IN(SESSION_TRANSFER) | IN(SESSION_REPLYING) | IN(SESSION_HASHING) },
	[SESSION_TRANSFER] = { "transfer", LIMIT_NONE, IN(SESSION_READY) },
	[SESSION_REPLYING] = { "replying", LIMIT_IDLE, IN(SESSION_READY) },
	[SESSION_HASHING] = { "hashing", LIMIT_IDLE, IN(SESSION_READY) },
	[SESSION_CLOSING] = { "closing", LIMIT_CLOSING, IN_LIVING },
	[SESSION_DRAINING] = { "draining", LIMIT_CLOSING, IN(SESSION_CLOSING) },
};

void
state_renew(struct session *s)
{
	switch (states[s->state].limit) {
	case LIMIT_NONE:
		s->deadline_ms = UINT64_MAX;
		break;
	case LIMIT_LOGIN:
		s->deadline_ms = s->login_deadline_ms;
		break;
	case LIMIT_IDLE:
		s->deadline_ms = s->now_ms + s->service->config.idle_timeout * UINT64_C(1000);
		break;
	case LIMIT_CLOSING:
		s->deadline_ms = s->now_ms + CLOSING_MS;
		break;
	}
}

/* The counters of what is going on follow the states. */
static void
count(struct service *sv, enum session_state state, int step)
{
	sv->status.sessions += (uint32_t)(state != SESSION_FREE ? step : 0);
	sv->status.transfers += (uint32_t)(state == SESSION_TRANSFER ? step : 0);
}

static void
count_guest(struct session *s, enum session_state state)
{
	bool is_guest = (IN_USE & IN(state)) != 0 && !s->is_admin;

	s->service->guests = (uint8_t)(s->service->guests + is_guest - s->is_guest);
	s->is_guest = is_guest;
}

void
state_enter(struct session *s, enum session_state next)
{
	struct log l;

	CUB_ASSERT((states[next].from & IN(s->state)) != 0);
	state_log(s, &l, "state");
	log_string(&l, "from", state_name(s->state));
	log_string(&l, "to", state_name(next));
	log_end(&l, PORT_LOG_DEBUG);
	count(s->service, s->state, -1);
	count(s->service, next, 1);
	count_guest(s, next);
	s->state = next;
	state_renew(s);
}

void
state_reset(struct session *s)
{
	s->is_known = false;
	s->admission = (struct admission){ .is_admin = false };
	s->is_admin = false;
	s->is_image = false;
	s->is_private = s->is_implicit;  /* without AUTH there is no other way */
	s->is_epsv_only = false;
	s->facts = FACT_ALL;
	s->hash_kind = HASH_SHA256;
	s->noops_due = 0;
	s->restart_at = 0;
	s->announced = 0;
	s->cwd[0] = '\0';
	s->rename_from[0] = '\0';
}

int
state_resolve(struct session *s)
{
	int err = path_resolve(s->cwd, s->arg, s->path);

	return err == CUB_OK && provision_holds(s->path) && !s->is_admin ? CUB_E_NOENT : err;
}

int
state_resolve_entry(struct session *s)
{
	int err = state_resolve(s);

	return err == CUB_OK && (s->path[1] == '\0' || provision_holds(s->path))
		? CUB_E_DENIED : err;
}

int
state_look_at_place(struct session *s, struct port_stat *stat)
{
	int err = provision_find(s->service, s->path, &s->transfer.place);

	return err < 0 ? err : provision_stat(s->service, &s->transfer.place, stat);
}

int
state_look(struct session *s, struct port_stat *stat)
{
	int err = state_resolve(s);

	return err < 0 ? err : provision_holds(s->path) ? state_look_at_place(s, stat)
		: port_stat(s->root, path_in_root(s->path), stat);
}

bool
state_has_room(const struct service *sv, bool is_admin)
{
	return is_admin || CUB_SESSIONS < 3 || sv->guests + 1 < CUB_SESSIONS;
}

bool
state_is_in(const struct session *s)
{
	return s->root != PORT_NONE;
}

const char *
state_name(enum session_state state)
{
	return states[state].name;
}

void
state_log(const struct session *s, struct log *l, const char *event)
{
	log_start(l, event);
	log_number(l, "session", s->number);
	log_addr(l, "peer", &s->peer);
	if (state_is_in(s)) {
		log_string(l, "account", s->account.name);
	}
}
