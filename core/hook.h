/* SPDX-License-Identifier: MIT */
/*
 * The upload hook: a program of the host that is run after each upload, one at a time and
 * beside the server. Uploads wait for it in a queue of fixed length; nobody waits for the queue.
 */
#ifndef HOOK_H
#define HOOK_H

#include "service.h"

/* The server starts: nothing runs or waits. */
void hook_init(void);

/*
 * An upload of this account has been stored at a path as in path.h. Where the queue is full, the
 * one that has waited longest is dropped, and that is logged.
 */
void hook_add(const struct service *sv, const struct account *account, const char *path);

/* Add the next deadline. Changes nothing. */
void hook_want(struct port_wait *set);

/* Look whether the program has ended or takes too long, and run it for the next one. */
void hook_step(const struct service *sv);

#endif
