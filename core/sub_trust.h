/* SPDX-License-Identifier: MIT */
/* The subcommands on client certificates: pending, trust, trusted, distrust, ca. See request.h. */
#ifndef SUB_TRUST_H
#define SUB_TRUST_H

#include "request.h"

int sub_pending(struct request *rq);
int sub_trust(struct request *rq);
int sub_trusted(struct request *rq);
int sub_distrust(struct request *rq);
int sub_ca_add(struct request *rq);
int sub_ca_list(struct request *rq);
int sub_ca_remove(struct request *rq);

#endif
