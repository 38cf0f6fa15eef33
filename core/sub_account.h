/* SPDX-License-Identifier: MIT */
/* The subcommands on accounts: see admin.c for how each is called. */
#ifndef SUB_ACCOUNT_H
#define SUB_ACCOUNT_H

#include "request.h"

int sub_account_add(struct request *rq);
int sub_account_list(struct request *rq);
int sub_account_passwd(struct request *rq);
int sub_account_remove(struct request *rq);

#endif
