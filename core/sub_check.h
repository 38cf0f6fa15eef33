/* SPDX-License-Identifier: MIT */
/* The subcommand `check`: would the server serve, and what would clients see? See request.h. */
#ifndef SUB_CHECK_H
#define SUB_CHECK_H

#include "request.h"

int sub_check(struct request *rq);

#endif
