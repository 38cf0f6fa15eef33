/* SPDX-License-Identifier: MIT */
/*
 * The control socket: administrative commands to the running server, one client at a time.
 * The format is in cubftpd.h.
 *
 *	IDLE       a client
 *	READING    the rest of its request
 *	RELOADING  the program, which is to reload
 *
 * An answer is made and written in one go: it fits into the socket's buffer, and so no part of
 * it is made before a change and another after it. A client that reads none is dropped.
 */
#ifndef CONTROL_H
#define CONTROL_H

#include "service.h"

#if CONFIG_CUBFTPD_ADMIN

/* Listen at `control_socket`, if there is one. CUB_OK, or the error, told. */
int control_start(struct service *sv, struct out *why);
void control_stop(struct service *sv);

void control_want(struct port_wait *set);
void control_step(struct service *sv, const struct port_wait *set);

/* Does a client wait for the program to reload? And: it has. */
bool control_wants_reload(void);
void control_reloaded(int err, const struct out *why);

#else

/* There is none, and the key `control_socket` takes no name. */
#define control_start(sv, why)       ((void)(sv), (void)(why), CUB_OK)
#define control_stop(sv)             ((void)(sv))
#define control_want(set)            ((void)(set))
#define control_step(sv, set)        ((void)(sv), (void)(set))
#define control_wants_reload()       (false)
#define control_reloaded(err, why)   ((void)(err), (void)(why))

#endif

#endif
