/* SPDX-License-Identifier: MIT */
/* Handlers of the informational commands (RFC 959 section 4.1.3, RFC 2389). */
#ifndef CMD_INFO_H
#define CMD_INFO_H

#include "state.h"

int cmd_feat(struct session *s, struct out *o);
int cmd_syst(struct session *s, struct out *o);
int cmd_stat(struct session *s, struct out *o);

/* The last line of STAT's listing where it can't go on. */
void cmd_stat_cut(struct out *o);

/* The next part of STAT's listing of a directory; ends in READY. */
void cmd_stat_more(struct session *s, struct out *o);

#endif
