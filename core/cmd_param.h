/* SPDX-License-Identifier: MIT */
/* Handlers of the commands on parameters (RFC 959 section 4.1.2, RFC 2389, RFC 3659). */
#ifndef CMD_PARAM_H
#define CMD_PARAM_H

#include "state.h"

void cmd_type(struct session *s, struct text arg, struct out *o);
void cmd_stru(struct session *s, struct text arg, struct out *o);
void cmd_mode(struct session *s, struct text arg, struct out *o);
void cmd_opts(struct session *s, struct text arg, struct out *o);
void cmd_rest(struct session *s, struct text arg, struct out *o);
void cmd_noop(struct session *s, struct text arg, struct out *o);
void cmd_clnt(struct session *s, struct text arg, struct out *o);

#endif
