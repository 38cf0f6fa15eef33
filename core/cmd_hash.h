/* SPDX-License-Identifier: MIT */
/* Handlers of the commands that hash a file (draft-bryan-ftp-hash, and its forerunners). */
#ifndef CMD_HASH_H
#define CMD_HASH_H

#include "state.h"

int cmd_hash(struct session *s, struct out *o);
int cmd_xsha256(struct session *s, struct out *o);
int cmd_xcrc(struct session *s, struct out *o);

/* The next slice of the file; at its end the answer, and READY. */
void cmd_hash_more(struct session *s, struct out *o);

/* OPTS HASH: choose what HASH computes, or tell it. */
int cmd_hash_opts(struct session *s, struct out *o);

#endif
