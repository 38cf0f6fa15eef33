/* SPDX-License-Identifier: MIT */
/*
 * What the files of the Linux port share, and what its main decides for them: the one
 * map of error numbers, how much is logged, and which signals may end a wait. The core
 * doesn't know this header; it sees include/cubftpd_port.h only.
 */
#ifndef CUBFTPD_LINUX_SYS_H
#define CUBFTPD_LINUX_SYS_H

#include <signal.h>

#include "cubftpd_port.h"

/*
 * What an errno means to the core. EINVAL is taken as a name that the file system
 * refuses, since that is what it says of one; where no name is involved, the caller
 * must not pass the answer on.
 *
 * Returns a negative `enum cub_err`, CUB_E_IO for all that has no closer meaning.
 */
int sys_error(int error);

/* The same for reading and writing: CUB_E_FULL, CUB_E_LIMIT, and CUB_E_IO for the rest. */
int sys_medium_error(int error);

/* How much to read or write in one go, where the count is returned as an int. */
size_t sys_at_most_int(size_t len);

/* Drop events that are less grave than `level`. The start is PORT_LOG_INFO. */
void sys_log_level_set(enum port_log_level level);

/*
 * The signals that are blocked while port_wait() waits. A program that blocks its
 * signals everywhere else can't miss one that comes just before the wait. The pointer
 * is kept; NULL, as at the start, leaves the signals as they are.
 */
void sys_wait_mask_set(const sigset_t *blocked);
const sigset_t *sys_wait_mask(void);

#endif
