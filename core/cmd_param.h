/* SPDX-License-Identifier: MIT */
/* Handlers of the commands on parameters (RFC 959 section 4.1.2, RFC 2389, RFC 3659). */
#ifndef CMD_PARAM_H
#define CMD_PARAM_H

#include "state.h"

int cmd_type(struct session *s, struct out *o);
int cmd_stru(struct session *s, struct out *o);
int cmd_mode(struct session *s, struct out *o);
int cmd_opts(struct session *s, struct out *o);
int cmd_rest(struct session *s, struct out *o);
int cmd_noop(struct session *s, struct out *o);
int cmd_clnt(struct session *s, struct out *o);

#endif
