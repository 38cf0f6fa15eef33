/* SPDX-License-Identifier: MIT */
/* The subcommands on the device's own key and certificate. See request.h. */
#ifndef SUB_DEVICE_H
#define SUB_DEVICE_H

#include "request.h"

int sub_init(struct request *rq);
int sub_fingerprint(struct request *rq);
int sub_csr(struct request *rq);
int sub_cert(struct request *rq);

/* Open the identity store, which must hold an identity. CUB_OK, or the error, told. */
int sub_device_open(struct request *rq);

#endif
