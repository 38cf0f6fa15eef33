/* SPDX-License-Identifier: MIT */
/* The subcommands on the server as a whole: status, sessions, kick, reload. See request.h. */
#ifndef SUB_SERVER_H
#define SUB_SERVER_H

#include "request.h"

int sub_status(struct request *rq);
int sub_sessions(struct request *rq);
int sub_kick(struct request *rq);

/* Returns CUB_AGAIN where it is for the program to reload. */
int sub_reload(struct request *rq);

#endif
