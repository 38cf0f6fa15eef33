/* SPDX-License-Identifier: MIT */
/* One client, from accept to the end: see state.h for its fields and states. */
#ifndef SESSION_H
#define SESSION_H

#include "state.h"

/* Make it FREE, with nothing open or left in it: before its first use, and after each. */
void session_init(struct session *s, struct service *sv);

/* Take a client: `sock` is the session's from now on. */
void session_start(struct session *s, port_sock sock, const struct port_addr *peer,
	bool is_implicit);

/* Add what it waits for and its next deadline. Changes nothing. */
void session_want(const struct session *s, struct port_wait *set);

/* Do what can be done now: at most one command, a few records and one slice of a password. */
void session_step(struct session *s, const struct port_wait *set);

/* Tell the client 421 and end; a running transfer is cut off. */
void session_dismiss(struct session *s, const char *why);

/* The same at once, without waiting for anything: its place is free. */
void session_evict(struct session *s);

/* Drop everything at once. */
void session_drop(struct session *s);

#endif
