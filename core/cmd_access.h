/* SPDX-License-Identifier: MIT */
/* Handlers of the commands on access (RFC 959 section 4.1.1, RFC 4217). See command.h. */
#ifndef CMD_ACCESS_H
#define CMD_ACCESS_H

#include "state.h"

int cmd_auth(struct session *s, struct out *o);
int cmd_user(struct session *s, struct out *o);
int cmd_pass(struct session *s, struct out *o);
int cmd_pbsz(struct session *s, struct out *o);
int cmd_prot(struct session *s, struct out *o);
int cmd_ccc(struct session *s, struct out *o);
int cmd_rein(struct session *s, struct out *o);
int cmd_quit(struct session *s, struct out *o);

/* The password has been derived: in, or back to USER. */
void cmd_pass_end(struct session *s, struct out *o);

#endif
