/* SPDX-License-Identifier: MIT */
/* Giving up root's rights. */
#ifndef CUBFTPD_LINUX_USER_H
#define CUBFTPD_LINUX_USER_H

#include "cubftpd_port.h"

/*
 * Make a user of /etc/passwd the owner of a store, so that it can be read again later.
 * Returns as user_become().
 */
int user_own(const char *name, const char *path);

/*
 * Become a user of /etc/passwd for good: its user and its group, no other groups.
 *
 * Returns CUB_OK; CUB_E_NOENT: no such user; CUB_E_DENIED: not permitted, or it did not last.
 */
int user_become(const char *name);

#endif
