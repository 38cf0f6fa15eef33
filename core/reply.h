/* SPDX-License-Identifier: MIT */
/*
 * Replies: codes by their meaning (RFC 959 section 4.2, RFC 4217, RFC 2428), and the one
 * reply that fits an error. Handlers return errors; they don't choose codes for them.
 *
 * What ends a reply returns CUB_OK, so that a handler can end with it.
 */
#ifndef REPLY_H
#define REPLY_H

#include "text.h"

/* `CODE TEXT`, one line. */
int reply(struct out *o, unsigned code, const char *text);

/* `CODE TEXT` with something between: begin, write to `o`, end. */
void reply_start(struct out *o, unsigned code, const char *text);
int reply_end(struct out *o, const char *text);

/* The reply to a command on a file that failed with `err`. */
int reply_error(struct out *o, int err);

/* The same where there is a reason in words. */
int reply_reason(struct out *o, int err, const char *why);

/* The final reply of a transfer that failed with `err`. */
int reply_transfer_error(struct out *o, int err);

#endif
