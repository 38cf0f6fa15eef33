/* SPDX-License-Identifier: MIT */
/*
 * The server: its contract is public, in cubftpd.h (cubftpd_start(), _want(), _step(), ...).
 * What follows is for admin.c.
 */
#ifndef SERVER_H
#define SERVER_H

#include "state.h"

/* Add "STORE: what is wrong" for a store at `where` that could not be used. */
void server_explain(struct out *why, const char *where, int err);

#endif
