/* SPDX-License-Identifier: MIT */
/* Giving up root's rights. */
#ifndef CUBFTPD_LINUX_USER_H
#define CUBFTPD_LINUX_USER_H

#include "cubftpd_port.h"

/*
 * Become a user of /etc/passwd for good: its user and its group, no other groups.
 *
 * Returns CUB_OK; CUB_E_NOENT: no such user; CUB_E_DENIED: not permitted, or it did not last.
 */
int user_become(const char *name);

#endif
